// What any client can write stands for a process, a request or a name in every primitive, and does
// no harm: pids that no process ever had, references, ports and terms that are no address at all.
#include "runtime/primitives.h"
#include "runtime/runtime.h"
#include "support/runtime_fixture.h"

#include <functional>

namespace baton::runtime {
namespace {

class ForeignTermTest : public test::RuntimeFixture {
 protected:
  /// Pids of nobody: beyond the table, in slots never used, of generations gone or still to come.
  std::vector<baton_term> foreign_pids(baton_term living) {
    std::vector<baton_term> pids;
    const std::uint32_t used = runtime_.table().used();
    const std::uint32_t index = pid_index(living);
    for (std::uint32_t at : {0u, index, used - 1, used, used + 1, 1u << 20, 1u << 27, 500'000'000u,
                             term::kPidIndexMax})
      for (std::uint32_t generation : {0u, 1u, 2u, 1u << 20, 1u << 21, 1u << 31, 0xffffffffu}) {
        const baton_term pid = term::make_pid(at, generation);
        if (pid != living && at != index) pids.push_back(pid);
        if (at == index && generation % (1u << 21) != pid_generation(living)) pids.push_back(pid);
      }
    return pids;
  }
  /// And what is no pid at all. Terms in a block live as long as the fixture.
  std::vector<baton_term> foreign_terms(baton_term living) {
    std::vector<baton_term> terms = foreign_pids(living);
    for (const char* text : {"#Ref<0.0.0>", "#Ref<0.77.511>", "#Ref<0.4503599627370495.511>",
                             "#Port<0.0>", "#Port<0.16777215>", "#Port<0.72057594037927935>",
                             "nobody_here", "0", "-1", "[]", "3.5", "{nobody,nowhere}", "[1,2,3]",
                             "<<\"bytes\">>", "#{a => 1}", "123456789012345678901234567890"}) {
      blocks_.push_back(parse(text));
      terms.push_back(blocks_.back().root());
    }
    return terms;
  }
  /// It still handles its mail, and nothing came that is not taken.
  void expect_well(Probe& probe) {
    probe.run([](Context&) {});
    EXPECT_EQ(probe.inbox().size(), 0u);
    EXPECT_EQ(crashes(), 0u);
  }
  void for_each_foreign_term(Probe& probe, const std::function<void(Context&, baton_term)>& use,
                             const char* answer = nullptr) {
    for (baton_term foreign : foreign_terms(probe.pid())) {
      SCOPED_TRACE(text(foreign));
      probe.run([&](Context& context) { use(context, foreign); });
      if (answer != nullptr) {
        ASSERT_EQ(probe.next().text, answer);
      }
      ASSERT_NO_FATAL_FAILURE(expect_well(probe));
    }
  }

