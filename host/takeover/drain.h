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
// Idle processes take no part in any of this: nothing is sent to them, nobody visits them.
//
// Threads: the take-over's, one at a time; no scheduler's.
#pragma once

#include "base/result.h"
#include "runtime/runtime.h"

#include <string>
#include <vector>

namespace baton::takeover {

class Drain {
 public:
  Drain(runtime::Runtime& runtime, std::vector<code::Version*> group);
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

  runtime::Runtime& runtime_;
  std::vector<code::Version*> group_;
  bool is_released_ = true;
};

}  // namespace baton::takeover
