// Errands: module code outside of any turn, and what becomes of it when nobody waits any longer.
#include "runtime/errand.h"

#include "runtime/runtime.h"
#include "runtime/watch.h"
#include "support/cell.h"
#include "support/runtime_fixture.h"
#include "support/short_limits.h"

#include <thread>

namespace baton::runtime {
namespace {

using test::Cell;
using test::kLimits;
using test::kMs;
using test::Mail;
using What = LongSchedule::What;

/// Calls one function as a hook, with a process or without.
class Visit final : public Errand {
 public:
  Visit(code::Version& version, Process* process, std::function<void()> function)
      : Errand(version.module_name(), version.number()),
        version_(version),
        process_(process),
        function_(std::move(function)) {}
  bool was_left() const { return was_left_; }
  /// The context still names the hook, whose code may be unloaded by now.
  bool has_left_traces() const { return has_left_traces_; }

 private:
  void run(Context& context) override {
    was_left_ = !call_hook(context, process_, &version_, "code_change", function_);
    has_left_traces_ = context.hook != nullptr || context.hook_code != nullptr;
  }
  void pin() override { version_.pin(); }
  void unpin(Context&) override { version_.unpin(); }

  code::Version& version_;
  Process* const process_;
  const std::function<void()> function_;
  std::atomic<bool> was_left_{false}, has_left_traces_{false};
};

class ErrandTest : public test::RuntimeFixture {
 protected:
  ErrandTest() : RuntimeFixture(1, nullptr, kLimits) {}
  ~ErrandTest() override {
    // It tells this object what it sees.
    runtime_.watch().stop();
    cell_.open();
    for (const auto& visit : visits_) visit->wait(kNever);
  }

  std::shared_ptr<Visit> lend(Process* process, std::function<void()> function) {
    auto visit = std::make_shared<Visit>(version(), process, std::move(function));
    visits_.push_back(visit);
    EXPECT_TRUE(runtime_.runners().lend(visit));
    return visit;
  }
  /// One that stays inside, and is left there.
  std::shared_ptr<Visit> leave_inside(Process* process) {
    auto visit = lend(process, [this] { cell_.stay(); });
    cell_.await_inside();
    EXPECT_FALSE(visit->wait(now_ns() + 10 * kMs));
    const std::uint64_t start = now_ns();
    while (!visit->leave()) std::this_thread::yield();
    EXPECT_GE(now_ns() - start, kLimits.stuck_after_ns);
    return visit;
  }
  Process* process_of(const Probe& probe) { return runtime_.find(probe.pid()); }
  code::Version& version() { return *code_.current("test"); }
  baton_term monitor(Probe& from, baton_term to) {
    baton_term ref = BATON_NO_TERM;
    from.run([&](Context& context) { ref = runtime::monitor(context, to); });
    return ref;
  }

  Cell cell_;

 private:
  std::vector<std::shared_ptr<Visit>> visits_;
};

TEST_F(ErrandTest, IsCarriedOutOnAThreadOfItsOwn) {
  std::thread::id ran;
  auto visit = lend(nullptr, [&] { ran = std::this_thread::get_id(); });

  EXPECT_TRUE(visit->wait(kNever));

  EXPECT_NE(ran, std::this_thread::get_id());
  EXPECT_FALSE(visit->was_left());
  EXPECT_FALSE(visit->leave());
}

TEST_F(ErrandTest, RunnersAreUsedAgain) {
  const std::uint32_t before = runtime_.runners().count();
  for (int i = 0; i < 100; ++i) lend(nullptr, [] {})->wait(kNever);

  EXPECT_EQ(runtime_.runners().count(), before + 1);
}

TEST_F(ErrandTest, LeavesNoTraceOfItsCodeInTheContext) {
  auto visit = lend(nullptr, [] {});
  visit->wait(kNever);
  EXPECT_FALSE(visit->has_left_traces());
}

TEST_F(ErrandTest, IsLeftInsideModuleCode) {
  auto visit = leave_inside(nullptr);
  EXPECT_EQ(version().abandoned(), 1u);
  EXPECT_FALSE(visit->leave()) << "twice";

  cell_.open();
  visit->wait(kNever);

  EXPECT_TRUE(visit->was_left());
  EXPECT_EQ(version().abandoned(), 0u);
}

TEST_F(ErrandTest, AProcessWhoseStateItReadsWaitsForIt) {
  Probe busy = probe(&version(), "captive");
  auto visit = leave_inside(process_of(busy));
  send(busy.pid(), "one");
  send(busy.pid(), "two");
  Probe other = probe();
  other.run([](Context&) {});  // the scheduler has come by
  EXPECT_EQ(busy.inbox().size(), 0u);
  const auto exiles = runtime_.watch().exiles();
  ASSERT_EQ(exiles.size(), 1u);
  EXPECT_EQ(exiles[0].callback.pid, busy.pid());

  cell_.open();

  EXPECT_EQ(busy.next().text, "one");
  EXPECT_EQ(busy.next().text, "two");
  visit->wait(kNever);
  EXPECT_TRUE(runtime_.watch().exiles().empty());
}

TEST_F(ErrandTest, AProcessThatNobodyWroteToGoesOnToo) {
  Probe busy = probe(&version(), "captive");
  leave_inside(process_of(busy));
  cell_.open();

  send(busy.pid(), "one");

  EXPECT_EQ(busy.next().text, "one");
}

TEST_F(ErrandTest, AProcessWhoseStateItReadsCanBeKilled) {
  Probe busy = probe(&version(), "captive"), other = probe();
  const baton_term ref = monitor(other, busy.pid());
  auto visit = leave_inside(process_of(busy));
  exit_signal(busy.pid(), "kill");

  const Mail down = other.await("{'DOWN',killed}");
  EXPECT_EQ(down.ref, ref);
  const LongSchedule report = await_report(What::kAbandoned);
  EXPECT_EQ(version().abandoned(), 2u) << "its process, and itself";
  EXPECT_EQ(report.pid, busy.pid());
  EXPECT_EQ(report.callback, "code_change");

  cell_.open();
  visit->wait(kNever);
  EXPECT_EQ(version().abandoned(), 0u);
}

TEST_F(ErrandTest, SignalsReachAProcessWhoseStateItReads) {
  Probe busy = probe(&version(), "captive"), other = probe();
  other.trap_exit();
  leave_inside(process_of(busy));
  other.run([&](Context& context) { runtime::link(context, busy.pid()); });
  exit_signal(busy.pid(), "broken");

  other.await("{'EXIT',killed}");
}

TEST_F(ErrandTest, ALongOneIsReported) {
  lend(nullptr, [this] { cell_.stay(); });

  const LongSchedule report = await_report(What::kLong);

  EXPECT_EQ(report.pid, BATON_NO_TERM);
  EXPECT_EQ(report.text().find("test 1.0.0: in code_change for "), 0u) << report.text();
  cell_.open();
}

TEST_F(ErrandTest, ALongOneIsReportedWhenAllElseIsIdle) {
  while (!runtime_.watch().is_asleep()) std::this_thread::yield();
  lend(nullptr, [this] { cell_.stay(); });
  EXPECT_EQ(await_report(What::kLong).pid, BATON_NO_TERM);
  cell_.open();
}

TEST_F(ErrandTest, OneThatIsLeftDoesNotKeepTheHostFromStopping) {
  leave_inside(nullptr);

  EXPECT_FALSE(runtime_.stop(now_ns() + 20 * kMs));

  cell_.open();
}

}  // namespace
}  // namespace baton::runtime
