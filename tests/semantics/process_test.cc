// What processes promise each other: links, monitors, exits, order, names, timers, calls.
#include "runtime/primitives.h"
#include "runtime/runtime.h"
#include "support/runtime_fixture.h"

#include <baton/interval.h>

#include <limits>
#include <thread>

namespace baton::runtime {
namespace {

using test::Mail;
namespace atoms = term::atoms;

class ProcessTest : public test::RuntimeFixture {
 protected:
  /// Ends the process with this reason.
  void stop(Probe& probe, const std::string& reason) {
    const term::Block block = parse(reason);
    probe.run_to([&](Context& context) {
      context.stop_reason = message_of(context, block.root());
      return BATON_STOP;
    });
  }
  void exit(Probe& from, baton_term to, const std::string& reason) {
    const term::Block block = parse(reason);
    from.run([&](Context& context) {
      runtime::exit_signal(context, to, message_of(context, block.root(), BATON_MESSAGE, 1));
    });
  }
  void link(Probe& from, const Probe& to) {
    from.run([&](Context& context) { runtime::link(context, to.pid()); });
  }
  void unlink(Probe& from, const Probe& to) {
    from.run([&](Context& context) { runtime::unlink(context, to.pid()); });
  }
  baton_term monitor(Probe& from, baton_term to) {
    baton_term ref = BATON_NO_TERM;
    from.run([&](Context& context) { ref = runtime::monitor(context, to); });
    return ref;
  }
  /// Has the process answer, so that all sent to it before has been handled.
  void settle(Probe& probe) {
    probe.run([](Context&) {});
  }
  /// How many messages wait for their time.
  std::size_t timers() {
    std::size_t count = 0;
    for (std::uint32_t i = 0; i < runtime_.scheduler_count(); ++i)
      runtime_.scheduler(i).timers().each([&](const Timers::Due&) { ++count; });
    return count;
  }
  template <class Condition>
  static bool comes_true(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + test::kDeadline;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }
  /// A child of the module test that is a child of that probe, linked to it as its parent.
  baton_term spawn_linked(Probe& parent, const std::string& args) {
    const term::Block block = parse(args);
    baton_term pid = BATON_NO_TERM;
    parent.run([&](Context& context) {
      pid = runtime::spawn(context, {.version = code_.current("test"),
                                     .behaviour = code_.current("test")->behaviour("child"),
                                     .args = message_of(context, block.root()),
                                     .parent = context.self,
                                     .is_linked = true})
                .pid;
    });
    return pid;
  }
};

// ---- Starts and delays

// A process that spawned while a take-over retired its version got no child.
TEST_F(ProcessTest, AChildOfARetiredVersionIsOneOfTheCurrentVersion) {
  code::Version* const older = code_.current("test");
  ASSERT_TRUE(code_.stage(std::make_unique<code::Version>(&test::native::kModule)).ok());
  code_.make_current("test");
  code::Version* const newer = code_.current("test");
  ASSERT_TRUE(older->is_retired());
  Probe reporter = probe();
  const term::Block args = parse("[" + reporter.text() + ",a]");

  External external(runtime_);
  const Spawned spawned =
      runtime::spawn(external.context(), {.version = older,
                                          .behaviour = older->behaviour("child"),
                                          .args = message_of(external.context(), args.root())});
  EXPECT_EQ(spawned.error, SpawnError::kNone);
  reporter.await("{started,a}");
  EXPECT_EQ(runtime_.find(spawned.pid)->version.load(), newer);
}

// The delay was counted in nanoseconds, and one without end came round to now.
TEST_F(ProcessTest, AMessageAfterForEverIsRefused) {
  Probe a = probe();
  a.run([&](Context& context) {
    const auto after = [&](std::uint64_t milliseconds) {
      return context.host->send_after(&context, milliseconds, a.pid(),
                                      message_of(context, term::atom("test"), BATON_TIMEOUT, 1));
    };
    EXPECT_EQ(after(std::numeric_limits<std::int64_t>::max()), BATON_NO_TERM);
    EXPECT_EQ(after(std::numeric_limits<std::uint64_t>::max() / 1'000'000 + 2), BATON_NO_TERM);
    EXPECT_NE(after(std::uint64_t{86'400'000} * 36'525), BATON_NO_TERM);
  });
  EXPECT_EQ(a.inbox().size(), 0u);
}

TEST_F(ProcessTest, AnIntervalComesAgainAndAgainUntilItIsCancelled) {
  Probe a = probe();
  baton_term ref = BATON_NO_TERM;
  a.run([&](Context& context) {
    ref = send_interval(context, 1'000'000, context.self,
                        message_of(context, term::atom("test"), BATON_TIMEOUT, 1));
  });
  for (int i = 0; i < 5; ++i) {
    const Mail mail = a.next();
    EXPECT_EQ(mail.text, "{timeout,test}");
    EXPECT_EQ(mail.ref, ref);
  }
  a.run([&](Context& context) { EXPECT_TRUE(cancel_timer(context, ref)); });
  settle(a);
  a.inbox().clear();
  a.run([&](Context& context) {
    EXPECT_FALSE(cancel_timer(context, ref));
    send_after(context, 20'000'000, context.self,
               message_of(context, term::atom("ended"), BATON_TIMEOUT, 1));
  });
  EXPECT_EQ(a.next().text, "{timeout,ended}");
}

TEST_F(ProcessTest, AnIntervalEndsWithItsReceiver) {
  Probe a = probe(), keeper = probe();
  keeper.run([&](Context& context) {
    send_interval(context, 1'000'000, a.pid(),
                  message_of(context, term::atom("test"), BATON_TIMEOUT, 1));
  });
  EXPECT_EQ(a.next().text, "{timeout,test}");
  stop(a, "normal");

  EXPECT_TRUE(comes_true([&] { return timers() == 0; }));
}

TEST_F(ProcessTest, AnIntervalToANameEndsWithWhoeverHadIt) {
  Probe a = probe(), keeper = probe();
  const baton_term name = term::atom("test");
  a.run([&](Context& context) { EXPECT_TRUE(register_name(context, name, context.self)); });
  keeper.run([&](Context& context) {
    send_interval(context, 1'000'000, name,
                  message_of(context, term::atom("test"), BATON_TIMEOUT, 1));
  });
  EXPECT_EQ(a.next().text, "{timeout,test}");
  stop(a, "normal");

  EXPECT_TRUE(comes_true([&] { return timers() == 0; }));
}

// A hook of a take-over is given a context, and is in no process: what it asked ended the host.
TEST_F(ProcessTest, WhoeverIsInNoProcessIsRefusedWhatOnlyAProcessCanDo) {
  Probe a = probe();
  External external(runtime_);
  Context& outside = external.context();
  const baton_host& host = *outside.host;

  const baton_behaviour* const child = code_.current("test")->behaviour("child");
  EXPECT_EQ(host.spawn(&outside, child, nullptr, nullptr), BATON_NO_TERM);
  host.trap_exit(&outside, 1);
  host.link(&outside, a.pid());
  host.unlink(&outside, a.pid());
  host.demonitor(&outside, host.monitor(&outside, a.pid()));

  settle(a);
  EXPECT_EQ(a.inbox().size(), 0u);
}

TEST_F(ProcessTest, AnIntervalWithoutAPeriodIsRefused) {
  Probe a = probe();
  a.run([&](Context& context) {
    const auto* const table = static_cast<const baton_interval*>(
        context.host->get_extension(context.host, BATON_INTERVAL));
    ASSERT_NE(table, nullptr);
    const auto each = [&](std::uint64_t milliseconds) {
      return table->send_interval(&context, milliseconds, a.pid(),
                                  message_of(context, term::atom("test"), BATON_TIMEOUT, 1));
    };
    EXPECT_EQ(each(0), BATON_NO_TERM);
    EXPECT_EQ(each(std::numeric_limits<std::int64_t>::max()), BATON_NO_TERM);
  });
}

// What a hook in C said was used past the end of its buffer.
TEST_F(ProcessTest, AnErrorIsNoLongerThanItsBuffer) {
  Probe a = probe();
  a.run([&](Context& context) {
    context.error.length = 2 * kErrorTextBytes;
    EXPECT_EQ(context.error_said().size(), kErrorTextBytes);
  });
}

// ---- Exits and links

TEST_F(ProcessTest, ACrashTakesLinkedProcessesAlong) {
  Probe a = probe(), b = probe(), watcher = probe();
  link(a, b);
  monitor(watcher, b.pid());

  stop(a, "oops");

  EXPECT_EQ(watcher.next().text, "{'DOWN',oops}");
}

TEST_F(ProcessTest, ANormalEndLeavesLinkedProcessesAlone) {
  Probe a = probe(), b = probe(), watcher = probe();
  link(a, b);
  monitor(watcher, a.pid());

  stop(a, "normal");

  EXPECT_EQ(watcher.next().text, "{'DOWN',normal}");
  settle(b);
  EXPECT_TRUE(is_alive(b.pid()));
}

TEST_F(ProcessTest, AProcessThatTrapsExitsGetsThemAsMail) {
  Probe a = probe(), b = probe();
  b.trap_exit();
  link(a, b);

  stop(a, "{oops,1}");

  const Mail mail = b.next();
  EXPECT_EQ(mail.text, "{'EXIT',{oops,1}}");
  EXPECT_EQ(mail.from, a.pid());
}

TEST_F(ProcessTest, LinkingToADeadProcessIsAnsweredWithNoproc) {
  Probe a = probe(), b = probe();
  b.trap_exit();
  stop(a, "normal");

  link(b, a);

  EXPECT_EQ(b.next().text, "{'EXIT',noproc}");
}

TEST_F(ProcessTest, AfterUnlinkNoExitArrives) {
  Probe a = probe(), b = probe(), watcher = probe();
  b.trap_exit();
  link(b, a);
  unlink(b, a);
  monitor(watcher, a.pid());

  stop(a, "oops");

  watcher.await("{'DOWN',oops}");
  settle(b);
  EXPECT_EQ(b.inbox().size(), 0u);
}

TEST_F(ProcessTest, UnlinkByTheOtherSideHoldsForBoth) {
  Probe a = probe(), b = probe(), watcher = probe();
  link(a, b);
  unlink(b, a);
  settle(a);
  monitor(watcher, b.pid());

  stop(b, "oops");

  watcher.await("{'DOWN',oops}");
  settle(a);
  EXPECT_TRUE(is_alive(a.pid()));
}

TEST_F(ProcessTest, AnExitSignalEndsAProcessUnlessItIsNormal) {
  Probe a = probe(), b = probe(), watcher = probe();
  monitor(watcher, b.pid());

  exit(a, b.pid(), "normal");
  settle(b);
  EXPECT_TRUE(is_alive(b.pid()));
  exit(a, b.pid(), "{why,me}");

  EXPECT_EQ(watcher.next().text, "{'DOWN',{why,me}}");
}

TEST_F(ProcessTest, NormalToItselfEndsAProcess) {
  Probe a = probe(), watcher = probe();
  monitor(watcher, a.pid());

  exit(a, a.pid(), "normal");

  EXPECT_EQ(watcher.next().text, "{'DOWN',normal}");
}

TEST_F(ProcessTest, KillCannotBeTrappedAndIsHeardAsKilled) {
  Probe a = probe(), b = probe(), linked = probe();
  b.trap_exit();
  linked.trap_exit();
  link(b, linked);
  settle(linked);

  exit(a, b.pid(), "kill");

  EXPECT_EQ(linked.next().text, "{'EXIT',killed}");
}

TEST_F(ProcessTest, KilledFromALinkCanBeTrapped) {
  Probe a = probe(), b = probe();
  b.trap_exit();
  link(b, a);

  stop(a, "kill");

  EXPECT_EQ(b.next().text, "{'EXIT',kill}");
  settle(b);
  EXPECT_TRUE(is_alive(b.pid()));
}

TEST_F(ProcessTest, AGenServerThatTrapsExitsEndsWithItsParent) {
  Probe parent = probe(), reporter = probe();
  parent.trap_exit();
  spawn_linked(parent, "[" + reporter.text() + ",a,trap]");
  reporter.await("{started,a}");

  stop(parent, "done");

  reporter.await("{ended,a,done}");
}

TEST_F(ProcessTest, AParentHearsTheEndOfItsLinkedChildOnce) {
  Probe parent = probe(), reporter = probe();
  parent.trap_exit();
  const baton_term a = spawn_linked(parent, "[" + reporter.text() + ",a]");

  cast(a, "{stop, oops}");

  const Mail mail = parent.next();
  EXPECT_EQ(mail.text, "{'EXIT',oops}");
  EXPECT_EQ(mail.from, a);
  settle(parent);
  EXPECT_EQ(parent.inbox().size(), 0u);
}

TEST_F(ProcessTest, AChildThatUnlinksFromItsParentOutlivesIt) {
  Probe parent = probe(), reporter = probe(), watcher = probe();
  const baton_term a = spawn_linked(parent, "[" + reporter.text() + ",a]");
  cast(a, "{unlink, " + parent.text() + "}");
  reporter.await("{unlinked,a}");
  monitor(watcher, parent.pid());

  stop(parent, "oops");

  watcher.await("{'DOWN',oops}");
  EXPECT_EQ(call(a, "who"), "{ok,a}");
}

TEST_F(ProcessTest, AParentThatUnlinksItsChildDoesNotHearOfIt) {
  Probe parent = probe(), reporter = probe(), watcher = probe();
  parent.trap_exit();
  const baton_term a = spawn_linked(parent, "[" + reporter.text() + ",a]");
  parent.run([&](Context& context) { runtime::unlink(context, a); });
  monitor(watcher, a);

  cast(a, "{stop, oops}");

  watcher.await("{'DOWN',oops}");
  settle(parent);
  EXPECT_EQ(parent.inbox().size(), 0u);
}

TEST_F(ProcessTest, AFailedInitIsHeardByTheParentAndNotTerminated) {
  Probe parent = probe(), reporter = probe();
  parent.trap_exit();

  spawn_linked(parent, "[" + reporter.text() + ",a,{fail,no_way}]");

  EXPECT_EQ(parent.next().text, "{'EXIT',no_way}");
  settle(reporter);
  EXPECT_EQ(reporter.inbox().size(), 0u);
}

// A value that abi.h does not know, which a module in C can return, ended the host.
TEST_F(ProcessTest, ACallbackThatReturnsNoAnswerEndsItsProcessAlone) {
  Probe a = probe(), b = probe();
  monitor(b, a.pid());

  a.run_to([](Context&) { return 77; });

  EXPECT_EQ(b.next().text, "{'DOWN',{error,<<\"a callback returned 77, which is no answer\">>}}");
  EXPECT_EQ(crashes(), 1u);
}

TEST_F(ProcessTest, OnlyAnUnorderlyEndIsReportedAsACrash) {
  for (const char* reason : {"normal", "shutdown", "{shutdown,x}"}) {
    Probe a = probe(), watcher = probe();
    monitor(watcher, a.pid());
    stop(a, reason);
    watcher.next();
  }
  EXPECT_EQ(crashes(), 0u);
  Probe a = probe(), watcher = probe();
  monitor(watcher, a.pid());

  stop(a, "oops");

  watcher.next();
  EXPECT_EQ(crashes(), 1u);
}

// ---- Monitors

TEST_F(ProcessTest, AMonitorTellsTheReasonOfTheEnd) {
  Probe a = probe(), b = probe();
  const baton_term ref = monitor(b, a.pid());

  stop(a, "{bad,[1,2]}");

  const Mail mail = b.next();
  EXPECT_EQ(mail.text, "{'DOWN',{bad,[1,2]}}");
  EXPECT_EQ(mail.ref, ref);
  EXPECT_EQ(mail.from, a.pid());
}

TEST_F(ProcessTest, MonitoringTheDeadIsAnsweredWithNoproc) {
  Probe a = probe(), b = probe();
  stop(a, "oops");

  const baton_term ref = monitor(b, a.pid());

  const Mail mail = b.next();
  EXPECT_EQ(mail.text, "{'DOWN',noproc}");
  EXPECT_EQ(mail.ref, ref);
}

TEST_F(ProcessTest, MonitoringANameNobodyHasIsAnsweredWithNoproc) {
  Probe b = probe();

  monitor(b, atom("nobody_here"));

  EXPECT_EQ(b.next().text, "{'DOWN',noproc}");
}

TEST_F(ProcessTest, EveryMonitorTellsOnItsOwn) {
  Probe a = probe(), b = probe();
  const baton_term first = monitor(b, a.pid()), second = monitor(b, a.pid());
  b.run([&](Context& context) { runtime::demonitor(context, first); });

  stop(a, "oops");

  EXPECT_EQ(b.next().ref, second);
  settle(b);
  EXPECT_EQ(b.inbox().size(), 0u);
}

TEST_F(ProcessTest, DemonitorTakesBackADownThatHasArrivedAlready) {
  Probe a = probe(), b = probe();
  const baton_term ref = monitor(b, a.pid());
  // It must be idle: woken by b's signal it could stand next on the very scheduler that b is about
  // to keep busy, where nobody can steal it from.
  settle(a);
  // In one callback: the DOWN comes while it runs, and is dropped unseen at its end.
  b.run([&](Context& context) {
    exit_signal(a.pid(), "kill");
    while (is_alive(a.pid())) std::this_thread::yield();
    runtime::demonitor(context, ref);
  });

  settle(b);
  EXPECT_EQ(b.inbox().size(), 0u);
}

TEST_F(ProcessTest, DemonitorOfTheDeadTakesBackItsNoproc) {
  Probe a = probe(), b = probe();
  stop(a, "normal");

  b.run([&](Context& context) {
    const baton_term ref = runtime::monitor(context, a.pid());
    runtime::demonitor(context, ref);
  });

  settle(b);
  EXPECT_EQ(b.inbox().size(), 0u);
}

// ---- Order

TEST_F(ProcessTest, SignalsFromOneProcessToAnotherArriveInTheOrderSent) {
  Probe a = probe(), b = probe();
  b.trap_exit();
  constexpr int kMany = 10'000;

  a.run([&](Context& context) {
    for (int i = 0; i < kMany; ++i) {
      Message* message = context.allocate(0);
      message->root = term::make_int(i);
      runtime::send(context, b.pid(), message);
      if (i == kMany / 2) runtime::link(context, b.pid());
    }
  });
  stop(a, "oops");

  for (int i = 0; i < kMany; ++i) EXPECT_EQ(b.next().text, std::to_string(i));
  EXPECT_EQ(b.next().text, "{'EXIT',oops}");
}

TEST_F(ProcessTest, AnExitSignalIsMetBeforeUnreadMail) {
  Probe a = probe(), b = probe(), watcher = probe();
  monitor(watcher, b.pid());

  // All of it is there when b is done with the first.
  b.run([&](Context&) {
    External external(runtime_);
    Context& outside = external.context();
    for (int i = 0; i < 100; ++i) {
      Message* message = outside.allocate(0);
      message->root = term::make_int(i);
      runtime::send(outside, b.pid(), message);
    }
    runtime::exit_signal(outside, b.pid(), message_of(outside, atoms::kShutdown, BATON_MESSAGE, 1));
  });

  watcher.await("{'DOWN',shutdown}");
  EXPECT_EQ(b.inbox().size(), 0u);
}

TEST_F(ProcessTest, ASystemRequestKeepsItsPlaceInTheMailThatASignalPasses) {
  Probe b = probe(), asker = probe(), watcher = probe();

  b.run([&](Context&) {
    External external(runtime_);
    Context& outside = external.context();
    Message* message = outside.allocate(0);
    message->root = atoms::kOk;
    runtime::send(outside, b.pid(), message);
    asker.run([&](Context& context) {
      Message* request = context.allocate(2, kSystemSignal);
      request->word[1] = kInfo;
      runtime::ask(context, b.pid(), request);
    });
    Message* signal = outside.allocate(1, kMonitorSignal);
    signal->from = watcher.pid();
    runtime::send_signal(outside, b.pid(), signal);
  });

  // What was sent before the request is handled before it.
  const std::string info = asker.next().text;
  EXPECT_NE(info.find("message_queue_len => 0"), std::string::npos) << info;
  EXPECT_NE(info.find("monitored_by => [" + watcher.text() + "]"), std::string::npos) << info;
}

TEST_F(ProcessTest, AKillPassesAMillionUnreadMessages) {
  constexpr int kMessages = 1'000'000;
  Probe b = probe(), watcher = probe();
  monitor(watcher, b.pid());
  std::uint64_t killed_ns = 0;

  b.run([&](Context&) {
    External external(runtime_);
    Context& outside = external.context();
    for (int i = 0; i < kMessages; ++i) runtime::send(outside, b.pid(), outside.allocate(0));
    Message* reason = outside.allocate(1);
    reason->root = atoms::kKill;
    killed_ns = now_ns();
    runtime::exit_signal(outside, b.pid(), reason);
  });

  watcher.await("{'DOWN',killed}");
  // A figure and no bound: how long it takes is the machine's load, too.
  RecordProperty("microseconds", static_cast<int>((now_ns() - killed_ns) / 1000));
  EXPECT_EQ(b.inbox().size(), 0u);
}

TEST_F(ProcessTest, AMonitorThatCameBeforeAKillHearsOfIt) {
  // The kill is met first, but the process was there when it was asked to be watched.
  Probe b = probe(), watcher = probe(), linked = probe();
  linked.trap_exit();

  b.run([&](Context&) {
    monitor(watcher, b.pid());
    link(linked, b);
    exit_signal(b.pid(), "kill");
  });

  EXPECT_EQ(watcher.next().text, "{'DOWN',killed}");
  EXPECT_EQ(linked.next().text, "{'EXIT',killed}");
}

TEST_F(ProcessTest, WhoAskedAProcessWithMuchMailHearsOfItsEnd) {
  // The mail is worked off in pieces, behind the end itself.
  constexpr int kMessages = 10'000;
  Probe b = probe(), asker = probe();
  b.run([&](Context&) {
    asker.run([&](Context& context) {
      for (int i = 0; i < kMessages; ++i) runtime::call(context, b.pid(), context.allocate(1));
    });
    exit_signal(b.pid(), "kill");
  });

  for (int i = 0; i < kMessages; ++i) asker.await("{'DOWN',killed}");
}

TEST_F(ProcessTest, ANameIsFreeBeforeTheEndOfItsHolderIsHeard) {
  const baton_term name = atom("holder");
  Probe watcher = probe();
  for (int i = 0; i < 100; ++i) {
    Probe a = probe();
    a.run([&](Context& context) {
      EXPECT_TRUE(register_name(context, name, context.self)) << "round " << i;
    });
    monitor(watcher, name);
    stop(a, "normal");
    watcher.await("{'DOWN',normal}");
  }
}

TEST_F(ProcessTest, ANameHasOneHolder) {
  const baton_term name = atom("holder");
  Probe a = probe(), b = probe();
  a.run([&](Context& context) { EXPECT_TRUE(register_name(context, name, context.self)); });

  b.run([&](Context& context) {
    EXPECT_FALSE(register_name(context, name, context.self));
    EXPECT_FALSE(unregister_name(context, name));
  });

  a.run([&](Context& context) { EXPECT_TRUE(unregister_name(context, name)); });
  EXPECT_EQ(runtime_.registry().whereis(name), BATON_NO_TERM);
}

TEST_F(ProcessTest, MailToANameReachesItsHolderAndElseNobody) {
  Probe a = probe();
  a.run([&](Context& context) { register_name(context, atom("holder"), context.self); });

  send(atom("holder"), "hello");
  send(atom("nobody_here"), "hello");

  EXPECT_EQ(a.next().text, "hello");
  EXPECT_EQ(call(atom("nobody_here"), "hello"),
            "error: no answer: the process is not there or ended: noproc");
}

// ---- Timers

TEST_F(ProcessTest, ATimerBringsItsMessageAndEarlierOnesComeFirst) {
  Probe a = probe();
  baton_term late = BATON_NO_TERM, soon = BATON_NO_TERM;

  a.run([&](Context& context) {
    late = send_after(context, 40'000'000, context.self,
                      message_of(context, atom("late"), BATON_MESSAGE, 1));
    soon = send_after(context, 1'000'000, context.self,
                      message_of(context, atom("soon"), BATON_MESSAGE, 1));
  });

  const Mail first = a.next(), second = a.next();
  EXPECT_EQ(first.text, "{timeout,soon}");
  EXPECT_EQ(first.ref, soon);
  EXPECT_EQ(second.text, "{timeout,late}");
  EXPECT_EQ(second.ref, late);
}

TEST_F(ProcessTest, ACancelledTimerDoesNotArriveAndALateCancelSaysSo) {
  Probe a = probe();

  a.run([&](Context& context) {
    const baton_term cancelled = send_after(context, 1'000'000, context.self,
                                            message_of(context, atom("no"), BATON_MESSAGE, 1));
    EXPECT_TRUE(cancel_timer(context, cancelled));
    EXPECT_FALSE(cancel_timer(context, cancelled));
    send_after(context, 2'000'000, context.self,
               message_of(context, atom("yes"), BATON_MESSAGE, 1));
  });

  EXPECT_EQ(a.next().text, "{timeout,yes}");
}

// ---- Calls

TEST_F(ProcessTest, ACallToTheDeadIsAnsweredWithNoproc) {
  Probe a = probe(), b = probe();
  stop(a, "oops");
  baton_term ref = BATON_NO_TERM;

  b.run([&](Context& context) {
    ref = runtime::call(context, a.pid(), message_of(context, atom("hi"), BATON_CALL, 1));
  });

  const Mail mail = b.next();
  EXPECT_EQ(mail.text, "{'DOWN',noproc}");
  EXPECT_EQ(mail.ref, ref);
}

TEST_F(ProcessTest, ACallThatWaitsInTheMailboxOfADyingProcessIsAnswered) {
  Probe server = probe(), caller = probe();
  std::atomic<bool> is_sent{false};
  std::thread sender([&] {
    // The server is inside its last callback while the call comes in.
    caller.run([&](Context& context) {
      runtime::call(context, server.pid(), message_of(context, atom("hi"), BATON_CALL, 1));
    });
    is_sent = true;
  });

  server.run_to([&](Context& context) {
    while (!is_sent.load()) std::this_thread::yield();
    context.stop_reason = message_of(context, atom("oops"));
    return BATON_STOP;
  });
  sender.join();

  EXPECT_TRUE(caller.next().text.starts_with("{'DOWN',"));
}

TEST_F(ProcessTest, AReplyThatIsToComeLaterIsAnsweredWhenTheServerEnds) {
  Probe server = probe(), caller = probe();
  caller.run([&](Context& context) {
    runtime::call(context, server.pid(), message_of(context, atom("hi"), BATON_CALL, 1));
  });
  server.await("hi");  // taken, and not replied to

  stop(server, "oops");

  EXPECT_EQ(caller.next().text, "{'DOWN',oops}");
}

TEST_F(ProcessTest, AReplyGivenLaterArrivesOnceAndItsServerOwesNothing) {
  Probe server = probe(), caller = probe();
  baton_term ref = BATON_NO_TERM;
  caller.run([&](Context& context) {
    ref = runtime::call(context, server.pid(), message_of(context, atom("hi"), BATON_CALL, 1));
  });
  server.await("hi");

  server.run([&](Context& context) {
    reply(context, caller.pid(), ref, message_of(context, atom("there"), BATON_REPLY, 1));
  });
  stop(server, "oops");

  const Mail mail = caller.next();
  EXPECT_EQ(mail.text, "{reply,there}");
  EXPECT_EQ(mail.ref, ref);
  settle(caller);
  EXPECT_EQ(caller.inbox().size(), 0u);
}

TEST_F(ProcessTest, TheAnswerToARequestGivenUpIsDropped) {
  Probe server = probe(), caller = probe();
  baton_term ref = BATON_NO_TERM;
  caller.run([&](Context& context) {
    ref = runtime::call(context, server.pid(), message_of(context, atom("hi"), BATON_CALL, 1));
    demonitor(context, ref);
  });
  server.await("hi");

  server.run([&](Context& context) {
    reply(context, caller.pid(), ref, message_of(context, atom("late"), BATON_REPLY, 1));
  });

  settle(caller);
  EXPECT_EQ(caller.inbox().size(), 0u);
}

// ---- Coroutine processes

// Waits for the atom `first`, tells what it then finds in its mailbox, and ends.
struct Picker {
  baton_term reporter;
  bool has_first;
};
int is_first(void*, const Message* message) { return message->root == term::atom("first"); }
int resume_picker(baton_context* raw, void*, void* frame) {
  auto& picker = *static_cast<Picker*>(frame);
  const baton_host& host = *raw->host;
  raw->frame = frame;
  if (!picker.has_first) {
    Message* message = host.receive_match(raw, is_first, nullptr);
    if (message == nullptr) return BATON_AWAIT;
    host.send(raw, picker.reporter, message);
    picker.has_first = true;
  }
  while (Message* message = host.receive(raw)) {
    const bool is_last = message->root == term::atom("last");
    host.send(raw, picker.reporter, message);
    if (is_last) {
      host.deallocate(raw, frame, sizeof(Picker));
      return BATON_STOP;
    }
  }
  return BATON_AWAIT;
}
int init_picker(baton_context* raw, void*, const Message* args) {
  void* frame = raw->host->allocate(raw, sizeof(Picker));
  raw->frame = new (frame) Picker{args->root, false};
  return BATON_AWAIT;
}
void destroy_picker(baton_context* raw, void* frame) {
  raw->host->deallocate(raw, frame, sizeof(Picker));
}
constexpr baton_behaviour kPicker{.name = "picker",
                                  .kind = BATON_PROCESS,
                                  .flags = 0,
                                  .state = nullptr,
                                  .init = init_picker,
                                  .handle = nullptr,
                                  .resume = resume_picker,
                                  .destroy_frame = destroy_picker,
                                  .terminate = nullptr};

TEST_F(ProcessTest, SelectiveReceivePassesOverMailAndKeepsItsOrder) {
  Probe reporter = probe(), sender = probe();
  const baton_term first = atom("first"), last = atom("last");
  baton_term picker = BATON_NO_TERM;
  sender.run([&](Context& context) {
    Message* args = context.allocate(0);
    args->root = reporter.pid();
    picker = runtime::spawn(context, {.version = code_.current("test"),
                                      .behaviour = &kPicker,
                                      .args = args,
                                      .parent = context.self})
                 .pid;
  });
  monitor(reporter, picker);

  for (int i = 0; i < 3; ++i) send(picker, std::to_string(i));
  EXPECT_EQ(reporter.inbox().size(), 0u);
  sender.run([&](Context& context) {
    for (baton_term word : {first, last}) {
      Message* message = context.allocate(0);
      message->root = word;
      runtime::send(context, picker, message);
    }
  });

  for (const char* mail : {"first", "0", "1", "2", "last", "{'DOWN',normal}"})
    EXPECT_EQ(reporter.next().text, mail);
}

TEST_F(ProcessTest, ACoroutineProcessSeesMailThatWasThereBeforeItsInit) {
  // All of it had been taken when its init waited without a look, and no other mail came.
  Probe reporter = probe(), sender = probe();
  sender.run([&](Context& context) {
    Message* args = context.allocate(0);
    args->root = reporter.pid();
    // It runs when this callback has ended.
    const baton_term picker = runtime::spawn(context, {.version = code_.current("test"),
                                                       .behaviour = &kPicker,
                                                       .args = args,
                                                       .parent = context.self})
                                  .pid;
    runtime::monitor(context, picker);
    for (baton_term word : {atom("first"), atom("last")}) {
      Message* message = context.allocate(0);
      message->root = word;
      runtime::send(context, picker, message);
    }
  });

  EXPECT_EQ(reporter.next().text, "first");
  EXPECT_EQ(reporter.next().text, "last");
}

TEST_F(ProcessTest, AKilledCoroutineProcessGivesItsFrameBack) {
  Probe reporter = probe();
  baton_term picker = BATON_NO_TERM;
  reporter.run([&](Context& context) {
    Message* args = context.allocate(0);
    args->root = context.self;
    picker = runtime::spawn(context, {.version = code_.current("test"),
                                      .behaviour = &kPicker,
                                      .args = args,
                                      .parent = context.self})
                 .pid;
  });
  monitor(reporter, picker);

  exit(reporter, picker, "kill");

  EXPECT_EQ(reporter.next().text, "{'DOWN',killed}");
}

// ---- Starts that fail, and the host's end

TEST_F(ProcessTest, ASpawnThatFailsLeavesNoProcessBehind) {
  const auto alive = [&] {
    int count = 0;
    for (std::uint32_t i = 1; i < runtime_.table().used(); ++i)
      count += runtime_.table().at(i).version.load() != nullptr;
    return count;
  };
  Probe holder = probe();
  holder.run([&](Context& context) { register_name(context, atom("test"), context.self); });
  const int before = alive();

  holder.run([&](Context& context) {
    const Spawned spawned = runtime::spawn(context, {.version = code_.current("test"),
                                                     .behaviour = &test::native::kBehaviours[1],
                                                     .args = context.allocate(0),
                                                     .name = atom("test")});
    EXPECT_EQ(spawned.error, SpawnError::kNameTaken);
  });

  EXPECT_EQ(alive(), before);
}

TEST_F(ProcessTest, ACallThatIsOpenWhenTheHostStopsIsAnswered) {
  Probe silent = probe();
  std::string answer;
  std::thread caller([&] { answer = call(silent.pid(), "hello"); });
  silent.next();  // the request has arrived, and nobody will answer it

  runtime_.stop();

  caller.join();
  EXPECT_EQ(answer, "error: the host is stopping");
}

// ---- Calls from outside

class OutsideCallTest : public ProcessTest {
 protected:
  /// Every scheduler is in a callback that does not return, until let_go.
  void hold_schedulers() {
    for (std::uint32_t i = 0; i < runtime_.scheduler_count(); ++i)
      holders_.emplace_back([this] {
        probe().run([this](Context&) {
          ++inside_;
          while (!may_go_.load()) std::this_thread::yield();
        });
      });
    while (inside_.load() < runtime_.scheduler_count()) std::this_thread::yield();
  }
  void let_go() {
    may_go_ = true;
    for (std::thread& holder : holders_) holder.join();
    holders_.clear();
  }

 private:
  std::vector<std::thread> holders_;
  std::atomic<std::uint32_t> inside_{0};
  std::atomic<bool> may_go_{false};
};

TEST_F(OutsideCallTest, AHundredThatWaitLeaveRoomForMore) {
  // A call kept its context while it waited: the 33rd ended the host.
  constexpr int kCallers = 100;
  Probe silent = probe(), parent = probe();
  const baton_term child = spawn_linked(parent, "[" + parent.text() + ",x]");
  std::vector<std::thread> callers;
  std::atomic<int> unreachable{0};
  for (int i = 0; i < kCallers; ++i)
    callers.emplace_back([&] {
      auto answer = runtime_.call(silent.pid(), parse("hello"), test::kDeadline);
      if (!answer.ok() && answer.error().code() == Code::kUnreachable) ++unreachable;
    });
  for (int i = 0; i < kCallers; ++i) silent.next();  // all requests have arrived

  EXPECT_EQ(call(child, "who"), "{ok,x}");

  runtime_.stop();
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(unreachable, kCallers);
}

TEST_F(OutsideCallTest, WithoutAFreeContextACallIsRefused) {
  Probe silent = probe();
  std::vector<External> all;
  for (std::uint32_t i = 0; i < kExternalsMax; ++i) all.emplace_back(runtime_);

  const auto another = External::borrow(runtime_, std::chrono::milliseconds(1));
  ASSERT_FALSE(another.ok());
  EXPECT_EQ(another.error().code(), Code::kBusy);
  EXPECT_EQ(call(silent.pid(), "hello"),
            "error: more than 16 threads talk to the runtime at once; try again");

  all.pop_back();
  EXPECT_TRUE(External::borrow(runtime_).ok());
}

TEST_F(OutsideCallTest, ItEndsInTimeThoughEverySchedulerIsStuck) {
  // The time-out was a scheduler's timer: with the scheduler stuck, the call waited for ever.
  Probe silent = probe();
  hold_schedulers();

  EXPECT_EQ(call(silent.pid(), "hello", std::chrono::milliseconds(50)),
            "error: no answer within 50 ms");

  // And nothing is asked any more in the name of one who has gone.
  let_go();
  const auto later = runtime_.begin_call(silent.pid(), parse("later"), test::kDeadline);
  ASSERT_TRUE(later.ok());
  EXPECT_EQ(silent.next().text, "later");
}

TEST_F(OutsideCallTest, ARuntimeThatHasStoppedAnswers) {
  // Nobody ran the asker, and so nobody answered.
  Probe silent = probe();
  hold_schedulers();
  std::string answer;
  std::thread caller([&] { answer = call(silent.pid(), "hello"); });
  std::thread stopper([&] { runtime_.stop(); });
  while (!runtime_.is_stopping()) std::this_thread::yield();

  let_go();

  stopper.join();
  caller.join();
  EXPECT_EQ(answer, "error: the host is stopping");
  EXPECT_EQ(call(silent.pid(), "hello"), "error: the host is stopping");
}

// ---- Applications

TEST_F(ProcessTest, AnApplicationIsInheritedAtSpawn) {
  Probe a = probe(), reporter = probe();
  const baton_term outside = spawn_linked(a, "[" + reporter.text() + ",x]");
  a.run([](Context& context) { context.current->application = 7; });

  const baton_term inside = spawn_linked(a, "[" + reporter.text() + ",y]");

  EXPECT_EQ(runtime_.find(outside)->application.load(), 0);
  EXPECT_EQ(runtime_.find(inside)->application.load(), 7);
}

}  // namespace
}  // namespace baton::runtime
