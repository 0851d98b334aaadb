// Journal: an append-only file of records, the one truth about what happened to releases.
//
// A record is a list of keys with values. On disk it is one line, so that people can read it:
//   LENGTH CHECKSUM n=NUMBER key=value ...\n
// LENGTH is that of the text after the checksum, 8 hexadecimal digits; CHECKSUM the first 16 digits
// of the text's SHA-256; numbers count from 1 without a gap. Bytes of a value that would break the
// form are written %XX.
//
// Whoever is about to do what has to be recorded whatever happens keeps room for it first: the disk
// may be full by then.
//
// The first record of a file says its format; a file that begins otherwise is of format 1. An older
// format is read; a newer one is refused by name, and nothing of it is cut off as torn. So the form
// of a first record is the same in all formats.
//
// Invariants:
//   (1) append returns success only when the record is on disk; whoever reads the file later sees
//       all records whose append succeeded, in order, and perhaps the last one that failed.
//   (2) A torn record at the end (the host died while writing) is cut off on opening. A damaged
//       record with good ones after it is no torn write: the journal then does not open, as
//       guessing could boot the wrong release.
//   (3) One process has it open at a time.
//   (4) While room is kept, an ordinary append leaves it whole or fails.
// Ownership: owns its descriptor, borrows the Files.
// Threads:   one at a time.
// Fails:     kBusy when another process has it; kFailed when damaged, of a newer format, full or
//            not writable.
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
/// Bump when older hosts could not make sense of the records.
inline constexpr std::uint64_t kJournalFormat = 2;

class JournalRecord {
 public:
  /// The one that a file of our format begins with.
  static JournalRecord of_format();

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

/// What an append may use up.
enum class Room { kOrdinary, kKept };

class Journal {
 public:
  /// Opens the file, or makes an empty one.
  static Result<Journal> open(Files& files, const std::string& path,
                              std::uint64_t bytes_max = kJournalBytesMax);

  /// Adds the record at the end, synced. On failure the journal is as before; if that could not be
  /// brought about, the next append tries it again before anything else.
  Result<void> append(const JournalRecord& record, Room room = Room::kOrdinary);
  /// Makes sure that so many bytes can be appended with Room::kKept, whatever fills the disk
  /// meanwhile; 0 gives up what was kept. On failure nothing is kept.
  Result<void> keep_room(std::uint64_t bytes);
  /// Replaces all records by these, whole or not at all. The numbers begin anew.
  Result<void> rewrite(const std::vector<JournalRecord>& records);

  /// Those that were there when it was opened. Later ones are not kept: a host may run for years.
  const std::vector<JournalRecord>& records() const { return records_; }
  /// How many there are by now.
  std::uint64_t count() const { return count_; }
  std::uint64_t size() const { return size_; }
  /// Bytes of a torn record that were cut off on opening.
  std::uint64_t cut() const { return cut_; }

 private:
  Journal(Files& files, std::string path, ScopedFd fd, std::uint64_t bytes_max)
      : files_(&files), path_(std::move(path)), fd_(std::move(fd)), bytes_max_(bytes_max) {}

  Result<void> load();
  /// Refuses a file that begins with the record of a newer format.
  Result<void> check_format(const JournalRecord& first) const;
  /// Cuts off what a failed append has left behind.
  Result<void> mend();
  /// Makes sure that a crash leaves the rewritten file under the journal's name.
  Result<void> settle_name();
  Error full() const;

  Files* files_;
  std::string path_;
  ScopedFd fd_;
  std::uint64_t bytes_max_;
  std::uint64_t size_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t cut_ = 0;
  std::uint64_t kept_ = 0;   // bytes beyond size_ that an ordinary append may not use
  bool is_torn_ = false;     // a failed append left something behind size_
  bool is_renamed_ = false;  // rewritten, and the directory not synced yet
  std::vector<JournalRecord> records_;
};

}  // namespace baton::release
