#include "base/hash.h"

#include "base/check.h"

#include <sodium/crypto_hash_sha256.h>

#include <new>

namespace baton {

namespace {

crypto_hash_sha256_state* state_of(std::byte* storage) {
  return std::launder(reinterpret_cast<crypto_hash_sha256_state*>(storage));
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string to_hex(const std::uint8_t* bytes, std::size_t size) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(size * 2);
  for (std::size_t i = 0; i < size; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

std::string Digest::hex() const { return to_hex(bytes.data(), bytes.size()); }

std::optional<Digest> Digest::parse(std::string_view hex) {
  Digest digest;
  if (hex.size() != digest.bytes.size() * 2) return std::nullopt;
  for (std::size_t i = 0; i < digest.bytes.size(); ++i) {
    int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return digest;
}

Sha256::Sha256() {
  static_assert(sizeof(crypto_hash_sha256_state) <= sizeof state_);
  static_assert(alignof(crypto_hash_sha256_state) <= 16);
  crypto_hash_sha256_init(new (state_) crypto_hash_sha256_state);
}

void Sha256::update(std::string_view bytes) {
  BATON_CHECK(!finished_);
  crypto_hash_sha256_update(state_of(state_), reinterpret_cast<const unsigned char*>(bytes.data()),
                            bytes.size());
}

Digest Sha256::finish() {
  BATON_CHECK(!finished_);
  finished_ = true;
  Digest digest;
  crypto_hash_sha256_final(state_of(state_), digest.bytes.data());
  return digest;
}

Digest sha256(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

}  // namespace baton
