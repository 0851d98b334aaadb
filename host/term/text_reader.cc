#include "term/text_reader.h"

#include "term/integer.h"
#include "term/limits.h"
#include "term/utf8.h"

#include <algorithm>
#include <charconv>

namespace baton::term {

bool TextReader::take(std::string_view what) {
  if (!looking_at(what)) return false;
  at_ += what.size();
  return true;
}

void TextReader::skip_space() {
  while (!at_end()) {
    const auto c = static_cast<unsigned char>(peek());
    if (c == '%') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (c <= ' ') {
      ++at_;
    } else {
      return;
    }
  }
}

std::string TextReader::place(std::size_t at) const {
  const std::string_view before = text_.substr(0, at);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::string_view row = before.substr(before.rfind('\n') + 1);
  const auto column =
      1 + std::count_if(row.begin(), row.end(), [](char c) { return (c & 0xc0) != 0x80; });
  return std::to_string(line) + ":" + std::to_string(column) + ": ";
}

Error TextReader::wrong(const std::string& what, std::size_t at) const {
  return Error(Code::kUsage, place(at) + what);
}

Error TextReader::expected(const std::string& what) const {
  if (at_end()) return wrong("expected " + what + ", found the end of the text");
  std::string_view rest = text_.substr(at_);
  const std::string_view before = rest;
  if (!next_code_point(rest)) return wrong("expected " + what + ", found a byte that is not UTF-8");
  return wrong("expected " + what + ", found '" +
               std::string(before.substr(0, before.size() - rest.size())) + "'");
}

Result<void> TextReader::need(std::string_view what) {
  if (!take(what)) return expected("'" + std::string(what) + "'");
  return {};
}

Result<std::string> TextReader::digits(unsigned base) {
  const std::size_t start = at_;
  std::string found;
  while (digit_value(peek()) < base ||
         (peek() == '_' && !found.empty() && digit_value(peek(1)) < base)) {
    if (peek() != '_') found += peek();
    ++at_;
  }
  if (found.empty()) return expected("a digit of base " + std::to_string(base));
  const std::size_t zeros = std::min(found.find_first_not_of('0'), found.size() - 1);
  found.erase(0, zeros);
  // Base 16 is how long integers are printed, and costs no more than their length.
  const std::size_t limit = base == 16 ? kIntegerLimbsMax * 16 : kIntegerDigitsMax;
  if (found.size() > limit)
    return Error(Code::kFailed, place(start) + "an integer of " + std::to_string(found.size()) +
                                    " digits; at most " + std::to_string(limit) +
                                    " are allowed in base " + std::to_string(base));
  return found;
}

Result<std::string> TextReader::fraction() {
  std::string found;
  while (is_digit(peek()) || (peek() == '_' && is_digit(peek(1)))) {
    if (peek() != '_') found += peek();
    ++at_;
  }
  if (found.size() > kIntegerDigitsMax)
    return Error(Code::kFailed, place(at_) + "a float of more than " +
                                    std::to_string(kIntegerDigitsMax) + " digits after its point");
  return found;
}

Result<std::uint32_t> TextReader::code_point() {
  std::string_view rest = text_.substr(at_);
  const auto c = next_code_point(rest);
  if (!c) return at_end() ? expected("a character") : wrong("a byte that is not UTF-8");
  at_ = text_.size() - rest.size();
  return *c;
}

Result<std::uint32_t> TextReader::escape() {
  BATON_CHECK(at_ > 0, "the backslash was taken");
  const std::size_t start = at_ - 1;
  if (peek() >= '0' && peek() <= '7') {
    std::uint32_t value = 0;
    for (int i = 0; i < 3 && peek() >= '0' && peek() <= '7'; ++i)
      value = value * 8 + static_cast<std::uint32_t>(text_[at_++] - '0');
    return value;
  }
  BATON_ASSIGN(const std::uint32_t c, code_point());
  switch (c) {
    case 'b': return std::uint32_t{'\b'};
    case 'd': return std::uint32_t{127};
    case 'e': return std::uint32_t{27};
    case 'f': return std::uint32_t{'\f'};
    case 'n': return std::uint32_t{'\n'};
    case 'r': return std::uint32_t{'\r'};
    case 's': return std::uint32_t{' '};
    case 't': return std::uint32_t{'\t'};
    case 'v': return std::uint32_t{'\v'};
    case '^': {
      BATON_ASSIGN(const std::uint32_t control, code_point());
      if (control < '@' || control > '~')
        return wrong("a control character is \\^@ to \\^~", start);
      return control & 31;
    }
    case 'x': break;
    default: return c;
  }
  const bool braces = take('{');
  std::uint32_t value = 0;
  std::size_t count = 0;
  for (; digit_value(peek()) < 16 && (braces ? count < 8 : count < 2); ++count)
    value = value * 16 + digit_value(text_[at_++]);
  if (count == 0 || (!braces && count < 2)) return expected("a hexadecimal digit");
  if (braces) BATON_TRY(need("}"));
  std::string as_text;
  if (!append_utf8(as_text, value)) return wrong("the escape is not a character of Unicode", start);
  return value;
}

Result<std::vector<std::uint32_t>> TextReader::quoted(char quote) {
  BATON_CHECK(peek() == quote);
  const std::size_t start = at_++;
  std::vector<std::uint32_t> found;
  while (!take(quote)) {
    if (at_end())
      return wrong(std::string("expected ") + quote + ", found the end of the text; it opened here",
                   start);
    BATON_ASSIGN(std::uint32_t c, code_point());
    if (c == '\\') {
      BATON_ASSIGN(c, escape());
    }
    found.push_back(c);
  }
  return found;
}

Result<std::vector<std::uint32_t>> TextReader::strings() {
  std::vector<std::uint32_t> all;
  do {
    BATON_ASSIGN(const std::vector<std::uint32_t> one, quoted('"'));
    all.insert(all.end(), one.begin(), one.end());
    skip_space();
  } while (peek() == '"');
  return all;
}

Result<std::uint64_t> TextReader::number_up_to(std::uint64_t max) {
  const std::size_t start = at_;
  while (is_digit(peek())) ++at_;
  if (at_ == start) return expected("a number");
  std::uint64_t value = 0;
  const auto read = std::from_chars(text_.data() + start, text_.data() + at_, value);
  if (read.ec != std::errc() || value > max)
    return wrong("expected a number up to " + std::to_string(max), start);
  return value;
}

Result<std::string> TextReader::hex_bytes() {
  std::string bytes;
  while (!take('>')) {
    const unsigned high = digit_value(peek()), low = digit_value(peek(1));
    if (high > 15 || low > 15) return expected("two hexadecimal digits or '>'");
    bytes += static_cast<char>(high << 4 | low);
    at_ += 2;
  }
  return bytes;
}

Result<std::uint64_t> TextReader::hex_word() {
  const std::size_t start = at_;
  BATON_ASSIGN(const std::string bytes, hex_bytes());
  if (bytes.size() != 8) return wrong("expected 16 hexadecimal digits", start);
  std::uint64_t word = 0;
  for (unsigned char byte : bytes) word = word << 8 | byte;
  return word;
}

}  // namespace baton::term
