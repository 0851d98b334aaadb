// Claims about gen_servers and the Tasks of their handlers (baton/gen_server.h, baton/task.h), and
// about what BATON_MODULE says of them.
#define BATON_BUILD b_of_the_test
#include "support/fake_host.h"

#include <baton/baton.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace counter::inline BATON_BUILD {

using namespace baton::literals;

struct Increment {
  std::int64_t by = 1;
};
BATON_MESSAGE(Increment, by)
struct Get {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Get)
struct Sum {
  baton::Pid peer;
};
BATON_MESSAGE(Sum, peer)
struct Later {};
BATON_MESSAGE(Later)
struct Fail {
  std::string how;
};
BATON_MESSAGE(Fail, how)
struct Reset {};
BATON_MESSAGE(Reset)
struct Ask {
  baton::Pid peer;
};
BATON_MESSAGE(Ask, peer)
struct Tick {};
BATON_MESSAGE(Tick)

struct State {
  std::int64_t value = 0;
  std::optional<baton::Caller> waiting;
  std::string ended;
};
BATON_STATE(State, value, waiting, ended)

struct Helper : baton::Process<Helper> {
  static baton::Task<> loop(baton::Self) { co_return; }
};

struct Counter : baton::GenServer<Counter, State> {
  using Calls = baton::Messages<Increment, Get, Sum, Later, Fail>;
  using Casts = baton::Messages<Reset, Ask>;
  using Infos = baton::Messages<Tick>;

  static State init(const std::int64_t& start) {
    return {.value = start, .waiting = {}, .ended = {}};
  }

  std::int64_t handle_call(const Increment& m) { return state().value += m.by; }
  std::int64_t handle_call(const Get&) { return state().value; }
  baton::Task<std::int64_t> handle_call(const Sum& m) {
    const std::int64_t other = co_await doubled(*this, m.peer);
    co_return state().value + other;
  }
  baton::NoReply handle_call(const Later&) {
    state().waiting = caller();
    return {};
  }
  void handle_call(const Fail& m) {
    if (m.how == "throw") throw std::runtime_error("asked to fail");
    if (m.how == "stop") return stop("done"_atom);
    if (m.how == "exit") exit("gone"_atom);
    if (m.how == "spawn") spawn_link<Helper>(std::string("arg"));
  }
  void handle_cast(const Reset&) {
    if (state().waiting) reply(*state().waiting, "reset"_atom);
    state().value = 0;
  }
  baton::Task<> handle_cast(const Ask& m) {
    state().value = co_await call_for<Get>(std::chrono::milliseconds(10), m.peer);
  }
  void handle_info(const Tick&) { ++state().value; }
  void handle_down(baton::Pid pid, baton::Ref, baton::Term reason) {
    log_info("down ", pid, " ", reason);
  }
  void terminate(baton::Term reason) {
    state().ended = reason.is_atom("normal"_atom) ? "normal" : "other";
  }

 private:
  static baton::Task<std::int64_t> doubled(baton::Self self, baton::Pid peer) {
    co_return 2 * co_await self.call<Get>(peer);
  }
};

struct Empty {
  friend bool operator==(Empty, Empty) = default;
};
BATON_STATE(Empty)

struct Raw : baton::GenServer<Raw, Empty> {
  using Calls = baton::Messages<Get>;
  int handle_raw(const baton_message* message) {
    return message != nullptr && message->kind == BATON_MESSAGE ? +BATON_YIELD : baton::kPassOn;
  }
  std::int64_t handle_call(const Get&) { return 1; }
};

struct Stranger : baton::GenServer<Stranger, Empty> {};

}  // namespace counter::inline BATON_BUILD

BATON_ATOMS("one", "two")
BATON_MODULE("counter", "1.2.3", counter::Counter, counter::Raw, counter::Helper)

namespace baton {
namespace {

using namespace literals;
using counter::Counter;
using counter::State;
using support::FakeHost;
using support::FakeProcess;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const baton_behaviour& behaviour(std::size_t i) {
  return baton_module_description::behaviours[i];
}

class GenServerTest : public testing::Test {
 protected:
  GenServerTest() {
    for (const char* atom :
         {"ok", "reset", "done", "gone", "noproc", "timeout", "gen_server", "call", "get"})
      host.know(atom);
    EXPECT_EQ(server.start(std::int64_t{10}), BATON_OK);
  }
  std::string said() {
    std::string all;
    for (const auto& o : host.out)
      all += (all.empty() ? "" : "; ") + o.how + " " + host.text(o.root);
    host.out.clear();
    return all;
  }
  std::int64_t value() { return server.state<State>().value; }

