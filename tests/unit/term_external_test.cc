#include "term/builder.h"
#include "term/compare.h"
#include "term/external.h"
#include "term/integer.h"
#include "term/layout.h"
#include "term/text.h"
#include "term_generator.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace baton::term {
namespace {

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(digit_value(hex[i]) << 4 | digit_value(hex[i + 1]));
  return bytes;
}
std::string to_hex(std::string_view bytes) {
  std::string hex;
  for (unsigned char byte : bytes)
    for (int shift : {4, 0}) hex += "0123456789ABCDEF"[byte >> shift & 15];
  return hex;
}

std::string encoded(std::string_view text) {
  AtomTable atoms;
  const Block block = *parse(text, atoms);
  std::string out;
  const auto result = encode_external(block.root(), atoms, out);
  return result.ok() ? to_hex(out) : "error: " + result.error().message();
}
std::string decoded(std::string_view hex) {
  AtomTable atoms;
  const std::string bytes = from_hex(hex);
  const auto result = decode_external(bytes, atoms);
  if (!result.ok()) return "error: " + result.error().message();
  EXPECT_EQ(result->bytes, bytes.size());
  return print(result->block.root(), atoms);
}

struct Recorded {
  const char* text;
  std::string hex;
};
// What term_to_binary of OTP 25 gives.
const Recorded kRecorded[] = {
    {"0", "836100"},
    {"255", "8361FF"},
    {"256", "836200000100"},
    {"-1", "8362FFFFFFFF"},
    {"2147483647", "83627FFFFFFF"},
    {"-2147483648", "836280000000"},
    {"2147483648", "836E040000000080"},
    {"-2147483649", "836E040101000080"},
    {"1152921504606846976", "836E08000000000000000010"},
    {"1152921504606846975", "836E0800FFFFFFFFFFFFFF0F"},
    {"18446744073709551616", "836E0900000000000000000001"},
    {"-18446744073709551616", "836E0901000000000000000001"},
    {"1.5", "83463FF8000000000000"},
    {"-0.0", "83468000000000000000"},
    {"{}", "836800"},
    {"[]", "836A"},
    {"\"abc\"", "836B0003616263"},
    {"[1,2,300]", "836C0000000361016102620000012C6A"},
    {"<<>>", "836D00000000"},
    {"<<1,2,3>>", "836D00000003010203"},
    {"#{}", "837400000000"},
    {"[255,256]", "836C0000000261FF62000001006A"},
};

TEST(External, BytesAreThoseOfErlang) {
  for (const Recorded& one : kRecorded) {
    EXPECT_EQ(encoded(one.text), one.hex) << one.text;
    EXPECT_EQ(decoded(one.hex), one.text) << one.hex;
  }
}

TEST(External, AtomsAreSentInUtf8AndReadInAllForms) {
  EXPECT_EQ(encoded("{ok,'été'}"), "83680277026F6B7705C3A974C3A9");
  EXPECT_EQ(decoded("836400026F6B"), "ok");
  EXPECT_EQ(decoded("83640003E974E9"), "été");
  EXPECT_EQ(decoded("837303E974E9"), "été");
  EXPECT_EQ(decoded("83760005C3A974C3A9"), "été");
  EXPECT_EQ(decoded("837705C3A974C3A9"), "été");
  EXPECT_EQ(decoded("83680264000161"
                    "6101"),
            "{a,1}");
  EXPECT_EQ(decoded("837400000001640001616101"), "#{a => 1}");
  EXPECT_EQ(decoded("836C000000016400016164000162"), "[a|b]");
}

TEST(External, OldFloatsAndEmptyListsWithATailAreRead) {
  std::string text = "1.50000000000000000000e+00";
  text.resize(31, '\0');
  EXPECT_EQ(decoded("8363" + to_hex(text)), "1.5");
  EXPECT_EQ(decoded("836C000000006105"), "5");
  EXPECT_EQ(decoded("836E0300010000"), "1");
  EXPECT_EQ(decoded("836F0000000100"
                    "07"),
            "7");
}

TEST(External, PidsOfThisNodeComeBackAsTheyWere) {
  AtomTable atoms;
  const NodeName node{*atoms.intern("baton@host"), 7};
  Builder b;
  const baton_term t = b.list({make_pid(kPidIndexMax, 0xffffffff), make_pid(1, 2),
                               make_ref(kRefCounterMax, kRefMakerMax), make_ref(1, 0),
                               make_port(kPortIndexMax, 0xffffffff), make_port(0, 1)});
  std::string bytes;
  ASSERT_TRUE(encode_external(t, atoms, bytes, {.node = node}).ok());
  EXPECT_TRUE(equal(decode_external(bytes, atoms, {.node = node})->block.root(), t));

  // To another node, and to a later life of this one, they are somebody else's.
  for (const NodeName& other : {NodeName{}, NodeName{node.name, 8}}) {
    const auto foreign = decode_external(bytes, atoms, {.node = other});
    for (baton_term one : elements(foreign->block.root())) EXPECT_TRUE(as_external(one));
    std::string again;
    ASSERT_TRUE(encode_external(foreign->block.root(), atoms, again, {.node = other}).ok());
    EXPECT_EQ(again, bytes);
  }
}

