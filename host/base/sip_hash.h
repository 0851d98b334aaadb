// SipHash: a hash of bytes under a key, which who does not know the key cannot make collide.
//
// 1-3, one round a word and three at the end, as the tables of other languages use it; 2-4 is there
// for its published values, by which a test checks the rounds.
//
// Threads: any.
// See: https://www.aumasson.jp/siphash/siphash.pdf
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace baton {

struct SipKey {
  std::uint64_t words[2];
};

template <int kRounds, int kLastRounds>
std::uint64_t sip_hash(const SipKey& key, const void* bytes, std::size_t size) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t v0 = key.words[0] ^ 0x736f6d6570736575, v1 = key.words[1] ^ 0x646f72616e646f6d;
  std::uint64_t v2 = key.words[0] ^ 0x6c7967656e657261, v3 = key.words[1] ^ 0x7465646279746573;
  const auto mix = [&](int rounds) {
    for (int i = 0; i < rounds; ++i) {
      v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
      v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
    }
  };
  const auto take = [&](std::uint64_t word) {
    v3 ^= word;
    mix(kRounds);
    v0 ^= word;
  };
  const char* at = static_cast<const char*>(bytes);
  std::size_t left = size;
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    take(word);
  }
  std::uint64_t last = 0;
  if (left != 0) std::memcpy(&last, at, left);
  take(last | std::uint64_t{size} << 56);
  v2 ^= 0xff;
  mix(kLastRounds);
  return v0 ^ v1 ^ v2 ^ v3;
}

}  // namespace baton
