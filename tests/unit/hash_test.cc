#include "base/hash.h"

#include "base/utf8.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

TEST(Sha256, AgreesWithThePublishedValues) {
  EXPECT_EQ(sha256("").hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc").hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, BytesGivenInPartsHashAsTheWhole) {
  Sha256 hash;
  for (char c : std::string_view("abc")) hash.update(std::string_view(&c, 1));
  EXPECT_EQ(hash.finish(), sha256("abc"));
}

TEST(Digest, HasOneTextAndNoOther) {
  const Digest digest = sha256("abc");
  EXPECT_EQ(*Digest::parse(digest.hex()), digest);
  EXPECT_FALSE(Digest::parse("").has_value());
  EXPECT_FALSE(Digest::parse(digest.hex() + "0").has_value());
  std::string upper = digest.hex();
  upper[0] = 'B';
  EXPECT_FALSE(Digest::parse(upper).has_value());
}

TEST(Utf8, ValidTextIsValidToItsEndAndOtherUpToTheFirstBadByte) {
  const std::string good = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
  EXPECT_EQ(utf8_valid_prefix(good), good.size());
  for (const char* bad :
       {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3", "\xe2\x82", "\xff"})
    EXPECT_EQ(utf8_valid_prefix("ab" + std::string(bad)), 2u);
}

}  // namespace
}  // namespace baton
