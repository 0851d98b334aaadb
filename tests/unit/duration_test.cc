#include "base/duration.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

using namespace std::chrono_literals;

TEST(Duration, ANumberWithItsUnitIsRead) {
  EXPECT_EQ(*parse_duration("30s"), 30s);
  EXPECT_EQ(*parse_duration("250ms"), 250ms);
  EXPECT_EQ(*parse_duration("2m"), 2min);
  EXPECT_EQ(*parse_duration("1h30m"), 90min);
  EXPECT_EQ(*parse_duration("7d"), 24h * 7);
  EXPECT_EQ(*parse_duration("0"), 0s);
}

TEST(Duration, WhatIsNoDurationIsRefusedWithAnExample) {
  for (const char* text : {"30",
                           "",
                           "s",
                           "-5s",
                           "5 s",
                           ".",
                           "1.5",
                           "1.5.5s",
                           "1.5sec",
                           "0.1ns",
                           "1.0000000001s",
                           "36500.5d",
                           ".s",
                           "99999999999999999999.5d",
                           "30sec",
                           "30S",
                           "1s1m",
                           "1s1s",
                           "99999999999999999999s",
                           "36501d",
                           "36500d1ns",
                           "\xff"}) {
    Result<std::chrono::nanoseconds> duration = parse_duration(text);
    ASSERT_FALSE(duration.ok()) << text;
    EXPECT_EQ(duration.error().message(),
              "expected a duration such as \"30s\", got \"" + std::string(text) + "\"");
  }
}

// A number past what 64 bits hold was undefined behaviour, and "10000000000000000000ns" negative.
TEST(Duration, ANumberThatOverflowsIsRefused) {
  for (const char* number : {"9223372036854775808", "9999999999999999999", "10000000000000000000",
                             "18446744073709551616", "100000000000000000000"})
    for (const char* unit : {"ns", "us", "ms", "s", "m", "h", "d", ".5ns", ".5us", ".5d"})
      EXPECT_FALSE(parse_duration(std::string(number) + unit).ok()) << number << unit;
}

TEST(Duration, AFractionIsRefusedWithTheSameInSmallerUnits) {
  const std::pair<const char*, const char*> cures[] = {
      {"0.3s", "300ms"}, {".5s", "500ms"},          {"1.5h", "1h30m"},    {"2.s", "2s"},
      {"0.0s", "0s"},    {"1.000000001s", "1s1ns"}, {"0.000001ms", "1ns"}};
  for (const auto& [text, cure] : cures) {
    Result<std::chrono::nanoseconds> duration = parse_duration(text);
    ASSERT_FALSE(duration.ok()) << text;
    EXPECT_EQ(duration.error().message(),
              "expected a duration such as \"30s\", got \"" + std::string(text) +
                  "\"; write a fraction in smaller units: \"" + cure + "\"");
  }
}

TEST(Duration, TheLongestDurationIsTaken) { EXPECT_EQ(*parse_duration("36500d"), kDurationMax); }

TEST(Duration, WhatIsWrittenIsReadBackTheSame) {
  for (std::int64_t ns : {0l, 1l, 1500000l, 1000000000l, 90061001002003l, kDurationMax.count()}) {
    const std::chrono::nanoseconds d(ns);
    EXPECT_EQ(*parse_duration(format_duration(d)), d) << format_duration(d);
  }
  EXPECT_EQ(format_duration(90s), "1m30s");
  EXPECT_EQ(format_duration(250ms), "250ms");
}

}  // namespace
}  // namespace baton
