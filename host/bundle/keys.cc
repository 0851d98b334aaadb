#include "bundle/keys.h"

namespace baton::bundle {

namespace {
constexpr const char* kTrustedEnding = ".pub";
constexpr const char* kRevokedEnding = ".revoked";
}  // namespace

std::string KeyDirectory::file_of(std::string_view id, const char* ending) const {
  return path_ + "/" + std::string(id) + ending;
}

Result<TrustedKeys> KeyDirectory::load() const {
  TrustedKeys keys;
  BATON_ASSIGN(std::optional<FileFacts> facts, files_.facts(path_));
  if (!facts) return keys;
  BATON_ASSIGN(std::vector<std::string> names, files_.list_directory(path_));
  if (names.size() > kTrustedKeysMax)
    return Error(Code::kFailed, path_ + ": more than " + std::to_string(kTrustedKeysMax) +
                                    " keys; remove those that are not used");
  for (const std::string& name : names) {
    const bool is_trusted = name.ends_with(kTrustedEnding);
    if (!is_trusted && !name.ends_with(kRevokedEnding)) continue;
    const std::string file = path_ + "/" + name;
    BATON_ASSIGN(std::string content, read_file(files_, file, kKeyFileBytesMax));
    BATON_ASSIGN(PublicKey key, PublicKey::parse(content, file));
    (is_trusted ? keys.trusted : keys.revoked).push_back(key);
  }
  return keys;
}

Result<PublicKey> KeyDirectory::trust(std::string_view content, const std::string& file) {
  BATON_ASSIGN(PublicKey key, PublicKey::parse(content, file));
  BATON_ASSIGN(TrustedKeys keys, load());
  for (const PublicKey& revoked : keys.revoked)
    if (revoked.id == key.id || revoked.bytes == key.bytes)
      return Error(Code::kRefused,
                   file + ": the key " + key.id.text() +
                       " was revoked here and cannot be trusted again; make a new one");
  for (const PublicKey& trusted : keys.trusted)
    if (trusted.id == key.id && !(trusted == key))
      return Error(Code::kRefused, file + ": another key has the id " + key.id.text() + " already");
  BATON_TRY(make_directories(files_, path_));
  BATON_TRY(write_file_atomically(files_, file_of(key.id.text(), kTrustedEnding), key.text()));
  return key;
}

Result<void> KeyDirectory::revoke(std::string_view id) {
  BATON_ASSIGN(TrustedKeys keys, load());
  for (const PublicKey& revoked : keys.revoked)
    if (revoked.id.text() == id) return {};
  for (const PublicKey& key : keys.trusted) {
    if (key.id.text() != id) continue;
    // The trusted file stays: a revoked key wins, and a crash between two steps would lose the
    // revocation.
    return write_file_atomically(files_, file_of(id, kRevokedEnding), key.text());
  }
  return Error(Code::kNotFound, path_ + ": no key " + std::string(id) + " is trusted here");
}

}  // namespace baton::bundle
