// What OTP's supervisor_SUITE demands of a supervisor of ordered children.
#include "behaviour/supervisor.h"

#include "runtime/primitives.h"
#include "support/supervisor_fixture.h"

namespace baton::behaviour {
namespace {

using test::Mail;

class Supervisor : public test::SupervisorFixture {};

// ---- Starting

TEST_F(Supervisor, ChildrenStartLeftToRightAndStopRightToLeft) {
  start("#{}", {child("a"), child("b"), child("c")});

  EXPECT_EQ(watcher_.next().text, "{started,a}");
  EXPECT_EQ(watcher_.next().text, "{started,b}");
  EXPECT_EQ(watcher_.next().text, "{started,c}");
  EXPECT_EQ(watcher_.next().text, "started");
  stop("shutdown");
  EXPECT_EQ(watcher_.next().text, "{ended,c,shutdown}");
  EXPECT_EQ(watcher_.next().text, "{ended,b,shutdown}");
  EXPECT_EQ(watcher_.next().text, "{ended,a,shutdown}");
  EXPECT_EQ(watcher_.next().text, "{'EXIT',shutdown}");
}

TEST_F(Supervisor, AFailingChildUndoesTheStartOfThoseBeforeIt) {
  start("#{}", {child("a"), child("b", "[{fail, no_way}]"), child("c")});

  EXPECT_EQ(watcher_.next().text, "{started,a}");
  EXPECT_EQ(watcher_.next().text, "{ended,a,shutdown}");
  EXPECT_EQ(watcher_.next().text, "{'EXIT',{shutdown,{failed_to_start_child,b,no_way}}}");
}

TEST_F(Supervisor, AModuleThatIsNotLoadedFailsTheStartByName) {
  start("#{}", {"#{id => x, start => {nowhere, nothing, []}}"});

  EXPECT_EQ(watcher_.next().text,
            "{'EXIT',{shutdown,{failed_to_start_child,x,{module_not_loaded,nowhere,nothing}}}}");
}

TEST_F(Supervisor, AChildThatIgnoresKeepsItsSpecUnlessTemporary) {
  start("#{}",
        {child("a", "[ignore]"), child("b"), child("c", "[ignore]", "restart => temporary")});
  await_start();

  EXPECT_EQ(children(), "a=undefined b=pid");
}

TEST_F(Supervisor, SpecsThatCannotStandTogetherStopTheStart) {
  start("#{}", {child("a"), child("a")});

  EXPECT_EQ(watcher_.next().text, "{'EXIT',{error,<<\"child a: two children have this id\">>}}");
}

// ---- Requests

TEST_F(Supervisor, AChildIsAddedStoppedRestartedAndDeleted) {
  start_running("#{}", {});
  const std::string spec = child("a");

  const baton_term first = call_for_pid(sup_, "{start_child, " + spec + "}");
  EXPECT_EQ(ask("{start_child, " + spec + "}"), "{error,{already_started," + text(first) + "}}");
  EXPECT_EQ(ask("count_children"), "[{specs,1},{active,1},{supervisors,0},{workers,1}]");
  EXPECT_EQ(ask("{delete_child, a}"), "{error,running}");
  EXPECT_EQ(ask("{restart_child, a}"), "{error,running}");
  EXPECT_EQ(ask("{terminate_child, a}"), "ok");
  EXPECT_FALSE(is_alive(first));
  EXPECT_EQ(ask("{terminate_child, a}"), "ok");
  EXPECT_EQ(children(), "a=undefined");
  EXPECT_EQ(ask("{start_child, " + spec + "}"), "{error,already_present}");
  const baton_term second = call_for_pid(sup_, "{restart_child, a}");
  EXPECT_NE(first, second);
  EXPECT_EQ(ask("{terminate_child, a}"), "ok");
  EXPECT_EQ(ask("{delete_child, a}"), "ok");
  EXPECT_EQ(children(), "");
}

TEST_F(Supervisor, WhatIsNotThereIsNotFound) {
  start_running("#{}", {});

  for (const char* request :
       {"{terminate_child, x}", "{restart_child, x}", "{delete_child, x}", "{get_childspec, x}"})
    EXPECT_EQ(ask(request), "{error,not_found}") << request;
}

TEST_F(Supervisor, ABadRequestOrSpecIsAnsweredWithWhatIsWrong) {
  start_running("#{}", {});

  EXPECT_EQ(ask("hello"), "{error,<<\"no request of a supervisor\">>}");
  EXPECT_EQ(ask("{start_child, 5}"), "{error,<<\"a child spec: expected a map, got 5\">>}");
  EXPECT_EQ(
      ask("{start_child, #{id => a, start => {test, child, []}, restart => often}}"),
      "{error,<<\"child a: restart: expected permanent | transient | temporary, got often\">>}");
}

TEST_F(Supervisor, AFailedStartChildForgetsTheSpecAndAFailedRestartKeepsIt) {
  start_running("#{}", {child("b", "[{fail_if, 1}]")});
  EXPECT_EQ(ask("{terminate_child, b}"), "ok");
  flags_[1] = true;

  const std::string answer = ask("{start_child, " + child("a", "[{fail, nope}]") + "}");

  EXPECT_TRUE(answer.starts_with("{error,{nope,#{")) << answer;
  EXPECT_EQ(ask("{restart_child, b}"), "{error,broken}");
  EXPECT_EQ(children(), "b=undefined");
}

TEST_F(Supervisor, TheSpecIsGivenBackAsItIsHeld) {
  start_running("#{}", {child("a", "[]", "restart => transient, shutdown => 77")});

  const std::string spec = ask("{get_childspec, a}");

  for (const char* part : {"id => a", "restart => transient", "shutdown => 77", "type => worker",
                           "significant => false", "start => {test,child,["})
    EXPECT_NE(spec.find(part), std::string::npos) << spec;
}

TEST_F(Supervisor, ARegisteredNameThatIsTakenIsNamedWithItsHolder) {
  start_running("#{}", {child("a", "[]", "name => the_one")});

  const std::string answer = ask("{start_child, " + child("b", "[]", "name => the_one") + "}");

  const std::string holder = text(runtime_.registry().whereis(atom("the_one")));
  EXPECT_TRUE(answer.starts_with("{error,{{already_started," + holder + "},")) << answer;
}

// ---- Restart types: the nine cases

struct RestartCase {
  const char* type;
  const char* reason;
  bool is_restarted;
  const char* children;
};
class SupervisorRestarts : public test::SupervisorFixture,
                           public testing::WithParamInterface<RestartCase> {};

TEST_P(SupervisorRestarts, AChildIsRestartedAsItsTypeAndTheReasonSay) {
  const RestartCase& given = GetParam();
  start_running("#{}", {child("a", "[]", "restart => " + std::string(given.type))});

  const baton_term first = pid_of("a");
  cast(first, "{stop, " + std::string(given.reason) + "}");
  await_end("a", given.reason);

  if (given.is_restarted) {
    await_start_of("a");
    EXPECT_NE(pid_of("a"), first);
  }
  EXPECT_EQ(children(), given.children);
  EXPECT_TRUE(is_alive(sup_));
}

INSTANTIATE_TEST_SUITE_P(All, SupervisorRestarts,
                         testing::Values(RestartCase{"permanent", "normal", true, "a=pid"},
                                         RestartCase{"permanent", "shutdown", true, "a=pid"},
                                         RestartCase{"permanent", "{shutdown,x}", true, "a=pid"},
                                         RestartCase{"permanent", "oops", true, "a=pid"},
                                         RestartCase{"transient", "normal", false, "a=undefined"},
                                         RestartCase{"transient", "shutdown", false, "a=undefined"},
                                         RestartCase{"transient", "{shutdown,x}", false,
                                                     "a=undefined"},
                                         RestartCase{"transient", "oops", true, "a=pid"},
                                         RestartCase{"temporary", "normal", false, ""},
                                         RestartCase{"temporary", "shutdown", false, ""},
                                         RestartCase{"temporary", "{shutdown,x}", false, ""},
                                         RestartCase{"temporary", "oops", false, ""}));

// ---- Strategies

TEST_F(Supervisor, OneForOneRestartsOnlyTheFailedChild) {
  start_running("#{}", {child("a"), child("b"), child("c")});
  const baton_term a = pid_of("a"), b = pid_of("b"), c = pid_of("c");

  cast(b, "{stop, oops}");
  await_start_of("b");

  EXPECT_EQ(pid_of("a"), a);
  EXPECT_NE(pid_of("b"), b);
  EXPECT_EQ(pid_of("c"), c);
}

TEST_F(Supervisor, OneForAllStopsAllRightToLeftAndStartsThemLeftToRight) {
  start_running("#{strategy => one_for_all}", {child("a"), child("b"), child("c")});

  cast(pid_of("b"), "{stop, oops}");

  for (const char* mail : {"{ended,b,oops}", "{ended,c,shutdown}", "{ended,a,shutdown}",
                           "{started,a}", "{started,b}", "{started,c}"})
    EXPECT_EQ(watcher_.next().text, mail);
}

TEST_F(Supervisor, RestForOneRestartsTheFailedChildAndThoseBehindIt) {
  start_running("#{strategy => rest_for_one}", {child("a"), child("b"), child("c")});
  const baton_term a = pid_of("a");

  cast(pid_of("b"), "{stop, oops}");

  for (const char* mail : {"{ended,b,oops}", "{ended,c,shutdown}", "{started,b}", "{started,c}"})
    EXPECT_EQ(watcher_.next().text, mail);
  EXPECT_EQ(pid_of("a"), a);
}

TEST_F(Supervisor, ATemporaryBystanderOfAGroupRestartIsNotStartedAgain) {
  start_running("#{strategy => one_for_all}",
                {child("a"), child("t", "[]", "restart => temporary"), child("b")});

  cast(pid_of("a"), "{stop, oops}");
  await_start_of("a");
  await_start_of("b");

  EXPECT_EQ(children(), "a=pid b=pid");
}

TEST_F(Supervisor, RequestsMadeDuringAGroupRestartAreServedAfterIt) {
  start_running("#{strategy => one_for_all}",
                {child("a"), stubborn("s", "shutdown => 200"), child("b")});
  cast(pid_of("b"), "{stop, oops}");
  await_end("b", "oops");

  // The stubborn one takes its time; meanwhile what changes nothing is answered at once.
  EXPECT_EQ(ask("count_children").substr(0, 11), "[{specs,3},");
  const baton_term added = call_for_pid(sup_, "{start_child, " + child("c") + "}");

  EXPECT_TRUE(is_alive(added));
  EXPECT_EQ(children(), "a=pid s=pid b=pid c=pid");
}

// ---- Intensity

TEST_F(Supervisor, MoreRestartsThanItsIntensityEndIt) {
  start_running("#{intensity => 2, period => 60}", {child("a"), child("b")});

  for (int i = 0; i < 2; ++i) {
    cast(pid_of("a"), "{stop, oops}");
    await_start_of("a");
  }
  EXPECT_TRUE(is_alive(sup_));
  cast(pid_of("a"), "{stop, oops}");

  watcher_.await("{ended,b,shutdown}");
  EXPECT_EQ(watcher_.await_exit(sup_), "{'EXIT',shutdown}");
}

TEST_F(Supervisor, AnIntensityOfZeroAllowsNoRestart) {
  start_running("#{strategy => rest_for_one, intensity => 0}", {child("a")});

  cast(pid_of("a"), "{stop, oops}");

  EXPECT_EQ(watcher_.await_exit(sup_), "{'EXIT',shutdown}");
}

TEST_F(Supervisor, ASupervisorThatGaveUpIsRestartedByItsOwn) {
  start_running("#{}", {"#{id => sub, type => supervisor, start => {baton, supervisor, "
                        "{#{intensity => 0}, [" +
                        child("a") + "]}}}"});
  const baton_term sub = pid_of("sub");

  cast(child_pid(sub, "a"), "{stop, oops}");

  watcher_.await("{started,a}");
  EXPECT_NE(pid_of("sub"), sub);
}

TEST_F(Supervisor, ANestedTreeStartsInOrderDepthFirst) {
  start("#{}", {child("a"),
                "#{id => sub, start => {baton, supervisor, {#{}, [" + child("b") + "," +
                    child("c") + "]}}}",
                child("d")});

  for (const char* mail : {"{started,a}", "{started,b}", "{started,c}", "{started,d}", "started"})
    EXPECT_EQ(watcher_.next().text, mail);
  stop("shutdown");
  for (const char* mail :
       {"{ended,d,shutdown}", "{ended,c,shutdown}", "{ended,b,shutdown}", "{ended,a,shutdown}"})
    EXPECT_EQ(watcher_.next().text, mail);
}

// ---- Restarts that fail

TEST_F(Supervisor, ARestartThatKeepsFailingLeavesItCallableUntilItGivesUp) {
  start_running("#{intensity => 200000, period => 60}", {child("a", "[{fail_if, 1}]"), child("b")});
  flags_[1] = true;
  cast(pid_of("a"), "{stop, oops}");
  await_end("a", "oops");

  // It is tried again and again; in between requests are answered.
  bool was_restarting = false;
  for (int i = 0; i < 100'000 && !was_restarting; ++i)
    was_restarting = ask("{restart_child, a}") == "{error,restarting}";
  EXPECT_TRUE(was_restarting);
  EXPECT_EQ(ask("{terminate_child, a}"), "ok");
  EXPECT_EQ(children(), "a=undefined b=pid");
  flags_[1] = false;
  EXPECT_TRUE(is_alive(call_for_pid(sup_, "{restart_child, a}")));
}

TEST_F(Supervisor, FailedRestartsCountUntilTheIntensityIsPassed) {
  start_running("#{intensity => 20, period => 60}", {child("a", "[{fail_if, 1}]"), child("b")});
  flags_[1] = true;

  cast(pid_of("a"), "{stop, oops}");

  EXPECT_EQ(watcher_.await_exit(sup_), "{'EXIT',shutdown}");
}

TEST_F(Supervisor, AGroupRestartIsTriedAgainFromTheChildThatFailed) {
  start_running("#{strategy => rest_for_one, intensity => 1000000, period => 60}",
                {child("a"), child("b", "[{fail_if, 1}]"), child("c")});
  flags_[1] = true;
  cast(pid_of("a"), "{stop, oops}");
  watcher_.await("{ended,a,oops}");
  watcher_.await("{started,a}");
  const baton_term a = pid_of("a");

  flags_[1] = false;

  watcher_.await("{started,b}");
  watcher_.await("{started,c}");
  EXPECT_EQ(pid_of("a"), a);
}

TEST_F(Supervisor, OneForAllWhoseOtherChildFailsToRestartIsTriedAsAWhole) {
  start_running("#{strategy => one_for_all, intensity => 1000000, period => 60}",
                {child("a"), child("b", "[{fail_if, 1}]")});
  flags_[1] = true;
  cast(pid_of("a"), "{stop, oops}");
  watcher_.await("{started,a}");
  watcher_.await("{ended,a,shutdown}");

  flags_[1] = false;

  watcher_.await("{started,b}");
  EXPECT_EQ(children(), "a=pid b=pid");
}

// ---- Stopping

TEST_F(Supervisor, BrutalKillGivesNoTimeToTerminate) {
  start_running("#{}", {child("a", "[]", "shutdown => brutal_kill")});
  const baton_term a = pid_of("a");

  EXPECT_EQ(ask("{terminate_child, a}"), "ok");

  EXPECT_FALSE(is_alive(a));
  watcher_.probe().run([](auto&) {});
  EXPECT_EQ(watcher_.inbox().size(), 0u);
}

TEST_F(Supervisor, AChildThatDoesNotStopInTimeIsKilled) {
  start_running("#{}", {stubborn("s", "shutdown => 30")});
  const baton_term s = pid_of("s");

  EXPECT_EQ(ask("{terminate_child, s}"), "ok");

  EXPECT_FALSE(is_alive(s));
}

TEST_F(Supervisor, InfinityWaitsUntilTheChildEnds) {
  start_running("#{}", {stubborn("s", "shutdown => infinity")});
  const baton_term s = pid_of("s");
  Probe other = probe();
  ask_later(other, "{terminate_child, s}");

  // Whatever it is asked meanwhile, the child lives: nobody kills it but we.
  EXPECT_EQ(children(), "s=pid");
  EXPECT_EQ(other.inbox().size(), 0u);
  EXPECT_TRUE(is_alive(s));
  exit_signal(s, "kill");

  EXPECT_EQ(other.next().text, "{reply,ok}");
}

TEST_F(Supervisor, ATrappingChildEndsWithTheShutdownOfItsSupervisor) {
  start_running("#{}", {child("a", "[trap]")});

  EXPECT_EQ(ask("{terminate_child, a}"), "ok");

  watcher_.await("{ended,a,shutdown}");
}

TEST_F(Supervisor, AChildThatTookItsLinkBackIsStoppedWithoutHanging) {
  start_running("#{}", {child("a"), child("b")});
  const baton_term a = pid_of("a");
  cast(a, "{unlink, " + text(sup_) + "}");
  watcher_.await("{unlinked,a}");

  EXPECT_EQ(ask("{terminate_child, a}"), "ok");

  EXPECT_FALSE(is_alive(a));
}

TEST_F(Supervisor, AnUnlinkedChildThatIsDeadAlreadyIsStoppedWithoutHanging) {
  start_running("#{}", {child("a")});
  const baton_term a = pid_of("a");
  cast(a, "{unlink, " + text(sup_) + "}");
  watcher_.await("{unlinked,a}");
  cast(a, "{stop, oops}");
  watcher_.await("{ended,a,oops}");

  stop("shutdown");

  EXPECT_EQ(watcher_.await_exit(sup_), "{'EXIT',shutdown}");
}

TEST_F(Supervisor, ChildrenThatEndByThemselvesWhileItStopsAreNotRestarted) {
  std::vector<std::string> specs;
  for (int i = 0; i < 100; ++i) specs.push_back(child("c" + std::to_string(i)));
  start_running("#{intensity => 1000}", specs);
  std::vector<baton_term> pids;
  for (int i = 0; i < 100; ++i) pids.push_back(pid_of("c" + std::to_string(i)));

  stop("shutdown");
  for (baton_term pid : pids) cast(pid, "{stop, oops}");

  EXPECT_EQ(watcher_.await_exit(sup_), "{'EXIT',shutdown}");
  for (baton_term pid : pids) EXPECT_FALSE(is_alive(pid));
}

TEST_F(Supervisor, WhoeverWaitsForAnAnswerHearsThatItEnded) {
  start_running("#{strategy => one_for_all}", {stubborn("s", "shutdown => infinity"), child("b")});
  const baton_term s = pid_of("s");
  Probe other = probe();
  ask_later(other, "{terminate_child, s}");
  stop("shutdown");
  watcher_.await("{ended,b,shutdown}");

  exit_signal(s, "kill");

  const Mail mail = other.next();
  EXPECT_TRUE(mail.text == "{reply,ok}" || mail.text == "{'DOWN',shutdown}") << mail.text;
}

TEST_F(Supervisor, ANewSupervisorCanTakeTheNamesOfTheOneThatEnded) {
  start_running("#{}", {child("a", "[]", "name => the_one")});
  for (int i = 0; i < 50; ++i) {
    const baton_term first = runtime_.registry().whereis(atom("the_one"));
    cast(first, "{stop, oops}");
    if (i % 2 == 0) {
      await_start_of("a");
      EXPECT_NE(runtime_.registry().whereis(atom("the_one")), first);
    }
    stop("shutdown");
    watcher_.await_exit(sup_);
    watcher_.forget();
    start_running("#{}", {child("a", "[]", "name => the_one")});
  }
}

TEST_F(Supervisor, SysTerminateStopsTheChildrenInOrder) {
  start_running("#{}", {child("a"), child("b")});

  ASSERT_TRUE(
      runtime_
          .system(sup_, runtime::kTerminate, test::kDeadline, parse("{shutdown,upgrade}").root())
          .ok());

  EXPECT_EQ(watcher_.next().text, "{ended,b,shutdown}");
  EXPECT_EQ(watcher_.next().text, "{ended,a,shutdown}");
  EXPECT_EQ(watcher_.next().text, "{'EXIT',{shutdown,upgrade}}");
}

TEST_F(Supervisor, KillTakesItsChildrenAlongByTheirLinks) {
  start_running("#{}", {child("a"), child("b", "[trap]")});

  exit_signal(sup_, "kill");

  watcher_.await("{ended,a,killed}");
  watcher_.await("{ended,b,killed}");
  EXPECT_EQ(watcher_.await_exit(sup_), "{'EXIT',killed}");
}

// ---- Significant children

TEST_F(Supervisor, AnySignificantEndsItWithTheFirstSignificantChild) {
  start_running("#{auto_shutdown => any_significant}",
                {child("a", "[]", "restart => transient, significant => true"), child("b"),
                 child("c", "[]", "restart => temporary, significant => true")});

  cast(pid_of("c"), "{stop, oops}");

  watcher_.await("{ended,b,shutdown}");
  EXPECT_EQ(watcher_.await_exit(sup_), "{'EXIT',shutdown}");
}

TEST_F(Supervisor, AllSignificantWaitsForTheLastSignificantChild) {
  start_running("#{auto_shutdown => all_significant}",
                {child("a", "[]", "restart => transient, significant => true"), child("b"),
                 child("c", "[]", "restart => temporary, significant => true")});

  cast(pid_of("c"), "{stop, normal}");
  watcher_.await("{ended,c,normal}");
  EXPECT_EQ(children(), "a=pid b=pid");
  cast(pid_of("a"), "{stop, normal}");

  EXPECT_EQ(watcher_.await_exit(sup_), "{'EXIT',shutdown}");
}

TEST_F(Supervisor, ASignificantTransientChildThatFailsIsRestarted) {
  start_running("#{auto_shutdown => any_significant}",
                {child("a", "[]", "restart => transient, significant => true")});

  cast(pid_of("a"), "{stop, oops}");
  await_start_of("a");

  EXPECT_TRUE(is_alive(sup_));
}

TEST_F(Supervisor, StoppingASignificantChildOnRequestDoesNotEndIt) {
  start_running("#{auto_shutdown => any_significant}",
                {child("a", "[]", "restart => transient, significant => true")});

  EXPECT_EQ(ask("{terminate_child, a}"), "ok");

  EXPECT_EQ(children(), "a=undefined");
}

TEST_F(Supervisor, SignificanceIsRefusedWhereItMeansNothing) {
  start_running("#{}", {});

  EXPECT_EQ(
      ask("{start_child, " + child("a", "[]", "restart => temporary, significant => true") + "}"),
      "{error,<<\"child a: significant needs a supervisor with auto_shutdown any_significant "
      "or all_significant\">>}");
  EXPECT_EQ(ask("{start_child, " + child("a", "[]", "significant => true") + "}"),
            "{error,<<\"child a: a permanent child cannot be significant: make it transient or "
            "temporary\">>}");
}

// ---- Limits

TEST_F(Supervisor, RequestsBeyondItsLimitAreRefusedDuringAGroupRestart) {
  start_running("#{strategy => one_for_all}", {stubborn("s", "shutdown => infinity"), child("b")});
  const baton_term s = pid_of("s");
  cast(pid_of("b"), "{stop, oops}");
  await_end("b", "oops");
  EXPECT_EQ(children(), "s=pid b=undefined");
  Probe asker = probe();
  const term::Block request = parse("{delete_child, nobody}");

  asker.run([&](runtime::Context& context) {
    for (std::size_t i = 0; i <= kPostponedMax; ++i)
      runtime::call(context, sup_, runtime::message_of(context, request.root(), BATON_CALL, 1));
  });

  EXPECT_EQ(asker.next().text, "{reply,{error,system_limit}}");
  exit_signal(s, "kill");
  for (std::size_t i = 0; i < kPostponedMax; ++i)
    ASSERT_EQ(asker.next().text, "{reply,{error,not_found}}");
}

// ---- During a take-over

// A second module, whose processes are drained while those of the test go on.
class SupervisorInADrain : public Supervisor {
 protected:
  SupervisorInADrain() {
    module_.name = "drained";
    version_ = code_.stage(std::make_unique<code::Version>(&module_)).value();
    code_.make_current("drained");
  }
  std::string drained(const std::string& id) const {
    return "#{id => " + id + ", start => {drained, child, [" + watcher_.text() + "," + id + "]}}";
  }
  void drain() {
    runtime_.attend(runtime::Attention::kDraining, true);
    version_->phase() = code::Phase::kDraining;
  }
  void reopen() {
    version_->phase() = code::Phase::kOpen;
    runtime_.attend(runtime::Attention::kDraining, false);
    EXPECT_TRUE(runtime_.barrier(runtime::now_ns() + 10'000'000'000));
  }
  /// From inside a callback of a drained process that began before the drain.
  void start_child_in_a_chain(const std::string& spec) {
    Probe inside = probe(version_);
    const term::Block request = parse("{start_child, " + spec + "}");
    inside.run([&](runtime::Context& context) {
      drain();
      runtime::call(context, sup_, runtime::message_of(context, request.root(), BATON_CALL, 1));
    });
  }

  baton_module module_ = test::native::kModule;
  code::Version* version_ = nullptr;
};

TEST_F(SupervisorInADrain, AChildOfAChainBegunBeforeStartsAndOthersWaitForTheOutcome) {
  start_running("#{}", {});
  Probe outside = probe();

  start_child_in_a_chain(drained("chained"));
  watcher_.await("{started,chained}");
  ask_later(outside, "{start_child, " + drained("other") + "}");

  // It answers meanwhile, and does not take the child that waits for one that failed.
  EXPECT_EQ(children(), "chained=pid other=pid");
  EXPECT_EQ(outside.inbox().size(), 0u);
  EXPECT_EQ(watcher_.inbox().size(), 0u);
  reopen();
  watcher_.await("{started,other}");
  EXPECT_TRUE(outside.next().text.starts_with("{reply,{ok,"));
}

TEST_F(SupervisorInADrain, ATreeOfAChainBegunBeforeStartsWithAllItsChildren) {
  start_running("#{}", {});

  start_child_in_a_chain("#{id => tree, start => {baton, supervisor, {#{}, [" + drained("x") + "," +
                         drained("y") + "]}}}");

  watcher_.await("{started,x}");
  watcher_.await("{started,y}");
  EXPECT_EQ(children(), "tree=pid");
  reopen();
}

// ---- Changed specs

TEST_F(Supervisor, ChangedSpecsLeaveWhatRunsAloneAndTakeTheNewOrder) {
  start_running("#{}", {child("a"), child("b")});
  const baton_term a = pid_of("a"), b = pid_of("b");

  EXPECT_EQ(ask("{change_specs, #{strategy => rest_for_one}, [" + child("b") + "," + child("n") +
                "," + child("a") + "]}"),
            "ok");

  EXPECT_EQ(children(), "b=pid n=undefined a=pid");
  EXPECT_EQ(pid_of("a"), a);
  EXPECT_EQ(pid_of("b"), b);
  EXPECT_TRUE(is_alive(call_for_pid(sup_, "{restart_child, n}")));
}

}  // namespace
}  // namespace baton::behaviour
