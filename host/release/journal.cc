#include "release/journal.h"

#include "base/hash.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>

namespace baton::release {

namespace {

constexpr std::uint32_t kJournalMode = 0640;
constexpr std::size_t kLengthDigits = 8;
constexpr std::size_t kChecksumDigits = 16;
constexpr std::size_t kHeadBytes = kLengthDigits + 1 + kChecksumDigits + 1;

bool is_key(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

bool needs_escape(unsigned char byte) {
  return byte <= ' ' || byte == '%' || byte == '=' || byte == 0x7f;
}

std::string line_of(std::uint64_t number, const JournalRecord& record) {
  const std::string text = "n=" + std::to_string(number) + " " + record.text();
  char length[kLengthDigits + 1];
  std::snprintf(length, sizeof length, "%08zx", text.size());
  return std::string(length) + " " + sha256(text).hex().substr(0, kChecksumDigits) + " " + text +
         "\n";
}

struct Found {
  std::uint64_t number;
  JournalRecord record;
  std::size_t size;  // of its line
};

/// The record that the bytes begin with, if they begin with a whole and undamaged one.
std::optional<Found> read_record(std::string_view bytes) {
  if (bytes.size() < kHeadBytes) return std::nullopt;
  std::size_t length = 0;
  auto [at, error] = std::from_chars(bytes.data(), bytes.data() + kLengthDigits, length, 16);
  if (error != std::errc() || at != bytes.data() + kLengthDigits) return std::nullopt;
  if (length > kRecordBytesMax || bytes.size() < kHeadBytes + length + 1) return std::nullopt;
  const std::string_view text = bytes.substr(kHeadBytes, length);
  if (bytes[kHeadBytes + length] != '\n' || bytes[kLengthDigits] != ' ' ||
      bytes[kHeadBytes - 1] != ' ')
    return std::nullopt;
  if (sha256(text).hex().substr(0, kChecksumDigits) !=
      bytes.substr(kLengthDigits + 1, kChecksumDigits))
    return std::nullopt;

  const std::size_t space = std::min(text.find(' '), text.size());
  std::uint64_t number = 0;
  if (!text.starts_with("n=")) return std::nullopt;
  auto [end, bad] = std::from_chars(text.data() + 2, text.data() + space, number);
  if (bad != std::errc() || end != text.data() + space) return std::nullopt;
  Result<JournalRecord> record =
      JournalRecord::parse(text.substr(std::min(space + 1, text.size())));
  if (!record.ok()) return std::nullopt;
  return Found{number, std::move(*record), kHeadBytes + length + 1};
}

/// Whether a whole record begins anywhere later. No record can lie inside the text of another:
/// blanks are escaped there.
bool has_record_after(std::string_view bytes) {
  for (std::size_t at = 1; at < bytes.size(); ++at)
    if (read_record(bytes.substr(at))) return true;
  return false;
}

}  // namespace

JournalRecord JournalRecord::of_format() {
  JournalRecord record;
  record.set("format", std::to_string(kJournalFormat));
  return record;
}

JournalRecord& JournalRecord::set(std::string key, std::string value) {
  BATON_CHECK(is_key(key), key);
  for (const auto& field : fields_) BATON_CHECK(field.first != key, key);
  fields_.emplace_back(std::move(key), std::move(value));
  return *this;
}

const std::string& JournalRecord::get(std::string_view key) const {
  static const std::string kEmpty;
  for (const auto& field : fields_)
    if (field.first == key) return field.second;
  return kEmpty;
}

std::string JournalRecord::text() const {
  std::string text;
  for (const auto& [key, value] : fields_) {
    if (!text.empty()) text += ' ';
    text += key + "=";
    for (char c : value) {
      const unsigned char byte = static_cast<unsigned char>(c);
      if (needs_escape(byte))
        text += '%' + to_hex(&byte, 1);
      else
        text += c;
    }
  }
  return text;
}

Result<JournalRecord> JournalRecord::parse(std::string_view text) {
  const Error wrong(Code::kFailed, "not a record: " + std::string(text.substr(0, 80)));
  JournalRecord record;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view field = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equals = field.find('=');
    if (equals == std::string_view::npos || !is_key(field.substr(0, equals))) return wrong;
    const std::string key(field.substr(0, equals));
    std::string value;
    for (std::string_view rest = field.substr(equals + 1); !rest.empty();) {
      if (rest[0] != '%') {
        value += rest[0];
        rest.remove_prefix(1);
        continue;
      }
      unsigned byte = 0;
      if (rest.size() < 3) return wrong;
      auto [at, error] = std::from_chars(rest.data() + 1, rest.data() + 3, byte, 16);
      if (error != std::errc() || at != rest.data() + 3) return wrong;
      value += static_cast<char>(byte);
      rest.remove_prefix(3);
    }
    for (const auto& known : record.fields_)
      if (known.first == key) return wrong;
    record.fields_.emplace_back(key, std::move(value));
  }
  return record;
}

Result<Journal> Journal::open(Files& files, const std::string& path, std::uint64_t bytes_max) {
  BATON_ASSIGN(ScopedFd fd, files.open_append(path, kJournalMode));
  Journal journal(files, path, std::move(fd), bytes_max);
  Result<void> locked = files.lock(journal.fd_.get());
  if (!locked.ok()) return std::move(locked).error().within(path);
  // The file may just have been made.
  BATON_TRY(files.sync_directory(directory_of(path)));
  BATON_TRY(journal.load());
  return journal;
}

Result<void> Journal::load() {
  std::string content;
  std::string buffer(64 * 1024, '\0');
  for (;;) {
    BATON_ASSIGN(std::size_t n, files_->read(fd_.get(), buffer.data(), buffer.size()));
    if (n == 0) break;
    content.append(buffer, 0, n);
    if (content.size() > bytes_max_)
      return Error(Code::kFailed, path_ + ": larger than " + std::to_string(bytes_max_) + " bytes");
  }
  std::string_view rest = content;
  while (!rest.empty()) {
    std::optional<Found> found = read_record(rest);
    if (found && found->number != records_.size() + 1)
      return Error(Code::kFailed, path_ + ": record " + std::to_string(records_.size() + 1) +
                                      " is missing at byte " + std::to_string(size_) +
                                      "; restore the file from a backup");
    if (!found) break;
    if (records_.empty()) BATON_TRY(check_format(found->record));
    records_.push_back(std::move(found->record));
    size_ += found->size;
    ++count_;
    rest.remove_prefix(found->size);
  }
  if (rest.empty()) return {};
  if (has_record_after(rest))
    return Error(Code::kFailed, path_ + ": damaged at byte " + std::to_string(size_) +
                                    ", with good records after it; restore the file from a backup");
  cut_ = rest.size();
  BATON_TRY(files_->truncate(fd_.get(), size_));
  return files_->sync(fd_.get());
}

Result<void> Journal::check_format(const JournalRecord& first) const {
  const std::string& format = first.get("format");
  std::uint64_t number = 0;
  const char* const end = format.data() + format.size();
  const auto [at, error] = std::from_chars(format.data(), end, number);
  if (format.empty() || (error == std::errc() && at == end && number <= kJournalFormat)) return {};
  return Error(Code::kFailed, path_ + ": it is of format " + format +
                                  ", written by a newer host; this one reads formats up to " +
                                  std::to_string(kJournalFormat) + "; start that host again");
}

Result<void> Journal::mend() {
  BATON_TRY(files_->truncate(fd_.get(), size_));
  BATON_TRY(files_->sync(fd_.get()));
  is_torn_ = false;
  // The cut gave up the blocks behind the end.
  return kept_ > 0 ? files_->allocate(fd_.get(), size_, kept_) : Result<void>();
}

Result<void> Journal::keep_room(std::uint64_t bytes) {
  kept_ = 0;
  if (bytes == 0) return {};
  if (size_ + bytes > bytes_max_) return full();
  if (auto allocated = files_->allocate(fd_.get(), size_, bytes); !allocated.ok())
    return std::move(allocated).error().within("keep room in " + path_);
  kept_ = bytes;
  return {};
}

Result<void> Journal::append(const JournalRecord& record, Room room) {
  const std::string line = line_of(count_ + 1, record);
  if (line.size() - kHeadBytes - 1 > kRecordBytesMax)
    return Error(Code::kFailed, path_ + ": a record larger than " +
                                    std::to_string(kRecordBytesMax) +
                                    " bytes; give a shorter reason");
  const std::uint64_t left_alone = room == Room::kOrdinary ? kept_ : 0;
  if (size_ + line.size() + left_alone > bytes_max_) return full();
  auto write = [&]() -> Result<void> {
    if (is_torn_) BATON_TRY(mend());
    if (is_renamed_) BATON_TRY(settle_name());
    if (left_alone > 0) BATON_TRY(files_->allocate(fd_.get(), size_, line.size() + left_alone));
    is_torn_ = true;
    BATON_TRY(files_->write(fd_.get(), line));
    BATON_TRY(files_->sync(fd_.get()));
    is_torn_ = false;
    return {};
  };
  if (auto written = write(); !written.ok()) {
    // Half a record in the middle would make everything after it unreadable. What fails here is
    // tried again before the next append.
    if (is_torn_) (void)mend();
    return std::move(written).error().within("append to " + path_);
  }
  size_ += line.size();
  ++count_;
  if (room == Room::kKept) kept_ -= std::min<std::uint64_t>(kept_, line.size());
  return {};
}

Result<void> Journal::rewrite(const std::vector<JournalRecord>& records) {
  std::string content;
  std::uint64_t number = 0;
  for (const JournalRecord& record : records) content += line_of(++number, record);
  if (content.size() + kept_ > bytes_max_) return full();
  const std::string next = path_ + ".tmp";
  const auto replace = [&]() -> Result<ScopedFd> {
    BATON_TRY(remove_tree(*files_, next));
    BATON_ASSIGN(ScopedFd fd, files_->open_append(next, kJournalMode));
    // Locked before it has the name under which another host would look for it.
    BATON_TRY(files_->lock(fd.get()));
    BATON_TRY(files_->write(fd.get(), content));
    if (kept_ > 0) BATON_TRY(files_->allocate(fd.get(), content.size(), kept_));
    BATON_TRY(files_->sync(fd.get()));
    BATON_TRY(files_->rename(next, path_));
    return fd;
  };
  auto replaced = replace();
  if (!replaced.ok()) return std::move(replaced).error().within("rewrite " + path_);
  fd_ = std::move(*replaced);
  size_ = content.size();
  count_ = number;
  is_torn_ = false;
  is_renamed_ = true;
  // Until the next append it does not matter which of the two a crash leaves under the name.
  return settle_name();
}

Result<void> Journal::settle_name() {
  BATON_TRY(files_->sync_directory(directory_of(path_)));
  is_renamed_ = false;
  return {};
}

Error Journal::full() const {
  return Error(Code::kFailed,
               path_ + ": full: it would grow past " + std::to_string(bytes_max_) + " bytes");
}

}  // namespace baton::release