 private:
  std::vector<term::Block> blocks_;
};

// An answer to a pid of an index beyond the table wrote outside it and ended the host.
TEST_F(ForeignTermTest, MailToNobodyIsDropped) {
  Probe a = probe();
  for_each_foreign_term(a, [&](Context& context, baton_term foreign) {
    runtime::send(context, foreign, message_of(context, foreign));
    context.host->cast(&context, foreign, message_of(context, foreign));
  });
  for (baton_term foreign : foreign_terms(a.pid())) {
    External external(runtime_);
    runtime::send(external.context(), foreign, message_of(external.context(), foreign));
  }
  expect_well(a);
}

TEST_F(ForeignTermTest, ACallToNobodyIsAnsweredWithNoproc) {
  Probe a = probe();
  for_each_foreign_term(
      a,
      [](Context& context, baton_term foreign) {
        runtime::call(context, foreign, message_of(context, foreign, BATON_CALL, 1));
      },
      "{'DOWN',noproc}");
}

TEST_F(ForeignTermTest, ACallFromOutsideToNobodyIsAnsweredWithAnError) {
  Probe a = probe();
  for (baton_term foreign : foreign_terms(a.pid())) {
    SCOPED_TRACE(text(foreign));
    EXPECT_EQ(call(foreign, "ask"), "error: no answer: the process is not there or ended: noproc");
    EXPECT_EQ(runtime_.system(foreign, kInfo, test::kDeadline).error().code(), Code::kNotFound);
    EXPECT_FALSE(runtime_.watch_port_owner(foreign));
  }
}

TEST_F(ForeignTermTest, AReplyToNobodyIsDropped) {
  Probe a = probe();
  for_each_foreign_term(a, [](Context& context, baton_term foreign) {
    runtime::reply(context, foreign, foreign, message_of(context, foreign, BATON_REPLY, 1));
  });
}

TEST_F(ForeignTermTest, AnExitSignalToNobodyIsDropped) {
  Probe a = probe();
  for_each_foreign_term(a, [](Context& context, baton_term foreign) {
    for (baton_term reason : {term::atoms::kKill, term::atoms::kShutdown, foreign})
      runtime::exit_signal(context, foreign, message_of(context, reason, BATON_MESSAGE, 1));
  });
}

TEST_F(ForeignTermTest, ALinkToNobodyIsAnsweredWithNoproc) {
  Probe a = probe();
  a.trap_exit();
  for_each_foreign_term(
      a, [](Context& context, baton_term foreign) { runtime::link(context, foreign); },
      "{'EXIT',noproc}");
  for_each_foreign_term(
      a, [](Context& context, baton_term foreign) { runtime::unlink(context, foreign); });
}

TEST_F(ForeignTermTest, AMonitorOfNobodyIsAnsweredWithNoproc) {
  Probe a = probe();
  for_each_foreign_term(
      a, [](Context& context, baton_term foreign) { runtime::monitor(context, foreign); },
      "{'DOWN',noproc}");
  for_each_foreign_term(a, [](Context& context, baton_term foreign) {
    runtime::demonitor(context, runtime::monitor(context, foreign));
    runtime::demonitor(context, foreign);
  });
}

TEST_F(ForeignTermTest, WhatAProcessSaysOfItselfNamesNoTermOfABlockThatIsGone) {
  Probe a = probe();
  a.trap_exit();

  a.run([&](Context& context) {
    const term::Block block = parse("{nobody,<<\"nowhere, and longer than a word\">>}");
    runtime::link(context, block.root());
    runtime::monitor(context, block.root());
  });

  auto info = runtime_.system(a.pid(), kInfo, test::kDeadline);
  ASSERT_TRUE(info.ok()) << info.error().message();
  EXPECT_EQ(text(info->root()).find("nowhere"), std::string::npos);
}

TEST_F(ForeignTermTest, ATimerForNobodyIsDroppedAndWhatIsNoTimerIsNotCancelled) {
  Probe a = probe();
  for_each_foreign_term(a, [](Context& context, baton_term foreign) {
    const baton_term last = runtime::send_after(context, 0, foreign, message_of(context, foreign));
    EXPECT_FALSE(runtime::cancel_timer(context, foreign));
    runtime::cancel_timer(context, last);
    runtime::send_after(context, 0, foreign, context.allocate(1));
  });
  // A later timer of the same keeper: those before it have fired.
  a.run([](Context& context) {
    runtime::send_after(context, 1'000'000, context.self,
                        message_of(context, term::atoms::kOk, BATON_MESSAGE, 1));
  });
  a.await("{timeout,ok}");
  expect_well(a);
}

TEST_F(ForeignTermTest, OnlyAnAtomIsAName) {
  Probe a = probe();
  for (baton_term foreign : foreign_terms(a.pid())) {
    SCOPED_TRACE(text(foreign));
    a.run([&](Context& context) {
      const bool is_name = term::is_atom(foreign);
      EXPECT_EQ(context.host->register_name(&context, foreign, context.self) == 0, is_name);
      EXPECT_EQ(context.host->whereis(&context, foreign) == context.self, is_name);
      EXPECT_EQ(context.host->unregister_name(&context, foreign) == 0, is_name);
      EXPECT_NE(context.host->register_name(&context, term::atoms::kOk, foreign), 0);

      baton_spawn_options options{.struct_size = sizeof options,
                                  .flags = BATON_SPAWN_MONITOR,
                                  .name = is_name ? BATON_NIL : foreign,
                                  .monitor = BATON_NO_TERM};
      EXPECT_EQ(context.host->spawn(&context, context.current->behaviour, nullptr, &options),
                BATON_NO_TERM);
    });
    EXPECT_TRUE(runtime_.registry().list().empty());
    expect_well(a);
  }
}

}  // namespace
}  // namespace baton::runtime
