// What counts as use of a module, and what does not.
#include "runtime/sample.h"

#include "runtime/primitives.h"
#include "support/runtime_fixture.h"

namespace baton::runtime {
namespace {

class Samples : public test::RuntimeFixture {
 protected:
  Samples() {
    module_.name = "sampled";
    version_ = code_.stage(std::make_unique<code::Version>(&module_)).value();
    code_.make_current("sampled");
    runtime_.attend(Attention::kSampling, true);
  }
  /// A message as a check's connection sends it.
  void send_set_off(baton_term to, const std::string& text) {
    const term::Block block = parse(text);
    External external(runtime_);
    Message* message = message_of(external.context(), block.root());
    message->flags |= kSetOff;
    runtime::send(external.context(), to, message);
  }
  /// A gen_server of the version, which passes its mail on to the reporter.
  baton_term spawn_child(Probe& reporter) {
    const term::Block args = parse("[" + reporter.text() + ",a]");
    External external(runtime_);
    const baton_term pid =
        spawn(external.context(), {.version = version_,
                                   .behaviour = version_->behaviour("child"),
                                   .args = message_of(external.context(), args.root())})
            .pid;
    reporter.await("{started,a}");
    return pid;
  }

  baton_module module_ = test::native::kModule;
  code::Version* version_;
};

TEST_F(Samples, MessagesCallsAndCastsAreCountedForTheVersionThatHandlesThem) {
  Probe outside = probe();
  const baton_term child = spawn_child(outside);
  send(child, "message");
  outside.await("{got,a,message}");
  cast(child, "cast");
  outside.await("{got,a,cast}");
  EXPECT_EQ(call(child, "call"), "{ok,a}");
  EXPECT_EQ(version_->samples(), 3u);
}

TEST_F(Samples, StartsTimeOutsSignalsAndRepliesAreNone) {
  Probe inside = probe(version_), outside = probe(version_), asked = probe();
  baton_term ref = BATON_NO_TERM;
  inside.run(
      [&](Context& context) { ref = runtime::call(context, asked.pid(), context.allocate(1)); });
  const std::uint64_t before = version_->samples();
  External external(runtime_);
  send_after(external.context(), 0, inside.pid(),
             message_of(external.context(), term::atom("test"), BATON_TIMEOUT, 1));
  inside.await("{timeout,test}");
  Message* answer = external.context().allocate(1);
  answer->root = term::atom("test");
  reply(external.context(), inside.pid(), ref, answer);
  inside.await("{reply,test}");
  EXPECT_EQ(version_->samples(), before);
}

// The probation's own checks counted as traffic: a release that nobody used had enough of it.
TEST_F(Samples, WhatACheckSetsOffIsNone) {
  Probe reporter = probe(version_);
  const baton_term child = spawn_child(reporter);
  const std::uint64_t before = version_->samples();
  send_set_off(child, "check");
  reporter.await("{got,a,check}");
  EXPECT_EQ(version_->samples(), before);

  send(child, "message");
  reporter.await("{got,a,message}");
  EXPECT_EQ(version_->samples(), before + 2);
}

TEST_F(Samples, WhatATimerSetsOffIsNone) {
  Probe reporter = probe(version_);
  const baton_term child = spawn_child(reporter);
  const std::uint64_t before = version_->samples();
  External external(runtime_);
  send_after(external.context(), 0, child,
             message_of(external.context(), term::atom("test"), BATON_TIMEOUT, 1));
  reporter.await("{got,a,test}");
  EXPECT_EQ(version_->samples(), before);
}

TEST_F(Samples, AChildInheritsWhatItsParentWasSetOffBy) {
  Probe reporter = probe(version_), parent = probe(version_);
  const term::Block args = parse("[" + reporter.text() + ",b]");
  const std::uint64_t before = version_->samples();
  parent.run([&](Context& context) {
    context.is_set_off = true;
    spawn(context, {.version = version_,
                    .behaviour = version_->behaviour("child"),
                    .args = message_of(context, args.root())});
  });
  reporter.await("{started,b}");
  EXPECT_EQ(version_->samples(), before + 1);  // the one that ran the parent
}

TEST_F(Samples, NothingIsCountedWhileNobodyAsks) {
  runtime_.attend(Attention::kSampling, false);
  Probe reporter = probe();
  const baton_term child = spawn_child(reporter);
  send(child, "message");
  reporter.await("{got,a,message}");
  EXPECT_EQ(version_->samples(), 0u);
}

}  // namespace
}  // namespace baton::runtime
