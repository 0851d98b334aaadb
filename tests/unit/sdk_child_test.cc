// Claims about starting children of a supervisor (baton/child.h), and about what a gen_server hears
// of its application's configuration.
#include "support/fake_host.h"

#include <baton/child.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace family {

using namespace baton::literals;

struct Limits {
  std::string user;
  std::uint32_t most = 10;
};
BATON_MESSAGE(Limits, user, most)
struct State {
  std::string user;
  std::uint32_t most = 0;
  std::vector<std::string> heard;
};
BATON_STATE(State, user, most, heard)

struct Session : baton::GenServer<Session, State> {
  void init(const Limits& limits) {
    state().user = limits.user;
    state().most = limits.most;
  }
  void handle_config_change(const baton::ConfigChange& change) {
    for (const char* key : {"limit", "new", "old", "other", "a key"})
      if (change.concerns(key)) state().heard.push_back(key);
  }
};
struct Deaf : baton::GenServer<Deaf, State> {};
struct Lister : baton::GenServer<Lister, State> {
  void init(const std::vector<std::string>& heard) { state().heard = heard; }
};
struct Watcher : baton::Process<Watcher> {
  static baton::Task<> loop(baton::Self self, std::string user) {
    const auto change = co_await self.receive<baton::ConfigChange>();
    self.log_info(user, " heard ", change.concerns("limit") ? "limit" : "nothing");
  }
};

struct Starter : baton::Process<Starter> {
  static baton::Task<> loop(baton::Self self) {
    const std::string user = "somebody whose name is long enough for the heap";
    const std::vector<std::string> two{"a", "b"};
    for (int i = 0; i < 2; ++i) {
      try {
        const baton::Pid pid = co_await self.start_child<Session>("sup"_atom, user, 7);
        self.log_info("started ", pid);
      } catch (const baton::CallFailed& failed) {
        self.log_info(failed.what());
      }
    }
    const baton::Pid none = co_await self.start_child<Lister>("sup"_atom, two);
    self.log_info(none ? "a child" : "no child");
    co_await self.start_child<Watcher>("sup"_atom, user);
    co_await self.start_child<Deaf>("sup"_atom);
  }
};

}  // namespace family

namespace baton {
namespace {

using namespace literals;
using support::FakeHost;
using support::FakeProcess;
using testing::ElementsAre;
using testing::HasSubstr;

template <class P>
constexpr baton_behaviour kBehaviour = P::behaviour();

class ChildTest : public testing::Test {
 protected:
  FakeHost host;
};

TEST_F(ChildTest, AStartAsksTheSupervisorWithWhatInitTakesAndYieldsThePid) {
  for (const char* atom :
       {"ok", "undefined", "error", "start_child", "limits", "full", "gen_server", "call", "sup"})
    host.know(atom);
  FakeProcess starter(host, kBehaviour<family::Starter>);
  ASSERT_EQ(starter.start(), BATON_AWAIT);
  const auto answer = [&](const auto& value) {
    host.mail(BATON_REPLY, value, {}, host.out.back().ref);
    return starter.resume();
  };

  EXPECT_EQ(host.text(host.out.back().root),
            "{start_child,[{limits,<<\"somebody whose name is long enough for the heap\">>,7}]}");
  EXPECT_EQ(answer(std::tuple("ok"_atom, FakeHost::pid(9))), BATON_AWAIT);
  EXPECT_EQ(answer(std::tuple("error"_atom, "full"_atom)), BATON_AWAIT);
  EXPECT_EQ(host.text(host.out.back().root), "{start_child,[<<\"a\">>,<<\"b\">>]}")
      << "an init that takes a list is given it as it is";
  EXPECT_EQ(answer(std::tuple("ok"_atom, "undefined"_atom)), BATON_AWAIT);
  EXPECT_EQ(host.text(host.out.back().root),
            "{start_child,[<<\"somebody whose name is long enough for the heap\">>]}");
  EXPECT_EQ(answer(std::tuple("ok"_atom, FakeHost::pid(9))), BATON_AWAIT);
  EXPECT_EQ(host.text(host.out.back().root), "{start_child,[]}");
  EXPECT_EQ(answer(std::tuple("ok"_atom, FakeHost::pid(9))), BATON_STOP);

  EXPECT_THAT(host.log, ElementsAre("started <0.9.0>",
                                    "call failed: {full,{gen_server,call,[sup]}}", "no child"));
  EXPECT_TRUE(host.is_clean());
}

TEST_F(ChildTest, AChildIsGivenTheOneElementOfItsSupervisorsList) {
  FakeProcess session(host, kBehaviour<family::Session>);
  EXPECT_EQ(session.start(std::vector{family::Limits{"ann", 3}}), BATON_OK) << host.error();
  EXPECT_EQ(session.state<family::State>().user, "ann");
  EXPECT_EQ(session.state<family::State>().most, 3u);

  FakeProcess lister(host, kBehaviour<family::Lister>);
  EXPECT_EQ(lister.start(std::vector<std::string>{"a"}), BATON_OK) << host.error();
  EXPECT_THAT(lister.state<family::State>().heard, ElementsAre("a"));

  FakeProcess spawned(host, kBehaviour<family::Session>);
  EXPECT_EQ(spawned.start(family::Limits{"bob", 4}), BATON_OK) << "spawn gives it itself";
  EXPECT_EQ(spawned.state<family::State>().user, "bob");

  FakeProcess two(host, kBehaviour<family::Session>);
  EXPECT_EQ(two.start(std::vector(2, family::Limits{"bob", 4})), BATON_CRASH);
  EXPECT_THAT(host.error(), HasSubstr("got a list"));
}

// Every worker that had no use for it logged the change as an error, by a message in no manual.
TEST_F(ChildTest, AConfigChangeIsHandledByTypeAndElseSilent) {
  const auto pair = [](Atom key) { return std::pair(key, 1); };
  const std::tuple news("config_change"_atom, std::vector{pair("limit"_atom)},
                        std::vector{pair("new"_atom)},
                        std::vector<std::variant<Atom, std::string>>{"old"_atom, "a key"});

  FakeProcess session(host, kBehaviour<family::Session>);
  session.start(family::Limits{});
  EXPECT_EQ(session.deliver(BATON_MESSAGE, news), BATON_OK);
  EXPECT_THAT(session.state<family::State>().heard, ElementsAre("limit", "new", "old", "a key"));

  FakeProcess deaf(host, kBehaviour<family::Deaf>);
  deaf.start();
  EXPECT_EQ(deaf.deliver(BATON_MESSAGE, news), BATON_OK);
  EXPECT_TRUE(host.log.empty());

  FakeProcess watcher(host, kBehaviour<family::Watcher>);
  ASSERT_EQ(watcher.start(std::string("ann")), BATON_AWAIT);
  host.mail(BATON_MESSAGE, news);
  EXPECT_EQ(watcher.resume(), BATON_STOP);
  EXPECT_THAT(host.log, ElementsAre("ann heard limit"));
}

}  // namespace
}  // namespace baton
