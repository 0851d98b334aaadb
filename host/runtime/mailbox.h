// Mailbox: the head word of a process, one atomic that is its mailbox, its run state and its life.
//
//   word = generation:21 | value:43, the generation being the low bits of the process slot's
//   value       meaning
//   0 (empty)   owned by a scheduler or by its place in a run queue; no new mail
//   1 (idle)    owned by nobody: the next message makes its pusher the one who enqueues the process
//   2 (dead)    the slot is free
//   else        owned, and the newest message (address / 16) of a stack that the owner takes whole
//
// A queue that keeps its order at the push (Vyukov's) costs 24 against 18 ns a message here, and
// 311 against 9 when the other core produces; a mutex 40 and 283.
//
// Memory orders
//   push      acq_rel: release hands the message's contents to the owner. Acquire, because the
//             pusher that replaces idle owns the process from then on and must see all its last
//             owner did.
//   take      acquire to see the messages; release so that a later pusher that finds empty
//             continues the chain.
//   go idle   release: hands the process to whoever wakes it. After it succeeds nothing of the
//             process may be touched.
//   close     acq_rel, the point where exit and send are put in order: an earlier push is in the
//             list that it returns, a later one fails.
// Pushers never look into the message they put theirs on, so a block that is freed and reused
// meanwhile does no harm. A slot's generation wraps here after 2^21 uses; slots are reused first
// in, first out with at least 1,024 free, so a pusher would have to sleep through 2 x 10^9 spawns
// to be misled.
//
// Threads: push, wake, is_open and has_new_mail: any thread. The rest: the owner, or a claimant in
//          its place (boundary.h).
#pragma once

#include <baton/abi.h>

#include <atomic>
#include <cstdint>

namespace baton::runtime {

using Message = baton_message;

enum class Push { kDead, kDelivered, kWoke };

class Mailbox {
 public:
  /// Makes the slot's process alive, owned by the caller. Release: the birth precedes any push.
  void open(std::uint32_t generation) {
    head_.store(bits(generation) | kEmpty, std::memory_order_release);
  }

  /// kWoke: the process was idle and the caller owns it now, to enqueue it.
  Push push(std::uint32_t generation, Message* message) {
    const std::uint64_t alive = bits(generation);
    std::uint64_t head = head_.load(std::memory_order_relaxed);
    for (;;) {
      const std::uint64_t value = head & kValue;
      if (__builtin_expect((head & ~kValue) != alive || value == kDead, 0)) return Push::kDead;
      message->next = value <= kDead ? nullptr : message_at(value);
      const std::uint64_t pushed = alive | (reinterpret_cast<std::uint64_t>(message) >> 4);
      if (head_.compare_exchange_weak(head, pushed, std::memory_order_acq_rel,
                                      std::memory_order_relaxed))
        return value == kIdle ? Push::kWoke : Push::kDelivered;
    }
  }

  bool has_new_mail() const { return (head_.load(std::memory_order_relaxed) & kValue) > kDead; }

  /// Everything that arrived since the last take, newest first; null if nothing did.
  Message* take() {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    if ((head & kValue) == kEmpty) return nullptr;
    const std::uint64_t taken =
        head_.exchange((head & ~kValue) | kEmpty, std::memory_order_acq_rel) & kValue;
    return message_at(taken);
  }

  /// The newest of what a take would give, null: nothing; all of it can be read along `next` while
  /// nobody takes it.
  Message* newest() const {
    const std::uint64_t value = head_.load(std::memory_order_acquire) & kValue;
    return value <= kDead ? nullptr : message_at(value);
  }

  /// False: mail arrived, and the caller still owns the process.
  bool go_idle() {
    std::uint64_t head = head_.load(std::memory_order_relaxed);
    if ((head & kValue) != kEmpty) return false;
    return head_.compare_exchange_strong(head, (head & ~kValue) | kIdle, std::memory_order_acq_rel,
                                         std::memory_order_relaxed);
  }

  /// Takes ownership of an idle process of that generation, as a push would, without a message.
  bool wake(std::uint32_t generation) {
    std::uint64_t idle = bits(generation) | kIdle;
    return head_.compare_exchange_strong(idle, bits(generation) | kEmpty, std::memory_order_acq_rel,
                                         std::memory_order_relaxed);
  }

  /// Whether the process of that generation lives. What the caller wrote before is seen by its
  /// close if the answer is true: both change the same word, so one of them comes first.
  bool is_open(std::uint32_t generation) {
    const std::uint64_t head = head_.fetch_or(0, std::memory_order_acq_rel);
    return (head & ~kValue) == bits(generation) && (head & kValue) != kDead;
  }

  /// No push of the generation before `next_generation` succeeds after it. What had arrived, newest
  /// first.
  Message* close(std::uint32_t next_generation) {
    const std::uint64_t value =
        head_.exchange(bits(next_generation) | kDead, std::memory_order_acq_rel) & kValue;
    return value <= kDead ? nullptr : message_at(value);
  }

 private:
  static constexpr int kValueBits = 43;
  static constexpr std::uint64_t kValue = (std::uint64_t{1} << kValueBits) - 1;
  static constexpr std::uint64_t kEmpty = 0, kIdle = 1, kDead = 2;

  static std::uint64_t bits(std::uint32_t generation) {
    return std::uint64_t{generation} << kValueBits;
  }
  static Message* message_at(std::uint64_t value) { return reinterpret_cast<Message*>(value << 4); }

  std::atomic<std::uint64_t> head_{kDead};
};

}  // namespace baton::runtime
