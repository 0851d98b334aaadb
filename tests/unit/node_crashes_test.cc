#include "base/clock.h"
#include "node/crashes.h"
#include "support/temporary_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::node {
namespace {

using testing::HasSubstr;

constexpr const char* kReport =
    "baton-crash: 1\nat: 2026-11-24T21:30:00.123Z\nmodule: shop\nversion: 1.2.0\n"
    "process: <0.7.1>\nsignal: SIGSEGV\ncallback: handle_cast\nmessage: buy\n"
    "frame: shop 1.2.0 +0x11f3\nframe: host +0x8a20\nframe: ho";

class CrashesTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(make_directories(*files_, crashes_.directory()).ok()); }
  void write(const std::string& name, const std::string& text = kReport) {
    ASSERT_TRUE(write_file_atomically(*files_, crashes_.directory() + "/" + name, text).ok());
  }
  /// What a start says.
  std::string begin() {
    const std::string file = root_ / "log" + std::to_string(++starts_);
    {
      Log::Options options;
      options.file = file;
      const auto log = *Log::open(options, clock_);
      const auto begun = crashes_.begin(*log);
      EXPECT_TRUE(begun.ok()) << begun.error().message();
    }
    return read_file(*files_, file, 1 << 20).value();
  }
  std::vector<std::string> names() { return files_->list_directory(crashes_.directory()).value(); }

  TemporaryDirectory root_;
  RealClock clock_;
  std::unique_ptr<Files> files_ = real_files();
  Crashes crashes_{*files_, root_.path()};
  int starts_ = 0;
};

TEST_F(CrashesTest, AStartTellsOfACrashOnce) {
  write("20261124T213000Z-12.new");

  const std::string said = begin();

  for (const char* what : {"SIGSEGV", "module=shop", "version=1.2.0", "<0.7.1>", "handle_cast",
                           "message=buy", "shop 1.2.0 +0x11f3"})
    EXPECT_THAT(said, HasSubstr(what));
  EXPECT_THAT(names(), testing::ElementsAre("20261124T213000Z-12.crash"));
  EXPECT_EQ(begin(), "");
}

TEST_F(CrashesTest, TheNewestComesFirst) {
  write("20261124T213000Z-12.crash");
  write("20261125T213000Z-9.new");

  const auto listed = crashes_.list();

  ASSERT_TRUE(listed.ok());
  ASSERT_EQ(listed->size(), 2u);
  EXPECT_EQ(listed->front().file, "20261125T213000Z-9.new");
  EXPECT_EQ(listed->front().fact("callback"), "handle_cast");
  EXPECT_THAT(listed->front().frames, testing::ElementsAre("shop 1.2.0 +0x11f3", "host +0x8a20"));
}

TEST_F(CrashesTest, TheLastAreKept) {
  for (std::size_t i = 0; i < kCrashesKept + 3; ++i)
    write("20261124T2130" + std::to_string(10 + i) + "Z-12.new");

  begin();

  EXPECT_EQ(names().size(), kCrashesKept);
  EXPECT_EQ(names().front(), "20261124T213013Z-12.crash");
}

TEST_F(CrashesTest, AFormatThatIsNewerIsRefusedByName) {
  const Crash crash = parse_crash("a.new", "baton-crash: 2\nsignal: SIGSEGV\n");
  EXPECT_THAT(crash.trouble, HasSubstr("format 2"));
  EXPECT_EQ(crash.fact("signal"), "");
}

TEST_F(CrashesTest, WhatIsNoReportIsNamedAsSuch) {
  write("a.new",
        "\x7f"
        "ELF");
  EXPECT_THAT(begin(), HasSubstr("no report of a crash"));
  EXPECT_EQ(crashes_.list()->front().trouble, "it is no report of a crash");
}

}  // namespace
}  // namespace baton::node
