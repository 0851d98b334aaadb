#include "behaviour/application.h"

#include "behaviour/frozen.h"
#include "behaviour/supervision_tree.h"
#include "behaviour/sys.h"
#include "support/supervisor_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <thread>

namespace baton::behaviour {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kWait = test::kDeadline;

class Application : public test::SupervisorFixture {
 protected:
  Application()
      : applications_(runtime_, [this](const Ended& ended) {
          std::lock_guard lock(mutex_);
          ended_.push_back(ended.name + " " + text(ended.reason.root()) +
                           (ended.ends_node ? " ends the node" : ""));
          heard_.notify_all();
        }) {}
  // The callback above must not be called any more once its members go.
  void TearDown() override { EXPECT_TRUE(applications_.stop_all(kWait).ok()); }

  ApplicationSpec spec(const std::string& name, const std::vector<std::string>& children,
                       const std::string& flags = "#{}",
                       ApplicationType type = ApplicationType::kPermanent) {
    std::string list;
    for (const std::string& one : children) list += (list.empty() ? "" : ", ") + one;
    ApplicationSpec made;
    made.name = name;
    made.type = type;
    made.supervisor = tree_of(flags, list);
    return made;
  }
  SupervisorSpec tree_of(const std::string& flags, const std::string& children) {
    const term::Block args = parse("{" + flags + ", [" + children + "]}");
    auto read = read_supervisor_spec(args.root(), atoms_);
    EXPECT_TRUE(read.ok());
    return std::move(read).value();
  }
  Result<void> start_all(std::vector<ApplicationSpec> specs) {
    for (ApplicationSpec& one : specs) BATON_TRY(applications_.start(std::move(one), kWait));
    return {};
  }
  std::string await_ended() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(heard_.wait_for(lock, test::kDeadline, [this] { return !ended_.empty(); }));
    if (ended_.empty()) return {};
    std::string first = ended_.front();
    ended_.pop_front();
    return first;
  }
  std::string names() {
    std::string all;
    for (const ApplicationStatus& one : applications_.list())
      all += (all.empty() ? "" : " ") + one.name;
    return all;
  }
  baton_term top(const std::string& name) {
    for (const ApplicationStatus& one : applications_.list())
      if (one.name == name) return one.supervisor;
    return BATON_NO_TERM;
  }

  std::mutex mutex_;
  std::condition_variable heard_;
  std::deque<std::string> ended_;  // guarded by mutex_
  Applications applications_;
};

TEST_F(Application, ApplicationsStartInOrderAndStopInReverse) {
  ASSERT_TRUE(start_all({spec("one", {child("a"), child("b")}), spec("two", {child("c")})}).ok());
  EXPECT_EQ(names(), "one two");

  ASSERT_TRUE(applications_.stop_all(kWait).ok());

  for (const char* mail : {"{started,a}", "{started,b}", "{started,c}", "{ended,c,shutdown}",
                           "{ended,b,shutdown}", "{ended,a,shutdown}"})
    EXPECT_EQ(watcher_.next().text, mail);
  EXPECT_EQ(names(), "");
}

TEST_F(Application, AFailedStartNamesTheChildAndLeavesNothing) {
  const auto result = applications_.start(spec("two", {child("b", "[{fail, no_way}]")}), kWait);

  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message(),
            "starting application two: {shutdown,{failed_to_start_child,b,no_way}}");
  EXPECT_EQ(names(), "");
}

TEST_F(Application, OneThatRunsIsNotStartedTwice) {
  ASSERT_TRUE(applications_.start(spec("one", {}), kWait).ok());

  const auto again = applications_.start(spec("one", {}), kWait);

  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().message(),
            "starting application one: application one is running already");
  EXPECT_TRUE(applications_.stop("one", kWait).ok());
  EXPECT_TRUE(applications_.start(spec("one", {}), kWait).ok());
}

