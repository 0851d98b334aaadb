// Timers: what is to be sent later, one set per scheduler.
//
// A heap of deadlines beside a map of what is still wanted: cancelling only erases from the map,
// and the heap drops entries that the map no longer knows when they come up (or all at once when
// they outnumber the rest). A wheel would be cheaper per timer and much longer; what is frequent
// here, the time-out of every call, does not come by: a process keeps one wake-up armed and moves
// its deadline (Extension::armed_ns).
//
// Any thread may fire what is due: the timers of a scheduler stuck in a callback do not stand
// still.
//
// Ownership: owns the messages until they are due or cancelled. What is left at the runtime's end
//            is not freed one by one: it goes with the pools, or with the program.
// Threads:   any thread.
#pragma once

#include <baton/abi.h>

#include <boost/unordered/unordered_flat_map.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

namespace baton::runtime {

inline constexpr std::uint64_t kNever = ~std::uint64_t{0};
/// Monotonic; the clock of all deadlines here.
std::uint64_t now_ns();

class Timers {
 public:
  /// `keeper` is the number of the scheduler whose timers these are.
  explicit Timers(std::uint32_t keeper) : keeper_(keeper) {}

  struct Due {
    baton_term ref;
    baton_term to;
    baton_message* message;      // null: only wake `to` up
    std::uint64_t every_ns = 0;  // then it is due again and again, until it is cancelled; 0: once
  };

  /// The ref of a timer that nobody has yet; it names the keeper, whoever makes it.
  baton_term make_ref();
  /// The keeper of the timer that a ref names; kNoKeeper for one that is no timer's.
  static std::uint32_t keeper_of(baton_term ref);
  static constexpr std::uint32_t kNoKeeper = ~std::uint32_t{0};

  /// Takes the message until it is due or cancelled. True: this is now the earliest deadline.
  /// Requires: the ref is no other timer's; what is due again and again has a message.
  bool add(std::uint64_t deadline_ns, Due due);
  /// The message back, if the timer was still to fire: `found` says so.
  baton_message* cancel(baton_term ref, bool& found);
  /// When the next one is due, or kNever. A hint: it may be a cancelled one.
  std::uint64_t next_ns() const { return next_ns_.load(std::memory_order_relaxed); }
  /// Appends to `due` what is due at `now_ns`, in order of deadlines: of what comes again a copy,
  /// by `copy`, which is called under the lock. What was missed meanwhile is left out.
  template <class Copy>
  void take_due(std::uint64_t now_ns, std::vector<Due>& due, Copy copy) {
    std::lock_guard lock(mutex_);
    while (!heap_.empty() && heap_.front().deadline_ns <= now_ns) {
      Entry entry = heap_.front();
      pop();
      const auto found = wanted_.find(entry.ref);
      if (found == wanted_.end()) continue;
      due.push_back(found->second);
      const std::uint64_t every = found->second.every_ns;
      if (every == 0) {
        wanted_.erase(found);
        continue;
      }
      due.back().message = copy(*found->second.message);
      entry.deadline_ns += every * ((now_ns - entry.deadline_ns) / every + 1);
      push(entry);
    }
    next_ns_.store(heap_.empty() ? kNever : heap_.front().deadline_ns, std::memory_order_relaxed);
  }
  /// Calls see(const Due&) for each message that waits, under the lock.
  template <class See>
  void each(See see) {
    std::lock_guard lock(mutex_);
    for (const auto& [ref, due] : wanted_)
      if (due.message != nullptr) see(due);
  }
  /// Puts another message in the place of that of a timer still to fire; what is not needed then
  /// comes back: the one or the other. Allocates nothing.
  baton_message* exchange(baton_term ref, baton_message* message);

 private:
  struct Entry {
    std::uint64_t deadline_ns;
    baton_term ref;
    // std::*_heap makes the greatest first, so the later deadline is the lesser.
    bool operator<(const Entry& other) const { return deadline_ns > other.deadline_ns; }
  };
  void push(Entry entry);
  void pop();
  void sweep();

  const std::uint32_t keeper_;
  std::atomic<std::uint64_t> refs_{0};
  std::mutex mutex_;
  std::vector<Entry> heap_;                            // guarded by mutex_
  boost::unordered_flat_map<baton_term, Due> wanted_;  // guarded by mutex_
  std::atomic<std::uint64_t> next_ns_{kNever};         // written under mutex_
};

}  // namespace baton::runtime
