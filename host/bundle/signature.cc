#include "bundle/signature.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace baton::bundle {

namespace {

constexpr std::string_view kUntrusted = "untrusted comment: ";
constexpr std::string_view kTrusted = "trusted comment: ";
constexpr std::string_view kAlgorithm = "Ed";  // of keys, and of signatures of the older kind
constexpr std::string_view kPrehashed = "ED";
constexpr std::string_view kChecksum = "B2";
constexpr std::string_view kNoPassword("\0\0", 2);
// algorithm, kind of password, kind of checksum, salt and two limits for the password
constexpr std::size_t kSecretHeadBytes = 2 + 2 + 2 + 32 + 8 + 8;
constexpr std::size_t kSecretBytes = kSecretHeadBytes + 8 + 64 + 32;

using Hash = std::array<unsigned char, 64>;
using SignatureBytes = std::array<unsigned char, crypto_sign_BYTES>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string_view view_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

void start_sodium() {
  // Idempotent and safe from any thread; it fails only where the system has no randomness.
  BATON_CHECK(sodium_init() >= 0, "libsodium does not start");
}

std::string encode(std::string_view bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes_of(bytes), bytes.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();  // the zero it ends with
  return text;
}

/// Exactly `size` bytes into `bytes`, or false.
bool decode(std::string_view text, std::size_t size, std::string& bytes) {
  bytes.assign(size, '\0');
  std::size_t length = 0;
  const bool decoded = sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), size,
                                         text.data(), text.size(), nullptr, &length, nullptr,
                                         sodium_base64_VARIANT_ORIGINAL) == 0;
  // libsodium takes some bytes above 127 for letters; one value has one text here.
  return decoded && length == size && encode(bytes) == text;
}

/// Takes the next line off the text, without its end; nothing if the text is used up.
std::optional<std::string_view> next_line(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

Hash prehash(std::string_view message) {
  Hash hash;
  crypto_generichash(hash.data(), hash.size(), bytes_of(message), message.size(), nullptr, 0);
  return hash;
}

/// Over everything a secret key consists of, so that a damaged key file is not used.
std::array<unsigned char, 32> checksum(const KeyId& id, const std::uint8_t* secret) {
  std::string all(kAlgorithm);
  all += view_of(id.bytes.data(), id.bytes.size());
  all += view_of(secret, 64);
  std::array<unsigned char, 32> sum;
  crypto_generichash(sum.data(), sum.size(), bytes_of(all), all.size(), nullptr, 0);
  sodium_memzero(all.data(), all.size());
  return sum;
}

/// The bytes in the line after the comment of a key file.
Result<void> read_key(std::string_view text, std::size_t size, const std::string& file,
                      const char* kind, std::string& bytes) {
  std::optional<std::string_view> comment = next_line(text);
  std::optional<std::string_view> line = next_line(text);
  if (!comment || !comment->starts_with(kUntrusted) || !line || !text.empty() ||
      !decode(*line, size, bytes))
    return Error(Code::kUsage, file + ": not a " + kind +
                                   " key file of minisign; make a pair with: baton key generate");
  return {};
}

Error refused(const std::string& message) {
  return Error(Code::kRefused, "manifest.minisig: " + message);
}

const PublicKey* find_key(const std::vector<PublicKey>& keys, const KeyId& id) {
  for (const PublicKey& key : keys)
    if (key.id == id) return &key;
  return nullptr;
}

}  // namespace

std::string KeyId::text() const {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
    text += kDigits[*byte >> 4];
    text += kDigits[*byte & 15];
  }
  return text;
}

Result<PublicKey> PublicKey::parse(std::string_view text, const std::string& file) {
  PublicKey key;
  std::string bytes;
  BATON_TRY(read_key(text, 2 + key.id.bytes.size() + key.bytes.size(), file, "public", bytes));
  if (!bytes.starts_with(kAlgorithm))
    return Error(Code::kUsage, file + ": a public key of a kind that is not taken here");
  std::memcpy(key.id.bytes.data(), bytes.data() + 2, key.id.bytes.size());
  std::memcpy(key.bytes.data(), bytes.data() + 2 + key.id.bytes.size(), key.bytes.size());
  return key;
}

std::string PublicKey::text() const {
  std::string all(kAlgorithm);
  all += view_of(id.bytes.data(), id.bytes.size());
  all += view_of(bytes.data(), bytes.size());
  return std::string(kUntrusted) + "minisign public key " + id.text() + "\n" + encode(all) + "\n";
}

SecretKey SecretKey::generate() {
  start_sodium();
  SecretKey key;
  std::array<unsigned char, 32> unused;
  crypto_sign_keypair(unused.data(), key.bytes_.data());
  randombytes_buf(key.id_.bytes.data(), key.id_.bytes.size());
  return key;
}

Result<SecretKey> SecretKey::parse(std::string_view text, const std::string& file) {
  start_sodium();
  std::string bytes;
  BATON_TRY(read_key(text, kSecretBytes, file, "secret", bytes));
  const std::string_view all = bytes;
  SecretKey key;
  if (!all.starts_with(kAlgorithm) || all.substr(4, 2) != kChecksum)
    return Error(Code::kUsage, file + ": a secret key of a kind that is not taken here");
  if (all.substr(2, 2) != kNoPassword)
    return Error(Code::kUsage, file +
                                   ": the secret key is locked with a password; make one without "
                                   "with: baton key generate, or minisign -G -W");
  std::memcpy(key.id_.bytes.data(), all.data() + kSecretHeadBytes, 8);
  std::memcpy(key.bytes_.data(), all.data() + kSecretHeadBytes + 8, 64);
  // minisign leaves the checksum of a key without a password zero. What always holds is that the
  // public half follows from the secret one.
  const auto sum = checksum(key.id_, key.bytes_.data());
  const std::string_view given = all.substr(kSecretHeadBytes + 72);
  std::array<unsigned char, 32> half;
  std::array<unsigned char, 64> pair;
  crypto_sign_seed_keypair(half.data(), pair.data(), key.bytes_.data());
  const bool whole = sodium_memcmp(pair.data(), key.bytes_.data(), pair.size()) == 0 &&
                     (sodium_is_zero(bytes_of(given), given.size()) ||
                      sodium_memcmp(sum.data(), given.data(), sum.size()) == 0);
  sodium_memzero(pair.data(), pair.size());
  sodium_memzero(bytes.data(), bytes.size());
  if (!whole)
    return Error(Code::kUsage, file + ": the secret key is damaged; restore it from a backup");
  return key;
}