TEST_F(Application, StoppingAnUnknownNameIsNotFound) {
  const auto result = applications_.stop("nobody", kWait);

  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), Code::kNotFound);
}

TEST_F(Application, TheTypeDecidesWhatItsEndMeansForTheNode) {
  for (const auto& [type, expected] :
       {std::pair(ApplicationType::kPermanent, "app shutdown ends the node"),
        std::pair(ApplicationType::kTransient, "app shutdown ends the node"),
        std::pair(ApplicationType::kTemporary, "app shutdown")}) {
    ASSERT_TRUE(
        applications_.start(spec("app", {child("a")}, "#{intensity => 0}", type), kWait).ok());
    const auto started = watcher_.await("{started,a}");

    cast(started.from, "{stop, oops}");

    EXPECT_EQ(await_ended(), expected);
    EXPECT_EQ(names(), "");
    watcher_.forget();
  }
}

class ApplicationController : public test::SupervisorFixture {
 protected:
  ApplicationSpec spec(const std::string& name) {
    ApplicationSpec made;
    made.name = name;
    made.supervisor = read_supervisor_spec(parse("{#{}, []}").root(), atoms_).value();
    return made;
  }
  std::atomic<int> told_{0};
  Applications applications_{runtime_, [](const Ended&) {}, [this] { ++told_; }};
};

TEST_F(ApplicationController, ItRefusesWhatApplicationsDoesNotAskFor) {
  // It ended the host over a request of another form, and read beyond its table for an index that
  // is none.
  ASSERT_TRUE(applications_.start(spec("one"), kWait).ok());
  const baton_term controller = applications_.controller();
  for (const char* request : {"hello", "{}", "{start,1}", "{stop,1}", "{stop,0}", "{start,99}",
                              "{start,-1}", "{start,65537}", "{stop,9223372036854775808}",
                              "{start,1.0}", "{other,1}", "#{}", "{'EXIT',x,y}"}) {
    EXPECT_EQ(call(controller, request),
              "{error,<<\"the host starts and stops applications by itself\">>}")
        << request;
    cast(controller, request);
    send(controller, request);
  }

  EXPECT_EQ(applications_.list().size(), 1u);
  EXPECT_TRUE(applications_.start(spec("two"), kWait).ok());
  EXPECT_TRUE(applications_.stop("one", kWait).ok());
  EXPECT_TRUE(applications_.stop("two", kWait).ok());
}

