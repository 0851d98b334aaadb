#include "term/atom.h"
#include "term/builder.h"
#include "term/compare.h"
#include "term/integer.h"
#include "term/layout.h"
#include "term/text.h"
#include "term_generator.h"

#include <gtest/gtest.h>

#include <ctime>
#include <limits>
#include <string>

namespace baton::term {
namespace {

// What a text prints as after it was parsed, or the error.
std::string again(std::string_view text) {
  AtomTable atoms;
  const auto block = parse(text, atoms);
  return block.ok() ? print(block->root(), atoms) : "error: " + block.error().message();
}

TEST(Text, WhatErlangPrintsIsPrintedTheSame) {
  // Each line as io:format("~tp") of OTP 25 shows it.
  for (const char* text : {"0",
                           "-7",
                           "1152921504606846976",
                           "-1152921504606846977",
                           "ok",
                           "'two words'",
                           "'Upper'",
                           "''",
                           "'and'",
                           "'begin'",
                           "undefined",
                           "a@b_C",
                           "'@a'",
                           "'_a'",
                           "'a.b'",
                           "'a\\'b'",
                           "'a\\nb'",
                           "'\\e'",
                           "'a\\000b'",
                           "été",
                           "'Été'",
                           "ß",
                           "ÿ",
                           "'a÷'",
                           "'日'",
                           "[]",
                           "[1,2|3]",
                           "[a|b]",
                           "\"abc\"",
                           "\"a\\\"b\\\\\"",
                           "\"éê\"",
                           "\"\\b\\e\\n\"",
                           "[1000,1001]",
                           "[127]",
                           "[159]",
                           "<<>>",
                           "<<0>>",
                           "<<97,0>>",
                           "<<\"a\\\"b\\\\\\n\">>",
                           "<<\"été\"/utf8>>",
                           "{}",
                           "{[],{}}",
                           "{a,{b,\"A\"}}",
                           "#{}",
                           "#{1 => 2,1.0 => 3,a => 1,<<\"x\">> => y}",
                           "<0.9.0>",
                           "#Port<0.0>"})
    EXPECT_EQ(again(text), text);
}

TEST(Text, FloatsArePrintedShortestAsErlangDoes) {
  for (const char* text : {"1.0e5",
                           "1.0e4",
                           "123456789.0",
                           "0.001",
                           "0.0001",
                           "1.0e22",
                           "1.5e300",
                           "9.007199254740992e15",
                           "9007199254740991.0",
                           "1.2345678901234568e16",
                           "1.0e-10",
                           "0.00123",
                           "1.23e6",
                           "1.23e4",
                           "100.0",
                           "1.0e3",
                           "0.01",
                           "0.1",
                           "-0.0",
                           "0.0",
                           "5.0e-324",
                           "-2.5",
                           "1.7976931348623157e308"})
    EXPECT_EQ(again(text), text);
  EXPECT_EQ(again("100000.0"), "1.0e5");
  EXPECT_EQ(again("1.0e-999"), "0.0");
}

TEST(Text, WhatHasNoFormInErlangStillReadsBack) {
  AtomTable atoms;
  Builder b;
  EXPECT_EQ(print(b.real(std::numeric_limits<double>::infinity()), atoms),
            "#Float<7FF0000000000000>");
  EXPECT_EQ(again("#Float<FFF0000000000000>"), "#Float<FFF0000000000000>");
  EXPECT_EQ(print(atom("unknown to it"), atoms).substr(0, 6), "#Atom<");
  AtomTable other;
  EXPECT_EQ(parse(print(atom("unknown to it"), atoms), other)->root(), atom("unknown to it"));
  EXPECT_EQ(again("#External<7164000161640001626101>"), "#External<7164000161640001626101>");
  EXPECT_EQ(again("#Ref<0.4503599627370495.511>"), "#Ref<0.4503599627370495.511>");
  EXPECT_EQ(again("<0.536870911.4294967295>"), "<0.536870911.4294967295>");
  EXPECT_EQ(again("#Port<0.72057594037927935>"), "#Port<0.72057594037927935>");
}

TEST(Text, ItIsReadAsAPersonWritesIt) {
  EXPECT_EQ(again(" % first\n { ok , [ 1,2 ]\t} . % last"), "{ok,[1,2]}");
  EXPECT_EQ(again("16#fF"), "255");
  EXPECT_EQ(again("-2#101"), "-5");
  EXPECT_EQ(again("36#Zz"), "1295");
  EXPECT_EQ(again("1_000_000"), "1000000");
  EXPECT_EQ(again("+5"), "5");
  EXPECT_EQ(again("007"), "7");
  EXPECT_EQ(again("1.5E+3"), "1.5e3");
  EXPECT_EQ(again("[$a,$\\n,$\\x41,$ ]"), "\"a\\nA \"");
  EXPECT_EQ(again("\"one \" \"string\""), "\"one string\"");
  EXPECT_EQ(again("\"\\101\\x{e9}\\^A\\s\""), "[65,233,1,32]");
  EXPECT_EQ(again("<<1, \"ab\" , $c>>"), "<<1,97,98,99>>");
  EXPECT_EQ(again("<<\"é\">>"), "<<233>>");
  EXPECT_EQ(again("#{ a=>1 , b => #{}}"), "#{a => 1,b => #{}}");
  EXPECT_EQ(again("[a|[b|[c]]]"), "[a,b,c]");
}

TEST(Text, AMistakeIsNamedWithItsPlace) {
  EXPECT_EQ(again(""), "error: 1:1: expected a term, found the end of the text");
  EXPECT_EQ(again("{ok,"), "error: 1:5: expected a term, found the end of the text");
  EXPECT_EQ(again("{ok 1}"), "error: 1:5: expected ',' or '}', found '1'");
  EXPECT_EQ(again("[1,\n  2}"), "error: 2:4: expected ',' or ']', found '}'");
  EXPECT_EQ(again("[é,\"日\" x"), "error: 1:8: expected ',' or ']', found 'x'");
  EXPECT_EQ(again("[a|b,c]"), "error: 1:5: expected ']', found ','");
  EXPECT_EQ(again("ok ok"), "error: 1:4: expected the end of the text, found 'o'");
  EXPECT_EQ(
      again("{Name}"),
      "error: 1:2: expected a term, found a variable; an atom like this needs quotes: 'Name'");
  EXPECT_EQ(again("\n \"open"),
            "error: 2:2: expected \", found the end of the text; it opened here");
  EXPECT_EQ(again("#{a = 1}"), "error: 1:5: expected '=>', found '='");
  EXPECT_EQ(again("#{a => 1, b => 2, a => 3}"), "error: 1:3: a key stands twice in this map");
  EXPECT_EQ(again("#{a => 1 b => 2}"), "error: 1:10: expected ',' or '}', found 'b'");
  EXPECT_EQ(again("#{a => 1,}"), "error: 1:10: expected a term, found '}'");
  EXPECT_EQ(again("#record{}"),
            "error: 1:1: expected #{, #Ref<, #Port<, #Float<, #Atom< or #External<, found '#'");
  EXPECT_EQ(again("<0.1>"), "error: 1:5: expected '.', found '>'");
  EXPECT_EQ(again("<0.536870912.0>"), "error: 1:4: expected a number up to 536870911");
  EXPECT_EQ(again("<<256>>"), "error: 1:3: a byte of a binary is 0 to 255");
  EXPECT_EQ(again("<<a>>"), "error: 1:3: expected a byte or a string, found 'a'");
  EXPECT_EQ(
      again("<<1:16>>"),
      "error: 1:4: sizes and types of binary segments are not supported, except \"...\"/utf8");
  EXPECT_EQ(again("<<\"日\">>"), "error: 1:3: a character beyond one byte; write <<\"...\"/utf8>>");
  EXPECT_EQ(again("37#1"), "error: 1:1: the base of an integer is 2 to 36, not 37");
  EXPECT_EQ(again("2#2"), "error: 1:3: expected a digit of base 2, found '2'");
  EXPECT_EQ(again("1.0e999"), "error: 1:1: a float is at most 1.7976931348623157e308");
  EXPECT_EQ(again("\"\\x{d800}\""), "error: 1:2: the escape is not a character of Unicode");
  EXPECT_EQ(again("\"\\xg\""), "error: 1:4: expected a hexadecimal digit, found 'g'");
  EXPECT_EQ(again("\xff"), "error: 1:1: expected a term, found a byte that is not UTF-8");
  EXPECT_EQ(again("'" + std::string(256, 'x') + "'").substr(0, 50),
            "error: 1:1: an atom of 256 bytes is too long for a");
  EXPECT_EQ(again("#External<6A>"),
            "error: 1:1: no external pid, reference, port, fun or bitstring");
  EXPECT_EQ(again("#External<4D00000001>"), "error: 1:1: byte 5: expected 1 more bytes, found 0");
}

TEST(Text, ItsLengthIsLimited) {
  EXPECT_EQ(again(std::string(kTextBytesMax - 1, ' ') + "ok"),
            "error: a text of 16777217 bytes; at most 16777216 are allowed for a term");
}

TEST(Text, DepthIsLimited) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(again(nested(kTermDepthMax + 1)), nested(kTermDepthMax + 1));
  EXPECT_EQ(again(nested(kTermDepthMax + 2)),
            "error: 1:1002: terms are nested more than 1000 deep");
  std::string keys = "1";
  for (std::size_t i = 0; i < kMapKeyDepthMax + 1; ++i) keys = "#{" + keys + " => 1}";
  EXPECT_EQ(again(keys), keys);
  EXPECT_EQ(again("#{" + keys + " => 1}").substr(0, 67),
            "error: 1:13: maps are nested in keys of maps more than 4 deep");
}

TEST(Text, IntegersOf2568DigitsAreQuickAndThoseBeyondTheLimitRefused) {
  // 1000!, which has 2568 digits.
  AtomTable atoms;
  Limbs product{1};
  for (std::uint64_t factor = 2; factor <= 1000; ++factor) {
    __extension__ unsigned __int128 carry = 0;
    for (auto& limb : product) {
      carry += static_cast<decltype(carry)>(limb) * factor;
      limb = static_cast<std::uint64_t>(carry);
      carry >>= 64;
    }
    if (carry != 0) product.push_back(static_cast<std::uint64_t>(carry));
  }
  Builder b;
  const baton_term factorial = b.big(false, product);

  const std::clock_t start = std::clock();  // of the processor: other work does not count
  const std::string digits = print(factorial, atoms);
  const Block block = *parse(digits, atoms);
  const std::clock_t took = std::clock() - start;

  EXPECT_EQ(digits.size(), 2568u);
  EXPECT_EQ(digits.substr(0, 20), "40238726007709377354");
  EXPECT_EQ(digits.substr(2568 - 249), std::string(249, '0'));
  EXPECT_TRUE(equal(block.root(), factorial));
  EXPECT_LT(took, CLOCKS_PER_SEC / 10);

  EXPECT_EQ(again(std::string(kIntegerDigitsMax, '9')).size(), std::string("16#").size() + 16610);
  EXPECT_EQ(again(std::string(kIntegerDigitsMax + 1, '9')),
            "error: 1:1: an integer of 20001 digits; at most 20000 are allowed in base 10");
}

TEST(Text, LongIntegersArePrintedInBase16AndReadBack) {
  AtomTable atoms;
  Builder b;
  const std::vector<std::uint64_t> limbs(kIntegerLimbsMax, 0xfedcba9876543210);
  const baton_term big = b.big(true, limbs);
  const std::string text = print(big, atoms);
  EXPECT_EQ(text.substr(0, 20), "-16#FEDCBA9876543210");
  EXPECT_TRUE(equal(parse(text, atoms)->root(), big));
  EXPECT_EQ(again("16#1" + std::string(kIntegerLimbsMax * 16, '0')).substr(0, 40),
            "error: 1:4: an integer of 1048577 digits");
}

TEST(Text, PrintingStopsAtItsLimits) {
  AtomTable atoms;
  Builder b;
  const baton_term t = b.tuple({b.tuple({b.tuple({atoms::kOk})}), b.list({b.list({BATON_NIL})})});
  EXPECT_EQ(print(t, atoms, {.depth = 2}), "{{{...}},[[...]]}");
  EXPECT_EQ(print(b.binary(std::string(100, 'x')), atoms, {.bytes = 10}), "<<\"xxxxxxx...");
  // A character is never cut in two.
  EXPECT_EQ(print(*atoms.intern("ééééé"), atoms, {.bytes = 5}), "éé...");
  baton_term deep = BATON_NIL;
  for (int i = 0; i < 100000; ++i) deep = b.tuple({deep});
  EXPECT_EQ(print(deep, atoms).size(), 2 * (kTermDepthMax + 1) + 3);
}

TEST(Text, PrintingThenParsingGivesAnEqualTerm) {
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    AtomTable atoms;
    Builder b;
    const baton_term t = TermGenerator(seed, b, atoms).term();
    const std::string text = print(t, atoms);
    const auto block = parse(text, atoms);
    ASSERT_TRUE(block.ok()) << "seed " << seed << ": " << block.error().message() << "\n" << text;
    ASSERT_TRUE(equal(block->root(), t)) << "seed " << seed << ": " << text;
    ASSERT_EQ(print(block->root(), atoms), text) << "seed " << seed;
  }
}

TEST(Text, NoTextBreaksTheParser) {
  AtomTable atoms;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    Builder b;
    TermGenerator generator(seed, b, atoms);
    std::string text = print(generator.term(), atoms);
    for (std::uint64_t i = 1 + generator.below(3); i > 0; --i) {
      const std::size_t at = generator.below(text.size() + 1);
      switch (generator.below(3)) {
        case 0: text.insert(at, 1, "{}[]<>#\"'\\$.,|%0a/ \xff"[generator.below(20)]); break;
        case 1: text.erase(at, 1 + generator.below(3)); break;
        default: text.resize(at);
      }
    }
    const auto block = parse(text, atoms);
    if (block.ok()) {
      const Block second = *parse(print(block->root(), atoms), atoms);
      ASSERT_TRUE(equal(block->root(), second.root())) << "seed " << seed << ": " << text;
    } else {
      ASSERT_FALSE(block.error().message().empty());
    }
  }
}

}  // namespace
}  // namespace baton::term
