#include "net/http_answer.h"

#include "net/http_head.h"

#include <charconv>

namespace baton::net {

namespace {

void append_number(std::string& to, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  to.append(digits, end);
}

std::string_view name_of(const baton_http_header& header) {
  return {header.name, header.name_size};
}
std::string_view value_of(const baton_http_header& header) {
  return {header.value, header.value_size};
}

}  // namespace

std::string_view HttpDate::now() {
  timespec time;
  clock_gettime(CLOCK_REALTIME_COARSE, &time);
  if (time.tv_sec != second_) {
    second_ = time.tv_sec;
    std::tm parts;
    gmtime_r(&second_, &parts);
    // Not by strftime: names must not follow the locale.
    constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char* to = text_;
    const auto put = [&](std::string_view text) { to += text.copy(to, text.size()); };
    const auto put_two = [&](int number) {
      *to++ = static_cast<char>('0' + number / 10 % 10);
      *to++ = static_cast<char>('0' + number % 10);
    };
    put(kDays[parts.tm_wday]);
    put(", ");
    put_two(parts.tm_mday);
    put(" ");
    put(kMonths[parts.tm_mon]);
    put(" ");
    put_two((parts.tm_year + 1900) / 100);
    put_two(parts.tm_year % 100);
    put(" ");
    put_two(parts.tm_hour);
    put(":");
    put_two(parts.tm_min);
    put(":");
    put_two(parts.tm_sec);
    put(" GMT");
    size_ = static_cast<std::size_t>(to - text_);
  }
  return {text_, size_};
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 426: return "Upgrade Required";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "";
  }
}

bool may_answer(int status, std::span<const baton_http_header> headers, bool& closes) {
  if (status < 200 || status > 599) return false;
  for (const baton_http_header& header : headers) {
    const std::string_view name = name_of(header);
    if (!is_token(name) || !is_header_text(value_of(header))) return false;
    // The host alone says where an answer ends.
    if (equals_lower(name, "content-length") || equals_lower(name, "transfer-encoding"))
      return false;
    if (equals_lower(name, "connection") && equals_lower(value_of(header), "close")) closes = true;
  }
  return true;
}

bool has_body(int status, const HttpExchange& exchange) {
  return !exchange.is_head_method && status != 204 && status != 304;
}

void append_answer_head(std::string& to, const HttpExchange& exchange, int status,
                        std::span<const baton_http_header> headers, std::uint64_t body_size,
                        std::string_view date) {
  to += "HTTP/1.1 ";
  append_number(to, static_cast<std::uint64_t>(status));
  to += ' ';
  to += reason_phrase(status);
  to += "\r\n";
  bool has_date = false;
  for (const baton_http_header& header : headers) {
    const std::string_view name = name_of(header);
    if (equals_lower(name, "connection")) continue;
    has_date |= equals_lower(name, "date");
    to += name;
    to += ": ";
    to += value_of(header);
    to += "\r\n";
  }
  if (!has_date) {
    to += "date: ";
    to += date;
    to += "\r\n";
  }
  if (status != 204 && status != 304) {
    to += "content-length: ";
    append_number(to, body_size);
    to += "\r\n";
  }
  if (!exchange.keeps_alive)
    to += "connection: close\r\n";
  else if (exchange.minor_version == 0)
    to += "connection: keep-alive\r\n";
  to += "\r\n";
}

}  // namespace baton::net
