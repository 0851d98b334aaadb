#include "node/verbs.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace baton::node {
namespace {

boost::json::object arguments(const char* text) { return boost::json::parse(text).as_object(); }

template <class T>
std::string shown(const Result<T>& result) {
  if (!result.ok()) {
    EXPECT_EQ(result.error().code(), Code::kUsage);
    return result.error().message();
  }
  if constexpr (std::is_same_v<T, std::string>)
    return *result;
  else
    return std::to_string(*result);
}

TEST(VerbArgumentTest, ATextIsAText) {
  const auto given = arguments(R"({"a":"x","b":1,"c":null})");
  const std::string wrong = "expected the argument \"";
  EXPECT_EQ(shown(text_argument(given, "a")), "x");
  EXPECT_EQ(shown(text_argument(given, "a", "other")), "x");
  EXPECT_EQ(shown(text_argument(given, "d", "other")), "other");
  EXPECT_EQ(shown(text_argument(given, "d")), wrong + "d\" to be a text");
  EXPECT_EQ(shown(text_argument(given, "b", "other")), wrong + "b\" to be a text");
  EXPECT_EQ(shown(text_argument(given, "c", "other")), wrong + "c\" to be a text");
}

TEST(VerbArgumentTest, ANumberIsAnIntegerWithinItsRange) {
  // What was no integer of 64 bits was read as if it had not been given.
  const auto given = arguments(
      R"({"a":7,"text":"x","real":1.5,"whole":1.0,"large":9223372036854775808,"low":-1,"flag":true})");
  const auto number = [&](const char* key, std::optional<std::int64_t> otherwise = std::nullopt) {
    return shown(number_argument(given, key, {0, 7}, otherwise));
  };
  EXPECT_EQ(number("a"), "7");
  EXPECT_EQ(number("none", 5), "5");
  for (const char* key : {"text", "real", "whole", "large", "low", "flag"})
    EXPECT_EQ(number(key, 5),
              "expected the argument \"" + std::string(key) + "\" to be an integer from 0 to 7");
  EXPECT_EQ(number("none"), "expected the argument \"none\" to be an integer from 0 to 7");
  EXPECT_EQ(shown(number_argument(given, "a", {0, 6}, 5)),
            "expected the argument \"a\" to be an integer from 0 to 6");
}

TEST(VerbArgumentTest, AFlagIsTrueOrFalseAndFalseByDefault) {
  const auto given = arguments(R"({"yes":true,"no":false,"text":"true"})");
  EXPECT_EQ(shown(flag_argument(given, "yes")), "1");
  EXPECT_EQ(shown(flag_argument(given, "no")), "0");
  EXPECT_EQ(shown(flag_argument(given, "none")), "0");
  EXPECT_EQ(shown(flag_argument(given, "text")),
            "expected the argument \"text\" to be true or false");
}

}  // namespace
}  // namespace baton::node
