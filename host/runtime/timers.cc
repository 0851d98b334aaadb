#include "runtime/timers.h"

#include "base/check.h"
#include "runtime/ref.h"

#include <time.h>

#include <algorithm>
#include <utility>

namespace baton::runtime {

namespace {
// A heap this much larger than the map is mostly cancelled timers.
constexpr std::size_t kSweepFactor = 2;
constexpr std::size_t kSweepMin = 1024;
// The makers of refs from here on are no contexts, but keepers of timers.
constexpr std::uint32_t kFirstKeeper = 256;
}  // namespace

std::uint64_t now_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(now.tv_nsec);
}

baton_term Timers::make_ref() {
  const std::uint64_t number = refs_.fetch_add(1, std::memory_order_relaxed) + 1;
  return (number << kRefNumberShift) | (std::uint64_t{kFirstKeeper + keeper_} << kRefMakerShift) |
         BATON_TAG_REF;
}

std::uint32_t Timers::keeper_of(baton_term ref) {
  const auto maker = static_cast<std::uint32_t>(ref >> kRefMakerShift) & kRefMakersMask;
  return maker >= kFirstKeeper ? maker - kFirstKeeper : kNoKeeper;
}

bool Timers::add(std::uint64_t deadline_ns, Due due) {
  BATON_CHECK(due.every_ns == 0 || due.message != nullptr, "what comes again is a message");
  std::lock_guard lock(mutex_);
  const bool is_new = wanted_.emplace(due.ref, due).second;
  BATON_CHECK(is_new, "a ref names one timer");
  push({deadline_ns, due.ref});
  const bool is_first = heap_.front().ref == due.ref;
  if (is_first) next_ns_.store(deadline_ns, std::memory_order_relaxed);
  return is_first;
}

baton_message* Timers::cancel(baton_term ref, bool& found) {
  std::lock_guard lock(mutex_);
  auto entry = wanted_.find(ref);
  found = entry != wanted_.end();
  if (!found) return nullptr;
  baton_message* message = entry->second.message;
  wanted_.erase(entry);
  if (heap_.size() > kSweepMin && heap_.size() > kSweepFactor * wanted_.size()) sweep();
  return message;
}

baton_message* Timers::exchange(baton_term ref, baton_message* message) {
  std::lock_guard lock(mutex_);
  const auto entry = wanted_.find(ref);
  return entry == wanted_.end() ? message : std::exchange(entry->second.message, message);
}

void Timers::push(Entry entry) {
  heap_.push_back(entry);
  std::push_heap(heap_.begin(), heap_.end());
}

void Timers::pop() {
  std::pop_heap(heap_.begin(), heap_.end());
  heap_.pop_back();
}

void Timers::sweep() {
  std::erase_if(heap_, [this](const Entry& entry) { return !wanted_.contains(entry.ref); });
  std::make_heap(heap_.begin(), heap_.end());
}

}  // namespace baton::runtime
