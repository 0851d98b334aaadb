// Known defects of the release handler, on its public interface.

#include "defects/handler_fixture.h"
#include "defects/not_mended.h"

namespace baton::test {
namespace {

using D5 = HandlerFixture;
using D8 = HandlerFixture;
using D12 = HandlerFixture;
using D14 = HandlerFixture;
using D15 = HandlerFixture;
using D16 = HandlerFixture;
using D17 = HandlerFixture;
using D18 = HandlerFixture;
using D19 = HandlerFixture;

TEST_F(D5, AFailedUndoLeavesBothVersionsLoadedAndEveryProcessOnOneOfThem) {
  // When services failed and the way back failed too, here for a number that the old version has no
  // room for, the old version was purged and the parked objects destroyed through unmapped code.
  deploy(pack("1.0.0", {{"keeper", "1.0.0"}}));
  const baton_term diary = spawn("keeper", "diary");
  ASSERT_EQ(call(diary, "incr"), "1");
  services_.at_change = [&]() -> Result<void> {
    EXPECT_EQ(call(diary, "{add, 5000000000}"), "5000000001");
    return Error(Code::kFailed, "no services today");
  };

  const Result<void> done =
      result_of(handler_->upgrade(pack("1.1.0", {{"keeper", "1.1.0"}}), in_probation(), kReason));

  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), Code::kStuck) << done.error().message();
  EXPECT_EQ(loaded("keeper"), "1.1.0, old 1.0.0");
  EXPECT_EQ(call(diary, "incr"), "5000000002");
  // And there is a way out, here once the number has room again.
  services_.at_change = nullptr;
  ASSERT_EQ(call(diary, "{add, -5000000000}"), "2");
  EXPECT_TRUE(comes_true([&] {
    return result_of(handler_->rollback("", {false}, kReason)).ok() || loaded("keeper") == "1.0.0";
  }));
  EXPECT_EQ(call(diary, "incr"), "3");
  EXPECT_EQ(statuses().find("current"), std::string::npos) << statuses();
}

TEST_F(D8, CrashesBetweenTheCommitAndTheProbationCount) {
  // A release was watched only from the start of its probation, which comes after its services have
  // changed: what crashed before that was forgotten.
  deploy(pack("1.0.0", {{"scale", "1.0.0"}}));
  services_.at_change = [&]() -> Result<void> {
    crash_often("scale");
    return {};
  };

  const Operation upgrade =
      begun(handler_->upgrade(pack("1.1.0", {{"scale", "1.1.0"}}), in_probation(), kReason));

  ASSERT_NE(upgrade, nullptr);
  EXPECT_TRUE(comes_true([&] { return upgrade->is_done(); }, std::chrono::seconds(5)))
      << statuses();
  EXPECT_EQ(loaded("scale"), "1.0.0");
}

TEST_F(D12, AChildThatWouldBeRestartedIsNotHot) {
  // --require-hot looked at warnings; a child that restarts with a changed start is none.
  const auto with_args = [](const std::string& args) {
    return "applications:\n  - name: weighing\n    supervisor:\n      children:\n"
           "        - {id: scale, module: scale, behaviour: scale, args: '" +
           args + "'}\n";
  };
  deploy(pack("1.0.0", {{"scale", "1.0.0"}}, with_args("[1]")));
  Options options = at_once();
  options.requires_hot = true;

  const Result<void> done = result_of(
      handler_->upgrade(pack("1.1.0", {{"scale", "1.0.0"}}, with_args("[2]")), options, kReason));

  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), Code::kRefused) << done.error().message();
}

TEST_F(D14, ARollbackFromProbationRunsCodeRevert) {
  // code_revert was left out where a parked object could be taken back instead, so that what only
  // the hook knows how to keep was lost.
  deploy(pack("1.0.0", {{"scale", "1.0.0"}}));
  const baton_term scale = spawn("scale", "scale");
  ASSERT_EQ(call(scale, "add"), "100");
  try_out(pack("1.1.0", {{"scale", "1.1.0"}}));
  ASSERT_EQ(call(scale, "add"), "200");

  const Result<void> back = result_of(handler_->rollback("", {true}, kReason));

  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(call(scale, "add"), "300");
}

