// Wakeup: which schedulers sleep and which search for work, and the processes that were woken from
// outside.
//
// The protocol of sleeping and waking is in scheduler.h.
//
// Threads: any thread.
#pragma once

#include "runtime/process.h"

#include <atomic>
#include <cstdint>
#include <mutex>

namespace baton::runtime {

class Runtime;
class Scheduler;

class Wakeup {
 public:
  explicit Wakeup(Runtime& runtime) : runtime_(runtime) {}
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  /// Queues a process that the caller owns for any scheduler.
  void inject(Process* process);
  /// Some of what was injected: the first, to run; the others are in the scheduler's queue. Null:
  /// none.
  Process* take_injected(Scheduler& scheduler);
  bool has_injected() const { return injected_count_.load(std::memory_order_acquire) != 0; }
  bool is_anyone_idle() const { return idle_.load(std::memory_order_relaxed) != 0; }
  bool are_all_idle() const;
  bool is_idle(std::uint32_t scheduler) const {
    return (idle_.load(std::memory_order_relaxed) >> scheduler & 1) != 0;
  }
  /// Work was published: wakes a sleeper unless somebody searches.
  void wake_one();

 private:
  friend class Scheduler;

  void wake_slow();

  Runtime& runtime_;
  alignas(128) std::atomic<std::uint64_t> idle_{0};  // a bit per sleeping scheduler
  alignas(128) std::atomic<std::uint32_t> searching_{0};
  std::atomic<std::uint32_t> watching_{0};
  std::atomic<std::uint64_t> fence_word_{0};

  alignas(128) std::mutex injected_mutex_;
  Process* injected_first_ = nullptr;  // guarded by injected_mutex_
  Process* injected_last_ = nullptr;   // guarded by injected_mutex_
  std::atomic<std::uint32_t> injected_count_{0};
};

}  // namespace baton::runtime
