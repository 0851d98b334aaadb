#include "load/http_reply.h"
#include "load/json_field.h"
#include "load/resp_frame.h"

#include <gtest/gtest.h>

#include <string>

namespace baton::load {
namespace {

TEST(RespFrame, EndsWhereTheReplyEnds) {
  for (const std::string reply :
       {"+OK\r\n", "-ERR no\r\n", ":-12\r\n", "$-1\r\n", "*-1\r\n", "$0\r\n\r\n",
        "$5\r\na\r\nbc\r\n", "*0\r\n", "*3\r\n:1\r\n$-1\r\n*1\r\n+x\r\n"}) {
    EXPECT_EQ(resp_frame_size(reply + ":7\r\n"), reply.size()) << reply;
  }
}

TEST(RespFrame, IsIncompleteAtEveryCutOfAReply) {
  const std::string reply = "*2\r\n$5\r\nhello\r\n*1\r\n:42\r\n";
  for (std::size_t cut = 0; cut < reply.size(); ++cut) {
    EXPECT_EQ(resp_frame_size(reply.substr(0, cut)), kRespIncomplete) << cut;
  }
}

TEST(RespFrame, IsMalformedWhenNoReplyCouldBeginSo) {
  std::string deep;
  for (int i = 0; i <= kRespDepthMax; ++i) deep += "*1\r\n";
  for (const std::string& bytes :
       {std::string("HTTP/1.1"), std::string("$x\r\n"), std::string("$-2\r\n"),
        std::string("$3\r\nabcd\r\n"), std::string("$536870913\r\n"), std::string(":\r\n"),
        deep + ":1\r\n"}) {
    EXPECT_EQ(resp_frame_size(bytes), kRespMalformed) << bytes;
  }
}

TEST(HttpReply, GivesStatusAndBodyAndLeavesWhatFollows) {
  const std::string reply = "HTTP/1.1 201 Created\r\nX: y\r\ncontent-LENGTH: 4\r\n\r\nbody";
  const HttpReply parsed = parse_http_reply(reply + "HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(parsed.size, reply.size());
  EXPECT_EQ(parsed.status, 201);
  EXPECT_EQ(parsed.body, "body");
  EXPECT_FALSE(parsed.closes);
  EXPECT_FALSE(parsed.malformed);
}

TEST(HttpReply, IsIncompleteAtEveryCut) {
  const std::string reply = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
  for (std::size_t cut = 0; cut < reply.size(); ++cut) {
    const HttpReply parsed = parse_http_reply(std::string_view(reply).substr(0, cut));
    EXPECT_EQ(parsed.size, 0u) << cut;
    EXPECT_FALSE(parsed.malformed) << cut;
  }
}

TEST(HttpReply, NoticesThatTheServerWillClose) {
  EXPECT_TRUE(
      parse_http_reply("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").closes);
}

TEST(HttpReply, IsMalformedWithoutALengthThatCanBeTrusted) {
  for (const std::string reply :
       {"SSH-2.0-x\r\n\r\n", "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 67108865\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"}) {
    EXPECT_TRUE(parse_http_reply(reply).malformed) << reply;
  }
  EXPECT_TRUE(
      parse_http_reply("HTTP/1.1 200 OK\r\nX: " + std::string(kHttpHeadMax, 'x')).malformed);
}

TEST(JsonField, IsTheRawTextOfATopLevelMember) {
  const std::string object = R"( {"a" : 1 , "b":{"a":2,"x":[3,"}"]},"c":"q\"}," , "d":null})";
  EXPECT_EQ(json_field(object, "a"), "1");
  EXPECT_EQ(json_field(object, "b"), R"({"a":2,"x":[3,"}"]})");
  EXPECT_EQ(json_field(object, "c"), R"("q\"},")");
  EXPECT_EQ(json_field(object, "d"), "null");
}

TEST(JsonField, IsNothingInWhatIsNoObjectOrHasNoSuchMember) {
  for (const std::string text :
       {"", "[1]", "{}", "{\"a\":1", "{\"a\"", "{\"a\" 1}", "{\"b\":{\"a\":1}}"}) {
    EXPECT_FALSE(json_field(text, "a").has_value()) << text;
  }
}

TEST(JsonField, StringsAreWrittenSoThatAnyBytesSurvivePrinting) {
  EXPECT_EQ(json_string("a\"\\\r\n\x01\xff"), "\"a\\\"\\\\\\r\\n\\u0001\\u00ff\"");
}

}  // namespace
}  // namespace baton::load
