// Known defects of processes: who is answered, what grows, what names and ends are.

#include "defects/not_mended.h"
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
  baton_term spawn_child(Probe& reporter) {
    const baton_term pid =
        spawn(reporter, code_.current("test")->behaviour("child"), "[" + reporter.text() + ",a]");
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

  // What a process keeps of requests. Requires: it rests.
  const runtime::Extension* kept_by(Probe& probe) {
    probe.run([](Context&) {});
    return runtime_.find(probe.pid())->extension;
  }
  std::size_t callers_of(Probe& probe) {
    const runtime::Extension* extension = kept_by(probe);
    return extension != nullptr ? extension->callers.size() : 0;
  }
  std::size_t forgotten_by(Probe& probe) {
    const runtime::Extension* extension = kept_by(probe);
    return extension != nullptr ? extension->forgotten.size() : 0;
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

NOT_MENDED_F(R5, ACallerLearnsOfTheEndOfACoroutineProcessThatTookItsRequest) {
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

NOT_MENDED_F(R5, ARequestThatAnotherProcessRepliesToLeavesNothingBehind) {
  // A process that passed a request on kept its caller for ever, since only a reply of its own took
  // that away.
  Probe caller = probe(), asked = probe(), other = probe();
  for (int i = 0; i < 100; ++i) {
    const baton_term ref = call_from(caller, asked.pid());
    asked.await("test");
    other.run([&](Context& context) {
      runtime::reply(context, caller.pid(), ref,
                     runtime::message_of(context, term::atom("test"), BATON_REPLY, 1));
    });
    caller.await("{reply,test}");
  }

  EXPECT_LE(callers_of(asked), 1u);
}

NOT_MENDED_F(R5, ARequestGivenUpAfterItsAnswerLeavesNothingBehind) {
  // To give up a request whose answer had been read already was remembered for ever.
  Probe caller = probe(), asked = probe();
  for (int i = 0; i < 100; ++i) {
    const baton_term ref = call_from(caller, asked.pid());
    asked.await("test");
    asked.run([&](Context& context) {
      runtime::reply(context, caller.pid(), ref,
                     runtime::message_of(context, term::atom("test"), BATON_REPLY, 1));
    });
    caller.await("{reply,test}");
    caller.run([&](Context& context) { runtime::demonitor(context, ref); });
  }

  EXPECT_LE(forgotten_by(caller), 1u);
}

NOT_MENDED_F(R8, AKilledProcessDoesNotTerminate) {
  // Its terminate was called, as if it had been asked to end.
  Probe watcher = probe();
  const baton_term child = spawn_child(watcher);
  await_end(watcher, child);

  exit_signal(child, "kill");

  EXPECT_EQ(watcher.next().text, "{'DOWN',killed}");
}

NOT_MENDED_F(R8, AProcessThatDoesNotTrapExitsDoesNotTerminateOnOne) {
  // So it was on an exit signal that it does not trap.
  Probe watcher = probe();
  const baton_term child = spawn_child(watcher);
  await_end(watcher, child);

  exit_signal(child, "shutdown");

  EXPECT_EQ(watcher.next().text, "{'DOWN',shutdown}");
}

NOT_MENDED_F(R8, UndefinedIsNoName) {
  // It could be registered, and is what stands for no name.
  Probe named = probe();
  EXPECT_FALSE(registers(named, term::atoms::kUndefined));
}

NOT_MENDED_F(R8, AProcessHasOneName) {
  // It could take any number.
  Probe named = probe();
  ASSERT_TRUE(registers(named, term::atom("test")));
  EXPECT_FALSE(registers(named, term::atom("child")));
}

}  // namespace
}  // namespace baton::test
