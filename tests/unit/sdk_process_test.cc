// Claims about coroutine processes and what they receive (baton/process.h).
#include "support/fake_host.h"

#include <baton/process.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sample {

using namespace baton::literals;
using namespace std::chrono_literals;

struct Ping {
  baton::Pid from;
};
BATON_MESSAGE(Ping, from)
struct Stop {};
BATON_MESSAGE(Stop)
struct Play {
  std::int64_t rounds = 0;
};
BATON_MESSAGE(Play, rounds)

struct Pong : baton::Process<Pong> {
  static baton::Task<> loop(baton::Self self) {
    for (;;) {
      const auto mail = co_await self.receive<Ping, Stop>();
      if (std::holds_alternative<Stop>(mail)) co_return;
      self.send(std::get<Ping>(mail).from, "pong"_atom);
    }
  }
};

struct Chooser : baton::Process<Chooser> {
  static baton::Task<> loop(baton::Self self, std::string wish) {
    const auto wished = co_await self.receive([&](const baton::Mail& mail) {
      return mail.is<std::string>() && mail.as<std::string>() == wish;
    });
    self.log_info("wished ", wished.root());
    const auto next = co_await self.receive();
    self.log_info("next ", next.root(), " from ", next.from());
  }
};

struct Waiter : baton::Process<Waiter> {
  static baton::Task<> loop(baton::Self self) {
    for (;;) {
      const std::optional<Ping> ping = co_await self.receive_for<Ping>(100ms);
      self.log_info(ping ? "ping" : "nothing");
    }
  }
};

struct Watcher : baton::Process<Watcher> {
  static baton::Task<> loop(baton::Self self) {
    const auto request = co_await self.receive<baton::Request<Play>>();
    self.reply(request.caller, request.message.rounds);
    const auto down = co_await self.receive<baton::Down>();
    self.log_info("down ", down.pid, " ", down.reason);
    const auto exit = co_await self.receive<baton::Exit>();
    self.exit(exit.reason);
  }
};

namespace older {
struct Play {};
BATON_MESSAGE(Play)
}  // namespace older

struct Player : baton::Process<Player> {
  static baton::Task<> loop(baton::Self self) {
    for (;;) {
      const auto mail = co_await self.receive<Play, older::Play, baton::Request<Play>>();
      if (const Play* play = std::get_if<Play>(&mail)) self.log_info("play ", play->rounds);
      if (std::holds_alternative<older::Play>(mail)) self.log_info("play as before");
      if (const auto* asked = std::get_if<baton::Request<Play>>(&mail))
        self.reply(asked->caller, asked->message.rounds);
    }
  }
};

struct Thrower : baton::Process<Thrower> {
  static baton::Task<> loop(baton::Self self, std::string where) {
    if (where == "start") throw std::runtime_error("at the start");
    if (where == "match") {
      co_await self.receive(
          [](const baton::Mail&) -> bool { throw std::runtime_error("in match"); });
    } else if (where == "caught") {
      try {
        co_await nested(self);
      } catch (const std::runtime_error& error) {
        self.log_info("caught ", error.what());
      }
    } else {
      co_await self.receive();
      throw std::runtime_error("later");
    }
  }
  static baton::Task<> nested(baton::Self self) {
    co_await self.receive();
    throw std::runtime_error("nested");
  }
};

struct Deep : baton::Process<Deep> {
  static baton::Task<> loop(baton::Self self) {
    std::int64_t sum = 0;
    for (int i = 0; i < 100'000; ++i) sum += co_await one(self);
    self.log_info("sum ", sum);
  }
  static baton::Task<int> one(baton::Self) { co_return 1; }
};

struct Foreign : baton::Process<Foreign> {
  static baton::Task<> loop(baton::Self) { co_await std::suspend_always{}; }
};

struct Pipeline : baton::Process<Pipeline> {
  static baton::Task<> loop(baton::Self self) {
    // Both requests are under way before the first is awaited.
    auto first = self.call<Stop, int>("a"_atom);
    auto second = self.call<Stop, int>("b"_atom);
    const int b = co_await second;
    const int a = co_await first;
    self.log_info(a, " ", b);
  }
};

}  // namespace sample

