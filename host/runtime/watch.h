// Watch: looks after callbacks that do not return, so that nobody but their process pays for them.
//
// One thread, one tick every kTickNs. What it sees of a runner inside one and the same callback:
//   a tick             a scheduler is idle: what waits behind the callback is given to that one
//                      the scheduler has not looked at its timers and sockets since the last:
//                      it does when the callback returns, and more often from then on
//   long_schedule      reported, and again when the callback returns
//   stuck_after        the scheduler goes on with another runner; this one is exiled. When a
//                      barrier waits: after long_schedule
//   exiled             exit, link and monitor signals to its process act. If they end it, and the
//                      callback has lasted kill_after: abandoned, that is dead to everybody
//   abandoned          counted; a version that has abandoned_max starts no more processes
//
// Time is counted in ticks, a late one as two at most: a machine that was paused makes nobody
// stuck. While all schedulers sleep the watch does, too.
//
// Invariants:
//   (1) It acts in another's place only with a claim (boundary.h), and waits meanwhile for locks
//       only, under which no module code runs.
//   (2) What a tick does depends on its argument, the runners and who is idle only.
// That it ends the processes of exiles only, each once, is checked; (1) and (2) are rules for who
// writes here, and (2) is what lets tests give the ticks.
// Threads: tick: one at a time. stir: any.
#pragma once

#include "runtime/context.h"
#include "runtime/long_schedule.h"
#include "runtime/runner.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace baton::runtime {

class Runtime;

inline constexpr std::uint64_t kTickNs = 10'000'000;
/// After so many ticks with nothing to see it sleeps.
inline constexpr std::uint32_t kQuietTicks = 100;

class Watch {
 public:
  Watch(Runtime& runtime, const LongScheduleLimits& limits);
  ~Watch() { stop(); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// Nothing where the system cannot do it (can_claim).
  void start();
  void stop();

  /// One look, `passed_ns` after the last. One at a time.
  void tick(std::uint64_t passed_ns);

  /// A scheduler has work again. Cheap unless the watch sleeps.
  void stir() {
    if (__builtin_expect(is_asleep_.load(std::memory_order_seq_cst), 0)) wake_up();
  }
  /// It looks at nothing until somebody stirs it.
  bool is_asleep() const { return is_asleep_.load(std::memory_order_relaxed); }
  /// An errand's thread goes to work, which wakes no scheduler; it is done.
  void begin_errand() {
    errands_.fetch_add(1, std::memory_order_seq_cst);
    stir();
  }
  void end_errand() { errands_.fetch_sub(1, std::memory_order_relaxed); }
  /// Somebody waits for the schedulers to come by.
  void set_hurry(bool is_hurried) { is_hurried_.store(is_hurried, std::memory_order_relaxed); }

  const LongScheduleLimits& limits() const { return limits_; }
  /// In which it acts for others.
  Context& context() { return context_; }

  /// A callback that does not return, and whose scheduler has gone on without it.
  struct Exile {
    LongSchedule callback;
    const code::Version* version;
    bool is_drained;    // of a process that a drain puts aside
    bool is_frame;      // it has waited before, and a drain counts it as waiting
    bool is_abandoned;  // of a process that is dead
  };
  /// Any thread outside the schedulers.
  std::vector<Exile> exiles() const;
  /// Callbacks that are inside for long_schedule at least. Any thread outside the schedulers.
  std::vector<LongSchedule> overdue() const;
  /// Ends the process of an exile now, for one who cannot wait. False: the callback has returned,
  /// or been left, meanwhile, or the process is not the exile's yet (errand.h). Any thread outside
  /// the schedulers.
  bool abandon(baton_term pid);
  /// What an exile's process does is waited for no more: it continues no chain (chain.h). False: as
  /// of abandon.
  bool leave_behind(baton_term pid);

 private:
  // What was seen of a runner.
  struct Seen {
    std::uint64_t place = 0;
    std::uint64_t age_ns = 0;
    std::optional<LongSchedule> report;  // once it was made
    bool has_no_thread = false;          // it was told so
  };

  void loop();
  void wake_up();
  void look_at(Runner& runner, Seen& seen, std::uint64_t passed_ns);
  void look_at_exile(Runner& runner, Seen& seen);
  /// Requires: a claim, and the report of its callback.
  void end_process(Runner& runner);
  /// The exile inside a callback of the process; null: none, or the process is not its yet.
  Runner* exile_of(baton_term pid);
  void tell(Seen& seen, LongSchedule::What what);
  bool is_quiet() const;

  Runtime& runtime_;
  const LongScheduleLimits limits_;
  Context context_;
  std::atomic<bool> is_hurried_{false};
  std::atomic<bool> is_asleep_{false};
  std::atomic<std::uint32_t> errands_{0};  // under way

  mutable std::mutex mutex_;                           // before a claim's
  std::array<Seen, kRunnersMax> seen_;                 // guarded by mutex_
  std::array<std::uint64_t, kSchedulersMax> looks_{};  // as seen, by scheduler; guarded by mutex_
  std::condition_variable wake_up_;
  bool is_stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace baton::runtime
