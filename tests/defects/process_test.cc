// Known defects of processes: who is answered, what grows, what names and ends are.

#include "runtime/runtime.h"
#include "support/runtime_fixture.h"

namespace baton::test {
namespace {

class ProcessDefect : public RuntimeFixture {
 protected:
  baton_term spawn(Probe& parent, const baton_behaviour* behaviour, const std::string& args) {
    const term::Block block = parse(args);
    baton_term pid = BATON_NO_TERM;
    parent.run([&](Context& context) {
      pid = runtime::spawn(context, {.version = code_.current("test"),
                                     .behaviour = behaviour,
                                     .args = runtime::message_of(context, block.root()),
                                     .parent = context.self})
                .pid;
    });
    return pid;
  }
  baton_term spawn_child(Probe& reporter, const std::string& what = "") {
    const baton_term pid = spawn(reporter, code_.current("test")->behaviour("child"),
                                 "[" + reporter.text() + ",a" + what + "]");
    reporter.await("{started,a}");
    return pid;
  }
  void await_end(Probe& watcher, baton_term pid) {
    watcher.run([&](Context& context) { runtime::monitor(context, pid); });
  }
  baton_term call_from(Probe& caller, baton_term to) {
    baton_term ref = BATON_NO_TERM;
    caller.run([&](Context& context) {
      ref = runtime::call(context, to,
                          runtime::message_of(context, term::atom("test"), BATON_CALL, 1));
    });
    return ref;
  }
  bool registers(Probe& probe, baton_term name) {
    bool is_registered = false;
    probe.run([&](Context& context) {
      is_registered = runtime::register_name(context, name, context.self);
    });
    return is_registered;
  }

  void reply_from(Probe& replier, const Probe& caller, baton_term ref) {
    replier.run([&](Context& context) {
      runtime::reply(context, caller.pid(), ref,
                     runtime::message_of(context, term::atom("test"), BATON_REPLY, 1));
    });
  }
  void give_up(Probe& caller, baton_term ref) {
    caller.run([&](Context& context) { runtime::demonitor(context, ref); });
  }

  // What a process keeps of requests. Requires: it rests.
  std::size_t callers_of(Probe& probe) { return kept_by(probe, &runtime::Extension::callers); }
  std::size_t asked_by(Probe& probe) { return kept_by(probe, &runtime::Extension::asked); }

