#include "json.h"

#include <gtest/gtest.h>

#include <random>

namespace web {
namespace {

// The members as NAME=TEXT;, or what is wrong.
std::string parsed(std::string_view text) {
  std::string error;
  const auto object = JsonObject::parse(text, error);
  if (!object) return error;
  std::string members;
  for (const JsonMember& member : object->members()) {
    members += member.name + "=" + member.text + ";";
  }
  return members;
}

TEST(WebJson, ReadsTheMembersOfAFlatObject) {
  EXPECT_EQ(parsed("{}"), "");
  EXPECT_EQ(parsed(" { \"a\" : 1 , \"b\":\"x\",\"c\":true,\"d\":null } \n"),
            "a=1;b=x;c=true;d=null;");
  EXPECT_EQ(parsed("{\"n\":-0.50e+3}"), "n=-0.50e+3;");
}

TEST(WebJson, ReadsEscapes) {
  EXPECT_EQ(parsed(R"({"a":"\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00"})"),
            "a=\"\\/\b\f\n\r\tA\u00e9\u20ac\U0001F600;");
}

TEST(WebJson, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(parsed(""), "byte 1: expected an object");
  EXPECT_EQ(parsed("[1]"), "byte 1: expected an object");
  EXPECT_EQ(parsed("{\"a\":1"), "byte 7: expected ',' or '}'");
  EXPECT_EQ(parsed("{\"a\":1,}"), "byte 8: expected a name in quotes");
  EXPECT_EQ(parsed("{\"a\" 1}"), "byte 6: expected ':'");
  EXPECT_EQ(parsed("{\"a\":1,\"a\":2}"), "byte 8: expected a name that was not there before");
  EXPECT_EQ(parsed("{\"a\":{}}"), "byte 6: expected a string, a number, true, false or null");
  EXPECT_EQ(parsed("{\"a\":tru}"), "byte 6: expected a string, a number, true, false or null");
  EXPECT_EQ(parsed("{\"a\":01}"), "byte 7: expected ',' or '}'");
  EXPECT_EQ(parsed("{\"a\":1.}"), "byte 8: expected a digit");
  EXPECT_EQ(parsed("{\"a\":-}"), "byte 7: expected a digit");
  EXPECT_EQ(parsed("{\"a\":\"x"), "byte 8: expected '\"' at the end of the string");
  EXPECT_EQ(parsed("{\"a\":\"\n\"}"), "byte 7: expected no control character in a string");
  EXPECT_EQ(parsed("{} x"), "byte 4: expected nothing behind the object");
}

TEST(WebJson, RefusesEscapesThatMeanNothing) {
  for (const char* text :
       {R"({"a":"\x"})", R"({"a":"\u12"})", R"({"a":"\u12g4"})", R"({"a":"\ud800"})",
        R"({"a":"\ud800\u0041"})", R"({"a":"\udc00"})", R"({"a":"\)"}) {
    EXPECT_NE(parsed(text).find("expected"), std::string::npos) << text;
  }
}

TEST(WebJson, RefusesTextThatIsNotUtf8) {
  EXPECT_EQ(parsed("{\"a\":\"\xff\"}"), "byte 7: expected a string in UTF-8");
  for (const char* text : {"\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                           "\xf8\x88\x80\x80\x80", "\xe2\x82", "a\xc3"}) {
    EXPECT_FALSE(is_utf8(text));
  }
  EXPECT_TRUE(is_utf8("a\u00e9\u20ac\U0001F600\U0010FFFF"));
}

TEST(WebJson, RefusesMoreMembersThanItsLimit) {
  std::string text = "{";
  for (std::size_t i = 0; i < kJsonMembersMax; ++i) {
    text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
  }
  EXPECT_EQ(parsed(text + "}").substr(0, 8), "0=0;1=0;");
  EXPECT_NE(parsed(text + ",\"x\":0}").find("expected at most 64 members"), std::string::npos);
}

TEST(WebJson, AnyBytesAreEitherReadOrComplainedOf) {
  std::mt19937 random(5);
  const std::string_view pieces[] = {"{",    "}",  "\"a\"",    ":",    ",",  "1",   "-",
                                     ".5",   "e1", "true",     "null", "\"", "\\u", "\\n",
                                     "d83d", " ",  "\xc3\xa9", "\xff", "[",  "x"};
  int objects = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string text = round % 2 == 0 ? "{\"a\":" : "{";
    for (std::size_t i = random() % 8; i > 0; --i) text += pieces[random() % std::size(pieces)];
    if (round % 3 != 0) text += "}";
    std::string error;
    const auto object = JsonObject::parse(text, error);
    objects += object ? 1 : 0;
    EXPECT_NE(object.has_value(), !error.empty()) << text;
    if (!object) continue;
    for (const JsonMember& member : object->members()) EXPECT_TRUE(is_utf8(member.text)) << text;
  }
  EXPECT_GT(objects, 100);
}

TEST(WebJson, WhatIsWrittenIsReadAgain) {
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  all += "\u00e9\u20ac\U0001F600";
  std::string text = "{\"a\":";
  append_json(text, all);
  std::string error;
  const auto object = JsonObject::parse(text + "}", error);
  ASSERT_TRUE(object) << error;
  EXPECT_EQ(object->find("a")->text, all);
}

}  // namespace
}  // namespace web
