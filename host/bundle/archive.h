// Archive: the two container formats of a bundle, read strictly and written the same way every
// time.
//
// A tar of regular files in ustar form, and one Zstandard frame around such a tar. The reader takes
// exactly what the writer makes: of all the ways to write the same entry one is canonical and the
// others are refused, so that no field is left in which two readers could see two different
// bundles. Links, devices, directories and extended headers have no place in it. Stock `tar` and
// `zstd` read it.
//
// libzstd stays in archive.cc.
//
// Invariants:
//   (1) The tar reader asks its source for no more than it needs and keeps no more than one block.
//   (2) Decompression hands on at most the size that the frame declares, and keeps a window of at
//       most kWindowLogMax bits.
// (1) is checked where a block is read; (2) is what a frame is refused for, and tested with false
// ones.
// Ownership: a reader borrows its source.
// Threads:   one.
// Fails:     kRefused for bad input; errors of the source pass through.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace baton::bundle {

inline constexpr std::size_t kTarBlockBytes = 512;
inline constexpr std::size_t kTarEndBytes = 2 * kTarBlockBytes;
/// A window of 8 MiB, twice what the writer uses.
inline constexpr int kWindowLogMax = 23;
inline constexpr int kZstdLevel = 9;

/// Puts up to `size` bytes into the buffer; 0 is the end.
using Source = std::function<Result<std::size_t>(char* buffer, std::size_t size)>;
using Sink = std::function<Result<void>(std::string_view bytes)>;

struct TarEntry {
  std::string path;
  std::uint64_t size = 0;
  std::uint32_t mode = 0444;
};

/// The header block of an entry. Requires: a path that check_path (manifest.h) takes, size below 8
/// GiB.
std::string tar_header(const TarEntry& entry);
/// How many zeros follow `size` bytes of content.
std::size_t tar_padding(std::uint64_t size);
/// Bytes an entry of this size takes, header and padding included.
std::uint64_t tar_entry_bytes(std::uint64_t size);

class TarReader {
 public:
  explicit TarReader(Source source) : source_(std::move(source)) {}

  /// The next entry's header, or nothing after the last, when the archive has also ended as it
  /// must: two blocks of zeros and then nothing. Requires: the entry before was read to its end.
  Result<std::optional<TarEntry>> next();
  /// Content of the current entry; 0 at its end.
  Result<std::size_t> read(char* buffer, std::size_t size);

 private:
  Result<void> read_block(char* block, std::size_t size, const char* what);

  Source source_;
  std::uint64_t left_ = 0;  // content of the current entry not yet read
  std::size_t padding_ = 0;
};

/// Writes one Zstandard frame around exactly `size` bytes.
class Compressor {
 public:
  Compressor(std::uint64_t size, Sink sink);
  ~Compressor();
  Result<void> write(std::string_view bytes);
  /// Requires: all `size` bytes were written.
  Result<void> finish();

 private:
  Result<void> run(std::string_view bytes, bool is_end);

  struct Context;
  const std::unique_ptr<Context> context_;
  const Sink sink_;
  std::uint64_t left_;
};

/// Reads one Zstandard frame that must declare how many bytes it holds, at most `size_max`, hold
/// them, and be all there is.
class Decompressor {
 public:
  Decompressor(std::uint64_t size_max, Source source);
  ~Decompressor();
  /// The same contract as a Source. The end is reported only after the frame and its source were
  /// found to end.
  Result<std::size_t> read(char* buffer, std::size_t size);

 private:
  Result<void> begin();
  Result<void> fill();
  Result<void> check_end();

  struct Context;
  const std::unique_ptr<Context> context_;
  const Source source_;
  const std::uint64_t size_max_;
  std::uint64_t size_ = 0;  // declared
  std::uint64_t written_ = 0;
  bool has_begun_ = false;
  bool has_ended_ = false;
};

}  // namespace baton::bundle
