#include "migration.h"

#include "expiry.h"

#include <algorithm>

namespace kv::inline BATON_BUILD {
namespace {

constexpr baton::Version kFirstWithExpiries{1, 1, 0};
constexpr baton::Version kFirstWithLists{1, 2, 0};

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
  std::unordered_map<std::string, Value> values;
  values.reserve(strings.size());
  for (const auto& [key, value] : strings) values.emplace(key, value);
  return values;
}

Strings strings_of(const std::unordered_map<std::string, Value>& values) {
  Strings strings;
  strings.reserve(values.size());
  for (const auto& [key, value] : values) {
    if (const auto* bytes = std::get_if<std::string>(&value)) strings.emplace(key, *bytes);
  }
  return strings;
}

std::uint64_t count_lists(const State& state) {
  return static_cast<std::uint64_t>(
      std::count_if(state.entries.begin(), state.entries.end(),
                    [](const auto& entry) { return std::holds_alternative<List>(entry.second); }));
}

void erase_lists(State& state) noexcept {
  for (auto entry = state.entries.begin(); entry != state.entries.end();) {
    const auto next = std::next(entry);
    if (std::holds_alternative<List>(entry->second)) erase(state, entry);
    entry = next;
  }
}

}  // namespace kv::inline BATON_BUILD
