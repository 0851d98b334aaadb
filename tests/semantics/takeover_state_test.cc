// How states cross: by hooks, by moves and conversions, or not at all because they may stay where
// they are.
#include "support/takeover_fixture.h"

#include <gmock/gmock.h>

namespace baton::takeover {
namespace {

using testing::HasSubstr;

class TakeoverStateTest : public test::TakeoverFixture {
 protected:
  void SetUp() override { old_ = load("keeper", "1.0.0"); }
  baton_term spawn(const char* behaviour) {
    return host_.spawn(current("keeper"), behaviour, "[]");
  }
  void go_up() {
    load("keeper", "1.1.0");
    auto taken = take_over({"keeper"});
    ASSERT_TRUE(taken.ok()) << taken.error().message();
    way_back_ = std::move(taken).value();
  }

  code::Version* old_ = nullptr;
  std::unique_ptr<WayBack> way_back_;
};

TEST_F(TakeoverStateTest, AFieldOfAnotherTypeCrossesByTheHookUpAndDown) {
  const baton_term ledger = spawn("ledger");
  EXPECT_EQ(host_.call(ledger, "incr"), "1");
  EXPECT_EQ(host_.state(ledger), "#{total => <<\"1\">>}");

  ASSERT_NO_FATAL_FAILURE(go_up());
  EXPECT_EQ(host_.state(ledger), "#{total => 1}");
  EXPECT_EQ(host_.call(ledger, "incr"), "2");

  auto report = roll_back(*way_back_, {"keeper"});
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_EQ(host_.state(ledger), "#{total => <<\"2\">>}");
  EXPECT_EQ(host_.call(ledger, "incr"), "3");
}

TEST_F(TakeoverStateTest, AStateWithAnEqualFingerprintIsAdoptedWhereItLies) {
  const baton_term steady = spawn("steady");
  EXPECT_EQ(host_.call(steady, "incr"), "1");
  const runtime::Process& process = host_.runtime().table().at(runtime::pid_index(steady));
  const void* const before = process.state;

  ASSERT_NO_FATAL_FAILURE(go_up());
  EXPECT_EQ(way_back_->report().adopted, 1u);
  EXPECT_EQ(way_back_->report().migrated, 0u);
  EXPECT_EQ(process.state, before);
  EXPECT_EQ(host_.call(steady, "incr"), "11");

  auto report = roll_back(*way_back_, {"keeper"});
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_EQ(process.state, before);
  EXPECT_EQ(host_.call(steady, "incr"), "12");
}

TEST_F(TakeoverStateTest, WhatIsWidenedRenamedOrDroppedIsThereAgainAfterTheRollback) {
  const baton_term diary = spawn("diary");
  EXPECT_EQ(host_.call(diary, "incr"), "1");
  EXPECT_EQ(host_.call(diary, "incr"), "2");

  ASSERT_NO_FATAL_FAILURE(go_up());
  EXPECT_EQ(host_.call(diary, "incr"), "3");
  EXPECT_EQ(host_.state(diary), "#{count => 3,history => [1,2,3]}");

  auto report = roll_back(*way_back_, {"keeper"});
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_EQ(host_.state(diary), "#{cache => #{<<\"count\">> => 2},count => 3,recent => [1,2,3]}");
  EXPECT_EQ(host_.call(diary, "incr"), "4");
}

TEST_F(TakeoverStateTest, AProcessStartedSinceGoesDownWithDefaultsForWhatItNeverHad) {
  ASSERT_NO_FATAL_FAILURE(go_up());
  const baton_term diary = spawn("diary");
  EXPECT_EQ(host_.call(diary, "incr"), "1");

  auto report = roll_back(*way_back_, {"keeper"});

  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_EQ(host_.state(diary), "#{cache => #{},count => 1,recent => [1]}");
}

TEST_F(TakeoverStateTest, AWidenedNumberThatNoLongerFitsRefusesTheRollbackForAll) {
  const baton_term large = spawn("diary");
  const baton_term small = spawn("diary");
  EXPECT_EQ(host_.call(small, "incr"), "1");
  host_.state(large);  // it has one
  ASSERT_NO_FATAL_FAILURE(go_up());
  code::Version* newer = current("keeper");
  EXPECT_EQ(host_.call(large, "{add,5000000000}"), "5000000000");

  auto refused = roll_back(*way_back_, {"keeper"});

  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kFailed);
  EXPECT_THAT(refused.error().message(), HasSubstr(text(large)));
  EXPECT_THAT(refused.error().message(), HasSubstr("no longer fits"));
  EXPECT_EQ(newer->lease_count(), 2u);
  EXPECT_EQ(host_.state(large), "#{count => 5000000000,history => []}");
  EXPECT_EQ(host_.call(small, "incr"), "2");

  // Once it fits, the same way back is good.
  EXPECT_EQ(host_.call(large, "{add,-4999999999}"), "1");
  auto report = roll_back(*way_back_, {"keeper"});
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_EQ(host_.state(large), "#{cache => #{},count => 1,recent => []}");
  EXPECT_EQ(host_.state(small), "#{cache => #{<<\"count\">> => 1},count => 2,recent => [1,2]}");
}

}  // namespace
}  // namespace baton::takeover
