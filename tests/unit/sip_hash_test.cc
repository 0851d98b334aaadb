#include "base/sip_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace baton {
namespace {

constexpr SipKey kKey{{0x0706050403020100, 0x0f0e0d0c0b0a0908}};

std::string counting(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i);
  return bytes;
}

TEST(SipHash, TwoAndFourRoundsGiveThePublishedValues) {
  const auto hash = [](std::size_t size) {
    const std::string bytes = counting(size);
    return sip_hash<2, 4>(kKey, bytes.data(), bytes.size());
  };
  EXPECT_EQ(hash(0), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(hash(8), 0x93f5f5799a932462u);
  EXPECT_EQ(hash(15), 0xa129ca6149be45e5u);
}

TEST(SipHash, AnotherKeyGivesAnotherHash) {
  const std::string bytes = counting(15);
  EXPECT_NE((sip_hash<1, 3>(kKey, bytes.data(), bytes.size())),
            (sip_hash<1, 3>(SipKey{{1, 2}}, bytes.data(), bytes.size())));
}

}  // namespace
}  // namespace baton
