#include "term/atom.h"
#include "term/builder.h"
#include "term/json.h"
#include "term/limits.h"
#include "term/text.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace baton::term {
namespace {

std::string json(std::string_view text) {
  AtomTable atoms;
  return to_json(parse(text, atoms)->root(), atoms);
}

TEST(Json, EachKindOfTermHasItsForm) {
  EXPECT_EQ(json("{ok,[1,-2.5,1.0e30],<<\"text\">>,[],{},#{}}"),
            R"(["ok",[1,-2.5,1.0e30],"text",[],[],{}])");
  EXPECT_EQ(json("[true,false,null,undefined]"), R"([true,false,null,"undefined"])");
  EXPECT_EQ(json("123456789012345678901234567890"), "123456789012345678901234567890");
  EXPECT_EQ(json("[<0.5.1>,#Ref<0.7.1>,#Port<0.2>]"), R"(["<0.5.1>","#Ref<0.7.1>","#Port<0.2>"])");
  EXPECT_EQ(json("\"abc\""), "[97,98,99]");
  EXPECT_EQ(json("[1|2]"), "[1,2]");
  EXPECT_EQ(json("<<255,1>>"), R"("<<255,1>>")");
}

TEST(Json, TextIsEscapedWhereJsonNeedsIt) {
  EXPECT_EQ(json(R"(<<"a\"b\\\n\t\x01é"/utf8>>)"), "\"a\\\"b\\\\\\n\\t\\u0001é\"");
}

TEST(Json, KeysAreTextsAndNeverMeet) {
  EXPECT_EQ(json("#{b => 1, <<\"a\">> => 2, 1 => 3, {x,1} => 4}"),
            R"({"1":3,"b":1,"{x,1}":4,"a":2})");
  EXPECT_EQ(json("#{a => 1, <<\"a\">> => 2}"), R"({"a":1,"<<\"a\">>":2})");
}

TEST(Json, WhatJsonCannotHoldIsNullOrText) {
  AtomTable atoms;
  Builder b;
  EXPECT_EQ(to_json(b.real(std::numeric_limits<double>::infinity()), atoms), "null");
  const std::vector<std::uint64_t> limbs(2000, 1);
  EXPECT_EQ(to_json(b.big(false, limbs), atoms).substr(0, 6), "\"16#10");
  EXPECT_EQ(to_json(atom("not in the table"), atoms).substr(0, 7), "\"#Atom<");
  baton_term deep = BATON_NIL;
  for (int i = 0; i < 5000; ++i) deep = b.tuple({deep});
  const std::string nested = to_json(deep, atoms);
  EXPECT_EQ(nested, std::string(kTermDepthMax, '[') + "\"...\"" + std::string(kTermDepthMax, ']'));
}

}  // namespace
}  // namespace baton::term
