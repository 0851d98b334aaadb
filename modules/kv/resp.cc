#include "resp.h"

#include <charconv>
#include <cstring>

namespace kv::inline BATON_BUILD {
namespace {

// A connection that once sent a large command does not keep the memory of it.
constexpr std::size_t kKeptIdleBytesMax = 4 << 10;
constexpr std::size_t kKeptBytesMax = 256 << 10;
constexpr std::size_t kKeptArgumentsMax = 256;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\v' || c == '\f' || c == '\r';
}

bool ends_word(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char unescaped(char c) {
  switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case 'a': return '\a';
    default: return c;
  }
}

// Appends the word at `at` to `words`, without quotes and escapes; returns where it ends, or npos
// where a quote is not closed or something follows it at once.
std::size_t take_word(std::string_view line, std::size_t at, std::string& words) {
  char quote = 0;
  for (; at < line.size(); ++at) {
    const char c = line[at];
    if (quote == 0) {
      if (ends_word(c)) return at;
      if (c == '"' || c == '\'') {
        quote = c;
      } else {
        words += c;
      }
    } else if (c == quote) {
      if (at + 1 < line.size() && !is_blank(line[at + 1])) return std::string_view::npos;
      return at + 1;
    } else if (c == '\\' && quote == '"' && at + 1 < line.size()) {
      const int high = at + 3 < line.size() && line[at + 1] == 'x' ? hex_digit(line[at + 2]) : -1;
      const int low = high >= 0 ? hex_digit(line[at + 3]) : -1;
      if (low >= 0) {
        words += static_cast<char>(high * 16 + low);
        at += 3;
      } else {
        words += unescaped(line[++at]);
      }
    } else if (c == '\\' && quote == '\'' && at + 1 < line.size() && line[at + 1] == '\'') {
      words += '\'';
      ++at;
    } else {
      words += c;
    }
  }
  return quote == 0 ? at : std::string_view::npos;
}

void append_number_line(std::string& out, char kind, std::int64_t value) {
  char line[24];
  line[0] = kind;
  char* end = std::to_chars(line + 1, line + sizeof line - 2, value).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(line, static_cast<std::size_t>(end - line));
}

}  // namespace

Parser::Parser(Input& input, std::string_view chunk)
    : input_(input), in_place_(input.pending.empty()) {
  if (in_place_) {
    buffer_ = chunk;
  } else {
    input_.pending.append(chunk);
    buffer_ = input_.pending;
    position_ = input_.parsed;
  }
}

Parser::Step Parser::next() {
  if (is_consumed_) begin_request();
  while (true) {
    if (input_.arguments_left > 0) return next_in_array();
    if (position_ == buffer_.size()) return Step::kIncomplete;
    if (buffer_[position_] != '*') {
      const Step step = next_inline();
      if (step != Step::kCommand || !input_.arguments.empty()) return step;
      begin_request();  // an empty line is no command and gets no reply
      continue;
    }
    std::string_view line;
    if (!read_line(line)) {
      if (buffer_.size() - position_ > kInlineBytesMax) {
        return fail("too big mbulk count string");
      }
      return Step::kIncomplete;
    }
    std::int64_t count = 0;
    if (!parse_integer(line.substr(1), count) || count > kArgumentsMax) {
      return fail("invalid multibulk length");
    }
    if (count <= 0) {
      begin_request();  // nor is an array of nothing
      continue;
    }
    input_.arguments_left = count;
  }
}

Parser::Step Parser::next_in_array() {
  while (input_.arguments_left > 0) {
    if (input_.bulk_bytes < 0) {
      if (position_ == buffer_.size()) return incomplete();
      std::string_view line;
      if (!read_line(line)) {
        if (buffer_.size() - position_ > kInlineBytesMax) return fail("too big bulk count string");
        return incomplete();
      }
      if (line.empty() || line[0] != '$') {
        return fail(std::string("expected '$', got '") + (line.empty() ? '\r' : line[0]) + "'");
      }
      std::int64_t size = 0;
      if (!parse_integer(line.substr(1), size) || size < 0 || size > kBulkBytesMax) {
        return fail("invalid bulk length");
      }
      input_.bulk_bytes = size;
    }
    const auto size = static_cast<std::size_t>(input_.bulk_bytes);
    if (position_ - start_ + size > kRequestBytesMax) return fail("too big request");
    if (buffer_.size() - position_ < size + 2) return incomplete();
    input_.arguments.emplace_back(static_cast<std::uint32_t>(position_ - start_),
                                  static_cast<std::uint32_t>(size));
    position_ += size + 2;  // what the two bytes at its end are, Redis does not look at either
    input_.bulk_bytes = -1;
    --input_.arguments_left;
  }
  base_ = buffer_.data() + start_;
  is_consumed_ = true;
  return Step::kCommand;
}

