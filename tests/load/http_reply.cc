#include "load/http_reply.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

namespace baton::load {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

const HttpReply kMalformed{.size = 0, .malformed = true, .closes = false, .status = 0, .body = {}};

}  // namespace

HttpReply parse_http_reply(std::string_view bytes) {
  constexpr std::string_view kProtocol = "HTTP/1.1 ";
  const std::size_t seen = std::min(bytes.size(), kProtocol.size());
  if (bytes.substr(0, seen) != kProtocol.substr(0, seen)) return kMalformed;
  const std::size_t head_end = bytes.find("\r\n\r\n");
  if (head_end == std::string_view::npos) {
    return bytes.size() > kHttpHeadMax ? kMalformed : HttpReply{};
  }

  HttpReply reply;
  std::string_view head = bytes.substr(0, head_end);
  const auto status = number_of<int>(head.substr(kProtocol.size(), 3));
  if (!status) return kMalformed;
  reply.status = *status;

  std::optional<std::size_t> length;
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
    const std::size_t next = head.find("\r\n", at + 2);
    const std::string_view line = head.substr(at + 2, next - at - 2);
    at = next;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return kMalformed;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (equal_ignoring_case(name, "content-length")) {
      length = number_of<std::size_t>(value);
      if (!length || *length > kHttpBodyMax) return kMalformed;
    } else if (equal_ignoring_case(name, "connection")) {
      reply.closes = equal_ignoring_case(value, "close");
    }
  }
  if (!length) {
    if (reply.status != 204 && reply.status != 304) return kMalformed;
    length = 0;
  }
  const std::size_t body_begins = head_end + 4;
  if (bytes.size() < body_begins + *length) return HttpReply{};
  reply.body = bytes.substr(body_begins, *length);
  reply.size = body_begins + *length;
  return reply;
}

}  // namespace baton::load
