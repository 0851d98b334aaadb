// Limits of callbacks that do not return, short so that tests of them are.
#pragma once

#include "runtime/long_schedule.h"

#include <cstdint>

namespace baton::test {

inline constexpr std::uint64_t kMs = 1'000'000;
inline constexpr runtime::LongScheduleLimits kLimits{.long_schedule_ns = 20 * kMs,
                                                     .stuck_after_ns = 60 * kMs,
                                                     .kill_after_ns = 100 * kMs,
                                                     .abandoned_max_version = 2,
                                                     .abandoned_max = 8};

}  // namespace baton::test
