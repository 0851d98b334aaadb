#include "net/memory.h"

#include "base/check.h"

#include <algorithm>

namespace baton::net {

void Memory::add(std::uint64_t bytes) {
  used_.fetch_add(bytes, std::memory_order_relaxed);
  if (parent_ != nullptr) parent_->add(bytes);
}

void Memory::subtract(std::uint64_t bytes) {
  const std::uint64_t before = used_.fetch_sub(bytes, std::memory_order_relaxed);
  BATON_CHECK(before >= bytes, "more is given back than was held");
  if (before >= high() && before - bytes < high()) was_calm_.store(true, std::memory_order_relaxed);
  if (parent_ != nullptr) parent_->subtract(bytes);
}

Memory::Level Memory::own_level() const {
  const std::uint64_t held = used();
  if (held >= max()) return Level::kFull;
  return held >= high() ? Level::kHigh : Level::kCalm;
}

Memory::Level Memory::level() const {
  return parent_ == nullptr ? own_level() : std::max(own_level(), parent_->own_level());
}

bool Memory::has_room(std::uint64_t bytes) const {
  const std::uint64_t held = used();
  if (held >= max() || bytes > max() - held) return false;
  return parent_ == nullptr || parent_->has_room(bytes);
}

std::uint64_t Memory::excess(std::uint64_t now_ns) {
  const Level level = own_level();
  if (was_calm_.exchange(false, std::memory_order_relaxed)) high_since_ns_ = 0;
  if (level == Level::kCalm) return 0;
  if (high_since_ns_ == 0) high_since_ns_ = now_ns;
  if (level == Level::kHigh && now_ns < high_since_ns_ + kMemoryPatienceNs) return 0;
  high_since_ns_ = now_ns;
  const std::uint64_t held = used(), allowed = high();
  return held >= allowed ? held - allowed + 1 : 0;
}

std::vector<baton_term> newest_for(std::vector<LargeHolder> holders, std::uint64_t excess) {
  std::sort(holders.begin(), holders.end(),
            [](const LargeHolder& a, const LargeHolder& b) { return a.since_ns > b.since_ns; });
  std::vector<baton_term> chosen;
  for (const LargeHolder& holder : holders) {
    if (excess == 0) break;
    if (!chosen.empty() && &holder == &holders.back()) break;
    chosen.push_back(holder.port);
    excess -= std::min(excess, holder.bytes);
  }
  return chosen;
}

}  // namespace baton::net
