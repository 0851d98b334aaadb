// Take-overs that must not happen: whatever stops one, every process goes on with its state and its
// code.
#include "support/takeover_fixture.h"
#include "takeover/migration.h"

#include <gmock/gmock.h>

#include <thread>

namespace baton::takeover {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

class TakeoverAbortTest : public test::TakeoverFixture {
 protected:
  void SetUp() override { old_ = load("brittle", "1.0.0"); }
  void discard_staged() { EXPECT_TRUE(unload(host_.code().take_staged("brittle"))); }

  code::Version* old_ = nullptr;
};

TEST_F(TakeoverAbortTest, AMigrationThatThrowsForOneProcessLeavesAllOnTheirOldStateAndCode) {
  const auto cells = spawn_many("brittle", "cell", 5000);
  EXPECT_EQ(host_.call(cells[0], "incr"), "1");
  const auto before = states(cells);
  code::Version* staged = load("brittle", "1.1.0");

  auto way_back = take_over({"brittle"});

  ASSERT_FALSE(way_back.ok());
  EXPECT_EQ(way_back.error().code(), Code::kFailed);
  EXPECT_THAT(way_back.error().message(), HasSubstr(text(cells[777])));
  EXPECT_THAT(way_back.error().message(), HasSubstr("brittle:cell"));
  EXPECT_THAT(way_back.error().message(), HasSubstr("no label for 777"));
  EXPECT_EQ(states(cells), before);
  EXPECT_EQ(old_->lease_count(), 5000u);
  EXPECT_EQ(staged->lease_count(), 0u);
  EXPECT_EQ(current("brittle"), old_);
  for (int i = 0; i < 5000; ++i)
    EXPECT_EQ(host_.call(cells[i], "incr"), std::to_string(i + (i ? 1 : 2)));
  EXPECT_EQ(host_.crashes(), 0u);

  // The version is given up, and a better one takes over.
  discard_staged();
  load("brittle", "1.3.0");
  auto second = take_over({"brittle"});
  ASSERT_TRUE(second.ok()) << second.error().message();
  EXPECT_EQ((*second)->report().migrated, 5000u);
  EXPECT_EQ(host_.state(cells[777]),
            "#{label => <<>>,totals => #{<<\"incr\">> => 1,<<\"start\">> => 777},value => 778}");
}

TEST_F(TakeoverAbortTest, ASlowMigrationBeyondTheBudgetIsAborted) {
  const auto cells = spawn_many("brittle", "cell", 900);
  const auto before = states(cells);
  load("brittle", "1.2.0");

  const auto start = std::chrono::steady_clock::now();
  auto way_back = take_over({"brittle"}, {.budget = 50ms});
  const auto took = std::chrono::steady_clock::now() - start;

  ASSERT_FALSE(way_back.ok());
  EXPECT_EQ(way_back.error().code(), Code::kTimedOut);
  EXPECT_THAT(way_back.error().message(), HasSubstr("budget of 50 ms"));
  EXPECT_LT(took, 400ms);  // it would take 900 ms or half of that
  EXPECT_EQ(states(cells), before);
  EXPECT_EQ(old_->lease_count(), 900u);
  EXPECT_EQ(host_.call(cells[5], "incr"), "6");
  discard_staged();
}

TEST_F(TakeoverAbortTest, MoreThreadsThanThereAreContextsShareThem) {
  // Each thread of a take-over took a context: above 32 processors, and so with enough processes
  // to occupy them, the host ended.
  const auto cells = spawn_many("brittle", "cell", 40'000);
  load("brittle", "1.2.0");  // takes a millisecond for each

  auto way_back = take_over({"brittle"}, {.budget = 500ms, .threads = 64});

  ASSERT_FALSE(way_back.ok());
  EXPECT_EQ(way_back.error().code(), Code::kTimedOut);
  EXPECT_EQ(host_.call(cells[5], "incr"), "6");
  discard_staged();
}

TEST_F(TakeoverAbortTest, AFewSlowMigrationsThatEndAfterTheBudgetAreNotCommitted) {
  const auto cells = spawn_many("brittle", "cell", 100);
  load("brittle", "1.2.0");

  auto way_back = take_over({"brittle"}, {.budget = 10ms, .threads = 1});

  ASSERT_FALSE(way_back.ok());
  EXPECT_EQ(way_back.error().code(), Code::kTimedOut);
  EXPECT_EQ(host_.call(cells[5], "incr"), "6");
  discard_staged();
}

TEST_F(TakeoverAbortTest, GoingDownThatWouldLoseDataRefusesAndCountsItUntilTheLossIsAccepted) {
  const auto cells = spawn_many("brittle", "cell", 2000);
  code::Version* newer = load("brittle", "1.3.0");
  auto way_back = take_over({"brittle"});
  ASSERT_TRUE(way_back.ok()) << way_back.error().message();
  for (int i : {3, 700, 1999}) EXPECT_EQ(host_.call(cells[i], "label"), "1");
  const auto before = states(cells);

  auto refused = roll_back(**way_back, {"brittle"});

  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kRefused);
  EXPECT_THAT(refused.error().message(), HasSubstr("would lose 3 of labels"));
  EXPECT_EQ(states(cells), before);
  EXPECT_EQ(newer->lease_count(), 2000u);
  EXPECT_EQ(host_.call(cells[3], "incr"), "4");

  auto accepted = roll_back(**way_back, {"brittle"}, {.accepts_loss = true});
  ASSERT_TRUE(accepted.ok()) << accepted.error().message();
  EXPECT_EQ(host_.state(cells[3]),
            "#{totals => #{<<\"incr\">> => 1,<<\"start\">> => 3},value => 4}");
  EXPECT_EQ(old_->lease_count(), 2000u);
  EXPECT_EQ(newer->lease_count(), 0u);
}

TEST_F(TakeoverAbortTest, LossesAreCountedByWhatTheyAre) {
  const auto cells = spawn_many("brittle", "cell", 2000);
  load("brittle", "1.3.0");
  auto way_back = take_over({"brittle"});
  ASSERT_TRUE(way_back.ok()) << way_back.error().message();
  for (int i : {3, 700, 1999}) EXPECT_EQ(host_.call(cells[i], "label"), "1");
  for (int i : {4, 701}) EXPECT_EQ(host_.call(cells[i], "{kind, 1}"), "1");
  EXPECT_EQ(host_.call(cells[5], "{kind, 2}"), "1");

  auto refused = roll_back(**way_back, {"brittle"});

  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(
      refused.error().message(),
      HasSubstr("would lose 3 of labels, 4 of things of kind 1 and 2 of things of kind 2;"));
}

TEST_F(TakeoverAbortTest, KindsOfLossesBeyondTheLimitAreCountedTogether) {
  constexpr int kKinds = static_cast<int>(kLossKindsMax) + 30;
  const auto cells = spawn_many("brittle", "cell", kKinds);
  load("brittle", "1.3.0");
  auto way_back = take_over({"brittle"});
  ASSERT_TRUE(way_back.ok()) << way_back.error().message();
  for (int i = 0; i < kKinds; ++i)
    EXPECT_EQ(host_.call(cells[i], "{kind, " + std::to_string(i) + "}"), "1");

  auto refused = roll_back(**way_back, {"brittle"});

  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(),
              HasSubstr("would lose 60 of other things, 2 of things of"));
  EXPECT_LT(refused.error().message().size(), 400u);
}

