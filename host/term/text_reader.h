// TextReader: the characters of a text form, read from left to right.
//
// What the parser of terms (text.h) is made of: where it stands, what it takes there, and errors
// that say the place. After an error nothing more is read: where the reader stands is not said.
//
// Ownership: borrows the text.
// Threads:   one at a time.
// Fails:     kUsage with line:column; kFailed for an integer beyond its limit.
#pragma once

#include "base/check.h"
#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace baton::term {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

class TextReader {
 public:
  explicit TextReader(std::string_view text) : text_(text) {}

  std::size_t at() const { return at_; }
  std::size_t size() const { return text_.size(); }
  bool at_end() const { return at_ == text_.size(); }
  /// The byte here or further on; 0 beyond the end.
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  std::string_view rest() const { return text_.substr(at_); }
  std::string_view since(std::size_t start) const { return text_.substr(start, at_ - start); }
  bool looking_at(std::string_view what) const { return text_.substr(at_, what.size()) == what; }

  /// Requires: so many are left.
  void skip(std::size_t bytes) {
    BATON_CHECK(bytes <= text_.size() - at_);
    at_ += bytes;
  }
  /// White space and comments.
  void skip_space();
  /// False, and nothing taken: something else stands here.
  bool take(std::string_view what);
  bool take(char c) { return take(std::string_view(&c, 1)); }
  Result<void> need(std::string_view what);

  /// "line:column: ", counted in characters from 1. Requires: a place in the text, or its end.
  std::string place(std::size_t at) const;
  Error wrong(const std::string& what, std::size_t at) const;
  Error wrong(const std::string& what) const { return wrong(what, at_); }
  /// "expected ..., found" what stands here.
  Error expected(const std::string& what) const;

  Result<std::uint32_t> code_point();
  /// What a backslash, just taken, and the characters after it stand for.
  Result<std::uint32_t> escape();
  /// The characters between two quotes, the first of which is next.
  Result<std::vector<std::uint32_t>> quoted(char quote);
  /// The same for "..." and all those that follow it, as one.
  Result<std::vector<std::uint32_t>> strings();

  /// Digits, at least one, with single underscores between them allowed; without zeros in front.
  Result<std::string> digits(unsigned base);
  /// The decimal digits after the point of a float, zeros kept; there may be none.
  Result<std::string> fraction();
  /// A number in decimal up to `max`.
  Result<std::uint64_t> number_up_to(std::uint64_t max);
  /// Bytes as pairs of hexadecimal digits up to '>', which is taken.
  Result<std::string> hex_bytes();
  Result<std::uint64_t> hex_word();

 private:
  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace baton::term
