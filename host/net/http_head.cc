#include "net/http_head.h"

#include "term/atom.h"

#include <algorithm>
#include <cstring>

namespace baton::net {

namespace {

// One bit per question that is asked of a byte.
enum Class : std::uint8_t { kTokenByte = 1, kTargetByte = 2, kTextByte = 4 };

constexpr std::array<std::uint8_t, 256> kClasses = [] {
  std::array<std::uint8_t, 256> classes{};
  for (int c = 0; c < 256; ++c) {
    const bool is_alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    std::uint8_t bits = 0;
    if (is_alphanumeric ||
        (c != 0 &&
         std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos))
      bits |= kTokenByte;
    if (c > ' ' && c < 127) bits |= kTargetByte;
    if (c == '\t' || (c >= ' ' && c != 127)) bits |= kTextByte;
    classes[static_cast<std::size_t>(c)] = bits;
  }
  return classes;
}();

bool consists_of(std::string_view text, Class wanted) {
  for (char c : text)
    if ((kClasses[static_cast<unsigned char>(c)] & wanted) == 0) return false;
  return true;
}

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// CONNECT and TRACE are no business of a service's: 501 like any other unknown one.
baton_term method_of(std::string_view text) {
  for (std::string_view known : {"GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "PATCH"})
    if (text == known) return term::atom(known);
  return BATON_NO_TERM;
}

// Proxies send the whole URL: what counts is the path.
bool take_path(std::string_view& target, bool is_options) {
  if (target.front() == '/') return true;
  if (target == "*") return is_options;
  const std::size_t scheme = target.find("://");
  if (scheme == target.npos || !(equals_lower(target.substr(0, scheme), "http") ||
                                 equals_lower(target.substr(0, scheme), "https")))
    return false;
  const std::size_t path = target.find_first_of("/?", scheme + 3);
  if (path == target.npos) {
    target = "/";
    return true;
  }
  target.remove_prefix(path);
  return target.front() == '/';
}

int read_request_line(std::string_view line, HttpHead& head) {
  const std::size_t first = line.find(' ');
  if (first == line.npos || first == 0) return 400;
  const std::string_view method = line.substr(0, first);
  if (!is_token(method)) return 400;
  const std::size_t second = line.find(' ', first + 1);
  if (second == line.npos || second == first + 1) return 400;
  head.target = line.substr(first + 1, second - first - 1);
  if (!consists_of(head.target, kTargetByte)) return 400;
  const std::string_view version = line.substr(second + 1);
  constexpr std::string_view kVersion = "HTTP/d.d";
  if (version.size() != kVersion.size() || !version.starts_with("HTTP/") || version[6] != '.' ||
      version[5] < '0' || version[5] > '9' || version[7] < '0' || version[7] > '9')
    return 400;
  if (version[5] != '1') return 505;
  head.minor_version = version[7] == '0' ? 0 : 1;
  head.keeps_alive = head.minor_version == 1;
  head.method = method_of(method);
  if (head.method == BATON_NO_TERM) return 501;
  head.is_head_method = method == "HEAD";
  return take_path(head.target, method == "OPTIONS") ? 0 : 400;
}

int read_content_length(std::string_view value, HttpHead& head) {
  constexpr std::size_t kDigitsMax = 18;  // no overflow; more than any body_bytes_max
  if (head.content_length || value.empty()) return 400;
  std::uint64_t length = 0;
  for (char c : value) {
    if (c < '0' || c > '9') return 400;
    if (value.size() <= kDigitsMax) length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (value.size() > kDigitsMax) return 413;
  head.content_length = length;
  return 0;
}

int read_transfer_encoding(std::string_view value, HttpHead& head) {
  if (head.minor_version == 0 || head.is_chunked) return 400;
  if (!equals_lower(value, "chunked")) return 501;
  head.is_chunked = true;
  return 0;
}

void read_connection(std::string_view value, HttpHead& head, bool& is_closed) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = trimmed(value.substr(0, comma));
    if (equals_lower(option, "close")) is_closed = true;
    if (equals_lower(option, "keep-alive")) head.keeps_alive = true;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
}

}  // namespace

bool equals_lower(std::string_view text, std::string_view wanted) {
  if (text.size() != wanted.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (lower(text[i]) != wanted[i]) return false;
  return true;
}

bool is_token(std::string_view text) { return !text.empty() && consists_of(text, kTokenByte); }
bool is_header_text(std::string_view text) { return consists_of(text, kTextByte); }

int read_head(std::string_view text, HttpHead& head) {
  // Not `head = {}`: clearing room for a hundred headers costs more than reading a few.
  head.is_chunked = head.expects_continue = false;
  head.content_length.reset();
  head.header_count = 0;
  std::size_t end = text.find("\r\n");
  if (const int refused = read_request_line(text.substr(0, end), head); refused != 0)
    return refused;
  text.remove_prefix(end + 2);

  int hosts = 0;
  bool is_closed = false;
  int refused = 0;
  while (!text.starts_with("\r\n")) {
    end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 2);
    const std::size_t colon = line.find(':');
    // A name that is no token: also a folded line, and white space before the colon.
    if (colon == line.npos || !is_token(line.substr(0, colon))) return 400;
    const HttpHeader header{line.substr(0, colon), trimmed(line.substr(colon + 1))};
    if (!is_header_text(header.value)) return 400;
    if (head.header_count == kHttpHeadersMax) return 431;
    head.headers[head.header_count++] = header;

    switch (header.name.size()) {
      case 4:
        if (equals_lower(header.name, "host")) ++hosts;
        break;
      case 6:
        if (equals_lower(header.name, "expect")) {
          if (!equals_lower(header.value, "100-continue"))
            refused = 417;
          else
            head.expects_continue = head.minor_version == 1;
        }
        break;
      case 10:
        if (equals_lower(header.name, "connection")) read_connection(header.value, head, is_closed);
        break;
      case 14:
        if (equals_lower(header.name, "content-length"))
          if (const int bad = read_content_length(header.value, head); bad != 0) return bad;
        break;
      case 17:
        if (equals_lower(header.name, "transfer-encoding"))
          if (const int bad = read_transfer_encoding(header.value, head); bad != 0) return bad;
        break;
      default: break;
    }
  }
  if (is_closed) head.keeps_alive = false;
  if (head.is_chunked && head.content_length) return 400;
  if (hosts > 1 || (hosts == 0 && head.minor_version == 1)) return 400;
  return refused;
}

std::size_t HttpHeadScanner::find_end(std::string_view text, std::uint64_t bytes_max,
                                      int& refused) {
  refused = 0;
  for (;;) {
    const void* found = searched_ < text.size()
                            ? std::memchr(text.data() + searched_, '\n', text.size() - searched_)
                            : nullptr;
    if (found == nullptr) break;
    const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
    if (end == line_ || text[end - 1] != '\r') {
      refused = 400;
      return 0;
    }
    const bool is_empty = end - 1 == line_;
    searched_ = end + 1;
    if (is_empty && line_ == begin_) {
      begin_ = line_ = searched_;
      if (begin_ > 2 * kHttpEmptyLinesMax) refused = 400;
      if (refused != 0) return 0;
      continue;
    }
    if (searched_ - begin_ > bytes_max) break;
    line_ = searched_;
    if (is_empty) return searched_;
  }
  // A head that begins with something else than a method (a TLS handshake, say) need not be waited
  // for.
  if (line_ == begin_ && text.size() > begin_ &&
      (kClasses[static_cast<unsigned char>(text[begin_])] & kTokenByte) == 0 &&
      text[begin_] != '\r') {
    refused = 400;
    return 0;
  }
  if (text.size() - begin_ > bytes_max) {
    refused = line_ == begin_ ? 414 : 431;
    return 0;
  }
  searched_ = std::max(searched_, text.size());
  return 0;
}

}  // namespace baton::net
