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
// its process is not at rest, and its state may not be moved: it is waited for, or ended.
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

class Drain {
 public:
  /// `abandons_stuck`: processes of the group are ended whose callback does not return.
  Drain(runtime::Runtime& runtime, std::vector<code::Version*> group, bool abandons_stuck);
  /// Releases what is still held.
  ~Drain();
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

  /// kTimedOut: not all came to rest by the deadline; the error names some that did not. Everything
  /// runs again.
  Result<void> park(std::uint64_t deadline_ns);
  /// Adds a version that takes processes over; it must stay parked with the others until release.
  void join(code::Version* version);
  void release();

 private:
  void set_phase(code::Phase phase);
  std::string who_is_busy() const;
  /// Callbacks of the group that are inside without a scheduler.
  std::vector<runtime::Watch::Exile> stuck() const;
  /// Whether there are none; abandons them if that is the way.
  bool is_free_of_stuck();
  Result<void> come_to_rest(std::uint64_t deadline_ns);

  runtime::Runtime& runtime_;
  std::vector<code::Version*> group_;
  const bool abandons_stuck_;
  bool is_released_ = true;
};

}  // namespace baton::takeover
