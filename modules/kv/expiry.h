// Expiry: keys that live for a time.
//
// A key whose time is up is gone: whoever looks for it removes it, and a sweep removes what nobody
// looks for. Both go by the time the caller passes in.
//
// Threads: as the state they work on.
#pragma once

#include "commands.h"
#include "state.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace kv::inline BATON_BUILD {

using Entries = decltype(State::entries);

constexpr std::int64_t kNumberMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kNumberMin = std::numeric_limits<std::int64_t>::min();

/// How much of the map one sweep looks at, and how often there is one while any key expires.
constexpr std::size_t kSweepBucketsMax = 2000;
constexpr std::uint64_t kSweepIntervalMs = 100;

/// The entry, or the end where there is none or its time is up (then it is removed).
Entries::iterator find_live(State& state, const std::string& key, std::int64_t now_ms);
/// Removes the entry and its expiry.
void erase(State& state, Entries::iterator entry) noexcept;
/// Makes a key stay for good; returns whether it had an expiry.
bool persist_key(State& state, const std::string& key);
/// Removes some of the keys whose time is up; the next sweep goes on behind them.
void sweep(State& state, std::int64_t now_ms);

/// When a span from now ends, or a date of the wall clock comes, on the clock that keys live by:
/// that one nobody sets. False: Redis, which lives by the wall clock, has no number for it.
bool deadline_of_span(const Request& request, std::int64_t span_ms, std::int64_t& deadline_ms);
bool deadline_of_date(const Request& request, std::int64_t date_ms, std::int64_t& deadline_ms);

/// Removes every key that has an expiry, as expired.
void erase_expiring(State& state) noexcept;

}  // namespace kv::inline BATON_BUILD
