// HttpReply: one HTTP/1.1 response at the head of a stream of bytes.
//
// Knows what the client's servers send: a status line, headers and a body of Content-Length bytes.
// A response of unknown length (chunked, or ended by closing) is malformed here: the client never
// lets go of a connection.
//
// Threads: a value; parsing is a pure function.
#pragma once

#include <cstddef>
#include <string_view>

namespace baton::load {

inline constexpr std::size_t kHttpHeadMax = 16384;
inline constexpr std::size_t kHttpBodyMax = 64u << 20;

/// Views into the bytes parsed. `size` is that of the whole response, 0 while it is incomplete.
struct HttpReply {
  std::size_t size = 0;
  bool malformed = false;
  bool closes = false;  // the server says that it will end the connection
  int status = 0;
  std::string_view body;
};

HttpReply parse_http_reply(std::string_view bytes);

}  // namespace baton::load
