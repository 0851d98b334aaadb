// Scheduler: what the processes of one core share: their run queue, the stealing from others', the
// sleep.
//
// A runner drives it (runner.h); when a callback does not return, another runner goes on with it.
//
// The run queue has four parts, tried in this order:
//   next       the process woken last (LIFO), so that a request and its answer stay on one warm
//              cache; bounded by time (kNextNs), else a pair that keeps waking each other would
//              starve the rest
//   fresh      newly spawned processes, newest first: depth first keeps a tree of spawns small. 32
//              at most, the oldest half goes to the ring
//   ring       4,096 entries; only this one can be stolen from
//   overflow   what did not fit the ring, the scheduler's own list. (A shared one costs 15 times at
//              1,000 pairs.)
// Processes woken from outside the schedulers come in by the runtime's injection queue.
//
// Sleeping and waking
//   A scheduler out of work searches the others' rings. Few items (kStealMin) behind a scheduler
//   that makes progress are left to it: moving them costs more than they do. One sleeper, the
//   watcher, wakes every kWatchNs while others work, and takes what stands still.
//   To sleep: set the idle bit; stop searching; full fence; look at all queues once more; then the
//             poller.
//   To wake:  publish the work; full fence; if anyone is idle and nobody searches, become the
//             reason for one search (searching 0 -> 1), clear an idle bit, wake that poller.
//             Whoever clears the bit passes the token `searching` on to the woken; a sleeper whose
//             look finds its bit cleared already has inherited it. The last searcher to find work
//             wakes another, so that a burst spreads.
//
// Invariants:
//   (1) A process stands in at most one queue, once: whoever turned it from idle to owned enqueued
//       it.
//   (2) What its runner owns is whole at each call into module code: a turn is the tail of step.
// Neither is checked: a process does not say where it stands, and to have it say so would cost two
// stores a message; the other is a rule for who writes here.
// Threads: its runner's, and a claimant's in its place (boundary.h), but for steal, wake and the
//          atomics.
#pragma once

#include "runtime/context.h"
#include "runtime/poller.h"
#include "runtime/timers.h"

#include <array>
#include <atomic>
#include <cstdint>

namespace baton::runtime {

class Runner;

inline constexpr std::uint32_t kRingSize = 4096;
inline constexpr std::uint32_t kFreshMax = 32;
inline constexpr std::uint32_t kStealMin = 64;
inline constexpr std::uint64_t kNextNs = 300'000;
inline constexpr std::uint64_t kWatchNs = 1'000'000;
inline constexpr std::uint32_t kTurnMessagesMax = 1024;
/// Turns between two looks at sockets, timers, injections.
inline constexpr std::uint32_t kLookEvery = 61;
/// When callbacks are so long that a scheduler has not looked for a tick of the watch, it looks
/// after each turn, and lets a turn have only so many messages that a look is due about this often.
inline constexpr std::uint64_t kLookNs = 1'000'000;

class Scheduler {
 public:
  /// Requires: before the first step, a runner.
  Scheduler(Runtime& runtime_of, std::uint32_t id_of);
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  Runtime& runtime;
  const std::uint32_t id;

  /// Who drives it. Any thread; outside the runner's own it may be another by the next moment.
  Runner& runner() const;
  void set_runner(Runner& runner);
  /// Its runner's. That thread only.
  Context& context() { return *context_.load(std::memory_order_relaxed); }

  /// What its runner does over and over: the turn of one process. False: it found none, and would
  /// sleep now. Requires: the runner's thread, or that it has none and only one thread steps at a
  /// time.
  bool step();
  /// Until there may be work.
  void sleep();
  /// It has not looked at sockets, timers, injections for long: it will after this turn.
  void be_careful() {
    turn_messages_ = 1;
    until_look_ = 1;
  }
  /// How many messages a turn may have.
  std::uint32_t turn_messages() const { return turn_messages_; }
  /// How often it has looked. Any thread.
  std::uint64_t looks() const { return looks_.load(std::memory_order_relaxed); }

  /// The process was idle and has mail now.
  void enqueue_woken(Process* process) {
    Process* older = next_;
    next_ = process;
    if (older != nullptr) enqueue_tail(older);
  }
  /// The process goes behind all others: it had its turn.
  void enqueue_tail(Process* process);
  void enqueue_fresh(Process* process);

  Poller& poller() { return poller_; }
  Timers& timers() { return timers_; }

  /// The take-over's barrier: the epoch seen between two callbacks. Any thread reads it.
  std::uint64_t acknowledged() const { return acknowledged_.load(std::memory_order_acquire); }
  /// An epoch has begun that this scheduler has not acknowledged.
  bool is_behind() const {
    return epoch_->load(std::memory_order_acquire) != acknowledged_.load(std::memory_order_relaxed);
  }
  HeldList& held() { return held_; }
  /// Gives what waits behind the turn under way to whoever comes first. False: nothing waits.
  /// Requires: a claim on the runner.
  bool share();
  std::uint64_t turns() const { return turns_.load(std::memory_order_relaxed); }
  /// Follows the runtime's epoch; to be called only between callbacks.
  void acknowledge() {
    if (__builtin_expect(is_behind(), 0)) acknowledge_slow(epoch_->load(std::memory_order_acquire));
  }

 private:
  friend class Runtime;

  enum class Work { kNone, kFew, kMuch };

  Process* next_process();
  Process* find_elsewhere(bool watch_expired);
  Process* pop();
  Process* steal_from(Scheduler& victim);
  void push(Process* process);
  void refill_ring();
  std::uint32_t queued() const {
    return tail_.load(std::memory_order_acquire) - head_.load(std::memory_order_acquire);
  }
  Work look_everywhere();
  void look();
  void run_due_timers();
  std::uint64_t sleep_bound_ns(bool watching) const;
  void acknowledge_slow(std::uint64_t epoch);

  // Owned by the runner.
  Process* next_ = nullptr;
  Process* overflow_first_ = nullptr;
  Process* overflow_last_ = nullptr;
  std::array<Process*, kFreshMax> fresh_;
  std::uint32_t fresh_count_ = 0;
  std::uint32_t until_look_ = kLookEvery;
  std::uint32_t turn_messages_ = kTurnMessagesMax;
  std::uint64_t looked_ns_ = 0;     // while careful
  std::uint64_t hot_since_ns_ = 0;  // since when next and fresh are preferred without a break
  std::uint64_t random_;
  bool is_searching_ = false;
  bool watch_expired_ = false;
  std::array<std::uint64_t, kSchedulersMax> seen_turns_{};
  std::vector<Timers::Due> due_;
  Poller poller_;
  Timers timers_;
  HeldList held_;
  const std::atomic<std::uint64_t>* epoch_;

  // Shared.
  std::atomic<Context*> context_{nullptr};  // the runner
  alignas(128) std::atomic<std::uint32_t> head_{0};
  alignas(128) std::atomic<std::uint32_t> tail_{0};
  std::atomic<std::uint64_t> turns_{0};
  std::atomic<std::uint64_t> looks_{0};
  std::atomic<std::uint64_t> acknowledged_{0};
  std::atomic<std::uint64_t> fence_word_{0};
  std::array<std::atomic<Process*>, kRingSize> ring_;
};

}  // namespace baton::runtime
