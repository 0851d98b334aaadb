#include "base/log.h"

#include "base/files.h"
#include "support/temporary_directory.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

const WallTime kTime = *parse_time("2026-11-22T20:41:10.123Z");

TEST(Log, ALineHasTimeLevelTextSourceAndFields) {
  EXPECT_EQ(format_log_line(LogFormat::kText, kTime, LogLevel::kWarning, {"kv", "1.0.0", "<0.7.0>"},
                            "slow callback", {{"took", "30ms"}, {"note", "a b"}}),
            "2026-11-22T20:41:10.123Z warning slow callback module=kv version=1.0.0 pid=<0.7.0> "
            "took=30ms note=\"a b\"");
}

TEST(Log, JsonHasTheSameParts) {
  EXPECT_EQ(format_log_line(LogFormat::kJson, kTime, LogLevel::kInfo, {"kv", "", ""},
                            "say \"hi\"\n", {{"n", "1"}}),
            R"({"time":"2026-11-22T20:41:10.123Z","level":"info","module":"kv",)"
            R"("text":"say \"hi\"\n","n":"1"})");
}

TEST(Log, NoTextCanForgeASecondRecord) {
  std::string line = format_log_line(LogFormat::kText, kTime, LogLevel::kInfo, {},
                                     "one\ntwo\r\x1b[31m\xff", {{"k", "v\nw"}});
  EXPECT_EQ(line.find_first_of("\n\r\x1b\xff"), std::string::npos) << line;
}

TEST(Log, ATextPastTheLimitIsCut) {
  std::string line = format_log_line(LogFormat::kText, kTime, LogLevel::kInfo, {},
                                     std::string(kLogTextBytesMax + 1, 'x'), {});
  EXPECT_LT(line.size(), kLogTextBytesMax + 100);
  EXPECT_EQ(line.substr(line.size() - 4), "x...");
}

TEST(Log, RecordsBelowTheLevelAreNotWrittenAndTheLevelChangesAtRunTime) {
  TemporaryDirectory root;
  SettableClock clock;
  clock.set_wall(kTime);
  {
    auto log = *Log::open({LogLevel::kInfo, LogFormat::kText, root / "log"}, clock);
    log->write(LogLevel::kDebug, "first");
    log->set_level(LogLevel::kDebug);
    log->write(LogLevel::kDebug, "second");
  }
  EXPECT_EQ(*read_file(*real_files(), root / "log", 1000),
            "2026-11-22T20:41:10.123Z debug second\n");
}

TEST(Log, ItCopiesWhatItIsGiven) {
  TemporaryDirectory root;
  SettableClock clock;
  {
    auto log = *Log::open({LogLevel::kInfo, LogFormat::kText, root / "log"}, clock);
    std::string text = "before";
    log->write(LogLevel::kInfo, text, {{"key", text}});
    text = "after!";
  }
  const std::string written = *read_file(*real_files(), root / "log", 1000);
  EXPECT_NE(written.find("before key=before"), std::string::npos) << written;
}

TEST(Log, AFileThatCannotBeWrittenIsAnErrorThatNamesIt) {
  SettableClock clock;
  auto log = Log::open({LogLevel::kInfo, LogFormat::kText, "/proc/none/log"}, clock);
  ASSERT_FALSE(log.ok());
  EXPECT_NE(log.error().message().find("/proc/none/log"), std::string::npos);
}

TEST(LogLevel, EveryLevelIsReadBackFromItsName) {
  for (auto level : {LogLevel::kTrace, LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning,
                     LogLevel::kError, LogLevel::kCritical})
    EXPECT_EQ(parse_log_level(log_level_name(level)), level);
  EXPECT_FALSE(parse_log_level("loud").has_value());
}

}  // namespace
}  // namespace baton