SecretKey::~SecretKey() { sodium_memzero(bytes_.data(), bytes_.size()); }

PublicKey SecretKey::public_key() const {
  PublicKey key;
  key.id = id_;
  // Its second half, by definition.
  std::memcpy(key.bytes.data(), bytes_.data() + 32, key.bytes.size());
  return key;
}

std::string SecretKey::text() const {
  std::string all = std::string(kAlgorithm) + std::string(kNoPassword) + std::string(kChecksum);
  all.resize(kSecretHeadBytes, '\0');
  all += view_of(id_.bytes.data(), id_.bytes.size());
  all += view_of(bytes_.data(), bytes_.size());
  const auto sum = checksum(id_, bytes_.data());
  all += view_of(sum.data(), sum.size());
  std::string text = std::string(kUntrusted) + "minisign secret key\n" + encode(all) + "\n";
  sodium_memzero(all.data(), all.size());
  return text;
}

std::string SecretKey::sign(std::string_view message, std::string_view trusted_comment) const {
  BATON_CHECK(trusted_comment.size() <= kCommentBytesMax &&
              trusted_comment.find_first_of("\r\n") == std::string_view::npos);
  const Hash hash = prehash(message);
  SignatureBytes signature;
  crypto_sign_detached(signature.data(), nullptr, hash.data(), hash.size(), bytes_.data());

  std::string sealed(view_of(signature.data(), signature.size()));
  sealed += trusted_comment;
  SignatureBytes seal;
  crypto_sign_detached(seal.data(), nullptr, bytes_of(sealed), sealed.size(), bytes_.data());

  std::string line(kPrehashed);
  line += view_of(id_.bytes.data(), id_.bytes.size());
  line += view_of(signature.data(), signature.size());
  return std::string(kUntrusted) + "signature by key " + id_.text() + "\n" + encode(line) + "\n" +
         std::string(kTrusted) + std::string(trusted_comment) + "\n" +
         encode(view_of(seal.data(), seal.size())) + "\n";
}

Result<void> check_not_revoked(std::string_view key, const TrustedKeys& keys) {
  const auto is_it = [key](const PublicKey& known) { return known.id.text() == key; };
  const auto it = std::find_if(keys.trusted.begin(), keys.trusted.end(), is_it);
  for (const PublicKey& gone : keys.revoked)
    if (is_it(gone) || (it != keys.trusted.end() && gone.bytes == it->bytes))
      return refused("the key " + std::string(key) + " was revoked; sign with another key");
  return {};
}

Result<Signer> verify(std::string_view message, std::string_view signature,
                      const TrustedKeys& keys) {
  start_sodium();
  const Error damaged = refused("the signature is truncated or damaged; sign the bundle again");
  std::string_view rest = signature;
  std::optional<std::string_view> untrusted = next_line(rest);
  std::optional<std::string_view> line = next_line(rest);
  std::optional<std::string_view> trusted = next_line(rest);
  std::optional<std::string_view> seal_line = next_line(rest);
  if (!untrusted || !untrusted->starts_with(kUntrusted) || !line || !trusted ||
      !trusted->starts_with(kTrusted) || trusted->size() > kTrusted.size() + kCommentBytesMax ||
      !seal_line || !rest.empty())
    return damaged;
  std::string bytes, seal;
  if (!decode(*line, 2 + 8 + crypto_sign_BYTES, bytes) ||
      !decode(*seal_line, crypto_sign_BYTES, seal))
    return damaged;

  if (bytes.starts_with(kAlgorithm))
    return refused(
        "the signature is of minisign's legacy kind, which is not taken; sign with a current "
        "minisign or with baton sign");
  if (!bytes.starts_with(kPrehashed)) return refused("the signature is of an unknown kind");

  Signer signer;
  std::memcpy(signer.key.bytes.data(), bytes.data() + 2, 8);
  signer.trusted_comment = trusted->substr(kTrusted.size());
  BATON_TRY(check_not_revoked(signer.key.text(), keys));
  const PublicKey* key = find_key(keys.trusted, signer.key);
  if (key == nullptr)
    return refused("the key " + signer.key.text() +
                   " is not trusted here; if it should be: baton key trust FILE");

  const std::string_view raw = std::string_view(bytes).substr(10);
  const Hash hash = prehash(message);
  if (crypto_sign_verify_detached(bytes_of(raw), hash.data(), hash.size(), key->bytes.data()) != 0)
    return refused("the signature is not over this manifest: one of the two was changed");
  const std::string sealed = std::string(raw) + signer.trusted_comment;
  if (crypto_sign_verify_detached(bytes_of(seal), bytes_of(sealed), sealed.size(),
                                  key->bytes.data()) != 0)
    return refused("the trusted comment of the signature was altered");
  return signer;
}

}  // namespace baton::bundle
