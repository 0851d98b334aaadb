#include "base/result.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace baton {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Error(Code::kUsage, "odd");
  return n / 2;
}

Result<int> quarter(int n) {
  BATON_ASSIGN(int h, half(n));
  BATON_ASSIGN(int q, half(h));
  return q;
}

TEST(Result, TryReturnsTheFirstErrorAndElseGoesOn) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(7).error().message(), "odd");
  EXPECT_EQ(quarter(6).error().message(), "odd");
}

TEST(Result, WithinPutsTheOuterContextFirst) {
  Error error = Error(Code::kRefused, "bad hash").within("unpack").within("upgrade");
  EXPECT_EQ(error.message(), "upgrade: unpack: bad hash");
  EXPECT_EQ(error.code(), Code::kRefused);
}

TEST(Result, WhatIsTakenFromATemporaryOutlivesIt) {
  const auto words = [] { return Result<std::vector<std::string>>({"a long enough one", "b"}); };
  std::string all;
  for (const std::string& word : *words()) all += word;
  EXPECT_EQ(all, "a long enough oneb");
  const Error& error = quarter(7).error();
  EXPECT_EQ(error.message(), "odd");
  static_assert(std::is_same_v<decltype(words().value()), std::vector<std::string>>);
  static_assert(std::is_same_v<decltype(quarter(7).error().within("x")), Error>);
}

TEST(Result, EveryCodeHasItsExitCodeOfTheCommandLine) {
  EXPECT_EQ(exit_code(Code::kFailed), 1);
  EXPECT_EQ(exit_code(Code::kRefused), 6);
  EXPECT_EQ(exit_code(Code::kTimedOut), 10);
  EXPECT_STREQ(code_name(Code::kRolledBack), "rolled_back");
}

TEST(ResultDeathTest, ReadingTheValueOfAnErrorAborts) {
  EXPECT_DEATH(*half(1), "check failed.*odd");
}

}  // namespace
}  // namespace baton
