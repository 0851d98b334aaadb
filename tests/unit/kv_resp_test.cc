#include "resp.h"
#include "support/kv_server.h"

#include <gtest/gtest.h>

#include <random>

namespace kv {
namespace {

// Feeds the input in chunks of this size; each command becomes its words, each followed by '|'.
std::string parsed(std::string_view input, std::size_t chunk) {
  Input kept;
  std::string commands;
  for (std::size_t at = 0; at < input.size(); at += chunk) {
    const std::string copy(input.substr(at, chunk));
    Parser parser(kept, copy);
    Parser::Step step;
    while ((step = parser.next()) == Parser::Step::kCommand) {
      const Arguments words = parser.arguments();
      for (std::size_t i = 0; i < words.size(); ++i) commands.append(words[i]).append("|");
      commands += '\n';
    }
    if (step == Parser::Step::kError) return commands + parser.error();
    parser.finish();
  }
  return commands;
}

std::string error_of(std::string_view input) {
  const std::string text = parsed(input, input.size());
  const std::string prefix = "ERR Protocol error: ";
  return text.substr(0, prefix.size()) == prefix ? text.substr(prefix.size()) : "no error: " + text;
}

TEST(KvParser, CutsOfTheInputAtAnyPlaceMakeNoDifference) {
  const std::string input =
      "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\na\r\nbc\r\nget k\r\n\r\n*0\r\n*-1\r\n*1\r\n$0\r\n\r\n"
      "echo \"a b\\x41\\n\" 'c\\'d'\n*2\r\n$4\r\nPING\r\n$0\r\n\r\n";
  const std::string whole = parsed(input, input.size());
  EXPECT_EQ(whole, "SET|k|a\r\nbc|\nget|k|\n|\necho|a bA\n|c'd|\nPING||\n");
  for (std::size_t chunk = 1; chunk < input.size(); ++chunk) {
    EXPECT_EQ(parsed(input, chunk), whole) << "in chunks of " << chunk;
  }
}

TEST(KvParser, ReadsAnyBytesTheSameInOnePieceAndInMany) {
  std::mt19937 random(11);
  const std::string_view pieces[] = {"*1\r\n",  "*2\r\n", "$1\r\n", "$3\r\n", "\r\n", "\n", "a",
                                     "abc\r\n", "get b",  " ",      "\"",     "'",    "\\", "\\x4",
                                     "*",       "$",      "-1\r\n", "0\r\n",  "\0",   "9",  "\r"};
  for (int round = 0; round < 5000; ++round) {
    std::string input;
    for (std::size_t i = random() % 20; i > 0; --i) input += pieces[random() % std::size(pieces)];
    if (input.empty()) continue;
    EXPECT_EQ(parsed(input, 1 + random() % 5), parsed(input, input.size())) << input;
  }
}

TEST(KvParser, KeepsNothingOfAnInputThatIsConsumed) {
  Input kept;
  const std::string first = "*2\r\n$3\r\nGET\r\n$300000\r\n" + std::string(200'000, 'x');
  const std::string second = std::string(100'000, 'x') + "\r\n";
  {
    Parser parser(kept, first);
    ASSERT_EQ(parser.next(), Parser::Step::kIncomplete);
    parser.finish();
  }
  EXPECT_EQ(kept.pending.size(), first.size());
  Parser parser(kept, second);
  ASSERT_EQ(parser.next(), Parser::Step::kCommand);
  EXPECT_EQ(parser.arguments()[1].size(), 300'000u);
  parser.finish();
  EXPECT_TRUE(kept.pending.empty());
  EXPECT_LT(kept.pending.capacity(), 100u);
}

TEST(KvParser, NamesWhatBreaksTheProtocol) {
  EXPECT_EQ(error_of("*x\r\n"), "invalid multibulk length");
  EXPECT_EQ(error_of("*01\r\n"), "invalid multibulk length");
  EXPECT_EQ(error_of("*1\r\n+3\r\n"), "expected '$', got '+'");
  EXPECT_EQ(error_of("*1\r\n$-1\r\n"), "invalid bulk length");
  EXPECT_EQ(error_of("*1\r\n$ 1\r\n"), "invalid bulk length");
  EXPECT_EQ(error_of("get \"a\r\n"), "unbalanced quotes in request");
  EXPECT_EQ(error_of("get 'a'b\r\n"), "unbalanced quotes in request");
}

TEST(KvParser, RefusesWhatIsLongerThanItsLimits) {
  EXPECT_EQ(error_of("*" + std::to_string(kArgumentsMax + 1) + "\r\n"), "invalid multibulk length");
  EXPECT_EQ(error_of("*1\r\n$" + std::to_string(kBulkBytesMax + 1) + "\r\n"),
            "invalid bulk length");
  EXPECT_EQ(error_of(std::string(kInlineBytesMax + 1, 'a')), "too big inline request");
  EXPECT_EQ(error_of("*" + std::string(kInlineBytesMax + 1, '1')), "too big mbulk count string");
  EXPECT_EQ(error_of("*1\r\n$" + std::string(kInlineBytesMax + 1, '1')),
            "too big bulk count string");
  std::string request = "*3\r\n";
  for (int i = 0; i < 3; ++i) {
    request +=
        "$" + std::to_string(kBulkBytesMax) + "\r\n" + std::string(kBulkBytesMax, 'x') + "\r\n";
  }
  EXPECT_EQ(error_of(request), "too big request");
}

TEST(KvParser, TakesWhatJustFitsItsLimits) {
  const std::string bulk(kBulkBytesMax, 'x');
  const std::string input = "*1\r\n$" + std::to_string(kBulkBytesMax) + "\r\n" + bulk + "\r\n";
  EXPECT_EQ(parsed(input, 1 << 20).size(), bulk.size() + 2);
  EXPECT_EQ(parsed(std::string(kInlineBytesMax, 'a') + "\n", 1000).size(), kInlineBytesMax + 2);
}

TEST(KvParser, IntegersHaveOneFormOnly) {
  std::int64_t value = 0;
  EXPECT_TRUE(parse_integer("-9223372036854775808", value));
  EXPECT_EQ(value, INT64_MIN);
  EXPECT_TRUE(parse_integer("0", value));
  for (const char* text : {"", "-", "+1", "01", "-0", " 1", "1 ", "1.0", "9223372036854775808"}) {
    EXPECT_FALSE(parse_integer(text, value)) << text;
  }
}

TEST(KvSession, AnswersABreachOfTheProtocolAndCloses) {
  KvServer server;
  EXPECT_EQ(server.send("*1\r\n$4\r\nPING\r\n*1\r\n!\r\nPING\r\n"),
            "+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n");
  EXPECT_TRUE(server.is_closed());
}

TEST(KvSession, PassesLongRepliesOnInPieces) {
  KvServer server;
  server.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000\r\n" + std::string(500'000, 'x') + "\r\n");
  EXPECT_EQ(server.send("get k\r\nget k\r\nget k\r\nget k\r\nget k\r\n").size(),
            5 * std::string_view("$500000\r\n\r\n").size() + 5 * 500'000);
  EXPECT_EQ(server.pauses(), 1);
}

TEST(KvSession, ACommandCutInTwoSurvivesItsStateBeingMoved) {
  KvServer server;
  EXPECT_EQ(server.send("*2\r\n$4\r\nECHO\r\n$5\r\nhe"), "");
  KvServer next;
  next.connection() = std::move(server.connection());
  EXPECT_EQ(next.send("llo\r\n"), "$5\r\nhello\r\n");
}

}  // namespace
}  // namespace kv