TEST_F(D14, AnUpgradeThatHasNoWayBackIsRefused) {
  // A change of state with a hook for the way up only was installed without a word.
  deploy(pack("1.0.0", {{"ratchet", "1.0.0"}}));
  const baton_term ratchet = spawn("ratchet", "ratchet");
  ASSERT_EQ(call(ratchet, "total"), "<<\"7\">>");

  const Result<void> done =
      result_of(handler_->upgrade(pack("1.1.0", {{"ratchet", "1.1.0"}}), at_once(), kReason));

  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), Code::kRefused) << done.error().message();
  EXPECT_EQ(call(ratchet, "total"), "<<\"7\">>");
}

TEST_F(D14, AReleaseThatSaysOneWayIsTriedOutAndNeverRolledBack) {
  deploy(pack("1.0.0", {{"ratchet", "1.0.0"}}));
  const baton_term ratchet = spawn("ratchet", "ratchet");
  ASSERT_EQ(call(ratchet, "total"), "<<\"7\">>");
  const Operation upgrade = try_out(pack("1.1.0", {{"ratchet", "1.1.0"}}, "one_way: true\n"));

  crash_often("ratchet");
  ASSERT_TRUE(comes_true([&] {
    for (const release::ProgressLine& line : upgrade->lines(0))
      if (line.text.find("operator's turn") != std::string::npos) return true;
    return false;
  }));
  const Result<void> back = result_of(handler_->rollback("", {true}, kReason));

  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().code(), Code::kRefused) << back.error().message();
  EXPECT_EQ(loaded("ratchet"), "1.1.0, old 1.0.0");
  EXPECT_TRUE(result_of(handler_->make_permanent(kReason)).ok());
  EXPECT_EQ(statuses(), "1.0.0 old, 1.1.0 permanent");
}

TEST_F(D14, AOneWayReleaseWhoseServicesFailGoesOnWhenItsOperatorAsks) {
  // Without a way back, and with no way on, it was stuck until the host was started again.
  deploy(pack("1.0.0", {{"ratchet", "1.0.0"}}));
  const baton_term ratchet = spawn("ratchet", "ratchet");
  ASSERT_EQ(call(ratchet, "total"), "<<\"7\">>");
  // Its own change of services besides, which fails.
  const std::string one_way =
      "one_way: true\napplications:\n  - name: versioned\n    env: {version: \"1.1.0\"}\n"
      "    supervisor:\n      children: []\n";
  services_.at_change = []() -> Result<void> { return Error(Code::kFailed, "no services today"); };

  const Result<void> done = result_of(
      handler_->upgrade(pack("1.1.0", {{"ratchet", "1.1.0"}}, one_way), in_probation(), kReason));

  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), Code::kStuck) << done.error().message();
  EXPECT_NE(done.error().message().find("baton release install test 1.1.0"), std::string::npos)
      << done.error().message();
  EXPECT_EQ(loaded("ratchet"), "1.1.0, old 1.0.0");
  const Result<void> other =
      result_of(handler_->upgrade(pack("1.2.0", {{"ratchet", "1.1.0"}}), at_once(), kReason));
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code(), Code::kBusy) << other.error().message();

  services_.at_change = nullptr;
  const Operation again = begun(handler_->install("test", "1.1.0", in_probation(), kReason));
  ASSERT_NE(again, nullptr);
  EXPECT_TRUE(comes_true([&] { return statuses() == "1.0.0 permanent, 1.1.0 current"; }))
      << statuses();
  EXPECT_TRUE(result_of(handler_->make_permanent(kReason)).ok());
  EXPECT_EQ(statuses(), "1.0.0 old, 1.1.0 permanent");
}

