// Bundle: a release in one file, packed, signed, verified and unpacked.
//
// A .baton file is an uncompressed tar of, in this order, manifest.yaml, manifest.minisig (left out
// while it is unsigned) and payload.tar.zst, one Zstandard frame around a tar of the files that the
// manifest lists, in the manifest's order. Packing the same input twice gives the same bytes.
//
// The order of verification is law, since each step makes the next one safe to take:
//   1. the signature over the manifest's bytes              open
//   2. the manifest itself, and whether we may take it      open, check_acceptable
//   3. size and SHA-256 of each file while it is copied     extract
//   4. the gate, over the copy                              extract
// and only then may anyone load code from it. The file is opened once and read through that
// descriptor: whoever swaps the file in between changes nothing.
//
// Ownership: a Bundle owns its descriptor and borrows the Files.
// Threads:   one at a time.
// Fails:     kRefused when the bundle is at fault, with the bundle's file in front; errors of Files
//            pass through.
#pragma once

#include "base/clock.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/result.h"
#include "bundle/archive.h"
#include "bundle/manifest.h"
#include "bundle/signature.h"
#include "module/gate.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace baton::bundle {

inline constexpr const char* kManifestName = "manifest.yaml";
inline constexpr const char* kSignatureName = "manifest.minisig";
inline constexpr const char* kPayloadName = "payload.tar.zst";

class Bundle {
 public:
  /// Opens the file, checks the signature by these keys and reads the manifest.
  static Result<Bundle> open(Files& files, const std::string& path, const TrustedKeys& keys);
  /// Without the signature: for showing what a bundle says of itself, never for acting on it.
  static Result<Bundle> open_unverified(Files& files, const std::string& path);

  const Manifest& manifest() const { return manifest_; }
  const std::string& manifest_text() const { return manifest_text_; }
  /// SHA-256 of the manifest's bytes: the identity of the bundle's content.
  const Digest& digest() const { return digest_; }
  /// Empty if the bundle is unsigned.
  const std::string& signature_text() const { return signature_text_; }
  /// Nothing unless it was opened with keys.
  const std::optional<Signer>& signer() const { return signer_; }

  /// Copies manifest, signature and files into `directory` at their paths, each hashed on the way,
  /// synced, of mode 0444, and judged by the gate. Writes nowhere else. On failure what was written
  /// stays for the caller to remove. Requires: the directory exists and is empty; not called before
  /// on this object (nor check_payload).
  Result<void> extract(const std::string& directory);
  /// Reads the payload as extract does, with all its checks but the gate, and writes nothing.
  Result<void> check_payload();

 private:
  Bundle(Files& files, std::string path, ScopedFd fd)
      : files_(&files), path_(std::move(path)), fd_(std::move(fd)) {}

  static Result<Bundle> read_head(Files& files, const std::string& path);
  Result<std::string> read_entry(std::size_t bytes_max);
  Result<void> read_manifest();
  Result<void> read_payload(const std::string* directory);
  Result<void> read_file(TarReader& payload, const ManifestFile& file,
                         const std::string* directory);
  Result<void> judge(const ManifestModule& module, const std::string& file);

  Files* files_;
  std::string path_;
  ScopedFd fd_;
  std::optional<TarReader> outer_;
  std::uint64_t payload_size_ = 0;
  bool is_consumed_ = false;
  std::string manifest_text_;
  std::string signature_text_;
  Digest digest_;
  Manifest manifest_;
  std::optional<Signer> signer_;
};

/// What the host asks of a bundle beyond its being genuine.
struct Acceptance {
  WallTime now{};
  std::string host_version;           // empty: any host range is taken
  std::string product;                // the release name taken; empty: any
  std::vector<std::string> channels;  // taken; empty: any
  std::uint64_t sequence = 0;         // the highest that was ever accepted of this release; 0: none
  std::optional<Digest> digest;       // of the manifest that had this sequence
};

/// Refuses what may not be run any more, whatever it was when it was taken in: what is expired, or
/// signed by a key that was revoked since.
Result<void> check_in_force(const Manifest& manifest, std::string_view signer,
                            const TrustedKeys& keys, WallTime now);
/// Refuses what is expired, too old, of another product or channel, or for another host.
Result<void> check_acceptable(const Bundle& bundle, const Acceptance& acceptance);
Result<void> check_acceptable(const Manifest& manifest, const Digest& digest,
                              const Acceptance& acceptance);

struct PackOptions {
  std::string description_file;   // a release description
  std::string modules_directory;  // holds NAME/VERSION/NAME.so
  std::string output;             // the .baton file; replaced if it is there
  std::optional<WallTime> expires;
  const SecretKey* key = nullptr;  // null: the bundle stays unsigned
};

/// What pack made.
struct Packed {
  Manifest manifest;
  Digest digest;
  std::uint64_t size = 0;
};

/// Reads the description, judges every module by the gate, checks that the description fits them,
/// and writes the bundle, whole or not at all.
Result<Packed> pack(Files& files, const PackOptions& options);

/// Puts a signature into a bundle, in place of one that is there; whole or not at all.
Result<void> sign(Files& files, const std::string& path, const SecretKey& key);

}  // namespace baton::bundle
