// Manifest: what a bundle contains; the one document that its signature covers.
//
//   format:         1
//   release:        the release description (release_description.h), as its author wrote it
//   expires:        a time, if it has one
//   payload_sha256: of the compressed payload: compression leaves bits that change nothing, and
//                   they are not to be changed either
//   files:          path, size, mode and SHA-256 of every file in the payload, sorted by path
//   modules:        name, version, path, ABI, build tag, linker's build id, and the lines of the
//                   ELF note of each: contract and schemas, so that a plan needs no module to be
//                   unpacked
//
// Invariants, checked by parse_manifest:
//   (1) Paths are relative, plain, distinct (also when case is ignored) and strictly ascending.
//   (2) The modules are those of the release, one each, and each file belongs to exactly one of
//       them.
//   (3) No size, count or sum is above its limit.
// Threads: value types.
// Fails:   kRefused, naming file, line, column and key.
#pragma once

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"
#include "description/release_description.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace baton::bundle {

inline constexpr std::uint64_t kManifestFormat = 1;
inline constexpr std::size_t kManifestBytesMax = description::kYamlBytesMax;
inline constexpr std::size_t kFilesMax = description::kModulesMax;
inline constexpr std::size_t kPathBytesMax = 220;
inline constexpr std::uint64_t kFileBytesMax = std::uint64_t{256} << 20;
inline constexpr std::uint64_t kPayloadBytesMax = std::uint64_t{2} << 30;  // unpacked, all together
/// The one mode of a bundled file: read-only for all, as the store keeps it.
inline constexpr std::uint32_t kFileMode = 0444;
inline constexpr std::size_t kNoteLinesMax = 150'000;

struct ManifestFile {
  std::string path;
  std::uint64_t size = 0;
  std::uint32_t mode = kFileMode;  // the only one there is
  Digest sha256;
};

struct ManifestModule {
  std::string name;
  std::string version;
  std::string path;  // of its file
  std::uint16_t abi_major = 0;
  std::uint16_t abi_minor = 0;
  std::string build;     // the author's tag over its sources
  std::string build_id;  // the linker's, hexadecimal
  std::string note;      // the note's text (baton/abi.h, "The note")
};

struct Manifest {
  description::ReleaseDescription release;
  std::optional<WallTime> expires;
  Digest payload;  // of the compressed bytes
  std::vector<ManifestFile> files;
  std::vector<ManifestModule> modules;  // in the release's order

  const ManifestFile* file(std::string_view path) const;
  const ManifestModule* module(std::string_view name) const;
  /// Requires: the module is one of this manifest's.
  const ManifestFile& file_of(const ManifestModule& module) const;
};

Result<Manifest> parse_manifest(std::string_view text, const std::string& file);

/// The manifest's text. `release` is the node that the description was read from: the author's own
/// words travel, not a rewriting of them. The same input gives the same bytes.
std::string write_manifest(const Manifest& manifest, const description::YamlNode& release);

/// Where a module's file stands in a modules directory and in the payload:
/// modules/NAME/VERSION/NAME.so, the first part only in the payload.
std::string module_path(std::string_view name, std::string_view version);

/// Says what is wrong with a path inside a bundle: absolute, escaping, empty, too long, with other
/// characters than letters, digits and . _ - + /.
Result<void> check_path(std::string_view path);
/// The path with letters in lower case, to find names that some file systems take for equal.
std::string fold_case(std::string_view path);

}  // namespace baton::bundle
