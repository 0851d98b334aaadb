// HttpAnswer: the bytes of one answer.
//
// Ownership: borrows what it is made of.
// Threads:   pure, but for a Date, which is its context's.
#pragma once

#include <baton/net.h>

#include <cstdint>
#include <ctime>
#include <span>
#include <string>
#include <string_view>

namespace baton::net {

/// What an answer depends on besides what the module says.
struct HttpExchange {
  bool is_head_method = false;
  bool keeps_alive = true;
  int minor_version = 1;
};

/// The Date header's value, made anew once a second.
class HttpDate {
 public:
  std::string_view now();

 private:
  std::time_t second_ = -1;
  char text_[32];
  std::size_t size_ = 0;
};

/// The reason phrase, "OK"; empty for a status without one.
std::string_view reason_phrase(int status);

/// Whether it may be sent, see baton_http::respond. Sets `closes` if the headers say "connection:
/// close".
bool may_answer(int status, std::span<const baton_http_header> headers, bool& closes);

/// Whether bytes follow the head of such an answer.
bool has_body(int status, const HttpExchange& exchange);

/// Appends the status line and the headers. Requires: may_answer.
void append_answer_head(std::string& to, const HttpExchange& exchange, int status,
                        std::span<const baton_http_header> headers, std::uint64_t body_size,
                        std::string_view date);

}  // namespace baton::net
