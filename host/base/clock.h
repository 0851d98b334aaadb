// Clock: where the host gets the time from.
//
// Passed in by whoever constructs the part that needs it, so that a test can set the time by hand.
//
// Ownership: whoever makes a Clock keeps it alive longer than those it was given to.
// Threads:   any thread.
#pragma once

#include "base/result.h"

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

namespace baton {

using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  /// Since some fixed moment; never goes back. For measuring and for deadlines.
  virtual std::chrono::nanoseconds monotonic() const = 0;
  /// The time of day; it may jump. For records and for expiry.
  virtual WallTime wall() const = 0;
};

class RealClock final : public Clock {
 public:
  std::chrono::nanoseconds monotonic() const override;
  WallTime wall() const override;
};

/// Stands still until it is moved. For tests and replays.
class SettableClock final : public Clock {
 public:
  /// Requires: `by` is not negative.
  void advance(std::chrono::nanoseconds by);
  /// Moves only the time of day.
  void set_wall(WallTime to);

  std::chrono::nanoseconds monotonic() const override;
  WallTime wall() const override;

 private:
  std::atomic<std::int64_t> monotonic_ns_{0};
  std::atomic<std::int64_t> wall_ns_{0};
};

/// RFC 3339 in UTC with milliseconds: "2026-11-22T20:41:10.123Z".
std::string format_time(WallTime time);
/// Takes that form, with or without the milliseconds, and a bare date "2026-11-22" for its first
/// moment.
Result<WallTime> parse_time(std::string_view text);

}  // namespace baton