namespace baton {
// These processes spawn nothing, so there is no module to look their behaviours up in.
const baton_module* v1::this_module() noexcept { return nullptr; }

namespace {

using namespace literals;
using support::FakeHost;
using support::FakeProcess;
using testing::ElementsAre;

template <class P>
constexpr baton_behaviour kBehaviour = P::behaviour();

class ProcessTest : public testing::Test {
 protected:
  FakeHost host;
};

TEST_F(ProcessTest, ALoopAnswersUntilItReturns) {
  FakeProcess pong(host, kBehaviour<sample::Pong>);
  ASSERT_EQ(pong.start(), BATON_AWAIT);

  host.mail(BATON_MESSAGE, sample::Ping{FakeHost::pid(3)});
  EXPECT_EQ(pong.resume(), BATON_AWAIT);
  ASSERT_EQ(host.out.size(), 1u);
  EXPECT_EQ(host.out[0].to, FakeHost::pid(3).word);

  host.mail(BATON_MESSAGE, sample::Stop{});
  EXPECT_EQ(pong.resume(), BATON_STOP);
  EXPECT_TRUE(host.is_clean());
}

TEST_F(ProcessTest, MailThatIsThereIsTakenWithoutWaiting) {
  host.mail(BATON_MESSAGE, sample::Ping{FakeHost::pid(3)});
  host.mail(BATON_MESSAGE, sample::Ping{FakeHost::pid(3)});
  host.mail(BATON_MESSAGE, sample::Stop{});
  FakeProcess pong(host, kBehaviour<sample::Pong>);

  EXPECT_EQ(pong.start(), BATON_STOP);
  EXPECT_EQ(host.out.size(), 2u);
}

TEST_F(ProcessTest, ASelectiveReceiveLeavesWhatDoesNotFitInOrder) {
  FakeProcess chooser(host, kBehaviour<sample::Chooser>);
  ASSERT_EQ(chooser.start(std::string("red")), BATON_AWAIT);
  host.mail(BATON_MESSAGE, 1, FakeHost::pid(2));
  host.mail(BATON_MESSAGE, std::string("blue"));
  EXPECT_EQ(chooser.resume(), BATON_AWAIT);
  host.mail(BATON_MESSAGE, std::string("red"));

  EXPECT_EQ(chooser.resume(), BATON_STOP);

  EXPECT_THAT(host.log, ElementsAre("wished <<\"red\">>", "next 1 from <0.2.0>"));
  EXPECT_EQ(host.mailbox.size(), 1u);
  EXPECT_TRUE(host.is_clean());
}

TEST_F(ProcessTest, AReceiveWithATimeoutEndsWithNothing) {
  FakeProcess waiter(host, kBehaviour<sample::Waiter>);
  ASSERT_EQ(waiter.start(), BATON_AWAIT);
  EXPECT_EQ(host.wake_at, host.now + 100'000'000);

  host.now += 50'000'000;
  EXPECT_EQ(waiter.resume(), BATON_AWAIT) << "woken too early";
  EXPECT_TRUE(host.log.empty());
  host.now += 50'000'000;
  EXPECT_EQ(waiter.resume(), BATON_AWAIT);
  EXPECT_THAT(host.log, ElementsAre("nothing"));
  host.mail(BATON_MESSAGE, sample::Ping{FakeHost::pid(1)});
  EXPECT_EQ(waiter.resume(), BATON_AWAIT);
  EXPECT_THAT(host.log, ElementsAre("nothing", "ping"));
}

TEST_F(ProcessTest, RequestsDownsAndExitsAreReceivedByType) {
  host.know("gone");
  FakeProcess watcher(host, kBehaviour<sample::Watcher>);
  host.mail(BATON_MESSAGE, sample::Play{1});  // no request: it is sent, not called
  host.mail(BATON_CALL, sample::Play{3}, FakeHost::pid(5), FakeHost::ref(6));
  host.mail(BATON_DOWN, "gone"_atom, FakeHost::pid(8), FakeHost::ref(9));
  host.mail(BATON_EXIT, "gone"_atom, FakeHost::pid(8));

  EXPECT_EQ(watcher.start(), BATON_STOP);

  ASSERT_EQ(host.out.size(), 1u);
  EXPECT_EQ(host.out[0].to, FakeHost::pid(5).word);
  EXPECT_EQ(host.out[0].ref, FakeHost::ref(6));
  EXPECT_EQ(host.text(host.out[0].root), "3");
  EXPECT_THAT(host.log, ElementsAre("down <0.8.0> gone"));
  EXPECT_EQ(host.text(*host.exit_reason), "gone");
  EXPECT_TRUE(host.is_clean());
}

TEST_F(ProcessTest, OfTwoFormsOfOneNameTheOneThatFitsIsReceived) {
  FakeProcess player(host, kBehaviour<sample::Player>);
  ASSERT_EQ(player.start(), BATON_AWAIT);
  host.mail(BATON_MESSAGE, "play"_atom);
  host.mail(BATON_MESSAGE, sample::Play{7});
  EXPECT_EQ(player.resume(), BATON_AWAIT);
  EXPECT_THAT(host.log, ElementsAre("play as before", "play 7"));
  EXPECT_EQ(host.forms_asked, 0) << "what fits asks nobody";
}

TEST_F(ProcessTest, AFormOfAnotherVersionIsReceivedInThatOfThisOne) {
  host.know("start");
  FakeProcess player(host, kBehaviour<sample::Player>);
  ASSERT_EQ(player.start(), BATON_AWAIT);
  const auto late = [&](const auto& message, int kind) {
    host.other_form = TermValue(Term(make_message(host.context(), sample::Play{9}).get()->root));
    host.mail(kind, message, FakeHost::pid(4), FakeHost::ref(5));
    EXPECT_EQ(player.resume(), BATON_AWAIT);
  };
  late("start"_atom, BATON_MESSAGE);                            // it had another name
  late(std::tuple("play"_atom, std::string("9")), BATON_CAST);  // another type
  late("start"_atom, BATON_CALL);

  EXPECT_THAT(host.log, ElementsAre("play 9", "play 9"));
  ASSERT_EQ(host.out.size(), 1u);
  EXPECT_EQ(host.out[0].to, FakeHost::pid(4).word);
  EXPECT_EQ(host.out[0].ref, FakeHost::ref(5));
  EXPECT_EQ(host.text(host.out[0].root), "9");
  player.kill();
  EXPECT_TRUE(host.is_clean());
}

TEST_F(ProcessTest, AFormOfAnotherVersionKeepsItsPlaceInTheMail) {
  host.know("start");
  FakeProcess player(host, kBehaviour<sample::Player>);
  ASSERT_EQ(player.start(), BATON_AWAIT);
  host.other_form = TermValue(Term(make_message(host.context(), sample::Play{1}).get()->root));
  host.mail(BATON_MESSAGE, "start"_atom);
  host.mail(BATON_MESSAGE, sample::Play{2});
  EXPECT_EQ(player.resume(), BATON_AWAIT);
  EXPECT_THAT(host.log, ElementsAre("play 1", "play 2"));
}

TEST_F(ProcessTest, AFormThatNobodyKnowsIsTheErrorOfItsSender) {
  host.know("error");
  FakeProcess player(host, kBehaviour<sample::Player>);
  ASSERT_EQ(player.start(), BATON_AWAIT);
  host.mail(BATON_MESSAGE, std::tuple("play"_atom, 1, 2));
  host.mail(BATON_CALL, std::tuple("play"_atom, std::string("x")), FakeHost::pid(4),
            FakeHost::ref(5));
  host.why_no_form = "message_change: no";
  host.mail(BATON_MESSAGE, sample::Play{3});

  EXPECT_EQ(player.resume(), BATON_AWAIT) << "it lives, and goes on";

  ASSERT_EQ(host.log.size(), 3u);
  EXPECT_THAT(host.log[0], testing::HasSubstr("does not take this form: message_change: no"));
  EXPECT_EQ(host.log[2], "play 3");
  ASSERT_EQ(host.out.size(), 1u);
  EXPECT_EQ(host.out[0].how, "refuse");
  EXPECT_EQ(host.out[0].to, FakeHost::pid(4).word);
  EXPECT_EQ(host.out[0].ref, FakeHost::ref(5));
  player.kill();
  EXPECT_TRUE(host.is_clean());
}

TEST_F(ProcessTest, WhatIsPassedOverInAnotherFormStaysAsItIs) {
  host.know("start");
  FakeProcess pong(host, kBehaviour<sample::Pong>);
  ASSERT_EQ(pong.start(), BATON_AWAIT);
  host.other_form = TermValue(Term(make_message(host.context(), sample::Play{1}).get()->root));
  host.mail(BATON_MESSAGE, "start"_atom);  // of another version, and not received here
  EXPECT_EQ(pong.resume(), BATON_AWAIT);
  EXPECT_EQ(host.mailbox.size(), 1u);
  pong.kill();
  EXPECT_TRUE(host.is_clean());
}

TEST_F(ProcessTest, WhatALoopThrowsIsTheExitReasonWhereverItIsThrown) {
  FakeProcess at_start(host, kBehaviour<sample::Thrower>);
  EXPECT_EQ(at_start.start(std::string("start")), BATON_CRASH);
  EXPECT_EQ(host.error(), "at the start");

  host.mail(BATON_MESSAGE, 1);
  FakeProcess in_match(host, kBehaviour<sample::Thrower>);
  EXPECT_EQ(in_match.start(std::string("match")), BATON_CRASH);
  EXPECT_EQ(host.error(), "in match");

  FakeProcess later(host, kBehaviour<sample::Thrower>);
  EXPECT_EQ(later.start(std::string("later")), BATON_CRASH) << "the mail is there already";
  EXPECT_EQ(host.error(), "later");
  EXPECT_TRUE(host.is_clean());
}

TEST_F(ProcessTest, AMatcherThatThrowsAfterAWaitEndsTheProcess) {
  FakeProcess process(host, kBehaviour<sample::Thrower>);
  ASSERT_EQ(process.start(std::string("match")), BATON_AWAIT);
  host.mail(BATON_MESSAGE, 1);

  EXPECT_EQ(process.resume(), BATON_CRASH);
  EXPECT_EQ(host.error(), "in match");
  EXPECT_TRUE(host.is_clean());
}

TEST_F(ProcessTest, AnExceptionOfANestedTaskIsCaughtWhereItIsAwaited) {
  FakeProcess process(host, kBehaviour<sample::Thrower>);
  ASSERT_EQ(process.start(std::string("caught")), BATON_AWAIT);
  host.mail(BATON_MESSAGE, 1);

  EXPECT_EQ(process.resume(), BATON_STOP);
  EXPECT_THAT(host.log, ElementsAre("caught nested"));
  EXPECT_TRUE(host.is_clean());
}

TEST_F(ProcessTest, ArgumentsThatDoNotFitEndTheProcess) {
  FakeProcess process(host, kBehaviour<sample::Thrower>);

  EXPECT_EQ(process.start(1), BATON_CRASH);
  EXPECT_EQ(host.error(), "expected a binary, got an integer");
  EXPECT_TRUE(host.is_clean());
}

TEST_F(ProcessTest, ManyTasksThatNeverWaitRunOneAfterTheOther) {
  FakeProcess deep(host, kBehaviour<sample::Deep>);

  EXPECT_EQ(deep.start(), BATON_STOP);
  EXPECT_THAT(host.log, ElementsAre("sum 100000"));
  EXPECT_TRUE(host.is_clean());
}

TEST_F(ProcessTest, AwaitingWhatNobodyWouldWakeIsAnError) {
  FakeProcess foreign(host, kBehaviour<sample::Foreign>);

  EXPECT_EQ(foreign.start(), BATON_CRASH);
  EXPECT_THAT(host.error(), testing::HasSubstr("neither a Task, a call nor mail"));
  EXPECT_TRUE(host.is_clean());
}

TEST_F(ProcessTest, SeveralCallsMayBeUnderWayAtOnce) {
  FakeProcess pipeline(host, kBehaviour<sample::Pipeline>);
  ASSERT_EQ(pipeline.start(), BATON_AWAIT);
  ASSERT_EQ(host.out.size(), 2u);
  host.mail(BATON_REPLY, 1, {}, host.out[0].ref);
  EXPECT_EQ(pipeline.resume(), BATON_AWAIT) << "it awaits the second";
  host.mail(BATON_REPLY, 2, {}, host.out[1].ref);

  EXPECT_EQ(pipeline.resume(), BATON_STOP);
  EXPECT_THAT(host.log, ElementsAre("1 2"));
  EXPECT_TRUE(host.forgotten.empty());
}

TEST_F(ProcessTest, AProcessKilledWhileItWaitsLeavesNothing) {
  {
    FakeProcess pipeline(host, kBehaviour<sample::Pipeline>);
    ASSERT_EQ(pipeline.start(), BATON_AWAIT);
    EXPECT_GT(host.bytes(), 0);
  }
  EXPECT_TRUE(host.is_clean());
}

TEST_F(ProcessTest, AWaitingLoopStaysSmall) {
  FakeProcess pong(host, kBehaviour<sample::Pong>);
  ASSERT_EQ(pong.start(), BATON_AWAIT);

  // Beside the host's own 128 bytes, this is what an idle coroutine process costs.
  EXPECT_LE(host.bytes(), 256);
}

}  // namespace
}  // namespace baton