TEST(External, APidOfErlangIsKeptAndOldFormsOfItAreEqual) {
  AtomTable atoms;
  const DecodeOptions here{.node = {*atoms.intern("baton@host"), 1}};
  // From the shell: <0.9.0>, a reference, a port; each with its older form, in Latin-1.
  const std::string forms[][2] = {
      {"835864000D6E6F6E6F6465406E6F686F7374000000090000000000000003",
       "836764000D6E6F6E6F6465406E6F686F7374000000090000000003"},
      {"835A000364000D6E6F6E6F6465406E6F686F7374000000030000BD4E1EA000016C8C4ED1",
       "8372000364000D6E6F6E6F6465406E6F686F7374030000BD4E1EA000016C8C4ED1"},
      {"835964000D6E6F6E6F6465406E6F686F73740000000500000003",
       "836664000D6E6F6E6F6465406E6F686F73740000000503"}};
  for (const auto& [newer, older] : forms) {
    const auto a = decode_external(from_hex(newer), atoms, here);
    const auto b = decode_external(from_hex(older), atoms, here);
    ASSERT_TRUE(a.ok() && b.ok()) << newer;
    ASSERT_TRUE(as_external(a->block.root())) << newer;
    EXPECT_TRUE(equal(a->block.root(), b->block.root())) << newer;
    EXPECT_TRUE(check_opaque(*as_external(a->block.root())).ok()) << newer;
  }
}

TEST(External, FunsAndOddBitsAreSentBackAsTheyCame) {
  AtomTable atoms;
  const std::string fun = "83716400056C697374736400036D61706102";
  const std::string closure =
      "83"
      "70"
      "00000029"
      "01"
      "000102030405060708090A0B0C0D0E0F"
      "00000002"
      "00000001"
      "770161"
      "6102"
      "6103"
      "7701"
      "6E"
      "6102";
  for (const std::string& hex : {fun, closure, std::string("834D0000000103A0")}) {
    const std::string bytes = from_hex(hex);
    const auto result = decode_external(bytes, atoms);
    ASSERT_TRUE(result.ok()) << result.error().message();
    std::string again;
    ASSERT_TRUE(encode_external(result->block.root(), atoms, again).ok());
    EXPECT_EQ(to_hex(again), hex);
  }
}

TEST(External, RandomTermsComeBackEqual) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    AtomTable atoms;
    Builder b;
    const baton_term t = TermGenerator(seed, b, atoms).term();
    std::string bytes = "kept";
    const auto written = encode_external(t, atoms, bytes);
    ASSERT_TRUE(written.ok()) << "seed " << seed << ": " << written.error().message();
    const auto result = decode_external(bytes.substr(4) + "rest", atoms);
    ASSERT_TRUE(result.ok()) << "seed " << seed << ": " << result.error().message();
    ASSERT_EQ(result->bytes, bytes.size() - 4) << "seed " << seed;
    ASSERT_TRUE(equal(result->block.root(), t)) << "seed " << seed << ": " << print(t, atoms);
  }
}

TEST(External, WhatTheFormatCannotHoldIsRefusedAndNothingWritten) {
  AtomTable atoms;
  Builder b;
  std::string out = "kept";
  EXPECT_FALSE(encode_external(b.tuple({make_int(1), atom("never named")}), atoms, out).ok());
  EXPECT_FALSE(encode_external(b.real(std::numeric_limits<double>::infinity()), atoms, out).ok());
  EXPECT_FALSE(encode_external(BATON_NO_TERM, atoms, out).ok());
  EXPECT_EQ(out, "kept");
}

TEST(External, LongListsAndTuplesUseTheirLargeForms) {
  AtomTable atoms;
  Builder b;
  const std::string bytes(65536, 'x');
  for (const baton_term t : {b.byte_list(bytes), b.byte_list(bytes.substr(1)),
                             b.tuple(std::vector<baton_term>(256, BATON_NIL)),
                             b.big(true, std::vector<std::uint64_t>(32, 1)),
                             b.big(true, std::vector<std::uint64_t>(31, ~std::uint64_t{0}))}) {
    std::string out;
    ASSERT_TRUE(encode_external(t, atoms, out).ok());
    EXPECT_TRUE(equal(decode_external(out, atoms)->block.root(), t));
  }
}

