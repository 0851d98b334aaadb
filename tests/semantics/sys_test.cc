#include "behaviour/sys.h"

#include "support/supervisor_fixture.h"

#include <algorithm>
#include <thread>

namespace baton::behaviour {
namespace {

class Sys : public test::SupervisorFixture {
 protected:
  /// A process whose callback does not return until it is let go.
  struct Stuck {
    std::atomic<bool> is_inside{false};
    std::atomic<bool> may_go{false};
  };
  void hold(Probe& probe, Stuck& stuck) {
    holder_ = std::thread([&probe, &stuck] {
      probe.run([&stuck](runtime::Context&) {
        stuck.is_inside = true;
        while (!stuck.may_go.load()) std::this_thread::yield();
      });
    });
    while (!stuck.is_inside.load()) std::this_thread::yield();
  }
  void let_go(Stuck& stuck) {
    stuck.may_go = true;
    holder_.join();
  }
  std::thread holder_;
};

TEST_F(Sys, ASuspendedProcessKeepsItsMailUntilItIsResumed) {
  start_running("#{}", {child("a")});
  const baton_term a = pid_of("a");

  ASSERT_TRUE(sys::suspend(runtime_, a).ok());
  ASSERT_TRUE(sys::suspend(runtime_, a).ok()) << "twice is no error";
  EXPECT_EQ(call(a, "who", std::chrono::milliseconds(50)), "error: no answer within 50 ms");
  send(a, "hello");
  const auto status = sys::get_status(runtime_, a);
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(term::map_value(status->root(), term::atom("status")), atom("suspended"));
  ASSERT_TRUE(sys::resume(runtime_, a).ok());

  watcher_.await("{got,a,hello}");
  EXPECT_EQ(call(a, "who"), "{ok,a}");
}

TEST_F(Sys, ASuspendedSupervisorStillEndsWithItsParent) {
  start_running("#{}", {child("a")});
  ASSERT_TRUE(sys::suspend(runtime_, sup_).ok());

  stop("shutdown");

  watcher_.await("{ended,a,shutdown}");
}

TEST_F(Sys, TerminateEndsAProcessWithTheReason) {
  start_running("#{}", {child("a", "[]", "restart => temporary")});

  ASSERT_TRUE(sys::terminate(runtime_, pid_of("a"), atom("because")).ok());

  watcher_.await("{ended,a,because}");
}

TEST_F(Sys, TheStateOfASupervisorIsItsFlagsAndChildren) {
  start_running("#{intensity => 7}", {child("a")});

  const auto state = sys::get_state(runtime_, sup_);

  ASSERT_TRUE(state.ok());
  const auto flags = term::map_value(state->root(), term::atom("flags"));
  ASSERT_TRUE(flags.has_value());
  EXPECT_EQ(text(term::map_value(*flags, term::atom("intensity")).value()), "7");
  EXPECT_EQ(term::map_value(state->root(), term::atom("phase")), atom("running"));
}

TEST_F(Sys, AProcessIsFoundByItsNameOrItsPid) {
  start_running("#{}", {child("a", "[]", "name => the_one")});
  const baton_term a = pid_of("a");

  EXPECT_EQ(*sys::find_process(runtime_, "the_one"), a);
  EXPECT_EQ(*sys::find_process(runtime_, text(a)), a);
  const auto nobody = sys::find_process(runtime_, "nobody");
  ASSERT_FALSE(nobody.ok());
  EXPECT_EQ(nobody.error().code(), Code::kNotFound);
}

TEST_F(Sys, APidThatIsDeadOrNeverWasIsNoProcess) {
  start_running("#{}", {child("a", "[]", "restart => temporary")});
  const baton_term a = pid_of("a");
  EXPECT_EQ(ask("{terminate_child, a}"), "ok");

  for (const std::string& pid : {text(a), std::string("<0.99999.9>"), std::string("<0.0.0>")}) {
    const auto found = sys::find_process(runtime_, pid);
    ASSERT_FALSE(found.ok()) << pid;
    EXPECT_EQ(found.error().code(), Code::kNotFound);
    EXPECT_EQ(found.error().message(), "no such process " + pid + "; baton ps lists those alive");
  }
}

TEST_F(Sys, WhatIsDeadIsNotFound) {
  start_running("#{}", {child("a", "[]", "restart => temporary")});
  const baton_term a = pid_of("a");
  EXPECT_EQ(ask("{terminate_child, a}"), "ok");

  const auto status = sys::get_status(runtime_, a);

  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), Code::kNotFound);
}

