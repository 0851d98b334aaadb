// What a drain lets be finished, and what is left of it when it is given up; the phases are set by
// hand, as a take-over does.
#include "runtime/chain.h"

#include "runtime/primitives.h"
#include "support/runtime_fixture.h"

#include <thread>

namespace baton::runtime {
namespace {

// A gen_server of a second module: any mail has it wait in a frame for the next, whose kind it then
// tells its reporter. Its args are the reporter.
struct Waiter {
  baton_term reporter = BATON_NO_TERM;
};

int waiter_init(baton_context*, void* state, const Message* args) {
  static_cast<Waiter*>(state)->reporter = args->root;
  return BATON_OK;
}
int waiter_handle(baton_context* raw, void* state, const Message*) {
  raw->frame = state;
  return BATON_AWAIT;
}
int waiter_resume(baton_context* raw, void* state, void* frame) {
  Message* message = raw->host->receive(raw);
  raw->frame = frame;
  if (message == nullptr) return BATON_AWAIT;
  Context& context = context_of(raw);
  send(context, static_cast<Waiter*>(state)->reporter,
       message_of(context, term::make_int(message->kind)));
  raw->host->free(raw, message);
  return BATON_OK;
}
void waiter_destroy(baton_context*, void*) {}

constexpr baton_schema kWaiterSchema = native_schema<Waiter>("waiter");
constexpr baton_behaviour kWaiter{.name = "waiter",
                                  .kind = BATON_GEN_SERVER,
                                  .flags = 0,
                                  .state = &kWaiterSchema,
                                  .init = waiter_init,
                                  .handle = waiter_handle,
                                  .resume = waiter_resume,
                                  .destroy_frame = waiter_destroy,
                                  .terminate = nullptr};

class ChainTest : public test::RuntimeFixture {
 protected:
  ChainTest() {
    module_.name = "drained";
    version_ = code_.stage(std::make_unique<code::Version>(&module_)).value();
    code_.make_current("drained");
  }
  void set_phase(code::Phase phase) {
    const bool is_open = phase == code::Phase::kOpen;
    if (!is_open) runtime_.attend(Attention::kDraining, true);
    version_->phase() = phase;
    if (is_open) runtime_.attend(Attention::kDraining, false);
  }
  void pass_barrier() { EXPECT_TRUE(runtime_.barrier(now_ns() + 10'000'000'000)); }
  baton_term spawn_waiter(baton_term reporter) {
    External external(runtime_);
    Message* args = external.context().allocate(0);
    args->root = reporter;
    return spawn(external.context(), {.version = version_, .behaviour = &kWaiter, .args = args})
        .pid;
  }
  void wait_until(const std::function<bool()>& is_so) {
    const std::uint64_t deadline = now_ns() + 10'000'000'000;
    while (!is_so() && now_ns() < deadline) std::this_thread::yield();
    EXPECT_TRUE(is_so());
  }

  baton_module module_ = test::native::kModule;
  code::Version* version_;
  test::native::Job job_{};
};

// A process that served a chain past other mail, without being put aside, kept the place in its
// mail when the drain was given up meanwhile: a message that was freed soon after.
TEST_F(ChainTest, ADrainGivenUpInsideACallbackLeavesNoPlaceInTheMail) {
  Probe a = probe(version_);
  const Process& process = *runtime_.find(a.pid());
  std::atomic<bool> is_ready{false}, goes_on{false};
  job_.work = [&](Context&) {
    set_phase(code::Phase::kOpen);
    return BATON_OK;
  };
  std::thread other([&] {
    a.run([&](Context&) {
      is_ready = true;
      while (!goes_on) std::this_thread::yield();
    });
  });
  wait_until([&] { return is_ready.load(); });

  set_phase(code::Phase::kDraining);
  send(a.pid(), "passed_over");
  {
    External external(runtime_);
    Message* job = external.context().allocate(1);
    job->root = test::native::kRun;
    job->word[0] = reinterpret_cast<baton_term>(&job_);
    job->flags |= kNested;
    runtime::send(external.context(), a.pid(), job);
  }
  goes_on = true;
  other.join();

  a.await("passed_over");
  a.run([&](Context&) { EXPECT_EQ(process.scan, nullptr); });
}

// Signals that came while a process was parked were taken unseen, and a frame that received any
// message was given them.
TEST_F(ChainTest, ASignalThatCameWhileParkedIsNoMessage) {
  Probe a = probe();
  const baton_term waiter = spawn_waiter(a.pid());
  send(waiter, "wait");
  const Process& process = *runtime_.find(waiter);
  wait_until([&] { return process.has(kAwaiting); });

  set_phase(code::Phase::kParked);
  a.run([&](Context& context) { monitor(context, waiter); });
  // It stays where it is: a take-over owns what is parked, with its mail.
  wait_until([&] { return process.mailbox.has_new_mail(); });
  set_phase(code::Phase::kOpen);
  pass_barrier();
  cast(waiter, "any");

  EXPECT_EQ(a.next().text, std::to_string(BATON_CAST));
}

}  // namespace
}  // namespace baton::runtime
