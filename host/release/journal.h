// Journal: an append-only file of records, the one truth about what happened to releases.
//
// A record is a list of keys with values. On disk it is one line, so that people can read it:
//   LENGTH CHECKSUM n=NUMBER key=value ...\n
// LENGTH is that of the text after the checksum, 8 hexadecimal digits; CHECKSUM the first 16 digits
// of the text's SHA-256; numbers count from 1 without a gap. Bytes of a value that would break the
// form are written %XX.
//
// Invariants:
//   (1) append returns success only when the record is on disk; whoever reads the file later sees
//       all records whose append succeeded, in order, and perhaps the last one that failed.
//   (2) A torn record at the end (the host died while writing) is cut off on opening. A damaged
//       record with good ones after it is no torn write: the journal then does not open, as
//       guessing could boot the wrong release.
//   (3) One process has it open at a time.
// Ownership: owns its descriptor, borrows the Files.
// Threads:   one at a time.
// Fails:     kBusy when another process has it; kFailed when damaged, full or not writable.
#pragma once

#include "base/files.h"
#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace baton::release {

inline constexpr std::uint64_t kJournalBytesMax = std::uint64_t{64} << 20;
inline constexpr std::size_t kRecordBytesMax = 16 * 1024;

class JournalRecord {
 public:
  /// Requires: the key is of lower-case letters and underscores, and not there yet.
  JournalRecord& set(std::string key, std::string value);
  /// The value, empty if the key is not there.
  const std::string& get(std::string_view key) const;
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

  /// key=value pairs as on disk.
  std::string text() const;
  static Result<JournalRecord> parse(std::string_view text);
  friend bool operator==(const JournalRecord&, const JournalRecord&) = default;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

class Journal {
 public:
  /// Opens the file, or makes an empty one.
  static Result<Journal> open(Files& files, const std::string& path,
                              std::uint64_t bytes_max = kJournalBytesMax);

  /// Adds the record at the end, synced. On failure the journal is as before, or, if that could not
  /// be brought about, refuses all further appends until it is opened anew.
  Result<void> append(const JournalRecord& record);

  /// Those that were there when it was opened. Later ones are not kept: a host may run for years.
  const std::vector<JournalRecord>& records() const { return records_; }
  /// How many there are by now.
  std::uint64_t count() const { return count_; }
  /// Bytes of a torn record that were cut off on opening.
  std::uint64_t cut() const { return cut_; }

 private:
  Journal(Files& files, std::string path, ScopedFd fd, std::uint64_t bytes_max)
      : files_(&files), path_(std::move(path)), fd_(std::move(fd)), bytes_max_(bytes_max) {}

  Result<void> load();

  Files* files_;
  std::string path_;
  ScopedFd fd_;
  std::uint64_t bytes_max_;
  std::uint64_t size_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t cut_ = 0;
  bool is_broken_ = false;
  std::vector<JournalRecord> records_;
};

}  // namespace baton::release
