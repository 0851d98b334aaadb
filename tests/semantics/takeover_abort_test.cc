// Take-overs that must not happen: whatever stops one, every process goes on with its state and its
// code.
#include "runtime/primitives.h"
#include "runtime/watch.h"
#include "support/takeover_fixture.h"
#include "takeover/migration.h"
#include "term/atom.h"

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

// ---- A hook that does not return in time

TEST_F(TakeoverAbortTest, AHookThatDoesNotReturnIsLeftAndItsProcessWaitsForIt) {
  const auto cells = spawn_many("brittle", "cell", 100);
  code::Version* staged = load("brittle", "1.4.0");

  const auto start = std::chrono::steady_clock::now();
  auto way_back = take_over({"brittle"}, {.budget = 50ms});

  EXPECT_LT(std::chrono::steady_clock::now() - start, 400ms);
  ASSERT_FALSE(way_back.ok());
  EXPECT_EQ(way_back.error().code(), Code::kTimedOut);
  EXPECT_THAT(way_back.error().message(), HasSubstr("the state of " + text(cells[13])));
  for (int i = 14; i < 100; ++i) EXPECT_EQ(host_.call(cells[i], "incr"), std::to_string(i + 1));
  EXPECT_EQ(staged->abandoned(), 1u) << "its code is needed";
  const auto exiles = host_.runtime().watch().exiles();
  ASSERT_EQ(exiles.size(), 1u);
  EXPECT_EQ(exiles[0].callback.pid, cells[13]);

  EXPECT_EQ(host_.call(cells[13], "incr"), "14") << "when the hook has returned";
  while (staged->abandoned() != 0) std::this_thread::yield();
  discard_staged();
  load("brittle", "1.3.0");
  EXPECT_TRUE(take_over({"brittle"}).ok());
}

TEST_F(TakeoverAbortTest, NobodyRunsBeforeTheOthersAreOutOfTheirStates) {
  // The crew's other members went on with their chunks when the stuck one was left.
  for (int i = 0; i < 1100; ++i) host_.spawn(old_, "cell", "[12]");
  // As they are gathered: the first is stuck, those of the other member's chunk are slow.
  std::vector<baton_term> cells;
  for (std::uint32_t i = 0; i < code::kShards; ++i)
    for (const std::uint32_t index : old_->shard(i).processes)
      cells.push_back(host_.runtime().table().at(index).self);
  EXPECT_EQ(host_.call(cells[0], "incr"), "13");
  for (std::size_t i = 1024; i < cells.size(); ++i) {
    host_.call(cells[i], "incr");
    EXPECT_EQ(host_.call(cells[i], "incr"), "14");
  }
  code::Version* staged = load("brittle", "1.4.0");

  auto late = take_over({"brittle"}, {.budget = 100ms, .threads = 2});

  const auto inside = [this] {
    std::uint32_t number = 0;
    auto& runners = host_.runtime().runners();
    for (std::uint32_t id = 0; id < runners.count(); ++id)
      number += runtime::Boundary::is_inside(runners.at(id).boundary.place()) ? 1 : 0;
    return number;
  };
  EXPECT_EQ(inside(), 1u) << "which is left";
  EXPECT_EQ(host_.runtime().watch().exiles().size(), 1u);
  ASSERT_FALSE(late.ok());
  while (staged->abandoned() != 0) std::this_thread::yield();
  EXPECT_EQ(inside(), 0u);
  discard_staged();
}

TEST_F(TakeoverAbortTest, TheProcessOfAHookThatIsLeftCanBeKilled) {
  const auto cells = spawn_many("brittle", "cell", 20);
  code::Version* staged = load("brittle", "1.4.0");
  ASSERT_FALSE(take_over({"brittle"}, {.budget = 20ms}).ok());
  {
    runtime::External external(host_.runtime());
    runtime::Message* reason = external.context().allocate(1);
    reason->root = term::atoms::kKill;
    runtime::exit_signal(external.context(), cells[13], reason);
  }

  EXPECT_THAT(host_.call(cells[13], "incr"), HasSubstr("not there or ended"));

  while (staged->abandoned() + old_->abandoned() != 0) std::this_thread::yield();
  EXPECT_EQ(old_->lease_count(), 19u);
  discard_staged();
}

TEST_F(TakeoverAbortTest, ATakeOverThatFindsAProcessUnderAHookWaitsForIt) {
  spawn_many("brittle", "cell", 20);
  code::Version* staged = load("brittle", "1.4.0");
  ASSERT_FALSE(take_over({"brittle"}, {.budget = 20ms}).ok());

  auto second = take_over({"brittle"}, {.budget = 20ms});
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().message(), HasSubstr("did not come to rest"));

  auto third = take_over({"brittle"}, {.budget = 5s});
  EXPECT_TRUE(third.ok()) << third.error().message();
  EXPECT_EQ(staged->lease_count(), 20u);
}

TEST_F(TakeoverAbortTest, ADiscardThatDoesNotReturnIsLeftLikeAnyHook) {
  const auto cells = spawn_many("brittle", "cell", 20);
  code::Version* newer = load("brittle", "1.3.0");
  auto way_back = take_over({"brittle"});
  ASSERT_TRUE(way_back.ok()) << way_back.error().message();
  for (int i : {3, 13}) EXPECT_EQ(host_.call(cells[i], "label"), "1");

  const auto start = std::chrono::steady_clock::now();
  auto late = roll_back(**way_back, {"brittle"}, {.budget = 50ms, .accepts_loss = true});

  EXPECT_LT(std::chrono::steady_clock::now() - start, 400ms);
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code(), Code::kTimedOut);
  EXPECT_THAT(late.error().message(), HasSubstr("the state of " + text(cells[13])));
  EXPECT_EQ(newer->lease_count(), 20u);
  for (int i = 14; i < 20; ++i) EXPECT_EQ(host_.call(cells[i], "incr"), std::to_string(i + 1));
  EXPECT_EQ(host_.call(cells[13], "incr"), "14") << "when it has returned";

  auto done = roll_back(**way_back, {"brittle"}, {.accepts_loss = true});
  EXPECT_TRUE(done.ok()) << done.error().message();
  EXPECT_EQ(old_->lease_count(), 20u);
}

TEST_F(TakeoverAbortTest, MoreThreadsThanThereAreRunnersAreFewer) {
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
