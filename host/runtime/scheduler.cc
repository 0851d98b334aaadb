#include "runtime/scheduler.h"

#include "base/check.h"
#include "runtime/fence.h"
#include "runtime/primitives.h"
#include "runtime/runner.h"
#include "runtime/runtime.h"
#include "runtime/turn.h"
#include "runtime/watch.h"

#include <algorithm>
#include <utility>

namespace baton::runtime {

namespace {
constexpr std::uint32_t kRingMask = kRingSize - 1;
}  // namespace

Scheduler::Scheduler(Runtime& runtime_of, std::uint32_t id_of)
    : runtime(runtime_of),
      id(id_of),
      random_(88172645463325252ull + id_of),
      timers_(id_of),
      held_(id_of),
      epoch_(&runtime_of.epoch_) {}

Runner& Scheduler::runner() const {
  return static_cast<Runner&>(*context_.load(std::memory_order_acquire));
}

void Scheduler::set_runner(Runner& runner) { context_.store(&runner, std::memory_order_release); }

// ---- Queues

void Scheduler::enqueue_tail(Process* process) {
  push(process);
  full_fence(fence_word_);
  if (__builtin_expect(runtime.wakeup().idle_.load(std::memory_order_relaxed) == 0, 1)) return;
  if (queued() < kStealMin && runtime.wakeup().watching_.load(std::memory_order_relaxed) != 0)
    return;
  runtime.wakeup().wake_one();
}

void Scheduler::enqueue_fresh(Process* process) {
  if (fresh_count_ == kFreshMax) {
    constexpr std::uint32_t kHalf = kFreshMax / 2;
    for (std::uint32_t i = 0; i < kHalf; ++i) enqueue_tail(fresh_[i]);
    for (std::uint32_t i = kHalf; i < kFreshMax; ++i) fresh_[i - kHalf] = fresh_[i];
    fresh_count_ = kHalf;
  }
  fresh_[fresh_count_++] = process;
}

void Scheduler::push(Process* process) {
  const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
  if (overflow_first_ != nullptr || tail - head_.load(std::memory_order_acquire) >= kRingSize) {
    process->queue_next = nullptr;
    (overflow_last_ != nullptr ? overflow_last_->queue_next : overflow_first_) = process;
    overflow_last_ = process;
    return;
  }
  ring_[tail & kRingMask].store(process, std::memory_order_relaxed);
  tail_.store(tail + 1, std::memory_order_release);
}

void Scheduler::refill_ring() {
  std::uint32_t tail = tail_.load(std::memory_order_relaxed);
  const std::uint32_t end = head_.load(std::memory_order_acquire) + kRingSize / 2;
  while (overflow_first_ != nullptr && static_cast<std::int32_t>(end - tail) > 0) {
    Process* process = overflow_first_;
    overflow_first_ = process->queue_next;
    ring_[tail & kRingMask].store(process, std::memory_order_relaxed);
    ++tail;
  }
  if (overflow_first_ == nullptr) overflow_last_ = nullptr;
  tail_.store(tail, std::memory_order_release);
}

bool Scheduler::share() {
  Wakeup& wakeup = runtime.wakeup();
  bool has_shared = false;
  const auto give = [&](Process* process) {
    wakeup.inject(process);
    has_shared = true;
  };
  if (next_ != nullptr) give(std::exchange(next_, nullptr));
  while (fresh_count_ != 0) give(fresh_[--fresh_count_]);
  while (overflow_first_ != nullptr) {
    Process* process = overflow_first_;
    overflow_first_ = process->queue_next;
    give(process);
  }
  overflow_last_ = nullptr;
  return has_shared;
}

Process* Scheduler::pop() {
  for (;;) {
    std::uint32_t head = head_.load(std::memory_order_acquire);
    if (head == tail_.load(std::memory_order_relaxed)) {
      if (overflow_first_ == nullptr) return nullptr;
      refill_ring();
      continue;
    }
    Process* process = ring_[head & kRingMask].load(std::memory_order_relaxed);
    // The thieves' compare-and-swap moves the same head: whoever wins has the entry.
    if (head_.compare_exchange_weak(head, head + 1, std::memory_order_acq_rel)) return process;
  }
}

// Takes half of the victim's ring into ours. Requires: our ring is empty.
Process* Scheduler::steal_from(Scheduler& victim) {
  for (;;) {
    std::uint32_t head = victim.head_.load(std::memory_order_acquire);
    std::uint32_t count = victim.tail_.load(std::memory_order_acquire) - head;
    if (count == 0) return nullptr;
    count -= count / 2;
    if (count > kRingSize / 2) continue;  // head and tail were read at two times: look again
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    Process* first = victim.ring_[head & kRingMask].load(std::memory_order_relaxed);
    for (std::uint32_t i = 1; i < count; ++i) {
      Process* process = victim.ring_[(head + i) & kRingMask].load(std::memory_order_relaxed);
      ring_[(tail + i - 1) & kRingMask].store(process, std::memory_order_relaxed);
    }
    if (!victim.head_.compare_exchange_strong(head, head + count, std::memory_order_acq_rel))
      continue;
    if (count > 1) tail_.store(tail + count - 1, std::memory_order_release);
    return first;
  }
}

// ---- The loop

bool Scheduler::step() {
  acknowledge();
  Process* process = next_process();
  if (process == nullptr) return false;
  if (is_searching_) {
    is_searching_ = false;
    if (runtime.wakeup().searching_.fetch_sub(1, std::memory_order_seq_cst) == 1 &&
        look_everywhere() != Work::kNone)
      runtime.wakeup().wake_one();
  }
  turns_.store(turns_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  run_turn(context(), *process);
  return true;
}

Process* Scheduler::next_process() {
  bool is_overdue = false;
  if (__builtin_expect(--until_look_ == 0, 0)) {
    look();
    if (Process* process = runtime.wakeup().take_injected(*this)) return process;
    const std::uint64_t now = now_ns();
    if (hot_since_ns_ == 0) hot_since_ns_ = now;
    is_overdue = now - hot_since_ns_ > kNextNs;
  }
  if (next_ != nullptr || fresh_count_ != 0) {
    if (__builtin_expect(!is_overdue, 1)) {
      if (next_ != nullptr) return std::exchange(next_, nullptr);
      return fresh_[--fresh_count_];
    }
    // Everyone else first, then these again.
    hot_since_ns_ = 0;
    for (std::uint32_t i = 0; i < fresh_count_; ++i) enqueue_tail(fresh_[i]);
    fresh_count_ = 0;
    if (next_ != nullptr) enqueue_tail(std::exchange(next_, nullptr));
  }
  hot_since_ns_ = 0;
  if (Process* process = pop()) return process;
  look();
  if (next_ != nullptr) return std::exchange(next_, nullptr);
  if (Process* process = pop()) return process;
  if (!is_searching_) {
    runtime.wakeup().searching_.fetch_add(1, std::memory_order_seq_cst);
    is_searching_ = true;
  }
  const bool expired = std::exchange(watch_expired_, false);
  return find_elsewhere(expired);
}

void Scheduler::look() {
  looks_.store(looks_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  const bool is_careful = turn_messages_ < kTurnMessagesMax;
  if (__builtin_expect(is_careful, 0)) {
    // Twice as many messages as long as they are quick, until it need not be careful any more.
    const std::uint64_t now = now_ns();
    const std::uint64_t passed = now - std::exchange(looked_ns_, now);
    if (passed > kLookNs)
      turn_messages_ = std::max(turn_messages_ / 2, 1u);
    else if (passed < kLookNs / 4)
      turn_messages_ *= 2;
  }
  until_look_ = is_careful ? 1 : kLookEvery;
  poller_.poll();
  run_due_timers();
  runtime.estates().work_off(context());
}

Process* Scheduler::find_elsewhere(bool watch_expired) {
  if (Process* process = runtime.wakeup().take_injected(*this)) return process;
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  const std::uint32_t count = runtime.scheduler_count();
  const auto start = static_cast<std::uint32_t>(random_ % count);
  for (std::uint32_t i = 0; i < count; ++i) {
    Scheduler& victim = runtime.scheduler((start + i) % count);
    if (&victim == this) continue;
    const std::uint32_t length = victim.queued();
    if (length == 0) continue;
    const std::uint64_t turns = victim.turns();
    const bool stands_still = watch_expired && seen_turns_[victim.id] == turns;
    if (length < kStealMin && !stands_still) {
      seen_turns_[victim.id] = turns;
      continue;
    }
    if (Process* process = steal_from(victim)) return process;
  }
  return nullptr;
}

Scheduler::Work Scheduler::look_everywhere() {
  if (runtime.wakeup().has_injected() || !runtime.estates().is_empty() || next_ != nullptr ||
      fresh_count_ != 0)
    return Work::kMuch;
  Work found = Work::kNone;
  for (std::uint32_t i = 0; i < runtime.scheduler_count(); ++i) {
    Scheduler& other = runtime.scheduler(i);
    const std::uint32_t length = other.queued();
    if (length >= kStealMin || (length != 0 && &other == this)) return Work::kMuch;
    if (length != 0) found = Work::kFew;
  }
  return found;
}

void Scheduler::sleep() {
  const std::uint64_t mine = std::uint64_t{1} << id;
  runtime.wakeup().idle_.fetch_or(mine, std::memory_order_seq_cst);
  if (is_searching_) {
    is_searching_ = false;
    runtime.wakeup().searching_.fetch_sub(1, std::memory_order_seq_cst);
  }
  std::uint32_t nobody = 0;
  bool is_watching =
      runtime.scheduler_count() > 1 &&
      runtime.wakeup().watching_.compare_exchange_strong(nobody, 1, std::memory_order_seq_cst);
  full_fence(fence_word_);

  // Clears our idle bit; a waker that was faster has passed its token on to us.
  const auto wake_up = [&] {
    if ((runtime.wakeup().idle_.fetch_and(~mine, std::memory_order_seq_cst) & mine) == 0)
      is_searching_ = true;
    runtime.watch().stir();
  };
  const auto must_stay = [&](Work work) {
    return work == Work::kMuch || runtime.is_stopping() || is_behind();
  };
  Work work = look_everywhere();
  if (must_stay(work)) {
    if (is_watching) runtime.wakeup().watching_.store(0, std::memory_order_seq_cst);
    wake_up();
    return;
  }
  if (is_watching && work == Work::kNone && runtime.wakeup().are_all_idle()) {
    // All sleep: there is nothing to watch. Whoever works next finds no watcher, and wakes one of
    // us.
    runtime.wakeup().watching_.store(0, std::memory_order_seq_cst);
    is_watching = false;
    full_fence(fence_word_);
    work = look_everywhere();
    if (work != Work::kNone || must_stay(work)) {
      wake_up();
      return;
    }
  }
  const bool was_woken = poller_.wait(sleep_bound_ns(is_watching));
  watch_expired_ = is_watching && !was_woken;
  if (is_watching) runtime.wakeup().watching_.store(0, std::memory_order_seq_cst);
  wake_up();
  run_due_timers();
}

std::uint64_t Scheduler::sleep_bound_ns(bool watching) const {
  const std::uint64_t next = timers_.next_ns();
  std::uint64_t bound = watching ? kWatchNs : kNever;
  if (next != kNever) {
    const std::uint64_t now = now_ns();
    bound = std::min(bound, next > now ? next - now : 0);
  }
  return bound;
}

void Scheduler::run_due_timers() {
  if (timers_.next_ns() == kNever) return;
  const std::uint64_t now = now_ns();
  if (timers_.next_ns() > now) return;
  due_.clear();
  Context& own = context();
  timers_.take_due(now, due_, [&own](const Message& message) {
    Message* const copy = message_of(own, message.root, message.kind, 1);
    copy->word[0] = message.word[0];
    return copy;
  });
  for (const Timers::Due& due : due_) {
    if (due.every_ns != 0 && !runtime.is_alive(due.to)) cancel_timer(own, due.ref);
    send(own, due.to, due.message != nullptr ? due.message : own.allocate(0, kWakeSignal));
  }
}

void Scheduler::acknowledge_slow(std::uint64_t epoch) {
  held_.give_back(*this);
  acknowledged_.store(epoch, std::memory_order_release);
}

}  // namespace baton::runtime
