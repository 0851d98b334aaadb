#include "runtime/wakeup.h"

#include "runtime/fence.h"
#include "runtime/runtime.h"

#include <algorithm>
#include <bit>
#include <mutex>

namespace baton::runtime {

bool Wakeup::are_all_idle() const {
  return std::popcount(idle_.load(std::memory_order_seq_cst)) ==
         static_cast<int>(runtime_.scheduler_count());
}

void Wakeup::wake_one() {
  if (idle_.load(std::memory_order_relaxed) == 0) return;
  if (searching_.load(std::memory_order_relaxed) != 0) return;
  wake_slow();
}

void Wakeup::wake_slow() {
  std::uint32_t nobody = 0;
  if (!searching_.compare_exchange_strong(nobody, 1, std::memory_order_seq_cst)) return;
  for (;;) {
    const std::uint64_t idle = idle_.load(std::memory_order_seq_cst);
    if (idle == 0) {
      searching_.fetch_sub(1, std::memory_order_seq_cst);
      return;
    }
    const std::uint64_t bit = idle & (~idle + 1);
    if ((idle_.fetch_and(~bit, std::memory_order_seq_cst) & bit) == 0) continue;
    runtime_.scheduler(static_cast<std::uint32_t>(std::countr_zero(bit))).poller().wake();
    return;
  }
}

void Wakeup::inject(Process* process) {
  {
    std::lock_guard lock(injected_mutex_);
    process->queue_next = nullptr;
    (injected_last_ != nullptr ? injected_last_->queue_next : injected_first_) = process;
    injected_last_ = process;
    injected_count_.fetch_add(1, std::memory_order_release);
  }
  full_fence(fence_word_);
  wake_one();
}

Process* Wakeup::take_injected(Scheduler& scheduler) {
  if (!has_injected()) return nullptr;
  constexpr std::uint32_t kTakenMax = 128;
  std::unique_lock lock(injected_mutex_);
  const std::uint32_t have = injected_count_.load(std::memory_order_relaxed);
  if (have == 0) return nullptr;
  const std::uint32_t count = std::min({have / runtime_.scheduler_count() + 1, kTakenMax, have});
  Process* first = injected_first_;
  Process* last = first;
  for (std::uint32_t i = 1; i < count; ++i) last = last->queue_next;
  injected_first_ = last->queue_next;
  if (injected_first_ == nullptr) injected_last_ = nullptr;
  last->queue_next = nullptr;
  injected_count_.store(have - count, std::memory_order_release);
  lock.unlock();
  for (Process* process = first->queue_next; process != nullptr;) {
    Process* next = process->queue_next;
    scheduler.enqueue_tail(process);
    process = next;
  }
  return first;
}

}  // namespace baton::runtime
