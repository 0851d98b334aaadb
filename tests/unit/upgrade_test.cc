// The table of release/upgrade.h, walked row by row through the handler's verbs: every step fails
// in turn, once and for good, and what runs, what the journal says, what the services are and what
// is answered never part.
#include "support/release_world.h"

#include <gtest/gtest.h>

namespace baton::test {
namespace {

using release::InstallOptions;
using std::chrono::seconds;

InstallOptions at_once() {
  InstallOptions options;
  options.has_probation = false;
  return options;
}

class UpgradeTest : public testing::Test, public ReleaseWorld {
 protected:
  void SetUp() override { ASSERT_NE(handler, nullptr) << boot_error; }
  void TearDown() override {
    if (handler == nullptr) return;
    EXPECT_EQ(disagreement(), "");
    // And a host that dies here, or stops in order, finds a release that it can start.
    const std::string was = statuses();
    die();
    ASSERT_TRUE(open()) << boot_error << " after " << was;
    EXPECT_EQ(disagreement(), "");
    EXPECT_EQ(state(), "-");
  }
};

TEST_F(UpgradeTest, GoesFromPlannedToPermanent) {
  deploy();
  const auto operation = upgrade(2);
  EXPECT_EQ(outcome(operation), "open");
  EXPECT_EQ(state(), "current");
  EXPECT_EQ(statuses(), "1.0.0 permanent, 2.0.0 current");
  EXPECT_EQ(disagreement(), "");
  pass(seconds(60));
  EXPECT_EQ(outcome(operation), "done");
  EXPECT_EQ(state(), "-");
  EXPECT_EQ(statuses(), "1.0.0 old, 2.0.0 permanent");
}

TEST_F(UpgradeTest, WhatIsNewIsExposedAfterTheRecordAndWhatIsGoneEndsWhenItIsPermanent) {
  deploy();
  services.calls.clear();
  upgrade(2);
  EXPECT_EQ(services.calls.front().substr(0, 5), "apply");
  const auto first_exposed =
      std::find_if(services.calls.begin(), services.calls.end(),
                   [](const std::string& call) { return call.starts_with("expose"); });
  for (auto it = first_exposed; it != services.calls.end(); ++it)
    EXPECT_TRUE(it->starts_with("expose")) << *it;
  services.calls.clear();
  make_permanent();
  ASSERT_FALSE(services.calls.empty());
  for (const std::string& call : services.calls) EXPECT_TRUE(call.starts_with("settle")) << call;
}

TEST_F(UpgradeTest, AnOperatorMakesItPermanentOrRollsItBack) {
  deploy();
  const auto first = upgrade(2);
  EXPECT_EQ(outcome(make_permanent()), "done");
  EXPECT_EQ(outcome(first), "done");
  const auto second = upgrade(3);
  EXPECT_EQ(outcome(rollback()), "done");
  EXPECT_EQ(outcome(second), "rolled_back");
  EXPECT_EQ(statuses(), "1.0.0 old, 2.0.0 permanent, 3.0.0 failed_in_probation");
}

// ---- A step that fails once

TEST_F(UpgradeTest, AStepForwardThatFailsUndoesWhatWasDone) {
  deploy();
  struct Case {
    const char* call;
    const char* outcome;
  };
  for (const Case& test :
       {Case{"stage", "failed"}, {"take_over", "failed"}, {"apply", "rolled_back"}}) {
    for (int n = 0; n < (std::string(test.call) == "apply" ? 6 : 1); ++n) {
      SCOPED_TRACE(test.call + std::string(" ") + std::to_string(n));
      failing = {{test.call, n}};
      const auto operation = upgrade(2);
      if (failing[test.call] >= 0) {
        // All were passed.
        EXPECT_EQ(outcome(operation), "open");
        rollback();
        failing.clear();
        break;
      }
      EXPECT_EQ(outcome(operation), test.outcome) << message(operation);
      EXPECT_NE(message(operation).find(std::string(test.call) + " fails"), std::string::npos);
      EXPECT_EQ(state(), "-");
      EXPECT_EQ(disagreement(), "");
      EXPECT_EQ(modules.runs, "demo-1.0.0");
      failing.clear();
    }
  }
  EXPECT_EQ(outcome(upgrade(2)), "open") << "a failed try must not poison the next";
}

TEST_F(UpgradeTest, EveryCallOfTheDiskThatFailsLeavesOneOfTheTwo) {
  // The handler answered "nothing changed" where a change was in force, or an error where it was
  // rolled back and the list said otherwise.
  deploy();
  ASSERT_EQ(outcome(done(handler->unpack(bundles[2], reason))), "done");
  for (int n = 0; n < 200; ++n) {
    SCOPED_TRACE(n);
    files.fail_call(n, FaultyFiles::Fault::kOnce);
    const auto operation = done(handler->install("demo", "2.0.0", at_once(), reason));
    const bool failed = files.has_failed();
    files.heal();
    settle();
    ASSERT_NE(outcome(operation), "open");
    ASSERT_EQ(disagreement(), "");
    ASSERT_EQ(state(), "-");
    ASSERT_EQ(modules.runs, outcome(operation) == "done" ? "demo-2.0.0" : "demo-1.0.0")
        << message(operation);
    if (!failed) return;
    if (modules.runs == "demo-1.0.0") continue;
    ASSERT_EQ(outcome(rollback("1.0.0")), "done");
    ASSERT_EQ(modules.runs, "demo-1.0.0");
  }
  FAIL() << "200 calls were not enough";
}

// ---- A step back that fails

TEST_F(UpgradeTest, AnUndoThatFailsIsTriedAgainAndThenAnOperatorsTurn) {
  // When the undo failed too, the old version was purged though processes may have to return to it.
  deploy();
  broken = {"apply", "take_back"};
  const auto operation = upgrade(2);
  EXPECT_EQ(outcome(operation), "open");
  EXPECT_EQ(state(), "taken_over");
  EXPECT_EQ(disagreement(), "");
  EXPECT_EQ(modules.current["counter"], "2.0.0");
  settle();
  EXPECT_EQ(outcome(operation), "stuck");
  EXPECT_EQ(calls["take_back"], release::kTriesMax);
  EXPECT_EQ(outcome(upgrade(3)), "busy");
  EXPECT_EQ(outcome(make_permanent()), "busy");
  broken = {"take_back"};
  const auto again = rollback();
  EXPECT_EQ(outcome(again), "open");
  broken.clear();
  pass(seconds(1));
  EXPECT_EQ(outcome(again), "done");
  EXPECT_EQ(modules.runs, "demo-1.0.0");
}

TEST_F(UpgradeTest, AnOperatorsRollbackThatCannotBeDoneChangesNothing) {
  deploy();
  const auto first = upgrade(2);
  broken = {"take_back"};
  EXPECT_EQ(outcome(rollback()), "failed");
  EXPECT_EQ(state(), "current");
  EXPECT_EQ(disagreement(), "");
  broken.clear();
  pass(seconds(60));
  EXPECT_EQ(outcome(first), "done");
  EXPECT_EQ(modules.runs, "demo-2.0.0");
}

TEST_F(UpgradeTest, WhatCouldNotBeDoneHasNoPartInWhatIsRecordedLater) {
  // The verdict was recorded as that of the operation that had failed.
  deploy();
  const auto first = upgrade(2);
  broken = {"take_back"};
  EXPECT_EQ(outcome(rollback()), "failed");
  files.fail_call(0, FaultyFiles::Fault::kFromThere);
  EXPECT_EQ(outcome(make_permanent()), "failed");
  files.heal();
  pass(seconds(60));
  EXPECT_EQ(outcome(first), "done");
  die();
  ASSERT_TRUE(open()) << boot_error;
  const auto& records = store->journal().records();
  ASSERT_FALSE(records.empty());
  EXPECT_EQ(records.back().get("operation"), std::to_string(first->id));
}

TEST_F(UpgradeTest, AnOperatorsRollbackThatIsTriedAgainSaysSo) {
  // It was tried twice at once, and only a first failure is told.
  deploy();
  upgrade(2);
  broken = {"revert"};
  const auto operation = rollback();
  EXPECT_EQ(outcome(operation), "open");
  const auto lines = operation->lines(0);
  EXPECT_TRUE(std::any_of(lines.begin(), lines.end(),
                          [](const auto& line) { return line.phase == "retry"; }));
}

TEST_F(UpgradeTest, ServicesThatDoNotChangeBackKeepTheProcessesFromNothing) {
  deploy();
  upgrade(2);
  broken = {"revert"};
  const auto operation = rollback();
  EXPECT_EQ(state(), "returned");
  EXPECT_EQ(modules.runs, "demo-1.0.0");
  EXPECT_EQ(disagreement(), "");
  settle();
  EXPECT_EQ(outcome(operation), "stuck");
  EXPECT_EQ(outcome(upgrade(3)), "busy");
  broken.clear();
  EXPECT_EQ(outcome(rollback()), "done");
}

TEST_F(UpgradeTest, AFirstReleaseThatIsStuckOnItsWayBackIsAnOperatorsTurnToo) {
  // The rollback that its own message asks for was refused, since there was no release before.
  broken = {"apply", "revert"};
  const auto operation = upgrade(1);
  settle();
  EXPECT_EQ(outcome(operation), "stuck");
  EXPECT_EQ(state(), "returned");
  EXPECT_EQ(outcome(rollback("7.0.0")), "usage");
  broken.clear();
  EXPECT_EQ(outcome(rollback()), "done");
  EXPECT_EQ(state(), "-");
  EXPECT_EQ(modules.runs, "");
}

// ---- The disk

TEST_F(UpgradeTest, ADiskWithoutRoomForTheWayBackRefusesTheUpgradeBeforeAnythingMoves) {
  deploy();
  ASSERT_EQ(outcome(done(handler->unpack(bundles[2], reason))), "done");
  files.set_full(true);
  EXPECT_EQ(outcome(done(handler->install("demo", "2.0.0", {}, reason))), "failed");
  EXPECT_EQ(calls["take_over"], 1) << "the deployment's";
  EXPECT_EQ(modules.runs, "demo-1.0.0");
  files.set_full(false);
}

TEST_F(UpgradeTest, ARollbackIsRecordedOnADiskThatFilledUpInProbation) {
  // The rollback ended in "stuck", the list said 2.0.0, and 1.0.0 ran.
  deploy();
  upgrade(2);
  files.set_full(true);
  EXPECT_EQ(outcome(rollback()), "done");
  EXPECT_EQ(statuses(), "1.0.0 permanent, 2.0.0 failed_in_probation");
  EXPECT_EQ(disagreement(), "");
  files.set_full(false);
}

TEST_F(UpgradeTest, AnUpgradeIsMadePermanentOnADiskThatFilledUpInProbation) {
  deploy();
  const auto operation = upgrade(2);
  files.set_full(true);
  pass(seconds(60));
  EXPECT_EQ(outcome(operation), "done");
  files.set_full(false);
}

TEST_F(UpgradeTest, ARecordOfTheWayBackThatCannotBeWrittenIsTriedTillItIs) {
  deploy();
  const auto first = upgrade(2);
  files.fail_call(0, FaultyFiles::Fault::kFromThere);
  const auto operation = rollback();
  EXPECT_EQ(state(), "reverted");
  EXPECT_EQ(outcome(operation), "open");
  settle();
  EXPECT_EQ(outcome(operation), "open");
  EXPECT_EQ(disagreement(), "");
  EXPECT_NE(handler->upgrade()->trouble.find("injected fault"), std::string::npos);
  EXPECT_EQ(outcome(upgrade(3)), "busy") << "no upgrade meanwhile";
  files.heal();
  pass(seconds(1));
  EXPECT_EQ(outcome(operation), "done");
  EXPECT_EQ(outcome(first), "rolled_back");
  EXPECT_EQ(statuses(), "1.0.0 permanent, 2.0.0 failed_in_probation");
}

TEST_F(UpgradeTest, ARecordThatMakesItPermanentIsTriedTillItIsWrittenAndMayBeRolledBackMeanwhile) {
  // It exited 1, "nothing changed", and the change was in force.
  deploy();
  const auto operation = upgrade(2);
  files.fail_call(0, FaultyFiles::Fault::kFromThere);
  pass(seconds(60));
  EXPECT_EQ(outcome(operation), "open");
  EXPECT_EQ(outcome(make_permanent()), "failed");
  EXPECT_EQ(state(), "current");
  files.heal();
  pass(seconds(1));
  EXPECT_EQ(outcome(operation), "done");
  EXPECT_EQ(statuses(), "1.0.0 old, 2.0.0 permanent");
}

TEST_F(UpgradeTest, AHostThatDiedInProbationBootsOnAFullDisk) {
  // Boot had to append, and did not without room.
  deploy();
  upgrade(2);
  die();
  files.set_full(true);
  ASSERT_TRUE(open()) << boot_error;
  EXPECT_EQ(modules.runs, "demo-1.0.0");
  EXPECT_EQ(state(), "reverted");
  EXPECT_EQ(disagreement(), "");
  EXPECT_EQ(outcome(upgrade(2)), "busy");
  files.set_full(false);
  pass(seconds(1));
  EXPECT_EQ(state(), "-");
  EXPECT_EQ(statuses(), "1.0.0 permanent, 2.0.0 failed_in_probation");
}

TEST_F(UpgradeTest, AReasonTooLongIsRefusedBeforeAnythingMoves) {
  deploy();
  upgrade(2);
  const auto refused = handler->rollback("", {false}, {"root", std::string(20'000, 'x')});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kUsage);
  EXPECT_EQ(state(), "current");
}

// ---- The verdict

TEST_F(UpgradeTest, CrashesRollItBackAtOnce) {
  deploy();
  const auto operation = upgrade(2);
  crash();
  EXPECT_EQ(outcome(operation), "rolled_back");
  EXPECT_EQ(statuses(), "1.0.0 permanent, 2.0.0 failed_in_probation");
}

TEST_F(UpgradeTest, CrashesBetweenTheTakeOverAndTheRecordCount) {
  deploy();
  modules.on_taken_over = [this] {
    for (int i = 0; i < 3; ++i) handler->note_crash("counter", "counter crashed");
  };
  const auto operation = upgrade(2);
  EXPECT_EQ(outcome(operation), "rolled_back");
  EXPECT_EQ(modules.runs, "demo-1.0.0");
}

TEST_F(UpgradeTest, CrashesOfTheVersionThatIsLeftDoNotCountAgainstTheNewOne) {
  // Those while the processes came to rest did: what mends a crash loop was rolled back for it.
  deploy();
  modules.on_drain = [this] {
    for (int i = 0; i < 3; ++i) handler->note_crash("counter", "counter crashed");
    clock.advance(std::chrono::milliseconds(1));
  };
  const auto operation = upgrade(2);
  EXPECT_EQ(outcome(operation), "open");
  pass(seconds(60));
  EXPECT_EQ(outcome(operation), "done");
}

TEST_F(UpgradeTest, AFailedOneWithoutAutomaticRollbackIsInTheWayTillItIsDecided) {
  // A new upgrade was taken, the way back of the first was lost, and its client waited for ever.
  deploy();
  InstallOptions options;
  options.rolls_back_by_itself = false;
  const auto operation = upgrade(2, options);
  crash();
  EXPECT_EQ(outcome(operation), "open");
  EXPECT_EQ(state(), "current");
  EXPECT_EQ(outcome(upgrade(3)), "busy");
  pass(seconds(600));
  EXPECT_EQ(state(), "current") << "what failed is not made permanent by time";
  EXPECT_EQ(outcome(rollback()), "done");
  EXPECT_EQ(outcome(operation), "rolled_back");
}

TEST_F(UpgradeTest, AnAutomaticRollbackLosesNothingUnlessTheReleaseAcceptsThat) {
  // A stranger who made the checks fail could make the host lose data.
  deploy();
  const auto operation = upgrade(2);
  modules.loses = true;
  crash();
  EXPECT_EQ(outcome(operation), "stuck");
  EXPECT_NE(message(operation).find("it would lose a key"), std::string::npos);
  EXPECT_EQ(state(), "current");
  EXPECT_EQ(outcome(rollback()), "refused");
  EXPECT_EQ(outcome(rollback("", true)), "done");
}

TEST_F(UpgradeTest, AnAutomaticRollbackThatFailsIsTriedAgain) {
  deploy();
  const auto operation = upgrade(2);
  failing = {{"take_back", 0}};
  crash();
  EXPECT_EQ(outcome(operation), "open");
  pass(seconds(1));
  EXPECT_EQ(outcome(operation), "rolled_back");
}

TEST_F(UpgradeTest, AnApplicationThatMustNotEndRollsItBackAndEndsTheHostWhereThatFails) {
  deploy();
  end_application();
  run();
  EXPECT_EQ(host_ended, "application counting ended: shutdown");
  die();
  open();
  const auto operation = upgrade(2);
  end_application();
  run();
  EXPECT_EQ(outcome(operation), "rolled_back");
  EXPECT_EQ(host_ended, "");
  upgrade(3);
  broken = {"take_back"};
  end_application();
  settle();
  EXPECT_EQ(host_ended, "application counting ended: shutdown");
}

TEST_F(UpgradeTest, AnApplicationThatEndsWhileItIsRolledBackRunsAgainAndTheHostGoesOn) {
  // The rollback that was under way started it again; the next look ended the host all the same.
  deploy();
  const auto operation = upgrade(2);
  modules.on_take_back = [this] { end_application(); };
  crash();
  EXPECT_EQ(outcome(operation), "rolled_back");
  EXPECT_EQ(host_ended, "");
}

TEST_F(UpgradeTest, AnApplicationThatEndsAgainAfterTheRollbackEndsTheHost) {
  deploy();
  upgrade(2);
  modules.on_take_back = [this] { end_application(); };
  services.on_started_ended = [this] { end_application(); };
  crash();
  EXPECT_EQ(host_ended, "application counting ended: shutdown");
}

TEST_F(UpgradeTest, AnOperatorsRollbackThatFinishesAStuckOneAlsoMendsAnEnd) {
  deploy();
  upgrade(2);
  failing = {{"take_back", 0}};
  end_application();
  run();
  EXPECT_EQ(state(), "current");
  EXPECT_EQ(outcome(rollback()), "done");
  pass(seconds(1));
  EXPECT_EQ(host_ended, "");
}

// ---- One after the other

TEST_F(UpgradeTest, ABareRollbackAfterARollbackIsRefusedSayingWhatRuns) {
  // It went one release too far.
  deploy();
  ASSERT_EQ(outcome(upgrade(2, at_once())), "done");
  upgrade(3);
  crash();
  ASSERT_EQ(modules.runs, "demo-2.0.0");
  const auto operation = rollback();
  EXPECT_EQ(outcome(operation), "usage");
  EXPECT_NE(message(operation).find("demo-2.0.0 runs"), std::string::npos) << message(operation);
  EXPECT_EQ(outcome(rollback("1.0.0")), "done");
}

TEST_F(UpgradeTest, TheFirstReleaseHasNoWayBackAndStopsLikeAnyOther) {
  upgrade(1);
  EXPECT_EQ(outcome(rollback()), "usage");
  stop();
  ASSERT_TRUE(open()) << boot_error;
  EXPECT_EQ(statuses(), "1.0.0 unpacked");
  EXPECT_EQ(handler->running(), "");
}

TEST_F(UpgradeTest, AnOrderlyStopInProbationIsNoFailure) {
  deploy();
  const auto operation = upgrade(2);
  stop();
  EXPECT_EQ(outcome(operation), "unreachable");
  ASSERT_TRUE(open()) << boot_error;
  EXPECT_EQ(statuses(), "1.0.0 permanent, 2.0.0 unpacked");
  EXPECT_EQ(modules.runs, "demo-1.0.0");
}

TEST_F(UpgradeTest, WhatCouldNotBePurgedIsPurgedLater) {
  deploy();
  broken = {"purge"};
  EXPECT_EQ(outcome(upgrade(2, at_once())), "done");
  EXPECT_EQ(outcome(upgrade(3)), "busy") << "an old version lingers";
  EXPECT_EQ(outcome(done(handler->purge(reason))), "failed");
  broken.clear();
  settle();
  EXPECT_TRUE(modules.left().empty());
  EXPECT_EQ(outcome(upgrade(3)), "open");
}

TEST_F(UpgradeTest, WhatDidNotReturnIsUnloadedSoonAfterItHas) {
  // It was at the next upgrade only.
  deploy();
  modules.is_pinned = true;
  EXPECT_EQ(outcome(upgrade(2, at_once())), "done");
  settle();
  EXPECT_TRUE(modules.is_pinned);
  modules.has_returned = true;
  pass(release::kPurgeInterval);
  EXPECT_FALSE(modules.is_pinned);
}

TEST_F(UpgradeTest, ADamagedReleaseThatDoesNotRunKeepsTheHostFromNothing) {
  deploy();
  ASSERT_EQ(outcome(upgrade(2, at_once())), "done");
  stop();
  ASSERT_TRUE(write_file_atomically(files, root + "/releases/demo-1.0.0/manifest.yaml", "x").ok());
  ASSERT_TRUE(open()) << boot_error;
  EXPECT_EQ(modules.runs, "demo-2.0.0");
  EXPECT_EQ(outcome(rollback("1.0.0")), "failed");
  EXPECT_EQ(modules.runs, "demo-2.0.0");
}

TEST_F(UpgradeTest, NumbersOfOperationsGoOnAfterAStart) {
  deploy();
  const std::uint64_t before = upgrade(2)->id;
  stop();
  ASSERT_TRUE(open()) << boot_error;
  EXPECT_GT(upgrade(2)->id, before);
}

}  // namespace
}  // namespace baton::test