TEST(External, BrokenBytesAreRefusedWithTheirPlace) {
  EXPECT_EQ(decoded(""), "error: byte 0: nothing to decode");
  EXPECT_EQ(decoded("8261"), "error: byte 0: external terms begin with 131, not 130");
  EXPECT_EQ(decoded("83"), "error: byte 0: expected 1 more bytes, found 0");
  EXPECT_EQ(decoded("8301"), "error: byte 1: no kind of term begins with 1");
  EXPECT_EQ(decoded("836D00000005"
                    "6162"),
            "error: byte 5: expected 5 more bytes, found 2");
  EXPECT_EQ(decoded("8369FFFFFFFF"
                    "6A"),
            "error: byte 5: 4294967295 elements announced, but only 1 bytes left");
  EXPECT_EQ(decoded("837400000002"
                    "610161016A"),
            "error: byte 10: expected 1 more bytes, found 0");
  EXPECT_EQ(decoded("837400000002"
                    "610161016101"
                    "6102"),
            "error: byte 13: a key stands twice in a map");
  EXPECT_EQ(decoded("83467FF0000000000000"),
            "error: byte 9: a float that is infinite or no number");
  EXPECT_EQ(decoded("8377"
                    "01FF"),
            "error: byte 3: an atom that is not UTF-8");
  EXPECT_EQ(decoded("83640100" + to_hex(std::string(256, 'a'))),
            "error: byte 259: an atom of 256 bytes; at most 255 are allowed");
  EXPECT_EQ(decoded("8350"
                    "00000001"),
            "error: byte 1: compressed terms are not supported");
  EXPECT_EQ(decoded("835200"), "error: byte 1: an atom of the distribution's cache");
  EXPECT_EQ(decoded("836F0008000100"),
            "error: byte 5: an integer of 524289 bytes; at most 524288 are allowed");
  EXPECT_EQ(decoded("835877"
                    "0D6E6F6E6F6465406E6F686F7374"
                    "FFFFFFFF"
                    "00000000"
                    "00000000"),
            "error: byte 28: a pid, reference or port with our name that we never made");
  EXPECT_EQ(decoded("83586101"), "error: byte 2: expected a node's name");
  EXPECT_EQ(decoded("835A000677016100000000"),
            "error: byte 3: a reference of 6 words; it has 1 to 5");
  EXPECT_EQ(decoded("834D000000010900"), "error: byte 6: a bitstring of no such size");
}

TEST(External, DepthAndSizeAreLimited) {
  AtomTable atoms;
  const auto nested = [](std::size_t depth) {
    std::string bytes = "\x83";
    for (std::size_t i = 0; i < depth; ++i) bytes += "\x68\x01";
    return bytes + "\x6a";
  };
  EXPECT_TRUE(decode_external(nested(kTermDepthMax), atoms).ok());
  EXPECT_EQ(decode_external(nested(kTermDepthMax + 1), atoms).error().message(),
            "byte 2002: terms are nested more than 1000 deep");

  std::string keys = "\x83";
  for (std::size_t i = 0; i < kMapKeyDepthMax + 2; ++i) keys += std::string("\x74\0\0\0\x01", 5);
  keys += "\x6a" + std::string(kMapKeyDepthMax + 2, '\x6a');
  EXPECT_EQ(decode_external(keys, atoms).error().message(),
            "byte 30: maps are nested in keys of maps more than 4 deep");

  const std::string list = from_hex("836B0003616263");
  EXPECT_TRUE(decode_external(list, atoms, {.words_max = 6}).ok());
  EXPECT_EQ(decode_external(list, atoms, {.words_max = 5}).error().message(),
            "byte 6: the term has more than 5 words");
}

TEST(External, NoBytesBreakTheDecoder) {
  AtomTable atoms;
  std::size_t accepted = 0;
  for (std::uint64_t seed = 1; seed <= 20000; ++seed) {
    Builder b;
    TermGenerator generator(seed, b, atoms);
    std::string bytes;
    ASSERT_TRUE(encode_external(generator.term(3), atoms, bytes).ok());
    for (std::uint64_t i = 1 + generator.below(4); i > 0; --i) {
      const std::size_t at = 1 + generator.below(bytes.size());
      switch (generator.below(4)) {
        case 0: bytes.resize(at); break;
        case 1: bytes.insert(at, 1, static_cast<char>(generator.below(256))); break;
        // Tags lie here; most other bytes are no beginning of a term.
        case 2: bytes[at % bytes.size()] = static_cast<char>(70 + generator.below(51)); break;
        default: bytes[at % bytes.size()] = static_cast<char>(generator.below(256));
      }
    }
    const auto result = decode_external(bytes, atoms, {.words_max = 100000});
    if (!result.ok()) continue;
    ++accepted;
    std::string again;
    ASSERT_TRUE(encode_external(result->block.root(), atoms, again).ok()) << "seed " << seed;
    const auto second = decode_external(again, atoms);
    ASSERT_TRUE(second.ok()) << "seed " << seed << ": " << second.error().message();
    ASSERT_TRUE(equal(result->block.root(), second->block.root())) << "seed " << seed;
  }
  EXPECT_GT(accepted, 100u);
}

}  // namespace
}  // namespace baton::term
