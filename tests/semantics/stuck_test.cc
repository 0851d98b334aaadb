// A callback that does not return costs its process, and nothing else.
#include "code/version.h"
#include "runtime/primitives.h"
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

class StuckTest : public test::RuntimeFixture {
 protected:
  explicit StuckTest(std::uint32_t schedulers = 1, const LongScheduleLimits& limits = kLimits)
      : RuntimeFixture(schedulers, nullptr, limits) {}
  ~StuckTest() override {
    // It tells this object what it sees.
    runtime_.watch().stop();
    test::native::captives_linger = false;
    test::native::captives_linger.notify_all();
    for (auto& cell : cells_) cell->open();
    for (std::thread& runner : runners_) runner.join();
  }

  Probe captive() { return probe(code_.current("test"), "captive"); }
  /// Its callback stays inside until the cell is opened, and then does the work.
  Cell& lock_up(Probe& captive, std::function<void(Context&)> work = nullptr) {
    Cell& cell = make_cell();
    runners_.emplace_back([&cell, captive, work]() mutable {
      captive.run([&](Context& context) {
        cell.stay();
        if (work) work(context);
      });
    });
    cell.await_inside();
    return cell;
  }
  Cell& make_cell() { return *cells_.emplace_back(std::make_unique<Cell>()); }
  void await_abandoned(std::uint32_t count) {
    while (version().abandoned() != count) std::this_thread::yield();
  }
  code::Version& version() { return *code_.current("test"); }

  void kill(baton_term pid) { exit_signal(pid, "kill"); }
  baton_term monitor(Probe& from, baton_term to) {
    baton_term ref = BATON_NO_TERM;
    from.run([&](Context& context) { ref = runtime::monitor(context, to); });
    return ref;
  }
  void link(Probe& from, baton_term to) {
    from.run([&](Context& context) { runtime::link(context, to); });
  }

 private:
  std::vector<std::unique_ptr<Cell>> cells_;
  std::vector<std::thread> runners_;
};

// A gen_server whose callbacks wait in a frame for ever, and whose state is shown in a cell.
namespace waiting {

Cell* cell;
std::atomic<int> frames_destroyed;

struct State {};

int init(baton_context*, void*, const Message*) { return BATON_OK; }
int handle(baton_context* context, void*, const Message*) {
  context->frame = &frames_destroyed;
  return BATON_AWAIT;
}
int resume(baton_context* context, void*, void* frame) {
  context->frame = frame;
  return BATON_AWAIT;
}
void destroy_frame(baton_context*, void*) { ++frames_destroyed; }
Message* to_term(baton_context* context, const void*) {
  cell->stay();
  return context->host->alloc(context, 0);
}

constexpr baton_schema kSchema = native_schema<State>("waiting", to_term);
constexpr baton_behaviour kBehaviour{.name = "waiting",
                                     .kind = BATON_GEN_SERVER,
                                     .flags = 0,
                                     .state = &kSchema,
                                     .init = init,
                                     .handle = handle,
                                     .resume = resume,
                                     .destroy_frame = destroy_frame,
                                     .terminate = nullptr};

}  // namespace waiting

class StuckOnTwoTest : public StuckTest {
 protected:
  StuckOnTwoTest() : StuckTest(2) {}
};

// ---- The host goes on

TEST_F(StuckTest, MailAndTimersOfItsSchedulerGoOn) {
  Probe stuck = captive(), other = probe();
  other.run([](Context& context) {
    Message* message = context.allocate(1);
    message->root = term::atoms::kOk;
    send_after(context, 80 * kMs, context.self, message);
  });
  lock_up(stuck);

  EXPECT_EQ(call(atom("nobody"), "hello").substr(0, 6), "error:");
  other.await("{timeout,ok}");
}

