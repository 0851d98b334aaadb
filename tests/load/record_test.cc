#include "load/record.h"

#include "load/json_field.h"
#include "load/latency.h"

#include <gtest/gtest.h>

namespace baton::load {
namespace {

TEST(Latency, QuantilesAreWithinABucketOfTheTruth) {
  Latency latency;
  for (std::uint64_t i = 1; i <= 100000; ++i) latency.add(i * 1000);
  for (const double share : {0.01, 0.5, 0.99, 0.999}) {
    const double exact = share * 1e8;
    EXPECT_NEAR(static_cast<double>(latency.quantile(share)), exact, exact * 0.04) << share;
  }
  EXPECT_EQ(latency.quantile(1), 100'000'000u);
  EXPECT_EQ(latency.longest(), 100'000'000u);
}

TEST(Latency, TakesEveryNumberOfNanoseconds) {
  Latency latency;
  for (const std::uint64_t n :
       {std::uint64_t{0}, std::uint64_t{31}, std::uint64_t{32}, ~std::uint64_t{0}}) {
    latency.add(n);
  }
  EXPECT_EQ(latency.count(), 4u);
  EXPECT_EQ(latency.quantile(1), ~std::uint64_t{0});
  EXPECT_EQ(Latency().quantile(0.5), 0u);
}

TEST(Record, GivesEachStepItsOwnFiguresAndTheEndAllOfThem) {
  Record record({"kv", "web"}, "one");
  record.replied(0, 2'000'000);
  const std::string one = record.next_step(10, "two");
  record.replied(0, 1'000'000);
  record.waiting(1, 7'000'000);
  record.silent(1, 8'000'000);
  const std::string end = record.end(20);

  EXPECT_EQ(json_field(one, "step"), "\"one\"");
  EXPECT_EQ(json_field(*json_field(one, "kv"), "longest_pause_ms"), "2.000");
  EXPECT_EQ(json_field(*json_field(one, "web"), "longest_pause_ms"), "0.000");
  EXPECT_EQ(json_field(end, "requests"), "2");
  EXPECT_EQ(json_field(end, "longest_pause_ms"), "7.000");
  EXPECT_EQ(json_field(end, "longest_silence_ms"), "8.000");
  EXPECT_TRUE(record.is_clean());
}

TEST(Record, IsNotCleanAfterAFailureADropOrALoss) {
  const auto after = [](auto&& happen) {
    Record record({"kv"}, "s");
    happen(record);
    const std::string end = record.end(0);
    EXPECT_FALSE(record.is_clean());
    return end;
  };
  const std::string failed = after([](Record& r) { r.failed(0, 3, 123.5, "why \"so\""); });
  EXPECT_EQ(json_field(failed, "failed_requests"), "1");
  EXPECT_NE(
      failed.find(R"("unix_ms":123.500,"step":"s","service":"kv","connection":3,"lost":false,)"
                  R"("what":"why \"so\"")"),
      std::string::npos);
  const std::string dropped = after([](Record& r) { r.dropped(0, 0, 1, "gone", 4); });
  EXPECT_EQ(json_field(dropped, "dropped_connections"), "1");
  EXPECT_EQ(json_field(dropped, "failed_requests"), "4");
  EXPECT_EQ(json_field(after([](Record& r) { r.failed(0, 0, 0, "gone", true); }), "lost_keys"),
            "1");
}

TEST(Record, CountsFailuresPastThoseItKeeps) {
  Record record({"kv"}, "s");
  for (std::size_t i = 0; i < kFailuresKept + 5; ++i) record.failed(0, 0, 1, "unique-text");
  const std::string end = record.end(0);
  std::size_t kept = 0;
  for (std::size_t at = 0; (at = end.find("unique-text", at)) != std::string::npos; ++at) ++kept;
  EXPECT_EQ(kept, kFailuresKept);
  EXPECT_EQ(json_field(end, "failed_requests"), std::to_string(kFailuresKept + 5));
}

}  // namespace
}  // namespace baton::load
