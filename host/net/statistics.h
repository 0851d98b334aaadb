// Statistics: what a listener and its connections have done so far.
//
// Probation reads here whether an upgraded release saw any use; `baton status` shows most of it.
//
// Threads: any; each number by itself is exact, together they are a moment's approximation.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace baton::net {

/// Each counts up from 0 but `open`. Template, so that the counters and their snapshot cannot
/// differ.
template <class Number>
struct StatisticsOf {
  Number accepted{};
  Number open{};
  Number closed{};
  Number refused{};   // connections beyond connections_max, closed at once
  Number deferred{};  // times that clients were left waiting, as the system had no room for them
  Number errors{};    // connections that ended by an error of theirs
  Number timeouts{};  // connections that ended by a time-out
  Number shed{};      // idle connections that were closed for new ones
  Number memory{};    // connections refused a request, or closed, for what they held
  Number bytes_received{};
  Number bytes_sent{};
  Number http_requests{};   // given to an owner
  Number http_malformed{};  // refused by the host: 4xx, 501, 505
  Number http_failed{};  // requests whose owner ended, or was not there: answered 5xx by the host
  std::array<Number, 5> http_responses{};  // by class: 1xx to 5xx
};

using Counters = StatisticsOf<std::atomic<std::uint64_t>>;
using Statistics = StatisticsOf<std::uint64_t>;

inline void add(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) {
  counter.fetch_add(by, std::memory_order_relaxed);
}

inline Statistics snapshot(const Counters& counters) {
  const auto read = [](const std::atomic<std::uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  Statistics now;
  now.accepted = read(counters.accepted);
  now.open = read(counters.open);
  now.closed = read(counters.closed);
  now.refused = read(counters.refused);
  now.deferred = read(counters.deferred);
  now.errors = read(counters.errors);
  now.timeouts = read(counters.timeouts);
  now.shed = read(counters.shed);
  now.memory = read(counters.memory);
  now.bytes_received = read(counters.bytes_received);
  now.bytes_sent = read(counters.bytes_sent);
  now.http_requests = read(counters.http_requests);
  now.http_malformed = read(counters.http_malformed);
  now.http_failed = read(counters.http_failed);
  for (std::size_t i = 0; i < now.http_responses.size(); ++i)
    now.http_responses[i] = read(counters.http_responses[i]);
  return now;
}

}  // namespace baton::net
