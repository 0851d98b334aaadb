#include "behaviour/application.h"

#include "behaviour/supervision_tree.h"
#include "support/supervisor_fixture.h"

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
  ASSERT_TRUE(
      applications_
          .start_all({spec("one", {child("a"), child("b")}), spec("two", {child("c")})}, kWait)
          .ok());
  EXPECT_EQ(names(), "one two");

  ASSERT_TRUE(applications_.stop_all(kWait).ok());

  for (const char* mail : {"{started,a}", "{started,b}", "{started,c}", "{ended,c,shutdown}",
                           "{ended,b,shutdown}", "{ended,a,shutdown}"})
    EXPECT_EQ(watcher_.next().text, mail);
  EXPECT_EQ(names(), "");
}

TEST_F(Application, AFailedStartStopsThoseStartedBefore) {
  const auto result = applications_.start_all(
      {spec("one", {child("a")}), spec("two", {child("b", "[{fail, no_way}]")})}, kWait);

  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message(),
            "starting application two: {shutdown,{failed_to_start_child,b,no_way}}");
  watcher_.await("{ended,a,shutdown}");
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
    watcher_.inbox().clear();
  }
}

TEST_F(Application, EveryProcessReadsTheEnvironmentOfItsOwnApplication) {
  ApplicationSpec one = spec("one", {child("a")}), two = spec("two", {child("b")});
  one.env = {{"port", Literal(term::make_int(7001))}};
  two.env = {{"port", Literal::parse("{<<\"x\">>, [1]}", atoms_).value()}};
  ASSERT_TRUE(applications_.start_all({one, two}, kWait).ok());
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

// ---- Changes of the tree

class SupervisionTree : public Application {
 protected:
  std::vector<std::string> texts(const SupervisorSpec& from, const SupervisorSpec& to) {
    std::vector<std::string> all;
    for (const TreeChange& change : difference(from, to, atoms_)) all.push_back(change.text());
    return all;
  }
  std::string sub(const std::string& id, const std::string& flags, const std::string& children) {
    return "#{id => " + id + ", start => {baton, supervisor, {" + flags + ", [" + children + "]}}}";
  }
};

TEST_F(SupervisionTree, EqualTreesHaveNoDifference) {
  const auto tree = tree_of("#{}", child("a") + "," + sub("s", "#{}", child("b")));

  EXPECT_TRUE(difference(tree, tree, atoms_).empty());
}

TEST_F(SupervisionTree, TheDifferenceNamesEveryStepWithItsReason) {
  const auto from = tree_of("#{}", child("gone") + "," + child("args") + "," + child("spec") + "," +
                                       sub("s", "#{}", child("deep")));
  const auto to = tree_of("#{intensity => 3}",
                          child("args", "[trap]") + "," + child("spec", "[]", "shutdown => 1") +
                              "," + child("new") + "," + sub("s", "#{}", child("deeper")));

  EXPECT_EQ(
      texts(from, to),
      (std::vector<std::string>{
          "stop child gone: it is no longer declared",
          "change the top supervisor: its flags changed", "restart child args: its args changed",
          "keep child spec: shutdown changed, which counts from now on",
          "start child new: it is new", "stop child s/deep: it is no longer declared",
          "start child s/deeper: it is new"}));
}

TEST_F(SupervisionTree, AChangedTreeKeepsTheProcessesThatStay) {
  ASSERT_TRUE(applications_
                  .start(spec("app", {child("gone"), child("stays"), child("args"),
                                      sub("s", "#{}", child("deep") + "," + child("below"))}),
                         kWait)
                  .ok());
  sup_ = top("app");
  const baton_term stays = pid_of("stays"), args = pid_of("args"), s = pid_of("s");
  const baton_term below = child_pid(s, "below");
  watcher_.inbox().clear();

  const auto wanted = tree_of(
      "#{}", child("new") + "," + child("stays") + "," + child("args", "[trap]") + "," +
                 sub("s", "#{strategy => one_for_all}", child("deeper") + "," + child("below")));
  const auto changed = applications_.change_tree("app", wanted, kWait);

  ASSERT_TRUE(changed.ok()) << changed.error().message();
  EXPECT_EQ(children(), "new=pid stays=pid args=pid s=pid");
  EXPECT_EQ(pid_of("stays"), stays);
  EXPECT_NE(pid_of("args"), args);
  EXPECT_EQ(pid_of("s"), s);
  EXPECT_EQ(child_pid(s, "below"), below);
  EXPECT_NE(child_pid(s, "deeper"), BATON_NO_TERM);
  for (const char* mail : {"{ended,args,shutdown}", "{ended,gone,shutdown}", "{started,new}",
                           "{started,args}", "{ended,deep,shutdown}", "{started,deeper}"})
    EXPECT_EQ(watcher_.next().text, mail);
  EXPECT_EQ(*applications_.tree("app"), wanted);
}

TEST_F(SupervisionTree, AChangeThatFailsIsUndoneByChangingBack) {
  ASSERT_TRUE(applications_.start(spec("app", {child("a"), child("b")}), kWait).ok());
  sup_ = top("app");
  const baton_term a = pid_of("a");
  const SupervisorSpec before = *applications_.tree("app");
  const auto wanted =
      tree_of("#{}", child("a") + "," + child("n") + "," + child("x", "[{fail, nope}]"));

  const auto changed = applications_.change_tree("app", wanted, kWait);
  ASSERT_FALSE(changed.ok());
  EXPECT_EQ(changed.error().message(), "application app: starting child x: {error,nope}");
  const auto undone = change_tree(runtime_, sup_, wanted, before, kWait);

  ASSERT_TRUE(undone.ok()) << undone.error().message();
  EXPECT_EQ(children(), "a=pid b=pid");
  EXPECT_EQ(pid_of("a"), a);
}

TEST_F(SupervisionTree, ATemplateChangesForLaterChildrenOnly) {
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

  ASSERT_TRUE(applications_.change_tree("app", simple("200"), kWait).ok());

  EXPECT_TRUE(is_alive(item));
  EXPECT_NE(ask("{get_childspec, " + text(item) + "}").find("shutdown => 200"), std::string::npos);
  const auto refused = applications_.change_tree("app", tree_of("#{}", ""), kWait);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kUsage);
}

}  // namespace
}  // namespace baton::behaviour
