#include "migration.h"

#include "expiry.h"

#include <algorithm>
#include <vector>

namespace kv::inline BATON_BUILD {
namespace {

constexpr baton::Version kFirstWithExpiries{1, 1, 0};
constexpr baton::Version kFirstWithLists{1, 2, 0};

constexpr std::size_t kBatch = 64;

// Visits every entry of a map, bucket by bucket. A million entries lie all over the memory, and
// going from one to the next waits for each; so the addresses of a batch are taken first, which the
// processor does many at a time, and their keys are fetched ahead.
template <class Map, class Visit>
void visit_all(const Map& map, Visit visit) {
  std::vector<const typename Map::value_type*> batch;
  batch.reserve(2 * kBatch);
  for (std::size_t bucket = 0; bucket < map.bucket_count();) {
    batch.clear();
    for (; bucket < map.bucket_count() && batch.size() < kBatch; ++bucket) {
      for (auto at = map.cbegin(bucket); at != map.cend(bucket); ++at) batch.push_back(&*at);
    }
    for (const auto* entry : batch) __builtin_prefetch(entry->first.data());
    for (const auto* entry : batch) visit(*entry);
  }
}

// With as many buckets as the map it is filled from, a map is filled front to back. A map that was
// far larger once has more than it is worth.
template <class Map, class From>
Map map_like(const From& from) {
  Map made;
  made.rehash(std::min(from.bucket_count(), 4 * from.size()));
  return made;
}

std::uint64_t count_expiring_strings(const State& state) {
  return static_cast<std::uint64_t>(
      std::count_if(state.expiries.begin(), state.expiries.end(), [&](const auto& expiry) {
        const auto entry = state.entries.find(expiry.first);
        return entry != state.entries.end() && !std::holds_alternative<List>(entry->second);
      }));
}

}  // namespace

void State::code_change(State& made, const baton::Fields& old, baton::Version) {
  made.entries = values_of(old.get<Strings>("entries"));
}

void State::code_revert(const State& live, baton::Fields& older, baton::Version to) {
  // What loss counts does not go along: discard, which comes later, does not see this copy.
  Strings strings = strings_of(live.entries);
  if (to < kFirstWithExpiries) {
    for (const auto& [key, deadline] : live.expiries) strings.erase(key);
  }
  older.put("entries", std::move(strings));
}

baton::Loss State::loss(const State& live, baton::Version to) {
  if (to < kFirstWithExpiries) {
    return {count_lists(live) + count_expiring_strings(live), "lists and keys with an expiry"};
  }
  return {to < kFirstWithLists ? count_lists(live) : 0, "lists"};
}

void State::discard(State& live, baton::Version to) noexcept {
  if (to < kFirstWithLists) erase_lists(live);
  if (to < kFirstWithExpiries) erase_expiring(live);
}

std::unordered_map<std::string, Value> values_of(const Strings& strings) {
  auto values = map_like<std::unordered_map<std::string, Value>>(strings);
  visit_all(strings, [&](const auto& entry) { values.emplace(entry.first, entry.second); });
  return values;
}

Strings strings_of(const std::unordered_map<std::string, Value>& values) {
  auto strings = map_like<Strings>(values);
  visit_all(values, [&](const auto& entry) {
    const auto* bytes = std::get_if<std::string>(&entry.second);
    if (bytes != nullptr) strings.emplace(entry.first, *bytes);
  });
  return strings;
}

std::uint64_t count_lists(const State& state) {
  std::uint64_t lists = 0;
  visit_all(state.entries, [&](const auto& entry) {
    lists += std::holds_alternative<List>(entry.second) ? 1 : 0;
  });
  return lists;
}

void erase_lists(State& state) noexcept {
  for (auto entry = state.entries.begin(); entry != state.entries.end();) {
    const auto next = std::next(entry);
    if (std::holds_alternative<List>(entry->second)) erase(state, entry);
    entry = next;
  }
}

}  // namespace kv::inline BATON_BUILD
