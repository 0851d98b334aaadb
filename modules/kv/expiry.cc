#include "expiry.h"

#include <algorithm>
#include <vector>

namespace kv::inline BATON_BUILD {
namespace {

struct Conditions {
  bool is_nx = false;  // only where the key has no expiry
  bool is_xx = false;  // only where it has one
  bool is_gt = false;  // only to a later one; a key without has the latest of all
  bool is_lt = false;  // only to an earlier one
};

// Reads EXPIRE's last words. False after an error was replied.
bool parse_conditions(Request& request, Conditions& conditions) {
  for (std::size_t i = 3; i < request.arguments.size(); ++i) {
    const std::string_view word = request.arguments[i];
    if (equals_ignoring_case(word, "nx")) {
      conditions.is_nx = true;
    } else if (equals_ignoring_case(word, "xx")) {
      conditions.is_xx = true;
    } else if (equals_ignoring_case(word, "gt")) {
      conditions.is_gt = true;
    } else if (equals_ignoring_case(word, "lt")) {
      conditions.is_lt = true;
    } else {
      append_error(request.out, std::string("ERR Unsupported option ").append(word));
      return false;
    }
  }
  if (conditions.is_nx && (conditions.is_xx || conditions.is_gt || conditions.is_lt)) {
    append_error(request.out,
                 "ERR NX and XX, GT or LT options at the same time are not compatible");
    return false;
  }
  if (conditions.is_gt && conditions.is_lt) {
    append_error(request.out, "ERR GT and LT options at the same time are not compatible");
    return false;
  }
  return true;
}

bool allows(const Conditions& conditions, std::optional<std::int64_t> current,
            std::int64_t deadline) {
  if (conditions.is_nx && current) return false;
  if (conditions.is_xx && !current) return false;
  if (conditions.is_gt && (!current || deadline <= *current)) return false;
  if (conditions.is_lt && current && deadline >= *current) return false;
  return true;
}

}  // namespace

Entries::iterator find_live(State& state, const std::string& key, std::int64_t now_ms) {
  const auto entry = state.entries.find(key);
  if (entry == state.entries.end() || state.expiries.empty()) return entry;
  const auto expiry = state.expiries.find(key);
  if (expiry == state.expiries.end() || expiry->second > now_ms) return entry;
  state.expiries.erase(expiry);
  state.entries.erase(entry);
  ++state.expired_total;
  return state.entries.end();
}

void erase(State& state, Entries::iterator entry) noexcept {
  persist_key(state, entry->first);
  state.entries.erase(entry);
}

bool persist_key(State& state, const std::string& key) {
  return !state.expiries.empty() && state.expiries.erase(key) > 0;
}

void sweep(State& state, std::int64_t now_ms) {
  const std::size_t buckets = state.expiries.bucket_count();
  std::vector<std::string> due;
  for (std::size_t i = 0; i < std::min(buckets, kSweepBucketsMax); ++i) {
    const std::size_t bucket = state.sweep_bucket++ % buckets;
    for (auto at = state.expiries.cbegin(bucket); at != state.expiries.cend(bucket); ++at) {
      if (at->second <= now_ms) due.push_back(at->first);
    }
  }
  for (const std::string& key : due) find_live(state, key, now_ms);
}

bool deadline_of_span(const Request& request, std::int64_t span_ms, std::int64_t& deadline_ms) {
  if (span_ms > kNumberMax - std::max(request.unix_ms(), request.now_ms)) return false;
  deadline_ms = request.now_ms + span_ms;
  return true;
}

bool deadline_of_date(const Request& request, std::int64_t date_ms, std::int64_t& deadline_ms) {
  return !__builtin_add_overflow(request.now_ms, date_ms - request.unix_ms(), &deadline_ms);
}

void erase_expiring(State& state) noexcept {
  for (const auto& [key, deadline] : state.expiries) state.entries.erase(key);
  state.expired_total += static_cast<std::int64_t>(state.expiries.size());
  state.expiries.clear();
}

// ---- Commands ----------------------------------------------------------------------------------

void expire(Request& request) {
  Conditions conditions;
  if (!parse_conditions(request, conditions)) return;
  std::int64_t span = 0, deadline = 0;
  if (!integer_at(request, 2, span)) return;
  if (span > kNumberMax / 1000 || span < kNumberMin / 1000 ||
      !deadline_of_span(request, span * 1000, deadline)) {
    return append_error(request.out, "ERR invalid expire time in 'expire' command");
  }
  State& state = request.state;
  const auto entry = find_live(state, key_at(request, 1), request.now_ms);
  if (entry == state.entries.end()) return append_integer(request.out, 0);
  const auto expiry = state.expiries.find(request.key);
  std::optional<std::int64_t> current;
  if (expiry != state.expiries.end()) current = expiry->second;
  if (!allows(conditions, current, deadline)) return append_integer(request.out, 0);
  if (deadline <= request.now_ms) {
    erase(state, entry);
  } else {
    state.expiries[request.key] = deadline;
  }
  append_integer(request.out, 1);
}

void ttl(Request& request) {
  const State& state = request.state;
  const auto entry = find_live(request.state, key_at(request, 1), request.now_ms);
  if (entry == state.entries.end()) return append_integer(request.out, -2);
  const auto expiry = state.expiries.find(request.key);
  if (expiry == state.expiries.end()) return append_integer(request.out, -1);
  append_integer(request.out, (expiry->second - request.now_ms + 500) / 1000);
}

void persist(Request& request) {
  const auto entry = find_live(request.state, key_at(request, 1), request.now_ms);
  const bool is_there = entry != request.state.entries.end();
  append_integer(request.out, is_there && persist_key(request.state, request.key) ? 1 : 0);
}

}  // namespace kv::inline BATON_BUILD
