// simple_one_for_one: what OTP demands of it, and that it scales.
#include "behaviour/supervisor.h"
#include "runtime/primitives.h"
#include "support/supervisor_fixture.h"

#include <algorithm>
#include <chrono>

namespace baton::behaviour {
namespace {

class SimpleSupervisor : public test::SupervisorFixture {
 protected:
  /// A supervisor whose children are test children, each given its id by start_child.
  void start_simple(const std::string& flags, const std::string& more,
                    const std::string& behaviour = "child") {
    std::string all = "strategy => simple_one_for_one";
    if (!flags.empty()) all += ", " + flags;
    start_running("#{" + all + "}", {"#{id => item, start => {test, " + behaviour + ", [" +
                                     watcher_.text() + "]}, " + more + "}"});
  }
  baton_term start_one(const std::string& id, const std::string& what = "") {
    return call_for_pid(sup_, "{start_child, [" + id + what + "]}");
  }
  /// Asks for `count` children from one process and waits for all answers.
  void start_many(int count) {
    watcher_.probe().run([&](runtime::Context& context) {
      term::Builder builder;
      const baton_term request =
          builder.tuple({term::atom("start_child"), builder.list({term::make_int(1)})});
      for (int i = 0; i < count; ++i)
        runtime::call(context, sup_, runtime::message_of(context, request, BATON_CALL, 1));
    });
    for (int left = 2 * count; left > 0; --left) watcher_.next();
  }
};

TEST_F(SimpleSupervisor, EachChildGetsTheTemplatesArgsAndItsOwn) {
  start_simple("", "restart => temporary");

  const baton_term a = start_one("a");

  watcher_.await("{started,a}");
  EXPECT_EQ(call(a, "who"), "{ok,a}");
  EXPECT_EQ(children(), "undefined=pid");
  EXPECT_EQ(ask("count_children"), "[{specs,1},{active,1},{supervisors,0},{workers,1}]");
}

TEST_F(SimpleSupervisor, OnlyPidsNameItsChildren) {
  start_simple("", "restart => temporary");
  const baton_term a = start_one("a");

  EXPECT_EQ(ask("{terminate_child, a}"), "{error,simple_one_for_one}");
  EXPECT_EQ(ask("{restart_child, " + text(a) + "}"), "{error,simple_one_for_one}");
  EXPECT_EQ(ask("{delete_child, " + text(a) + "}"), "{error,simple_one_for_one}");
  EXPECT_EQ(ask("{terminate_child, " + watcher_.text() + "}"), "{error,not_found}");
  EXPECT_EQ(ask("{terminate_child, " + text(a) + "}"), "ok");
  EXPECT_FALSE(is_alive(a));
  EXPECT_EQ(children(), "");
}

TEST_F(SimpleSupervisor, AChildThatFailsOrIgnoresIsNotKept) {
  start_simple("", "restart => permanent");

  EXPECT_EQ(ask("{start_child, [a, {fail, no_way}]}"), "{error,no_way}");
  EXPECT_EQ(ask("{start_child, [a, ignore]}"), "{ok,undefined}");
  EXPECT_EQ(ask("{start_child, a}"), "{error,<<\"start_child: expected a list of more args\">>}");
  EXPECT_EQ(children(), "");
}

TEST_F(SimpleSupervisor, APermanentChildIsRestartedWithTheArgsItWasStartedWith) {
  start_simple("", "restart => permanent");
  const baton_term a = start_one("a");
  watcher_.await("{started,a}");

  cast(a, "{stop, oops}");

  const auto again = watcher_.await("{started,a}");
  EXPECT_NE(again.from, a);
  EXPECT_EQ(call(again.from, "who"), "{ok,a}");
}

TEST_F(SimpleSupervisor, ARestartThatKeepsFailingIsTriedAgainAndCanBeStopped) {
  start_simple("intensity => 1000000, period => 60", "restart => permanent");
  const baton_term a = start_one("a", ", {fail_if, 1}");
  watcher_.await("{started,a}");
  flags_[1] = true;
  cast(a, "{stop, oops}");
  watcher_.await("{ended,a,oops}");
  watcher_.await("{failing,a}");

  // Between two tries it counts as a child without a process, during one as a child with one.
  EXPECT_TRUE(ask("count_children").ends_with("{workers,1}]"));
  flags_[1] = false;

  const auto again = watcher_.await("{started,a}");
  EXPECT_TRUE(is_alive(again.from));
}

TEST_F(SimpleSupervisor, TooManyRestartsEndItAndAllChildren) {
  start_simple("intensity => 1", "restart => permanent");
  const baton_term a = start_one("a"), b = start_one("b");

  cast(a, "{stop, oops}");
  watcher_.await("{ended,a,oops}");
  cast(b, "{stop, oops}");

  EXPECT_EQ(watcher_.await_exit(sup_), "{'EXIT',shutdown}");
}

TEST_F(SimpleSupervisor, AllChildrenStopAtOnceAndTheStubbornAreKilled) {
  start_simple("", "restart => temporary, shutdown => 100", "stubborn");
  std::vector<baton_term> pids;
  for (int i = 0; i < 50; ++i) pids.push_back(start_one("s"));
  const auto begin = std::chrono::steady_clock::now();

  stop("shutdown");

  EXPECT_EQ(watcher_.await_exit(sup_), "{'EXIT',shutdown}");
  for (baton_term pid : pids) EXPECT_FALSE(is_alive(pid));
  // One after the other they would take 50 times 100 ms.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
}

TEST_F(SimpleSupervisor, AChildThatTookItsLinkBackDoesNotHoldUpTheEnd) {
  start_simple("", "restart => temporary, shutdown => brutal_kill");
  const baton_term a = start_one("a");
  cast(a, "{unlink, " + text(sup_) + "}");
  watcher_.await("{unlinked,a}");
  cast(a, "{stop, normal}");
  watcher_.await("{ended,a,normal}");

  stop("shutdown");

  EXPECT_EQ(watcher_.await_exit(sup_), "{'EXIT',shutdown}");
}

TEST_F(SimpleSupervisor, AllSignificantEndsItWithItsLastChild) {
  start_simple("auto_shutdown => all_significant", "restart => temporary, significant => true");
  const baton_term a = start_one("a"), b = start_one("b");

  cast(a, "{stop, normal}");
  watcher_.await("{ended,a,normal}");
  EXPECT_TRUE(is_alive(sup_));
  cast(b, "{stop, normal}");

  EXPECT_EQ(watcher_.await_exit(sup_), "{'EXIT',shutdown}");
}

TEST_F(SimpleSupervisor, AHundredThousandChildrenStartAndStop) {
  constexpr int kMany = 100'000;
  start_simple("", "restart => temporary");

  start_many(kMany);
  EXPECT_EQ(ask("count_children"), "[{specs,1},{active,100000},{supervisors,0},{workers,100000}]");
  stop("shutdown");

  EXPECT_EQ(watcher_.await_exit(sup_), "{'EXIT',shutdown}");
  const code::Version& version = *code_.current("test");
  EXPECT_EQ(version.lease_count(), 1u) << "only the watcher is left";
}

TEST_F(SimpleSupervisor, ManyTemporaryChildrenThatEndLeaveNothing) {
  constexpr int kMany = 20'000;
  start_simple("", "restart => temporary");
  start_many(kMany);
  const auto answer = runtime_.call(sup_, parse("which_children"), test::kDeadline);
  ASSERT_TRUE(answer.ok());

  for (baton_term entry : term::elements(answer->root()))
    cast((*term::as_tuple(entry))[1], "{stop, oops}");
  for (int left = kMany; left > 0; --left) watcher_.next();

  EXPECT_EQ(children(), "");
  EXPECT_TRUE(is_alive(sup_));
}

}  // namespace
}  // namespace baton::behaviour
