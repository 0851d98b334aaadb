// Each crash in a process of its own, as a death test, on a thread that has a stack for it.
#include "base/crash.h"

#include "base/files.h"
#include "support/temporary_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

namespace baton {
namespace {

using testing::HasSubstr;
using testing::KilledBySignal;

// Nothing is ever mapped there; the compiler does not know.
volatile std::uintptr_t nowhere = 8;

void touch_nowhere() { *reinterpret_cast<volatile int*>(nowhere) = 1; }
void call_nowhere() { reinterpret_cast<void (*)()>(nowhere)(); }
std::int64_t go_deeper(std::int64_t depth) {
  volatile char room[1024];
  room[depth % 1024] = 1;
  return depth > 1'000'000'000 ? depth : go_deeper(depth + 1) + room[depth % 1024];
}
void overflow() { nowhere = static_cast<std::uintptr_t>(go_deeper(0)); }

class Working final : public CrashWitness {
 public:
  void tell(CrashFacts& facts) const override {
    facts.module << "shop";
    facts.version << "1.2.0";
    facts.process << "<0.7.1>";
    if (meets_damage) touch_nowhere();
    facts.message << "buy \"\n\\\x7f\xc3\xa9";
  }
  bool meets_damage = false;
};

class CrashTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  [[noreturn]] void crash(void (*how)(), LogFormat format = LogFormat::kText) {
    CrashReporter reporter(root_.path(), STDERR_FILENO, format, "9.9.9");
    std::thread([&] {
      CrashStack stack(working_);
      how();
    }).join();
    std::exit(0);
  }

  TemporaryDirectory root_;
  Working working_;
};

TEST_F(CrashTest, AFaultIsReportedAndThenTheSignalEndsTheProcess) {
  EXPECT_EXIT(crash(touch_nowhere), KilledBySignal(SIGSEGV),
              "critical the host dies of a signal module=\"shop\" version=\"1.2.0\" "
              "pid=\"<0.7.1>\" signal=\"SIGSEGV\" address=\"0x8\" .*backtrace=\"host \\+0x");
}

TEST_F(CrashTest, AnAbortIsReported) {
  EXPECT_EXIT(crash(std::abort), KilledBySignal(SIGABRT), "signal=\"SIGABRT\".*backtrace=\"lib");
}

TEST_F(CrashTest, AnOverflowOfTheStackIsReportedFromAnother) {
  EXPECT_EXIT(crash(overflow), KilledBySignal(SIGSEGV), "cause=\"stack overflow\"");
}

TEST_F(CrashTest, ACallToNowhereIsReportedWithItsCaller) {
  EXPECT_EXIT(crash(call_nowhere), KilledBySignal(SIGSEGV), "backtrace=\"0x8, host \\+0x");
}

TEST_F(CrashTest, ASignalThatWasSentIsReportedAndEndsTheProcess) {
  EXPECT_EXIT(crash([] { ::raise(SIGFPE); }), KilledBySignal(SIGFPE), "signal=\"SIGFPE\"");
}

TEST_F(CrashTest, DamagedMemoryCostsTheFactThatWasReadAndNoMore) {
  working_.meets_damage = true;
  EXPECT_EXIT(crash(touch_nowhere), KilledBySignal(SIGSEGV),
              "pid=\"<0.7.1>\" signal=\"SIGSEGV\".*backtrace=\"host");
}

TEST_F(CrashTest, AsJsonItIsOneRecordWhoseTextsAreHarmless) {
  EXPECT_EXIT(crash(touch_nowhere, LogFormat::kJson), KilledBySignal(SIGSEGV),
              "\"level\":\"critical\".*\"message\":\"buy [?]+\",\"backtrace\":\"host.*\"\\}\n");
}

TEST_F(CrashTest, TheFileHasTheFactsALineEach) {
  const pid_t child = ::fork();
  if (child == 0) crash(touch_nowhere);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  const auto files = real_files();
  const auto names = files->list_directory(root_.path());
  ASSERT_TRUE(names.ok());
  ASSERT_EQ(names->size(), 1u);
  EXPECT_TRUE(names->front().ends_with("-" + std::to_string(child) + ".new")) << names->front();
  const auto text = read_file(*files, root_ / names->front(), 1 << 20);
  ASSERT_TRUE(text.ok());
  EXPECT_THAT(*text, testing::StartsWith("baton-crash: 1\nat: 2"));
  for (const char* line : {"\nhost: 9.9.9\n", "\nmodule: shop\n", "\nversion: 1.2.0\n",
                           "\nprocess: <0.7.1>\n", "\nsignal: SIGSEGV\n", "\nframe: host +0x"})
    EXPECT_THAT(*text, HasSubstr(line));
}

}  // namespace
}  // namespace baton