TEST_F(StuckTest, ABarrierPasses) {
  Probe stuck = captive();
  lock_up(stuck);

  EXPECT_TRUE(runtime_.barrier(now_ns() + 2'000 * kMs));
}

TEST_F(StuckTest, AsManyAsThereAreThreadsAreContained) {
  std::vector<Probe> all;
  for (int i = 0; i < 10; ++i) all.push_back(captive());
  for (Probe& stuck : all) lock_up(stuck);
  Probe other = probe();

  other.run([](Context&) {});
}

TEST_F(StuckTest, WhatItWasSentIsHandledInOrderWhenItHasReturned) {
  Probe stuck = captive();
  Cell& cell = lock_up(stuck);
  for (const char* text : {"one", "two", "three"}) send(stuck.pid(), text);
  Probe other = probe();
  other.run([](Context&) {});  // a scheduler goes on without it

  cell.open();

  for (const char* text : {"one", "two", "three"}) EXPECT_EQ(stuck.next().text, text);
}

TEST_F(StuckTest, ItMayUseTheHostMeanwhile) {
  Probe stuck = captive(), other = probe();
  baton_term monitor = BATON_NO_TERM;
  Cell& cell = lock_up(stuck, [&](Context& context) {
    const baton_host& host = *context.host;
    Message* message = host.alloc(&context, 0);
    message->root = term::atoms::kOk;
    host.send(&context, other.pid(), message);
    monitor = host.monitor(&context, other.pid());
    host.link(&context, other.pid());
    message = host.alloc(&context, 1);
    message->root = term::atoms::kOk;
    host.send_after(&context, 1, other.pid(), message);
    EXPECT_EQ(host.register_name(&context, atom("captive"), context.self), 0);
  });
  Probe third = probe();
  third.run([](Context&) {});

  cell.open();

  EXPECT_EQ(other.await("ok").from, stuck.pid());
  other.await("{timeout,ok}");
  exit_signal(other.pid(), "oops");  // the link is there
  while (is_alive(stuck.pid())) std::this_thread::yield();
  EXPECT_NE(monitor, BATON_NO_TERM);
  EXPECT_EQ(runtime_.registry().whereis(atom("captive")), BATON_NO_TERM);
}

// A coroutine process: it stays in the cell when it gets its first message, and tells of another.
struct Keeper {
  static inline Cell* cell = nullptr;
  static inline baton_term reporter = BATON_NO_TERM;
  static int init(baton_context* raw, void*, const Message*) {
    raw->frame = raw;
    return BATON_AWAIT;
  }
  static int resume(baton_context* raw, void*, void* frame) {
    raw->frame = frame;
    Message* message = raw->host->receive(raw);
    if (message == nullptr) return BATON_AWAIT;
    if (Cell* first = std::exchange(cell, nullptr)) {
      raw->host->free(raw, message);
      first->stay();
    } else {
      raw->host->send(raw, reporter, message);
    }
    return BATON_AWAIT;
  }
  static void destroy(baton_context*, void*) {}
};
constexpr baton_behaviour kKeeper{.name = "keeper",
                                  .kind = BATON_PROCESS,
                                  .flags = 0,
                                  .state = nullptr,
                                  .init = Keeper::init,
                                  .handle = nullptr,
                                  .resume = Keeper::resume,
                                  .destroy_frame = Keeper::destroy,
                                  .terminate = nullptr};

TEST_F(StuckTest, AFrameGetsWhatWasTakenForItsSignals) {
  // Its signals act while it is stuck; the mail beside them was taken with them, and never came.
  Probe reporter = probe();
  Cell cell;
  Keeper::cell = &cell;
  Keeper::reporter = reporter.pid();
  baton_term keeper = BATON_NO_TERM;
  reporter.run([&](Context& context) {
    keeper =
        runtime::spawn(context, {.version = &version(), .behaviour = &kKeeper, .args = nullptr})
            .pid;
  });
  send(keeper, "first");
  cell.await_inside();
  await_report(What::kStuck);
  send(keeper, "second");
  monitor(reporter, keeper);
  while (runtime_.find(keeper)->mailbox.has_new_mail()) std::this_thread::yield();

  cell.open();

  EXPECT_EQ(reporter.next().text, "second");
  kill(keeper);
  EXPECT_EQ(reporter.next().text, "{'DOWN',killed}");
}

TEST_F(StuckTest, ThreadsThatCameBackAreUsedAgain) {
  for (int round = 0; round < 8; ++round) {
    Probe stuck = captive();
    Cell& cell = lock_up(stuck);
    Probe other = probe();
    other.run([](Context&) {});
    cell.open();
    stuck.run([](Context&) {});
  }
  EXPECT_LE(runtime_.runners().count(), 3u);
}

TEST_F(StuckTest, EachStepIsReported) {
  Probe stuck = captive(), other = probe();
  Cell& cell = lock_up(stuck);
  other.run([](Context&) {});

  const LongSchedule report = await_report(What::kStuck);
  EXPECT_EQ(report.pid, stuck.pid());
  EXPECT_EQ(report.module + report.version + report.behaviour, "test1.0.0captive");
  EXPECT_EQ(report.callback, "handle_info");
  EXPECT_GE(report.age_ns, kLimits.stuck_after_ns);
  cell.open();
  await_report(What::kReturned);
}

// ---- What waits behind it

class SharedTest : public StuckTest {
 protected:
  SharedTest()
      : StuckTest(2, {.long_schedule_ns = 3'600'000 * kMs, .stuck_after_ns = 3'600'000 * kMs}) {}
};

TEST_F(SharedTest, WorkersOfOneProcessRunOnAllSchedulers) {
  // Both are spawned by one callback, and so stand behind each other; neither returns before the
  // other is inside.
  Probe parent = probe();
  std::atomic<int> inside{0};
  const auto meet = [&](Context&) {
    ++inside;
    inside.notify_all();
    for (int now = inside; now != 2; now = inside) inside.wait(now);
  };
  Probe one = captive(), two = captive();
  test::native::Job first{.work = {}, .mutex = {}, .is_over = {}},
      second{.work = {}, .mutex = {}, .is_over = {}};
  for (auto* job : {&first, &second})
    job->work = [&](Context& context) {
      meet(context);
      return int{BATON_OK};
    };
  parent.run([&](Context& context) {
    for (const auto& [pid, job] : {std::pair(one.pid(), &first), std::pair(two.pid(), &second)}) {
      Message* message = context.allocate(1);
      message->root = test::native::kRun;
      message->word[0] = reinterpret_cast<baton_term>(job);
      runtime::send(context, pid, message);
    }
  });
  for (auto* job : {&first, &second}) {
    std::unique_lock lock(job->mutex);
    EXPECT_TRUE(job->is_over.wait_for(lock, test::kDeadline, [&] { return job->is_done; }));
  }
}

// ---- Its end

TEST_F(StuckTest, KilledItIsDeadToAll) {
  Probe stuck = captive(), watcher = probe(), linked = probe();
  linked.trap_exit();
  monitor(watcher, stuck.pid());
  link(linked, stuck.pid());
  stuck.run([&](Context& context) {
    context.host->register_name(&context, atom("captive"), context.self);
  });
  lock_up(stuck);
  std::string answer;
  std::thread caller([&] { answer = call(stuck.pid(), "hello"); });

  kill(stuck.pid());

  EXPECT_EQ(watcher.next().text, "{'DOWN',killed}");
  EXPECT_EQ(linked.next().text, "{'EXIT',killed}");
  caller.join();
  EXPECT_NE(answer.find("ended"), std::string::npos) << answer;
  EXPECT_FALSE(is_alive(stuck.pid()));
  EXPECT_EQ(runtime_.registry().whereis(atom("captive")), BATON_NO_TERM);
  EXPECT_EQ(version().abandoned(), 1u);
  EXPECT_EQ(await_report(What::kAbandoned).pid, stuck.pid());
}

TEST_F(StuckTest, WhatADeadOneAsksForIsRefused) {
  Probe stuck = captive(), other = probe();
  std::atomic<bool> was_refused{false};
  Cell& cell = lock_up(stuck, [&](Context& context) {
    const baton_host& host = *context.host;
    host.send(&context, other.pid(), host.alloc(&context, 1));
    host.cast(&context, other.pid(), host.alloc(&context, 1));
    host.call(&context, other.pid(), host.alloc(&context, 1));
    host.exit(&context, other.pid(), host.alloc(&context, 1));
    host.link(&context, other.pid());
    host.monitor(&context, other.pid());
    host.demonitor(&context, host.make_ref(&context));
    host.send_after(&context, 0, other.pid(), host.alloc(&context, 1));
    host.trap_exit(&context, 1);
    host.log(&context, 1, "not said", 8);
    was_refused = host.receive(&context) == nullptr &&
                  host.register_name(&context, atom("dead"), context.self) != 0 &&
                  host.whereis(&context, atom("dead")) == BATON_NO_TERM &&
                  host.spawn(&context, version().behaviour("captive"), nullptr, nullptr) == 0;
  });
  send(stuck.pid(), "unread");
  kill(stuck.pid());
  await_report(What::kAbandoned);

  cell.open();
  await_abandoned(0);

  other.run([](Context&) {});
  EXPECT_TRUE(was_refused);
  EXPECT_EQ(other.inbox().size(), 0u);
  EXPECT_TRUE(is_alive(other.pid()));
  EXPECT_TRUE(log_lines().empty());
  EXPECT_EQ(version().lease_count(), 1u);  // the other's
}

TEST_F(StuckTest, AnExitSignalOfALinkEndsItToo) {
  Probe stuck = captive(), watcher = probe();
  monitor(watcher, stuck.pid());
  lock_up(stuck);

  exit_signal(stuck.pid(), "oops");

  EXPECT_EQ(watcher.next().text, "{'DOWN',killed}");
}

TEST_F(StuckTest, OneThatTrapsExitsGetsThemWhenItHasReturned) {
  Probe stuck = captive(), watcher = probe();
  stuck.trap_exit();
  monitor(watcher, stuck.pid());
  Cell& cell = lock_up(stuck);
  exit_signal(stuck.pid(), "oops");
  monitor(watcher, stuck.pid());  // acts at once, so the other signal has
  await_report(What::kStuck);

  cell.open();

  EXPECT_EQ(stuck.next().text, "{'EXIT',oops}");
  EXPECT_EQ(watcher.inbox().size(), 0u);
}

TEST_F(StuckTest, ItsTerminateHasTheTimeThatItTakesUntilItIsKilled) {
  Probe stuck = captive(), watcher = probe();
  monitor(watcher, stuck.pid());
  test::native::captives_linger = true;
  ASSERT_TRUE(
      runtime_.system(stuck.pid(), kTerminate, test::kDeadline, term::atoms::kShutdown).ok());
  await_report(What::kStuck);
  for (int i = 0; i < 20; ++i) probe().run([](Context&) {});
  EXPECT_EQ(watcher.inbox().size(), 0u);

  kill(stuck.pid());

  EXPECT_EQ(watcher.next().text, "{'DOWN',killed}");
}

TEST_F(StuckTest, AVersionWithTooManyStartsNoMore) {
  std::vector<Probe> all{captive(), captive()};
  std::vector<Cell*> cells;
  for (Probe& stuck : all) cells.push_back(&lock_up(stuck));
  for (Probe& stuck : all) kill(stuck.pid());
  await_abandoned(2);

  const auto start = [&] {
    External external(runtime_);
    return spawn(external.context(),
                 {.version = &version(),
                  .behaviour = version().behaviour("stubborn"),
                  .args = message_of(external.context(), parse("[nobody,x]").root())})
        .error;
  };
  while (start() != SpawnError::kBarred) std::this_thread::yield();

  cells[0]->open();
  await_abandoned(1);
  EXPECT_EQ(start(), SpawnError::kNone);
}

TEST_F(StuckTest, AbandonedItGetsWhatTimeNobodyElseWants) {
  std::atomic<int> policies[2] = {-1, -1};
  std::uint32_t runners = 0;
  for (int round = 0; round < 4; ++round) {
    Probe stuck = captive();
    Cell& cell = lock_up(stuck, [&](Context&) { policies[round % 2] = sched_getscheduler(0); });
    // Every other one is only exiled.
    if (round % 2 == 0) {
      kill(stuck.pid());
      await_abandoned(1);
    } else {
      await_report(What::kStuck);
    }
    cell.open();
    await_abandoned(0);
    if (round % 2 != 0) stuck.run([](Context&) {});
    if (round == 1) runners = runtime_.runners().count();
  }
  EXPECT_EQ(policies[0], SCHED_IDLE);
  EXPECT_EQ(policies[1], SCHED_OTHER) << "its thread has ended, as it may not be raised again";
  EXPECT_EQ(runtime_.runners().count(), runners);
}

// It began to wait in a frame, and nobody counted that it waited no more: no take-over of its
// version came to rest again.
TEST_F(StuckTest, OneThatIsKilledWhileItShowsItsStateWaitsInNoFrame) {
  Probe other = probe();
  waiting::cell = &make_cell();
  waiting::frames_destroyed = 0;
  baton_term pid = BATON_NO_TERM;
  // Both are there when it takes its mail: it shows its state when it has begun to wait.
  other.run([&](Context& context) {
    pid = runtime::spawn(
              context, {.version = &version(), .behaviour = &waiting::kBehaviour, .args = nullptr})
              .pid;
    runtime::send(context, pid, context.allocate(0));
    Message* show = context.allocate(2, kSystemSignal);
    show->word[1] = kGetState;
    runtime::ask(context, pid, show);
  });
  waiting::cell->await_inside();

  kill(pid);
  await_abandoned(1);
  waiting::cell->open();
  await_abandoned(0);

  code::Version* const group[] = {&version()};
  EXPECT_TRUE(is_at_rest(runtime_, group, 0));
  EXPECT_EQ(waiting::frames_destroyed, 1);
}

TEST_F(StuckTest, ItsSlotIsUsedAgain) {
  Probe stuck = captive(), other = probe();
  Cell& cell = lock_up(stuck);
  kill(stuck.pid());
  await_abandoned(1);
  cell.open();
  await_abandoned(0);

  for (int i = 0; i < 2000; ++i) {
    Probe next = probe();
    exit_signal(next.pid(), "kill");
  }
  other.run([](Context&) {});
}

TEST_F(StuckTest, TheRuntimeStopsInTimeAndSaysSo) {
  Probe stuck = captive();
  Cell& cell = lock_up(stuck);

  EXPECT_FALSE(runtime_.stop(now_ns() + 50 * kMs));

  cell.open();
  EXPECT_TRUE(runtime_.stop());
}

// ---- The boundary by itself

TEST(BoundaryTest, AClaimAndTheRunnerNeverActAtOnce) {
  // One of two threads counts at a time, each by its own rule; nobody's count is lost.
  if (!can_claim()) GTEST_SKIP() << "this system has no membarrier";
  constexpr int kCalls = 2000;  // in one callback
  constexpr std::uint64_t kClaims = 20'000;
  Boundary boundary;
  std::uint64_t counter = 0, by_runner = 0, by_claims = 0;
  std::atomic<bool> is_over{false};
  std::thread runner([&] {
    while (!is_over.load(std::memory_order_relaxed)) {
      const std::uint64_t inside = boundary.enter();
      for (int call = 0; call < kCalls; ++call) {
        boundary.begin_call();
        if (!boundary.may_go_on()) boundary.hold();
        ++counter;
        ++by_runner;
        boundary.is_held() ? boundary.release() : boundary.end_call();
      }
      if (boundary.leave(inside) != 0) boundary.wait_for_claim();
      ++counter;
      ++by_runner;
    }
  });
  while (by_claims < kClaims) {
    const std::uint64_t place = boundary.place();
    if (!Boundary::is_inside(place)) continue;
    const Claim claim(boundary, place);
    if (!claim.is_held()) continue;
    ++counter;
    ++by_claims;
  }
  is_over = true;
  runner.join();
  EXPECT_EQ(counter, by_runner + by_claims);
}

}  // namespace
}  // namespace baton::runtime
