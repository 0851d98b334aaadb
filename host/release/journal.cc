#include "release/journal.h"

#include "base/hash.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>

namespace baton::release {

namespace {

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
  BATON_ASSIGN(ScopedFd fd, files.open_append(path, 0640));
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

Result<void> Journal::append(const JournalRecord& record) {
  if (is_broken_)
    return Error(Code::kFailed, path_ +
                                    ": an earlier write failed and could not be undone; free some "
                                    "space and restart the host");
  const std::string line = line_of(count_ + 1, record);
  if (line.size() - kHeadBytes - 1 > kRecordBytesMax)
    return Error(Code::kFailed, path_ + ": a record larger than " +
                                    std::to_string(kRecordBytesMax) +
                                    " bytes; give a shorter reason");
  if (size_ + line.size() > bytes_max_)
    return Error(Code::kFailed,
                 path_ + ": full: it would grow past " + std::to_string(bytes_max_) + " bytes");
  auto write = [&]() -> Result<void> {
    BATON_TRY(files_->write(fd_.get(), line));
    return files_->sync(fd_.get());
  };
  Result<void> written = write();
  if (!written.ok()) {
    // Half a record in the middle would make everything after it unreadable.
    is_broken_ = !files_->truncate(fd_.get(), size_).ok() || !files_->sync(fd_.get()).ok();
    return std::move(written).error().within("append to " + path_);
  }
  size_ += line.size();
  ++count_;
  return {};
}

}  // namespace baton::release
