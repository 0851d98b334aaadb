// Duration: the text form of a span of time, as configuration and the command line take it.
//
// One or more numbers, each with its unit, largest unit first: "30s", "250ms", "2m", "1h30m". A
// number without a unit is refused: whether it means seconds or milliseconds is a guess nobody
// should make.
//
// Threads: any thread.
#pragma once

#include "base/result.h"

#include <chrono>
#include <string>
#include <string_view>

namespace baton {

/// The longest duration taken: about a hundred years, so that adding one to a time cannot overflow.
inline constexpr std::chrono::nanoseconds kDurationMax = std::chrono::hours(24 * 36500);

/// Units are d, h, m, s, ms, us and ns; "0" needs none. Fractions are refused with the same in
/// smaller units.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);
/// The shortest text that parse_duration reads back as the same. Requires: not negative.
std::string format_duration(std::chrono::nanoseconds duration);

}  // namespace baton