TEST_F(ApplicationController, ItsEndIsTold) {
  ASSERT_TRUE(applications_.start(spec("one"), kWait).ok());

  exit_signal(applications_.controller(), "kill");

  const auto deadline = std::chrono::steady_clock::now() + kWait;
  while (told_ == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(told_, 1);
}

TEST_F(ApplicationController, ItsEndWithTheRuntimeIsNotTold) {
  ASSERT_TRUE(applications_.start(spec("one"), kWait).ok());

  runtime_.stop();

  EXPECT_EQ(told_, 0);
}

TEST_F(Application, EveryProcessReadsTheEnvironmentOfItsOwnApplication) {
  ApplicationSpec one = spec("one", {child("a")}), two = spec("two", {child("b")});
  one.env = {{"port", Literal(term::make_int(7001))}};
  two.env = {{"port", Literal::parse("{<<\"x\">>, [1]}", atoms_).value()}};
  ASSERT_TRUE(start_all({one, two}).ok());
  const baton_term a = watcher_.await("{started,a}").from;
  const baton_term b = watcher_.await("{started,b}").from;

  cast(a, "{config, \"port\"}");
  cast(b, "{config, \"port\"}");
  cast(b, "{config, \"other\"}");

  EXPECT_EQ(watcher_.inbox().await_from(a, "{config,a,7001}").from, a);
  EXPECT_EQ(watcher_.inbox().await_from(b, "{config,b,{<<\"x\">>,[1]}}").from, b);
  EXPECT_EQ(watcher_.inbox().await_from(b, "{config,b,undefined}").from, b);
}

TEST_F(Application, AChangedEnvironmentIsToldToTheTopLevelWorkers) {
  ApplicationSpec one = spec("one", {child("a")});
  one.env = {{"port", Literal(term::make_int(1))}, {"old", Literal(term::make_int(2))}};
  ASSERT_TRUE(applications_.start(one, kWait).ok());

  ASSERT_TRUE(applications_
                  .change_environment(
                      "one",
                      {{"port", Literal(term::make_int(9))}, {"new", Literal(term::make_int(3))}},
                      kWait)
                  .ok());

  watcher_.await("{got,a,{config_change,[{port,9}],[{new,3}],[old]}}");
  EXPECT_EQ(text(applications_.value("one", "port").root()), "9");
  EXPECT_FALSE(applications_.value("one", "old"));
}

TEST_F(Application, ADescriptionBecomesATreeWithItsArgsAndNames) {
  description::ApplicationDescription description;
  description.name = "shop";
  description.type = ApplicationType::kTransient;
  description.env = {{"limit", "#{a => 1}"}};
  description.supervisor.name = "shop_sup";
  description.supervisor.intensity = 5;
  description::ChildDescription worker;
  worker.id = "w";
  worker.module = "test";
  worker.behaviour = "child";
  worker.args = "[" + watcher_.text() + ", w]";
  worker.name = "worker_name";
  description::ChildDescription nested;
  nested.id = "nested";
  nested.type = description::ChildType::kSupervisor;
  nested.shutdown.kind = Shutdown::Kind::kInfinity;
  nested.supervisor.name = "nested_sup";
  description.supervisor.children = {worker, nested};

  auto converted = application_spec_of(description, atoms_);
  ASSERT_TRUE(converted.ok()) << converted.error().message();
  ASSERT_TRUE(applications_.start(*converted, kWait).ok());

  EXPECT_EQ(converted->supervisor.flags.intensity, 5u);
  EXPECT_EQ(text(applications_.value("shop", "limit").root()), "#{a => 1}");
  EXPECT_EQ(runtime_.registry().whereis(atom("shop_sup")), top("shop"));
  const baton_term w = watcher_.await("{started,w}").from;
  EXPECT_EQ(runtime_.registry().whereis(atom("worker_name")), w);
  EXPECT_EQ(child_pid(top("shop"), "nested"), runtime_.registry().whereis(atom("nested_sup")));
}

TEST_F(Application, ADescriptionWithArgsThatDoNotParseNamesTheChild) {
  description::ApplicationDescription description;
  description.name = "shop";
  description::ChildDescription worker;
  worker.id = "w";
  worker.module = "test";
  worker.behaviour = "child";
  worker.args = "[";
  description.supervisor.children = {worker};

  auto converted = application_spec_of(description, atoms_);

  ASSERT_FALSE(converted.ok());
  EXPECT_TRUE(converted.error().message().starts_with("application shop: child w: args: 1:"))
      << converted.error().message();
}

// ---- Set aside

TEST_F(Application, OneThatIsSetAsideIsNotCountedAndComesBackAtItsPlace) {
  ASSERT_TRUE(start_all({spec("one", {child("a")}), spec("two", {}), spec("three", {})}).ok());
  const baton_term top_of_one = top("one");

  const auto aside = applications_.set_aside("one");

  ASSERT_TRUE(aside.ok());
  EXPECT_EQ(*aside, top_of_one);
  EXPECT_EQ(names(), "two three");
  EXPECT_FALSE(applications_.start(spec("one", {}), kWait).ok());
  EXPECT_TRUE(applications_.put_back("one"));
  applications_.place("one", "two");
  EXPECT_EQ(names(), "two one three");
  EXPECT_EQ(top("one"), top_of_one);
}

TEST_F(Application, OneThatEndsWhileItIsSetAsideIsNotReportedAndCannotComeBack) {
  ASSERT_TRUE(applications_.start(spec("app", {child("a")}, "#{intensity => 0}"), kWait).ok());
  const auto started = watcher_.await("{started,a}");
  const auto aside = applications_.set_aside("app");
  ASSERT_TRUE(aside.ok());

  cast(started.from, "{stop, oops}");
  watcher_.await("{ended,a,oops}");

  EXPECT_TRUE(applications_.end_aside("app", kWait).ok());
  EXPECT_FALSE(applications_.put_back("app"));
  std::lock_guard lock(mutex_);
  EXPECT_TRUE(ended_.empty());
}

TEST_F(Application, EndingOneThatIsSetAsideStopsItsTree) {
  ASSERT_TRUE(applications_.start(spec("app", {child("a")}), kWait).ok());
  ASSERT_TRUE(applications_.set_aside("app").ok());

  ASSERT_TRUE(applications_.end_aside("app", kWait).ok());

  watcher_.await("{ended,a,shutdown}");
  EXPECT_TRUE(applications_.start(spec("app", {}), kWait).ok());
}

TEST_F(Application, ATypeThatChangesCountsFromNowOn) {
  ASSERT_TRUE(applications_.start(spec("app", {child("a")}, "#{intensity => 0}"), kWait).ok());
  const auto started = watcher_.await("{started,a}");

  applications_.change_type("app", ApplicationType::kTemporary);
  cast(started.from, "{stop, oops}");

  EXPECT_EQ(await_ended(), "app shutdown");
}

// ---- Steps of the tree

class RunningTree : public Application {
 protected:
  /// Starts the application `app` and gives its tree.
  SupervisionTree tree(const std::vector<std::string>& children, const std::string& flags = "#{}") {
    EXPECT_TRUE(applications_.start(spec("app", children, flags), kWait).ok());
    sup_ = top("app");
    watcher_.forget();
    return SupervisionTree(runtime_, sup_, kWait);
  }
  ChildSpec read(const std::string& spec) {
    auto made = read_child_spec(parse(spec).root(), atoms_);
    EXPECT_TRUE(made.ok());
    return std::move(made).value();
  }
  std::string sub(const std::string& id, const std::string& children) {
    return "#{id => " + id + ", start => {baton, supervisor, {#{}, [" + children + "]}}}";
  }
  Literal id(const std::string& text) { return Literal(atom(text)); }
};

TEST_F(RunningTree, AChildStartsAtItsPlace) {
  SupervisionTree running = tree({child("a"), child("b")});

  EXPECT_TRUE(running.start_child({}, read(child("first")), "").ok());
  EXPECT_TRUE(running.start_child({}, read(child("mid")), "a").ok());
  EXPECT_TRUE(running.start_child({}, read(child("last")), "b").ok());

  EXPECT_EQ(children(), "first=pid a=pid mid=pid b=pid last=pid");
}

TEST_F(RunningTree, AChildThatDoesNotStartIsForgotten) {
  SupervisionTree running = tree({child("a")});

  const auto started = running.start_child({}, read(child("x", "[{fail, nope}]")), "a");

  ASSERT_FALSE(started.ok());
  EXPECT_THAT(started.error().message(), testing::StartsWith("starting child x: {error,{nope,"));
  EXPECT_EQ(children(), "a=pid");
}

TEST_F(RunningTree, StepsBelowASupervisorAreTakenThere) {
  SupervisionTree running = tree({sub("s", child("b"))});
  const baton_term s = pid_of("s");

  EXPECT_TRUE(running.start_child({"s"}, read(child("c")), "b").ok());
  EXPECT_TRUE(running.stop_child({"s"}, id("b")).ok());

  EXPECT_EQ(pid_of("s"), s);
  EXPECT_NE(child_pid(s, "c"), BATON_NO_TERM);
  watcher_.await("{ended,b,shutdown}");
}

TEST_F(RunningTree, WhatAStoppedSupervisorWouldDoWaitsForItsStart) {
  SupervisionTree running = tree({sub("s", child("b"))});
  ASSERT_EQ(ask("{terminate_child, s}"), "ok");

  EXPECT_TRUE(running.start_child({"s"}, read(child("c")), "b").ok());
  EXPECT_TRUE(running.change_spec({}, read(sub("s", child("b") + "," + child("c")))).ok());

  EXPECT_EQ(ask("{restart_child, s}").substr(0, 4), "{ok,");
  watcher_.await("{started,c}");
}

TEST_F(RunningTree, AChildThatIsSetAsideComesBackAsItIs) {
  SupervisionTree running = tree({child("a"), child("b"), child("c")});
  const baton_term b = pid_of("b");

  const auto aside = running.set_aside({}, id("b"));

  ASSERT_TRUE(aside.ok());
  EXPECT_EQ(*aside, b);
  EXPECT_EQ(children(), "a=pid c=pid");
  EXPECT_TRUE(is_alive(b));
  EXPECT_TRUE(running.put_back({}, read(child("b")), "a").ok());
  EXPECT_EQ(children(), "a=pid b=pid c=pid");
  EXPECT_EQ(pid_of("b"), b);
}

TEST_F(RunningTree, AChildThatEndsWhileItIsSetAsideIsStartedAnewOnlyWhenItComesBack) {
  SupervisionTree running = tree({child("a"), child("b")});
  const baton_term b = pid_of("b");
  ASSERT_TRUE(running.set_aside({}, id("b")).ok());

  cast(b, "{stop, oops}");
  watcher_.await("{ended,b,oops}");
  EXPECT_EQ(children(), "a=pid");
  EXPECT_TRUE(running.put_back({}, read(child("b")), "a").ok());

  EXPECT_EQ(children(), "a=pid b=pid");
  EXPECT_NE(pid_of("b"), b);
}

TEST_F(RunningTree, TheIdOfOneThatIsSetAsideIsFree) {
  SupervisionTree running = tree({child("a")});
  const baton_term a = pid_of("a");
  ASSERT_TRUE(running.set_aside({}, id("a")).ok());

  EXPECT_TRUE(running.start_child({}, read(child("a")), "").ok());

  EXPECT_NE(pid_of("a"), a);
  EXPECT_FALSE(running.put_back({}, read(child("a")), "").ok());
  EXPECT_TRUE(running.end_aside({}, id("a")).ok());
  EXPECT_FALSE(is_alive(a));
  EXPECT_EQ(children(), "a=pid");
}

TEST_F(RunningTree, AGroupRestartPassesByWhatIsSetAside) {
  SupervisionTree running = tree({child("a"), child("b")}, "#{strategy => one_for_all}");
  const baton_term a = pid_of("a"), b = pid_of("b");
  ASSERT_TRUE(running.set_aside({}, id("a")).ok());

  cast(b, "{stop, oops}");
  watcher_.await("{started,b}");

  EXPECT_TRUE(is_alive(a));
  EXPECT_TRUE(running.end_aside({}, id("a")).ok());
  watcher_.await("{ended,a,shutdown}");
}

TEST_F(RunningTree, WhatIsSetAsideStopsWithItsSupervisor) {
  SupervisionTree running = tree({child("a"), child("b")});
  ASSERT_TRUE(running.set_aside({}, id("a")).ok());

  ASSERT_TRUE(applications_.stop("app", kWait).ok());

  watcher_.await("{ended,a,shutdown}");
  watcher_.await("{ended,b,shutdown}");
}

TEST_F(RunningTree, ATemplateChangesForLaterChildrenOnly) {
  const auto simple = [&](const std::string& shutdown) {
    return tree_of("#{strategy => simple_one_for_one}",
                   "#{id => item, start => {test, child, [" + watcher_.text() +
                       "]}, restart => temporary, shutdown => " + shutdown + "}");
  };
  ApplicationSpec app = spec("app", {});
  app.supervisor = simple("100");
  ASSERT_TRUE(applications_.start(app, kWait).ok());
  sup_ = top("app");
  const baton_term item = call_for_pid(sup_, "{start_child, [i]}");

  ASSERT_TRUE(SupervisionTree(runtime_, sup_, kWait).change_specs({}, simple("200")).ok());

  EXPECT_TRUE(is_alive(item));
  EXPECT_NE(ask("{get_childspec, " + text(item) + "}").find("shutdown => 200"), std::string::npos);
}

// ---- Frozen

class FrozenTree : public RunningTree {};

TEST_F(FrozenTree, AFrozenProcessKeepsItsMailForLater) {
  tree({child("a")});
  const baton_term a = pid_of("a");

  const Frozen frozen = freeze(runtime_, a, kWait);
  cast(a, "hello");
  cast(a, "again");
  const auto status = sys::get_status(runtime_, a, kWait);
  ASSERT_TRUE(status.ok());
  EXPECT_THAT(text(status->root()), testing::HasSubstr("status => suspended"));
  EXPECT_TRUE(thaw(runtime_, frozen, kWait).ok());

  watcher_.await("{got,a,hello}");
  watcher_.await("{got,a,again}");
}

TEST_F(FrozenTree, AllBelowASupervisorFreezesAndItsSiblingsDoNot) {
  tree({sub("s", child("b") + "," + sub("t", child("c"))), child("d")});
  const baton_term s = pid_of("s");

  const Frozen frozen = freeze(runtime_, s, kWait);

  EXPECT_EQ(frozen.pids.size(), 4u);
  EXPECT_EQ(std::ranges::count(frozen.pids, pid_of("d")), 0);
  EXPECT_TRUE(thaw(runtime_, frozen, kWait).ok());
  EXPECT_NE(child_pid(s, "t"), BATON_NO_TERM);
}

TEST_F(FrozenTree, ItsNamesAreFreeUntilItGoesOn) {
  tree({child("a", "[]", "name => alice")});
  const baton_term a = pid_of("a");

  const Frozen frozen = freeze(runtime_, a, kWait);
  EXPECT_EQ(runtime_.registry().whereis(atom("alice")), BATON_NO_TERM);
  EXPECT_TRUE(thaw(runtime_, frozen, kWait).ok());

  EXPECT_EQ(runtime_.registry().whereis(atom("alice")), a);
}

TEST_F(FrozenTree, ANameThatSomebodyElseTookIsToldAndItGoesOnWithoutIt) {
  SupervisionTree running = tree({child("a", "[]", "name => alice")});
  const baton_term a = pid_of("a");
  const Frozen frozen = freeze(runtime_, a, kWait);
  ASSERT_TRUE(running.start_child({}, read(child("b", "[]", "name => alice")), "a").ok());

  const auto thawed = thaw(runtime_, frozen, kWait);

  ASSERT_FALSE(thawed.ok());
  EXPECT_EQ(thawed.error().message(), "others have registered alice meanwhile");
  cast(a, "hello");
  watcher_.await("{got,a,hello}");
}

TEST_F(FrozenTree, AFrozenTreeStopsInOrderWhenItsSupervisorSaysSo) {
  SupervisionTree running = tree({sub("s", child("b", "[trap]") + "," + child("c", "[trap]"))});
  const baton_term s = pid_of("s");
  ASSERT_TRUE(running.set_aside({}, id("s")).ok());
  freeze(runtime_, s, kWait);

  EXPECT_TRUE(running.end_aside({}, id("s")).ok());

  EXPECT_EQ(watcher_.next().text, "{ended,c,shutdown}");
  EXPECT_EQ(watcher_.next().text, "{ended,b,shutdown}");
}

}  // namespace
}  // namespace baton::behaviour
