#include "term/atom.h"
#include "term/builder.h"
#include "term/compare.h"
#include "term/hash.h"
#include "term/layout.h"
#include "term/text.h"
#include "term_generator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace baton::term {
namespace {

class CompareTest : public testing::Test {
 protected:
  baton_term parsed(const std::string& text) {
    blocks_.push_back(*parse(text, atoms_));
    return blocks_.back().root();
  }
  int signed_order(const std::string& a, const std::string& b) {
    const auto result = order(parsed(a), parsed(b), atoms_);
    const auto reverse = order(parsed(b), parsed(a), atoms_);
    EXPECT_TRUE((result < 0) == (reverse > 0) && (result > 0) == (reverse < 0)) << a << " " << b;
    return result < 0 ? -1 : result > 0 ? 1 : 0;
  }

  AtomTable atoms_;
  Builder b_;
  std::vector<Block> blocks_;
};
using Compare = CompareTest;

TEST_F(Compare, TypesAreInErlangsOrder) {
  const std::vector<std::string> ascending = {
      "1",          "a",       "#Ref<0.1.1>", "#External<7164000161640001626101>",
      "#Port<0.1>", "<0.1.1>", "{}",          "#{}",
      "[]",         "[1]",     "<<>>",        "#External<4D0000000103A0>"};
  for (std::size_t i = 0; i < ascending.size(); ++i)
    for (std::size_t j = 0; j < ascending.size(); ++j)
      EXPECT_EQ(signed_order(ascending[i], ascending[j]), i < j ? -1 : i > j)
          << ascending[i] << " and " << ascending[j];
}

TEST_F(Compare, NumbersAreOrderedByValueWithoutRounding) {
  const std::vector<std::string> ascending = {"-1.0e300",
                                              "-100000000000000000000000",
                                              "-1152921504606846977",
                                              "-1152921504606846976",
                                              "-3",
                                              "-2.5",
                                              "0",
                                              "0.5",
                                              "1",
                                              "1.5",
                                              "9007199254740993",
                                              "9007199254740994.0",
                                              "1152921504606846975",
                                              "1152921504606846976",
                                              "1152921504606846977",
                                              "1.0e20",
                                              "100000000000000000001",
                                              "1.0e300",
                                              "16#1" + std::string(256, '0')};
  for (std::size_t i = 0; i < ascending.size(); ++i)
    for (std::size_t j = 0; j < ascending.size(); ++j)
      EXPECT_EQ(signed_order(ascending[i], ascending[j]), i < j ? -1 : i > j)
          << ascending[i] << " and " << ascending[j];
}

TEST_F(Compare, AnIntegerAndAFloatOfOneValueAreEquivalentButNotEqual) {
  for (const auto& [integer, real] : {std::pair{"1", "1.0"},
                                      {"-7", "-7.0"},
                                      {"1152921504606846976", "1152921504606846976.0"},
                                      {"100000000000000000000", "1.0e20"},
                                      {"-100000000000000000000", "-1.0e20"}}) {
    EXPECT_EQ(signed_order(integer, real), 0) << integer;
    EXPECT_FALSE(equal(parsed(integer), parsed(real))) << integer;
    EXPECT_TRUE(key_order(parsed(integer), parsed(real)) < 0) << integer;
  }
  EXPECT_TRUE(key_order(parsed("2"), parsed("1.0")) < 0);
}

TEST_F(Compare, ZeroHasNoSignAndNoNumberEqualsItself) {
  const baton_term nan = b_.real(std::numeric_limits<double>::quiet_NaN());
  EXPECT_TRUE(equal(b_.real(0.0), b_.real(-0.0)));
  EXPECT_EQ(hash(b_.real(0.0)), hash(b_.real(-0.0)));
  EXPECT_TRUE(equal(nan, b_.real(std::numeric_limits<double>::quiet_NaN())));
  EXPECT_TRUE(order(nan, b_.real(std::numeric_limits<double>::infinity()), atoms_) > 0);
  EXPECT_TRUE(order(nan, make_int(1), atoms_) > 0);
  EXPECT_TRUE(order(make_int(1), nan, atoms_) < 0);
}

TEST_F(Compare, CompoundsAreOrderedAsErlangDoes) {
  EXPECT_EQ(signed_order("{b}", "{a,a}"), -1);
  EXPECT_EQ(signed_order("{a,b}", "{a,a}"), 1);
  EXPECT_EQ(signed_order("[a]", "[a,b]"), -1);
  EXPECT_EQ(signed_order("[a,b]", "[b]"), -1);
  EXPECT_EQ(signed_order("[a|b]", "[a]"), -1);
  EXPECT_EQ(signed_order("#{b => 1}", "#{a => 1,b => 1}"), -1);
  EXPECT_EQ(signed_order("#{a => 2,b => 1}", "#{b => 2,a => 1}"), 1);
  EXPECT_EQ(signed_order("#{a => 9}", "#{b => 1}"), -1);
  EXPECT_EQ(signed_order("#{1 => 9}", "#{1.0 => 1}"), -1);
  EXPECT_EQ(signed_order("#{a => 1}", "#{a => 1.0}"), 0);
  EXPECT_EQ(signed_order("<<1,2>>", "<<1,2,0>>"), -1);
  EXPECT_EQ(signed_order("<<2>>", "<<1,2>>"), 1);
  EXPECT_EQ(signed_order("ab", "abc"), -1);
  EXPECT_EQ(signed_order("'Z'", "a"), -1);
}

TEST_F(Compare, MapsAreEqualWhateverTheOrderOfTheirPairs) {
  std::vector<Builder::Pair> pairs;
  for (int i = 0; i < 100; ++i)
    pairs.emplace_back(b_.binary("key" + std::to_string(i)), make_int(i));
  const baton_term map = b_.map(pairs);
  std::reverse(pairs.begin(), pairs.end());
  const baton_term reversed = b_.map(pairs);
  pairs[50].second = make_int(-1);
  const baton_term changed = b_.map(pairs);

  EXPECT_TRUE(equal(map, reversed));
  EXPECT_EQ(hash(map), hash(reversed));
  EXPECT_FALSE(equal(map, changed));
  EXPECT_TRUE(order(map, reversed, atoms_) == 0);
}

TEST_F(Compare, AtomsWithoutTextComeLast) {
  EXPECT_TRUE(order(atom("unheard of"), *atoms_.intern("zzz"), atoms_) > 0);
  EXPECT_TRUE(order(*atoms_.intern("zzz"), atom("unheard of"), atoms_) < 0);
}

TEST_F(Compare, RandomTermsHaveOneTotalOrderThatAgreesWithEquality) {
  TermGenerator generator(20250101, b_, atoms_);
  std::vector<baton_term> terms(120);
  for (baton_term& t : terms) t = generator.term(3);
  std::sort(terms.begin(), terms.end(),
            [&](baton_term x, baton_term y) { return key_order(x, y, atoms_) < 0; });
  for (std::size_t i = 0; i < terms.size(); ++i)
    for (std::size_t j = 0; j < terms.size(); ++j) {
      const auto result = key_order(terms[i], terms[j], atoms_);
      ASSERT_EQ(result == 0, equal(terms[i], terms[j]));
      ASSERT_TRUE(result == 0 || (result < 0) == (i < j));
      ASSERT_TRUE(result != 0 || hash(terms[i]) == hash(terms[j]));
    }
}

TEST_F(Compare, DepthIsNoLimit) {
  baton_term a = BATON_NIL, b = BATON_NIL, c = make_int(1);
  for (int i = 0; i < 300000; ++i) a = b_.tuple({a}), b = b_.tuple({b}), c = b_.tuple({c});
  EXPECT_TRUE(equal(a, b));
  EXPECT_TRUE(order(a, b, atoms_) == 0);
  EXPECT_TRUE(order(c, a, atoms_) < 0);
  EXPECT_EQ(hash(a), hash(b));
}

TEST_F(Compare, KeysThatAreMapsOfMapsAreComparedInReasonableTime) {
  // Each level has two keys that differ only at the very bottom: naive comparing would take n * n
  // steps.
  const auto nested = [&](auto&& self, int depth, int seed) -> baton_term {
    if (depth == 0) return b_.tuple({make_int(seed)});
    return b_.map({{self(self, depth - 1, 2 * seed), BATON_NIL},
                   {self(self, depth - 1, 2 * seed + 1), BATON_NIL}});
  };
  EXPECT_TRUE(equal(nested(nested, 14, 1), nested(nested, 14, 1)));
  EXPECT_FALSE(equal(nested(nested, 14, 1), nested(nested, 14, 2)));
}

}  // namespace
}  // namespace baton::term