TEST_F(TakeoverAbortTest, ALossThatCannotBeCountedIsNeverTakenForNone) {
  const auto cells = spawn_many("brittle", "cell", 3000);
  load("brittle", "1.3.0");
  auto way_back = take_over({"brittle"});
  ASSERT_TRUE(way_back.ok()) << way_back.error().message();
  EXPECT_EQ(host_.call(cells[10], "unknown"), "1");
  EXPECT_EQ(host_.call(cells[2500], "label"), "1");

  auto refused = roll_back(**way_back, {"brittle"});

  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kFailed);
  EXPECT_THAT(refused.error().message(), HasSubstr(text(cells[10])));
  EXPECT_THAT(refused.error().message(), HasSubstr("the labels cannot be counted"));
  EXPECT_EQ(host_.call(cells[10], "incr"), "11");
}

TEST_F(TakeoverAbortTest, ACallbackThatAwaitsLongerThanTheBudgetEndsTheDrainWhichNamesIt) {
  const baton_term peer = host_.spawn(old_, "sleeper", "[1]");
  const baton_term sleeper = host_.spawn(old_, "sleeper", "[0]");
  const baton_term cell = host_.spawn(old_, "cell", "[1]");
  std::string woken;
  std::thread napping([&] { woken = host_.call(sleeper, "nap"); });
  while (host_.state(peer).find("[]") != std::string::npos) std::this_thread::yield();
  load("brittle", "1.3.0");

  auto way_back = take_over({"brittle"}, {.budget = 50ms});

  ASSERT_FALSE(way_back.ok());
  EXPECT_EQ(way_back.error().code(), Code::kTimedOut);
  EXPECT_THAT(way_back.error().message(), HasSubstr(text(sleeper)));
  EXPECT_THAT(way_back.error().message(), HasSubstr("brittle:sleeper) waits for a reply"));
  EXPECT_THAT(way_back.error().message(), testing::Not(HasSubstr(text(cell))));
  EXPECT_EQ(host_.call(cell, "incr"), "2");
  EXPECT_EQ(host_.call(peer, "wake"), "1");
  napping.join();
  EXPECT_EQ(woken, "7");
  // Nobody waits any more.
  auto second = take_over({"brittle"});
  EXPECT_TRUE(second.ok()) << second.error().message();
}

TEST_F(TakeoverAbortTest, AProcessWhoseInitFailsLeavesNoLeaseAndStopsNoTakeOver) {
  const auto cells = spawn_many("brittle", "cell", 10);
  load("brittle", "1.3.0");
  for (int i = 0; i < 20; ++i) host_.spawn(old_, "doomed", "[]");
  while (host_.crashes() < 20) std::this_thread::yield();

  auto way_back = take_over({"brittle"});

  ASSERT_TRUE(way_back.ok()) << way_back.error().message();
  EXPECT_EQ(current("brittle")->lease_count(), 10u);
  // From the version that was left the current one is started.
  EXPECT_NE(host_.spawn(old_, "doomed", "[]"), BATON_NO_TERM);
  while (host_.crashes() < 21) std::this_thread::yield();
  EXPECT_EQ(host_.call(cells[9], "incr"), "10");
  way_back->reset();
  EXPECT_TRUE(unload(host_.code().take_old("brittle")));
}

}  // namespace
}  // namespace baton::takeover
