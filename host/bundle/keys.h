// KeyDirectory: the public keys that a host trusts, one file each.
//
//   keys/ID.pub      a trusted key
//   keys/ID.revoked  a key that is never trusted again
//
// Both hold a public key file of minisign. A revoked key wins over a trusted one of the same id, or
// of the same bytes under another.
//
// Ownership: borrows the Files.
// Threads:   any thread; every call reads the directory anew, so that a revocation counts at once.
// Fails:     kUsage for a file that is no key, kFailed for more than kTrustedKeysMax; errors of
//            Files.
#pragma once

#include "base/files.h"
#include "bundle/signature.h"

#include <string>
#include <string_view>

namespace baton::bundle {

class KeyDirectory {
 public:
  KeyDirectory(Files& files, std::string path) : files_(files), path_(std::move(path)) {}

  /// All keys; a directory that is not there holds none.
  Result<TrustedKeys> load() const;
  /// Adds a public key file's content, and returns the key. Trusting a trusted key again is
  /// success; a revoked one is refused, and another of an id that is trusted already. `file` stands
  /// for the content in errors.
  Result<PublicKey> trust(std::string_view content, const std::string& file);
  /// Revokes the key with this id (KeyId::text). kNotFound: none such is known here. Revoking it
  /// again is success.
  Result<void> revoke(std::string_view id);

 private:
  std::string file_of(std::string_view id, const char* ending) const;

  Files& files_;
  const std::string path_;
};

}  // namespace baton::bundle