 private:
  std::size_t kept_by(Probe& probe, runtime::Requests runtime::Extension::*requests) {
    probe.run([](Context&) {});
    const runtime::Extension* extension = runtime_.find(probe.pid())->extension;
    return extension != nullptr ? (extension->*requests).size() : 0;
  }
};

using R5 = ProcessDefect;
using R8 = ProcessDefect;

// A coroutine process that takes one message, whatever it is, and ends.
int init_taker(baton_context* context, void*, const Message*) {
  context->frame = context;
  return BATON_AWAIT;
}
int resume_taker(baton_context* context, void*, void* frame) {
  Message* message = context->host->receive(context);
  if (message != nullptr) {
    context->host->free(context, message);
    return BATON_STOP;
  }
  context->frame = frame;
  return BATON_AWAIT;
}
void destroy_taker(baton_context*, void*) {}
constexpr baton_behaviour kTaker{.name = "taker",
                                 .kind = BATON_PROCESS,
                                 .flags = 0,
                                 .state = nullptr,
                                 .init = init_taker,
                                 .handle = nullptr,
                                 .resume = resume_taker,
                                 .destroy_frame = destroy_taker,
                                 .terminate = nullptr};

TEST_F(R5, ACallerLearnsOfTheEndOfACoroutineProcessThatTookItsRequest) {
  // Requests that such a process had taken from its mailbox were nobody's when it ended: their
  // callers waited for ever.
  Probe caller = probe();
  const baton_term taker = spawn(caller, &kTaker, "[]");
  await_end(caller, taker);

  call_from(caller, taker);

  // One of the monitor, one of the request, in either order.
  EXPECT_EQ(caller.next().text, "{'DOWN',normal}");
  EXPECT_EQ(caller.next().text, "{'DOWN',normal}");
}

TEST_F(R5, ARequestThatAnotherProcessRepliesToLeavesNothingBehind) {
  // A process that passed a request on kept its caller for ever, since only a reply of its own took
  // that away.
  Probe caller = probe(), asked = probe(), other = probe();
  for (int i = 0; i < 100; ++i) {
    const baton_term ref = call_from(caller, asked.pid());
    asked.await("test");
    reply_from(other, caller, ref);
    caller.await("{reply,test}");
  }

  EXPECT_EQ(callers_of(asked), 0u);
  EXPECT_EQ(asked_by(caller), 0u);
}

TEST_F(R5, ARequestGivenUpAfterItsAnswerLeavesNothingBehind) {
  // To give up a request whose answer had been read already was remembered for ever.
  Probe caller = probe(), asked = probe();
  for (int i = 0; i < 100; ++i) {
    const baton_term ref = call_from(caller, asked.pid());
    asked.await("test");
    reply_from(asked, caller, ref);
    caller.await("{reply,test}");
    give_up(caller, ref);
  }

  EXPECT_EQ(asked_by(caller), 0u);
  EXPECT_EQ(callers_of(asked), 0u);
}

TEST_F(R5, ARequestGivenUpThatIsNeverAnsweredLeavesNothingBehind) {
  // Both sides remembered it for ever.
  Probe caller = probe(), asked = probe();
  for (int i = 0; i < 100; ++i) {
    const baton_term ref = call_from(caller, asked.pid());
    give_up(caller, ref);
    asked.await("test");
  }

  EXPECT_EQ(asked_by(caller), 0u);
  EXPECT_EQ(callers_of(asked), 0u);
}

TEST_F(R5, AnAnswerThatIsNotTheFirstIsDropped) {
  // Who passes a request on may answer it as well.
  Probe caller = probe(), asked = probe(), other = probe();
  const baton_term ref = call_from(caller, asked.pid());
  asked.await("test");

  reply_from(other, caller, ref);
  reply_from(asked, caller, ref);

  caller.await("{reply,test}");
  caller.run([](Context&) {});
  EXPECT_EQ(caller.inbox().size(), 0u);
}

TEST_F(R5, ACallerThatEndsLeavesNothingBehind) {
  // Who was to be answered and had ended stayed in the list of those who wait.
  Probe asked = probe(), watcher = probe();
  for (int i = 0; i < 100; ++i) {
    Probe caller = probe();
    await_end(watcher, caller.pid());
    call_from(caller, asked.pid());
    asked.await("test");
    caller.run_to([](Context&) { return BATON_STOP; });
    watcher.await("{'DOWN',normal}");
  }

  EXPECT_EQ(callers_of(asked), 0u);
}

TEST_F(R8, AKilledProcessDoesNotTerminate) {
  // Its terminate was called, as if it had been asked to end.
  Probe watcher = probe();
  const baton_term child = spawn_child(watcher);
  await_end(watcher, child);

  exit_signal(child, "kill");

  EXPECT_EQ(watcher.next().text, "{'DOWN',killed}");
}

TEST_F(R8, AProcessThatDoesNotTrapExitsDoesNotTerminateOnOne) {
  // So it was on an exit signal that it does not trap.
  Probe watcher = probe();
  const baton_term child = spawn_child(watcher, ",plain");
  await_end(watcher, child);

  exit_signal(child, "shutdown");

  EXPECT_EQ(watcher.next().text, "{'DOWN',shutdown}");
}

TEST_F(R8, AProcessThatTrapsExitsTerminatesWhenItsParentEnds) {
  // As it should: the other ends at which it is called are a stop and a crash.
  Probe parent = probe(), watcher = probe();
  const term::Block args = parse("[" + watcher.text() + ",a,trap]");
  parent.run([&](Context& context) {
    runtime::spawn(context, {.version = code_.current("test"),
                             .behaviour = code_.current("test")->behaviour("child"),
                             .args = runtime::message_of(context, args.root()),
                             .parent = context.self,
                             .is_linked = true});
  });
  watcher.await("{started,a}");

  exit_signal(parent.pid(), "shutdown");

  EXPECT_EQ(watcher.next().text, "{ended,a,shutdown}");
}

TEST_F(R8, ANameIsSeenOnlyWhenItsProcessTakesMail) {
  // It was seen before: what was sent to it then was answered as a dead one would.
  const baton_term name = term::atom("test");
  std::atomic<bool> is_over{false};
  std::atomic<int> dead{0};
  std::thread looker([&] {
    while (!is_over) {
      const baton_term pid = runtime_.registry().whereis(name);
      // A pid that is found once more had not ended when it was looked at.
      if (pid != BATON_NO_TERM && !runtime_.is_alive(pid) &&
          runtime_.registry().whereis(name) == pid)
        ++dead;
    }
  });
  Probe parent = probe();
  const term::Block args = parse("[" + parent.text() + ",a]");
  for (int i = 0; i < 2000; ++i) {
    baton_term pid = BATON_NO_TERM;
    parent.run([&](Context& context) {
      pid = runtime::spawn(context, {.version = code_.current("test"),
                                     .behaviour = code_.current("test")->behaviour("child"),
                                     .args = runtime::message_of(context, args.root()),
                                     .name = name})
                .pid;
    });
    ASSERT_NE(pid, BATON_NO_TERM);
    parent.await("{started,a}");
    cast(pid, "{stop,normal}");
    parent.await("{ended,a,normal}");
    while (runtime_.is_alive(pid)) std::this_thread::yield();
  }
  is_over = true;
  looker.join();
  EXPECT_EQ(dead, 0);
}

TEST_F(R8, UndefinedIsNoName) {
  // It could be registered, and is what stands for no name.
  Probe named = probe();
  EXPECT_FALSE(registers(named, term::atoms::kUndefined));
}

TEST_F(R8, AProcessHasOneName) {
  // It could take any number.
  Probe named = probe();
  ASSERT_TRUE(registers(named, term::atom("test")));
  EXPECT_FALSE(registers(named, term::atom("child")));
}

}  // namespace
}  // namespace baton::test
