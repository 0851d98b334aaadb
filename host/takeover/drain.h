// Drain: brings the processes of a group of versions to rest, and lets them go again.
//
//   open -> draining     every scheduler passes a barrier. From then on these processes serve only
//                        what continues a chain begun before (runtime/chain.h); other mail waits in
//                        their mailboxes.
//   draining -> parked   when no callback of theirs is waiting in a frame and no marked message is
//                        left. Counted, not searched: see runtime/chain.h.
//                        (Parking each process at its next message instead would deadlock: one that
//                        awaits the answer of a parked one never comes to rest.)
//   parked -> open       release: what was held back goes to the run queues.
//
// A callback that does not return keeps no scheduler from passing a barrier (runtime/watch.h). But
// its process is not at rest, and its state may not be moved: what becomes of it is a policy's
// (StuckPolicy). One that is left behind is no part of the group any more: if it comes back while
// the others are parked it is held like them, and goes on in the code that it has.
//
// Idle processes take no part in any of this: nothing is sent to them, nobody visits them.
//
// Threads: the take-over's, one at a time; no scheduler's.
#pragma once

#include "base/result.h"
#include "runtime/runtime.h"
#include "runtime/watch.h"

#include <string>
#include <vector>

namespace baton::takeover {

/// What becomes of a process of the group whose callback does not return.
enum class StuckPolicy {
  kRefuse,   // it is waited for, and fails the take-over at its deadline
  kLeave,    // it stays on the version that it has
  kAbandon,  // it is ended
};

class Drain {
 public:
  Drain(runtime::Runtime& runtime, std::vector<code::Version*> group, StuckPolicy policy);
  /// Releases what is still held.
  ~Drain();
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

  /// kTimedOut: not all came to rest by the deadline; the error names some that did not. Everything
  /// runs again.
  Result<void> park(std::uint64_t deadline_ns);
  /// Adds a version that takes processes over, parked with the others until release. Requires: they
  /// are parked.
  void join(code::Version* version);
  void release();
  /// Those that the policy left behind, when the others were parked.
  const std::vector<baton_term>& left_behind() const { return left_behind_; }
  /// Processes that the policy has ended.
  std::uint64_t abandoned() const { return abandoned_; }

 private:
  void set_phase(code::Phase phase);
  std::string who_is_busy() const;
  /// Callbacks of the group that are inside without a scheduler.
  std::vector<runtime::Watch::Exile> stuck() const;
  /// No callback is inside, none waits in a frame, and no chain goes on, but for what is left
  /// behind; deals with those that are stuck as the policy says.
  bool is_at_rest();
  Result<void> come_to_rest(std::uint64_t deadline_ns);

  runtime::Runtime& runtime_;
  std::vector<code::Version*> group_;
  const StuckPolicy policy_;
  std::vector<baton_term> left_behind_;  // of the last look
  std::uint64_t abandoned_ = 0;
  bool is_released_ = true;
};

}  // namespace baton::takeover
