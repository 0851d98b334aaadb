#include "release/probation.h"

#include <gtest/gtest.h>

namespace baton::release {
namespace {

using namespace std::chrono_literals;

class ProbationTest : public testing::Test {
 protected:
  ProbationTest() {
    release_.modules = {{"kv", "1.1.0"}, {"web", "1.1.0"}};
    release_.probation.crashes_max = 2;
    release_.probation.crash_period = 10s;
    release_.probation.min_samples = 5;
    description::HealthCheck check;
    check.failures = 3;
    release_.probation.health = {check, check};
    probation_.emplace(release_, 60s, 100s, 1000);
    probation_->begin(100s);
  }
  void crash(std::chrono::nanoseconds at, const std::string& module = "kv") {
    crashes_.note({at, module, module + " crashed"});
  }
  std::string judge(std::chrono::nanoseconds now, std::uint64_t samples = 1000) {
    const auto judgement = probation_->judge(now, crashes_, samples);
    return judgement ? std::string(verdict_name(judgement->verdict)) + ": " + judgement->evidence
                     : "";
  }

  description::ReleaseDescription release_;
  CrashLog crashes_;
  std::optional<Probation> probation_;
};

TEST_F(ProbationTest, AReleaseOfWhichNothingIsSeenIsInconclusiveAtTheEndAndNotBefore) {
  EXPECT_EQ(judge(100s), "");
  EXPECT_EQ(judge(159s), "");
  EXPECT_EQ(judge(160s), "inconclusive: 0 messages, 5 are needed to judge");
  EXPECT_EQ(judge(160s, 1004), "inconclusive: 4 messages, 5 are needed to judge");
}

TEST_F(ProbationTest, AReleaseThatServedEnoughPasses) {
  EXPECT_EQ(judge(160s, 1005), "passed: no check failed, 0 crashes, 5 messages");
}

TEST_F(ProbationTest, MoreCrashesThanAllowedWithinThePeriodFailItAtOnce) {
  crash(101s);
  crash(105s);
  EXPECT_EQ(judge(106s), "");
  crash(111s, "web");
  EXPECT_EQ(judge(111s),
            "failed: 3 processes crashed within 10s, allowed are 2; the last: web crashed");
}

TEST_F(ProbationTest, CrashesBeforeTheTakeOverOfOtherModulesOrSpreadOutDoNotCount) {
  crash(99s);
  crash(99s);
  for (int i = 0; i < 20; ++i) crash(100s, "other");
  crash(101s);
  crash(102s);
  crash(112s + 1ns);
  crash(123s);
  EXPECT_EQ(judge(159s), "");
  EXPECT_EQ(judge(160s, 2000), "passed: no check failed, 4 crashes, 1000 messages");
}

TEST_F(ProbationTest, ACheckCountsWhenItFailedOftenEnoughInARow) {
  const Result<void> failed(Error(Code::kFailed, "no answer in time"));
  for (int i = 0; i < 2; ++i) probation_->note_check(1, failed);
  probation_->note_check(1, {});
  for (int i = 0; i < 2; ++i) {
    probation_->note_check(0, failed);
    probation_->note_check(1, failed);
  }
  EXPECT_EQ(judge(101s), "");
  probation_->note_check(1, failed);
  EXPECT_EQ(judge(101s), "failed: no answer in time (3 times in a row)");
  probation_->note_check(1, {});
  EXPECT_EQ(judge(160s, 2000), "failed: no answer in time (3 times in a row)");
}

TEST_F(ProbationTest, WhatMustNotEndFailsItAtOnce) {
  probation_->note_end("application shop ended: shutdown");
  EXPECT_EQ(judge(100s), "failed: application shop ended: shutdown");
}

TEST(CrashLog, ForgetsTheOldestAndIsNeverLargerThanItsLimit) {
  CrashLog log;
  for (std::size_t i = 0; i < kCrashesKept + 10; ++i)
    log.note({std::chrono::seconds(i), "kv", std::to_string(i)});
  const auto count = log.count(0s, 5s, [](const std::string&) { return true; });
  EXPECT_EQ(count.all, kCrashesKept);
  EXPECT_EQ(count.in_worst_period, 6u);
  EXPECT_EQ(count.last, std::to_string(kCrashesKept + 9));
}

}  // namespace
}  // namespace baton::release
