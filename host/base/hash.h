// Hash: SHA-256, the name of every file in the store and the checksum of every record of the
// journal.
//
// libsodium computes it; its types stay in hash.cc.
//
// Threads: any thread; a Sha256 belongs to one at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace baton {

struct Digest {
  std::array<std::uint8_t, 32> bytes{};

  /// 64 lower-case hexadecimal digits.
  std::string hex() const;
  /// Nothing unless the text is 64 lower-case hexadecimal digits: one digest has one text.
  static std::optional<Digest> parse(std::string_view hex);
  friend bool operator==(const Digest&, const Digest&) = default;
  friend auto operator<=>(const Digest&, const Digest&) = default;
};

class Sha256 {
 public:
  Sha256();
  void update(std::string_view bytes);
  /// Requires: not called before on this object.
  Digest finish();

 private:
  alignas(16) std::byte state_[112];
  bool finished_ = false;
};

Digest sha256(std::string_view bytes);

/// Lower-case hexadecimal digits, two for each byte.
std::string to_hex(const std::uint8_t* bytes, std::size_t size);

}  // namespace baton