  FakeHost host;
  FakeProcess server{host, behaviour(0)};
};

TEST_F(GenServerTest, InitsResultIsTheState) { EXPECT_EQ(value(), 10); }

TEST_F(GenServerTest, ArgumentsThatDoNotFitEndTheProcessWithAText) {
  FakeProcess other(host, behaviour(0));

  EXPECT_EQ(other.start(std::string("ten")), BATON_CRASH);
  EXPECT_EQ(host.error(), "expected an integer, got a binary");
}

TEST_F(GenServerTest, AHandlersResultIsTheReply) {
  EXPECT_EQ(server.call(counter::Increment{5}), BATON_OK);

  EXPECT_EQ(said(), "reply 15");
  EXPECT_EQ(host.context()->call_ref, 0u);
}

TEST_F(GenServerTest, AHandlerOfNothingRepliesOk) {
  EXPECT_EQ(server.call(counter::Fail{"not"}), BATON_OK);

  EXPECT_EQ(said(), "reply ok");
}

TEST_F(GenServerTest, ACallThatNoHandlerTakesEndsTheProcess) {
  EXPECT_EQ(server.call(std::tuple{"ok"_atom, 1}), BATON_CRASH);

  EXPECT_EQ(host.error(), "counter: no handle_call takes {ok,1}");
  EXPECT_EQ(said(), "");
}

TEST_F(GenServerTest, AMessageThatDoesNotFitItsStructIsRefusedAndTheMemberNamed) {
  EXPECT_EQ(server.call(std::tuple{"increment"_atom, "ok"_atom}), BATON_OK);

  EXPECT_THAT(said(), testing::AllOf(testing::StartsWith("refuse "),
                                     HasSubstr("increment.by: expected an integer, got an atom")));
}

TEST_F(GenServerTest, AHostThatCannotRefuseForItLetsSuchAMessageEndTheProcess) {
  host.knows_forms = false;

  EXPECT_EQ(server.call(std::tuple{"increment"_atom, "ok"_atom}), BATON_CRASH);

  EXPECT_EQ(host.error(), "increment.by: expected an integer, got an atom");
}

TEST_F(GenServerTest, AnExceptionIsTheExitReason) {
  EXPECT_EQ(server.call(counter::Fail{"throw"}), BATON_CRASH);

  EXPECT_EQ(host.error(), "asked to fail");
}

TEST_F(GenServerTest, StopRepliesFirstAndThenEnds) {
  EXPECT_EQ(server.call(counter::Fail{"stop"}), BATON_STOP);

  EXPECT_EQ(said(), "reply ok");
  EXPECT_EQ(host.text(*host.exit_reason), "done");
}

TEST_F(GenServerTest, ExitEndsAtOnce) {
  EXPECT_EQ(server.call(counter::Fail{"exit"}), BATON_STOP);

  EXPECT_EQ(said(), "");
  EXPECT_EQ(host.text(*host.exit_reason), "gone");
}

TEST_F(GenServerTest, AReplyMayComeLaterFromTheState) {
  EXPECT_EQ(server.call(counter::Later{}, FakeHost::pid(9), FakeHost::ref(3)), BATON_OK);
  EXPECT_EQ(said(), "");
  EXPECT_NE(host.context()->call_ref, 0u) << "the host knows that an answer is owed";

  EXPECT_EQ(server.deliver(BATON_CAST, counter::Reset{}), BATON_OK);

  ASSERT_EQ(host.out.size(), 1u);
  EXPECT_EQ(host.out[0].to, FakeHost::pid(9).word);
  EXPECT_EQ(host.out[0].ref, FakeHost::ref(3));
  EXPECT_EQ(said(), "reply reset");
}

TEST_F(GenServerTest, AnInfoIsHandledAndAnUnknownOneIsLogged) {
  EXPECT_EQ(server.deliver(BATON_MESSAGE, counter::Tick{}), BATON_OK);
  EXPECT_EQ(server.deliver(BATON_TIMEOUT, counter::Tick{}, {}, FakeHost::ref(1)), BATON_OK);
  EXPECT_EQ(value(), 12);

  EXPECT_EQ(server.deliver(BATON_MESSAGE, "ok"_atom), BATON_OK);
  EXPECT_THAT(host.log,
              ElementsAre(HasSubstr("counter ignores an unexpected message from <0.7.0>: ok")));
}

TEST_F(GenServerTest, ADownReachesItsHandler) {
  EXPECT_EQ(server.deliver(BATON_DOWN, "gone"_atom, FakeHost::pid(4), FakeHost::ref(8)), BATON_OK);

  EXPECT_THAT(host.log, ElementsAre("down <0.4.0> gone"));
}

TEST_F(GenServerTest, ALateReplyIsDropped) {
  EXPECT_EQ(server.deliver(BATON_REPLY, 1, {}, FakeHost::ref(99)), BATON_OK);

  EXPECT_TRUE(host.log.empty());
}

TEST_F(GenServerTest, TerminateIsGivenTheReason) {
  baton_message* const reason = host.message(BATON_MESSAGE, "normal"_atom);

  behaviour(0).terminate(host.context(), &server.state<State>(), reason);

  EXPECT_EQ(server.state<State>().ended, "normal");
  host.table()->free(host.context(), reason);
}

TEST_F(GenServerTest, ATaskAwaitsAnotherProcessAndThenReplies) {
  EXPECT_EQ(server.call(counter::Sum{FakeHost::pid(5)}, FakeHost::pid(9), FakeHost::ref(3)),
            BATON_AWAIT);
  ASSERT_EQ(host.out.size(), 1u);
  const Ref request = host.out[0].ref;
  EXPECT_EQ(said(), "call get");
  EXPECT_EQ(host.wake_at, host.now + 5'000'000'000) << "a call waits five seconds";

  EXPECT_EQ(server.resume(), BATON_AWAIT) << "nothing has come yet";
  host.mail(BATON_REPLY, 7, FakeHost::pid(5), request);
  EXPECT_EQ(server.resume(), BATON_OK);

  ASSERT_EQ(host.out.size(), 1u);
  EXPECT_EQ(host.out[0].to, FakeHost::pid(9).word);
  EXPECT_EQ(host.out[0].ref, FakeHost::ref(3));
  EXPECT_EQ(said(), "reply 24");
  EXPECT_TRUE(host.is_clean());
}

TEST_F(GenServerTest, ADeadCalleeIsAnErrorWithItsReason) {
  server.call(counter::Sum{FakeHost::pid(5)});
  host.mail(BATON_DOWN, "noproc"_atom, FakeHost::pid(5), host.out[0].ref);

  EXPECT_EQ(server.resume(), BATON_CRASH);
  EXPECT_EQ(host.error(), "call failed: {noproc,{gen_server,call,[<0.5.0>]}}");
  EXPECT_TRUE(host.is_clean());
}

TEST_F(GenServerTest, ACallThatTakesTooLongIsGivenUpAndItsReplyDropped) {
  EXPECT_EQ(server.deliver(BATON_CAST, counter::Ask{FakeHost::pid(5)}), BATON_AWAIT);
  const Ref request = host.out[0].ref;
  host.now = host.wake_at;

  EXPECT_EQ(server.resume(), BATON_CRASH);
  EXPECT_EQ(host.error(), "call failed: {timeout,{gen_server,call,[<0.5.0>]}}");
  EXPECT_THAT(host.forgotten, ElementsAre(request));
  EXPECT_TRUE(host.is_clean());
}

TEST_F(GenServerTest, ACastMayAwaitToo) {
  server.deliver(BATON_CAST, counter::Ask{FakeHost::pid(5)});
  host.mail(BATON_REPLY, 77, FakeHost::pid(5), host.out[0].ref);
  said();

  EXPECT_EQ(server.resume(), BATON_OK);
  EXPECT_EQ(value(), 77);
  EXPECT_EQ(said(), "") << "a cast is not answered";
}

TEST_F(GenServerTest, AReplyOfAnotherTypeEndsTheProcess) {
  server.deliver(BATON_CAST, counter::Ask{FakeHost::pid(5)});
  host.mail(BATON_REPLY, "ok"_atom, FakeHost::pid(5), host.out[0].ref);

  EXPECT_EQ(server.resume(), BATON_CRASH);
  EXPECT_EQ(host.error(), "expected an integer, got an atom");
  EXPECT_TRUE(host.is_clean());
}

TEST_F(GenServerTest, AFrameDestroyedWhileItWaitsLeavesNothing) {
  server.call(counter::Sum{FakeHost::pid(5)});
  EXPECT_GT(host.bytes(), 0);

  server.kill();

  EXPECT_TRUE(host.is_clean());
}

TEST_F(GenServerTest, WithoutMemoryForItsFrameACallbackFails) {
  // Room for the message, none for the frame.
  baton_message* const message =
      host.message(BATON_CALL, counter::Sum{FakeHost::pid(5)}, FakeHost::pid(7), FakeHost::ref(1));
  host.has_memory = false;

  EXPECT_EQ(behaviour(0).handle(host.context(), &server.state<State>(), message), BATON_CRASH);
  EXPECT_EQ(host.error(), "std::bad_alloc");
  host.table()->free(host.context(), message);
  EXPECT_TRUE(host.is_clean());
}

TEST_F(GenServerTest, SpawnPassesTheModulesOwnTableEntry) {
  EXPECT_EQ(server.call(counter::Fail{"spawn"}), BATON_OK);

  ASSERT_EQ(host.spawned.size(), 1u);
  EXPECT_EQ(host.spawned[0].behaviour, "helper");
  EXPECT_EQ(host.spawned[0].flags, static_cast<unsigned>(BATON_SPAWN_LINK));
  EXPECT_EQ(host.text(host.spawned[0].args), "<<\"arg\">>");
}

TEST_F(GenServerTest, ABehaviourThatIsNotListedCannotBeSpawned) {
  task::Activation activation{.context = host.context()};

  EXPECT_THROW(Self(&activation).spawn<counter::Stranger>(), std::logic_error);
}

TEST_F(GenServerTest, ConfigurationIsReadByTypeAndErrorsNameTheKey) {
  task::Activation activation{.context = host.context()};
  const Self self(&activation);
  const OwnedMessage limit = make_message(host.context(), 42);
  host.config["limit"] = TermValue(Term(limit.get()->root));

  EXPECT_EQ(self.config<int>("limit"), 42);
  EXPECT_EQ(self.config<int>("none"), std::nullopt);
  try {
    self.config<std::string>("limit");
    FAIL();
  } catch (const BadTerm& bad) {
    EXPECT_STREQ(bad.what(), "configuration key limit: expected a binary, got an integer");
  }
}

TEST(RawHandler, ComesFirstAndMayPassOn) {
  FakeHost host;
  FakeProcess raw(host, behaviour(1));
  EXPECT_EQ(raw.start(), BATON_OK);

  EXPECT_EQ(raw.deliver(BATON_MESSAGE, 1), BATON_YIELD);
  EXPECT_EQ(raw.call(counter::Get{}), BATON_OK);
  EXPECT_EQ(host.out.size(), 1u);
  EXPECT_EQ(behaviour(1).handle(host.context(), &raw.state<counter::Empty>(), nullptr), BATON_OK);
}

TEST(Module, TheEntryDescribesItsBehaviours) {
  const baton_module& module = *baton_module_entry();

  EXPECT_EQ(module.struct_size, sizeof(baton_module));
  EXPECT_STREQ(module.name, "counter");
  EXPECT_STREQ(module.version, "1.2.3");
  EXPECT_STREQ(module.build, "b_of_the_test");
  ASSERT_EQ(module.behaviour_count, 3u);
  EXPECT_STREQ(module.behaviours[0].name, "counter");
  EXPECT_EQ(module.behaviours[2].kind, static_cast<unsigned>(BATON_PROCESS));
}

TEST(Module, TheNoteStatesAtomsSchemaAndContract) {
  const std::string note(baton_module_note.text, baton_module_note.size);

  EXPECT_EQ(note.substr(0, note.find("atoms")),
            "baton-note 1\nmodule counter\nversion 1.2.3\nabi 1.2\nbuild b_of_the_test\n");
  EXPECT_THAT(note, HasSubstr("\natoms one two counter value waiting ended caller increment get"));
  EXPECT_THAT(note, HasSubstr("\nbehaviour counter gen_server\nschema state "));
  EXPECT_THAT(
      note, HasSubstr("\ncall increment {by:i64;} -> i64\nmember_default by 1\ncall get {} -> i64\n"
                      "call sum {peer:pid;} -> i64\ncall later {} -> term\n"
                      "call fail {how:string;} -> ok\nmember_default how <<>>\ncast reset {}\ncast "
                      "ask {peer:pid;}\n"
                      "info tick {}\nbehaviour raw gen_server\n"));
  EXPECT_THAT(note, testing::EndsWith("\nbehaviour helper process\n"));
}

}  // namespace
}  // namespace baton
