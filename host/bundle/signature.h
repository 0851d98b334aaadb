// Signature: Ed25519 signatures and keys in minisign's formats.
//
// What we sign the stock `minisign -V` verifies, and the other way round. libsodium does the
// mathematics; its names stay in signature.cc.
//
//   signature  untrusted comment line,
//              base64("ED", key id, signature of BLAKE2b-512 of the message),
//              trusted comment line,
//              base64(signature of that signature and the trusted comment)
//   keys       untrusted comment line, base64("Ed", key id, key ...)
//
// Only the prehashed kind "ED" is taken: the older "Ed" kind is refused by its own message. Secret
// keys are kept without a password, readable by their owner only: a host that packs in a pipeline
// has nobody to type it.
//
// Threads: value types and pure functions; any thread.
// Fails:   kRefused for a signature; kUsage for a key file that cannot be used.
#pragma once

#include "base/result.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace baton::bundle {

inline constexpr std::size_t kSignatureBytesMax = 16 * 1024;
inline constexpr std::size_t kKeyFileBytesMax = 4 * 1024;
inline constexpr std::size_t kCommentBytesMax = 4 * 1024;
inline constexpr std::size_t kTrustedKeysMax = 1000;

struct KeyId {
  std::array<std::uint8_t, 8> bytes{};
  /// 16 hexadecimal digits, as minisign prints it.
  std::string text() const;
  friend bool operator==(const KeyId&, const KeyId&) = default;
};

struct PublicKey {
  KeyId id;
  std::array<std::uint8_t, 32> bytes{};
  /// Reads a key file; `file` stands for it in errors.
  static Result<PublicKey> parse(std::string_view text, const std::string& file);
  /// The key file.
  std::string text() const;
  friend bool operator==(const PublicKey&, const PublicKey&) = default;
};

/// Wipes itself from memory.
class SecretKey {
 public:
  static SecretKey generate();
  static Result<SecretKey> parse(std::string_view text, const std::string& file);
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  ~SecretKey();

  PublicKey public_key() const;
  /// The key file. Whoever writes it gives it mode 0600.
  std::string text() const;
  /// The signature file for a message. The same input gives the same bytes.
  /// Requires: the comment is one line of at most kCommentBytesMax bytes.
  std::string sign(std::string_view message, std::string_view trusted_comment) const;

 private:
  SecretKey() = default;
  KeyId id_;
  std::array<std::uint8_t, 64> bytes_{};
};

/// The keys that bundles may be signed with, and those that were taken back.
struct TrustedKeys {
  std::vector<PublicKey> trusted;
  std::vector<PublicKey> revoked;
};

struct Signer {
  KeyId key;
  std::string trusted_comment;
};

/// Refuses the key of this id (KeyId::text) if it was taken back, under whatever id.
Result<void> check_not_revoked(std::string_view key, const TrustedKeys& keys);

/// Who signed the message. Refuses a signature that is truncated, of the older kind, by an unknown
/// or a revoked key, over another message, or whose trusted comment was altered.
Result<Signer> verify(std::string_view message, std::string_view signature,
                      const TrustedKeys& keys);

}  // namespace baton::bundle