TEST_F(D14, AnAutomaticRollbackThatFailedIsTriedAgain) {
  // When the rollback that a failed probation asked for could not be done, it was never tried
  // again, and the bad release stayed.
  deploy(pack("1.0.0", {{"keeper", "1.0.0"}}));
  const baton_term diary = spawn("keeper", "diary");
  ASSERT_EQ(call(diary, "incr"), "1");
  const Operation upgrade = try_out(pack("1.1.0", {{"keeper", "1.1.0"}}));
  ASSERT_EQ(call(diary, "{add, 5000000000}"), "5000000001");
  crash_often("keeper");
  ASSERT_TRUE(comes_true([&] {
    for (const release::ProgressLine& line : upgrade->lines(0))
      if (line.text.starts_with("failed: ")) return true;
    return false;
  }));

  ASSERT_EQ(call(diary, "{add, -5000000000}"), "1");

  EXPECT_TRUE(comes_true([&] { return loaded("keeper") == "1.0.0"; }, std::chrono::seconds(5)))
      << loaded("keeper");
  EXPECT_TRUE(comes_true([&] { return upgrade->is_done(); }));
  EXPECT_EQ(statuses(), "1.0.0 permanent, 1.1.0 failed_in_probation");
}

TEST_F(D15, APurgeThatFailedIsTriedAgainByItself) {
  // A process that did not end within five seconds of its kill left its version loaded for good:
  // the module could not be upgraded again until the host was started anew.
  deploy(pack("1.0.0", {{"toil", "1.0.0"}}));
  const baton_term laborer = spawn("toil", "laborer");
  try_out(pack("1.1.0", {{"toil", "1.1.0"}}));
  ASSERT_EQ(loaded("toil"), "1.1.0, old 1.0.0");

  send(laborer, "{work, 7000}");
  const Result<void> done = result_of(handler_->make_permanent(kReason));
  ASSERT_TRUE(done.ok()) << done.error().message();

  EXPECT_TRUE(comes_true([&] { return loaded("toil") == "1.1.0"; }, std::chrono::seconds(12)))
      << loaded("toil");
}

TEST_F(D16, AnOrderlyStopInTheFirstReleasesProbationIsNoCrash) {
  // Such a stop was recorded only where a release was there before; the next start took it for a
  // crash of the host.
  try_out(pack("1.0.0", {{"scale", "1.0.0"}}));
  ASSERT_EQ(statuses(), "1.0.0 current");

  stop();
  boot();

  EXPECT_EQ(statuses(), "1.0.0 unpacked");
}

TEST_F(D17, WhatAFinishedOperationDidIsSeenByWhoeverAsksNext) {
  // An operation was told to be done before the copy of the releases that readers get was made.
  deploy(pack("1.0.0", {{"scale", "1.0.0"}}));
  // Readers of long lists keep the handler busy with its copy, so that what comes late shows.
  const release::Reason talkative{"root", std::string(release::kWhyBytesMax, 'x')};
  for (int patch = 1; patch <= 15; ++patch)
    ASSERT_TRUE(
        result_of(
            handler_->unpack(pack("1.0." + std::to_string(patch), {{"scale", "1.0.0"}}), talkative))
            .ok());
  std::atomic<bool> is_over{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      while (!is_over) static_cast<void>(handler_->releases());
    });
  const std::string next = pack("1.1.0", {{"scale", "1.0.0"}});

  for (int round = 0; round < 400 && !HasFailure(); ++round) {
    const Operation upgrade = begun(handler_->upgrade(next, at_once(), kReason));
    while (!upgrade->is_done()) upgrade->wait(1000, kDeadline);
    const std::vector<release::Release> seen = handler_->releases();
    EXPECT_EQ(release::status_name(seen.back().status), std::string("permanent")) << round;
    EXPECT_TRUE(result_of(upgrade).ok());
    EXPECT_TRUE(result_of(handler_->rollback("1.0.0", {false}, kReason)).ok());
  }
  is_over = true;
  for (std::thread& reader : readers) reader.join();
}

