#include "base/clock.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

using namespace std::chrono_literals;

TEST(Clock, TimesAreWrittenInUtcAndReadBackTheSame) {
  const WallTime time{1795380070123ms};
  EXPECT_EQ(format_time(time), "2026-11-22T20:41:10.123Z");
  EXPECT_EQ(*parse_time("2026-11-22T20:41:10.123Z"), time);
  EXPECT_EQ(*parse_time("2026-11-22T20:41:10Z"), time - 123ms);
  EXPECT_EQ(format_time(*parse_time("2026-11-22")), "2026-11-22T00:00:00.000Z");
}

TEST(Clock, WhatIsNoTimeIsRefused) {
  for (const char* text : {"", "2026", "2026-02-30", "2026-13-01", "2026-11-22T",
                           "2026-11-22T24:00:00Z", "2026-11-22T20:41:10", "2026-11-22T20:41:10Z ",
                           "2026-11-22 20:41:10Z", "tomorrow", "2026-11-22T20:41:10.1Z"})
    EXPECT_FALSE(parse_time(text).ok()) << text;
}

TEST(Clock, ASettableClockMovesOnlyByHand) {
  SettableClock clock;
  const auto start = clock.monotonic();
  clock.advance(5s);
  EXPECT_EQ(clock.monotonic() - start, 5s);
  clock.set_wall(*parse_time("2026-11-22"));
  EXPECT_EQ(format_time(clock.wall()), "2026-11-22T00:00:00.000Z");
  EXPECT_EQ(clock.monotonic() - start, 5s);
}

TEST(Clock, TheRealClockNeverGoesBack) {
  RealClock clock;
  auto before = clock.monotonic();
  for (int i = 0; i < 1000; ++i) {
    auto now = clock.monotonic();
    ASSERT_GE(now, before);
    before = now;
  }
  EXPECT_GT(clock.wall(), *parse_time("2024-01-01"));
}

}  // namespace
}  // namespace baton