TEST_F(Sys, TheListOfProcessesComesInPagesWithoutGapsOrRepeats) {
  std::vector<std::string> specs;
  for (int i = 0; i < 25; ++i) specs.push_back(child("c" + std::to_string(i)));
  start_running("#{}", specs);

  std::vector<baton_term> all;
  std::uint32_t after = 0;
  do {
    const sys::Page page = sys::processes(runtime_, after, 7);
    EXPECT_LE(page.pids.size(), 7u);
    all.insert(all.end(), page.pids.begin(), page.pids.end());
    after = page.next;
  } while (after != 0);

  EXPECT_EQ(std::ranges::count(all, sup_), 1);
  for (int i = 0; i < 25; ++i)
    EXPECT_EQ(std::ranges::count(all, pid_of("c" + std::to_string(i))), 1);
}

TEST_F(Sys, AReportNamesTheStuckWithoutWaitingForThemAlone) {
  start_running("#{}", {child("a")});
  Probe stuck_one = probe();
  Stuck stuck;
  hold(stuck_one, stuck);
  const baton_term a = pid_of("a"), dead = term::make_pid(1, 999);
  const baton_term asked[] = {stuck_one.pid(), dead, a};

  const auto reports = sys::report(runtime_, asked, std::chrono::milliseconds(100));

  let_go(stuck);
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].pid, stuck_one.pid());
  EXPECT_FALSE(reports[0].status);
  EXPECT_EQ(reports[1].pid, a);
  EXPECT_EQ(term::map_value(reports[1].status.root(), term::atom("module")), atom("test"));
}

TEST_F(Sys, TheTreeShowsEveryApplicationDownToItsWorkers) {
  Applications applications(runtime_, [](const Ended&) {});
  ApplicationSpec app;
  app.name = "shop";
  const term::Block args =
      parse("{#{}, [" + child("a") + ", #{id => s, start => {baton, supervisor, {#{}, [" +
            child("b") + "]}}}, " + child("i", "[ignore]") + "]}");
  app.supervisor = read_supervisor_spec(args.root(), atoms_).value();
  ASSERT_TRUE(applications.start(app, test::kDeadline).ok());

  const auto tree = sys::tree(runtime_, applications);

  ASSERT_EQ(tree.size(), 1u);
  EXPECT_EQ(tree[0].id, "shop");
  ASSERT_EQ(tree[0].children.size(), 3u);
  EXPECT_EQ(tree[0].children[0].id, "a");
  EXPECT_EQ(tree[0].children[0].module, "test");
  EXPECT_EQ(tree[0].children[1].children.at(0).id, "b");
  EXPECT_EQ(tree[0].children[2].status, "stopped");
  EXPECT_TRUE(applications.stop("shop", test::kDeadline).ok());
}

TEST_F(Sys, ATreeShowsAtMostItsLimitOfChildrenAndCountsAll) {
  Applications applications(runtime_, [](const Ended&) {});
  ApplicationSpec app;
  app.name = "many";
  for (std::size_t i = 0; i <= sys::kTreeChildrenMax; ++i) {
    const term::Block map = parse(child(std::to_string(i), "[ignore]"));
    app.supervisor.children.push_back(read_child_spec(map.root(), atoms_).value());
  }
  ASSERT_TRUE(applications.start(app, test::kDeadline).ok());

  const auto tree = sys::tree(runtime_, applications);

  EXPECT_EQ(tree.at(0).child_count, sys::kTreeChildrenMax + 1);
  EXPECT_EQ(tree.at(0).children.size(), sys::kTreeChildrenMax);
  EXPECT_TRUE(applications.stop("many", test::kDeadline).ok());
}

}  // namespace
}  // namespace baton::behaviour