TEST_F(D18, WhatBecameOfATakeOverIsInTheJournal) {
  // The journal had the intent of a take-over and nothing of its failure.
  deploy(pack("1.0.0", {{"brittle", "1.0.0"}}));
  const baton_term cell = spawn("brittle", "cell", "[776]");
  ASSERT_EQ(call(cell, "incr"), "777");
  const Result<void> done =
      result_of(handler_->upgrade(pack("1.1.0", {{"brittle", "1.1.0"}}), at_once(), kReason));
  ASSERT_FALSE(done.ok());

  stop();
  boot();

  EXPECT_NE(store_->journal().records().back().get("step"), "take_over")
      << store_->journal().records().back().text();
}

TEST_F(D18, IdsOfOperationsGoOnAfterAStart) {
  // They began at 1 again: who followed operation 1 was told of another one.
  const std::string bundle = pack("1.0.0", {{"scale", "1.0.0"}});
  const Operation before = begun(handler_->unpack(bundle, kReason));
  ASSERT_TRUE(result_of(before).ok());

  stop();
  boot();

  const Operation after = begun(handler_->unpack(bundle, kReason));
  EXPECT_GT(after->id, before->id);
  EXPECT_TRUE(result_of(after).ok());
}

TEST_F(D18, AJournalIsNeverFull) {
  // It was never compacted: at 64 MiB every further change of releases was refused.
  constexpr std::size_t kBytes = 15'000;
  for (std::size_t written = 0; written <= release::kJournalBytesMax && !HasFailure();
       written += kBytes) {
    release::JournalRecord record;
    record.set("filler", std::string(kBytes, 'x'));
    const Result<void> noted = store_->note("test", std::move(record));
    EXPECT_TRUE(noted.ok()) << noted.error().message();
  }
}

TEST_F(D18, ACutTailIsReported) {
  // What a host that died left half-written at the end of the journal was cut off silently.
  deploy(pack("1.0.0", {{"scale", "1.0.0"}}));
  stop();
  {
    const auto journal = files_.open_append(root_ + "/journal", 0640);
    ASSERT_TRUE(files_.write(journal->get(), "000000f0 0123456789abcdef n=9 action=ins").ok());
  }

  boot();
  stop();

  EXPECT_NE(log().find("journal"), std::string::npos) << log();
}

TEST_F(D19, ARevokedKeysReleaseIsNotInstalled) {
  // A revocation counted only when a bundle was unpacked.
  deploy(pack("1.0.0", {{"scale", "1.0.0"}}));
  ASSERT_TRUE(result_of(handler_->unpack(pack("1.1.0", {{"scale", "1.1.0"}}), kReason)).ok());
  ASSERT_TRUE(store_->keys().revoke(maker_.key.public_key().id.text()).ok());

  const Result<void> done = result_of(handler_->install("test", "1.1.0", at_once(), kReason));

  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), Code::kRefused) << done.error().message();
  EXPECT_EQ(loaded("scale"), "1.0.0");
}

TEST_F(D19, AnExpiredReleaseIsNotInstalled) {
  // So did its expiry.
  deploy(pack("1.0.0", {{"scale", "1.0.0"}}));
  expires_ = clock_.wall() + std::chrono::hours(1);
  ASSERT_TRUE(result_of(handler_->unpack(pack("1.1.0", {{"scale", "1.1.0"}}), kReason)).ok());
  clock_.advance(std::chrono::hours(2));

  const Result<void> done = result_of(handler_->install("test", "1.1.0", at_once(), kReason));

  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), Code::kRefused) << done.error().message();
  EXPECT_EQ(loaded("scale"), "1.0.0");
}

TEST_F(D19, AHostWhoseReleaseWasRevokedStartsAndSaysSo) {
  // Nobody heard of it at a start.
  deploy(pack("1.0.0", {{"scale", "1.0.0"}}));
  ASSERT_TRUE(store_->keys().revoke(maker_.key.public_key().id.text()).ok());

  stop();
  boot();
  ASSERT_EQ(loaded("scale"), "1.0.0");
  stop();

  EXPECT_NE(log().find("revoked"), std::string::npos) << log();
}

}  // namespace
}  // namespace baton::test