Parser::Step Parser::incomplete() {
  return buffer_.size() - start_ > kRequestBytesMax + kInlineBytesMax ? fail("too big request")
                                                                      : Step::kIncomplete;
}

Parser::Step Parser::next_inline() {
  const std::size_t end = buffer_.find('\n', position_);
  const std::size_t size = (end == std::string_view::npos ? buffer_.size() : end) - position_;
  if (size > kInlineBytesMax) return fail("too big inline request");
  if (end == std::string_view::npos) return Step::kIncomplete;
  std::string_view line = buffer_.substr(position_, size);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  words_.clear();
  for (std::size_t at = 0;;) {
    while (at < line.size() && is_blank(line[at])) ++at;
    if (at == line.size()) break;
    const std::size_t from = words_.size();
    at = take_word(line, at, words_);
    if (at == std::string_view::npos) return fail("unbalanced quotes in request");
    input_.arguments.emplace_back(static_cast<std::uint32_t>(from),
                                  static_cast<std::uint32_t>(words_.size() - from));
  }
  position_ = end + 1;
  base_ = words_.data();
  is_consumed_ = true;
  return Step::kCommand;
}

Parser::Step Parser::fail(std::string_view text) {
  error_.assign("ERR Protocol error: ").append(text);
  return Step::kError;
}

bool Parser::read_line(std::string_view& line) {
  const char* from = buffer_.data() + position_;
  const auto* end = static_cast<const char*>(std::memchr(from, '\r', buffer_.size() - position_));
  if (end == nullptr || end + 1 == buffer_.data() + buffer_.size()) return false;
  line = std::string_view(from, static_cast<std::size_t>(end - from));
  position_ += line.size() + 2;
  return true;
}

void Parser::begin_request() {
  start_ = position_;
  is_consumed_ = false;
  input_.arguments.clear();
}

void Parser::finish() {
  if (is_consumed_) begin_request();
  input_.parsed = position_ - start_;
  if (in_place_) {
    input_.pending.assign(buffer_.substr(start_));
  } else if (start_ > 0) {
    input_.pending.erase(0, start_);
  }
  const std::size_t kept_max = input_.pending.empty() ? kKeptIdleBytesMax : kKeptBytesMax;
  if (input_.pending.size() <= kept_max / 2 && input_.pending.capacity() > kept_max) {
    input_.pending.shrink_to_fit();
  }
  if (input_.arguments.empty() && input_.arguments.capacity() > kKeptArgumentsMax) {
    input_.arguments.shrink_to_fit();
  }
}

bool parse_integer(std::string_view text, std::int64_t& value) {
  if (text.empty()) return false;
  const std::size_t first = text[0] == '-' ? 1 : 0;
  if (first == text.size()) return false;
  if (text[first] == '0' && text.size() > 1) return false;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  return result.ec == std::errc() && result.ptr == end;
}

void append_simple(std::string& out, std::string_view text) {
  out.append("+").append(text).append("\r\n");
}

void append_error(std::string& out, std::string_view text) {
  const std::size_t from = out.size();
  out.append("-").append(text);
  for (std::size_t i = from; i < out.size(); ++i) {
    if (out[i] == '\r' || out[i] == '\n') out[i] = ' ';
  }
  out.append("\r\n");
}

void append_integer(std::string& out, std::int64_t value) { append_number_line(out, ':', value); }

void append_bulk(std::string& out, std::string_view bytes) {
  append_number_line(out, '$', static_cast<std::int64_t>(bytes.size()));
  out.append(bytes).append("\r\n", 2);
}

void append_null(std::string& out) { out.append("$-1\r\n", 5); }

void append_array(std::string& out, std::size_t size) {
  append_number_line(out, '*', static_cast<std::int64_t>(size));
}

}  // namespace kv::inline BATON_BUILD
