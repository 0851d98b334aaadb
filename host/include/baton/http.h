// Http: requests that the host has read and answers that it writes: baton/net.h in C++.
//
//   struct Hello : baton::GenServer<Hello, State> {
//     using Infos = baton::Messages<baton::Http>;
//     void init() { baton::http::listen(*this, "web"); }
//     void handle_info(const baton::Http& request) {
//       baton::http::respond(*this, request, 200, "hello\n", {{"content-type", "text/plain"}});
//     }
//   };
//
// A request may be answered later, by its port and number; the host keeps the order of the answers.
// A handler that awaits takes baton::owned::Http.
//
// Threads: the callback's, like Self.
// Fails:   listen throws as tcp::listen; respond throws for a header that may not be sent, and
//          answers false when the client is gone.
#pragma once

#include <baton/net.h>
#include <baton/tcp.h>

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace baton::inline v1 {

namespace http {

/// A header's value, empty if the request has none. Names are in lower case.
inline std::string_view header(Term headers, std::string_view name) {
  for (auto [key, value] : headers.map())
    if (key.binary() == name) return value.binary();
  return {};
}
/// The part of a target before and after the question mark.
inline std::string_view path(std::string_view target) { return target.substr(0, target.find('?')); }
inline std::string_view query(std::string_view target) {
  const std::size_t mark = target.find('?');
  return mark == target.npos ? std::string_view() : target.substr(mark + 1);
}

}  // namespace http

/// A request; its texts are views into the message.
struct Http {
  Port port;
  std::int64_t request = 0;
  Atom method;  ///< "GET"_atom, ...
  std::string_view target;
  Term headers;
  std::string_view body;

  std::string_view header(std::string_view name) const { return http::header(headers, name); }
  std::string_view path() const { return http::path(target); }
  std::string_view query() const { return http::query(target); }
};
BATON_MESSAGE(Http, port, request, method, target, headers, body)

namespace owned {

/// The same, for a handler that awaits.
struct Http {
  Port port;
  std::int64_t request = 0;
  Atom method;
  std::string target;
  TermValue headers;
  std::string body;

  std::string_view header(std::string_view name) const { return http::header(headers, name); }
  std::string_view path() const { return http::path(target); }
  std::string_view query() const { return http::query(target); }
};
BATON_MESSAGE(Http, port, request, method, target, headers, body)

}  // namespace owned

namespace http {

/// kAnnounced: each connection is announced by tcp_accepted and has an owner of its own.
enum class Connections { kOfTheListener, kAnnounced };

inline void listen(const Self& self, std::string_view name,
                   Connections connections = Connections::kOfTheListener) {
  tcp::listen(self, name, connections == Connections::kAnnounced ? BATON_LISTEN_ANNOUNCE : 0);
}

struct Header {
  std::string_view name;
  std::string_view value;
};
inline constexpr std::size_t kAnswerHeadersMax = 64;

inline bool respond(const Self& self, Port port, std::int64_t request, int status,
                    std::string_view body, std::span<const Header> headers) {
  const auto* const table = self.extension<baton_http>(BATON_HTTP);
  if (table == nullptr) throw std::runtime_error("this host has no " BATON_HTTP);
  if (headers.size() > kAnswerHeadersMax)
    throw std::runtime_error("respond: more than 64 headers; send fewer");
  baton_http_header list[kAnswerHeadersMax];
  std::size_t count = 0;
  for (const Header& header : headers)
    list[count++] = {header.name.data(), header.name.size(), header.value.data(),
                     header.value.size()};
  const int result = table->respond(self.context(), port.word, request, status, list, count,
                                    body.data(), body.size());
  if (result == BATON_NET_INVALID)
    throw std::runtime_error("respond: a status or a header that may not be sent (status " +
                             std::to_string(status) + ")");
  return result == BATON_NET_OK;
}
inline bool respond(const Self& self, Port port, std::int64_t request, int status,
                    std::string_view body, std::initializer_list<Header> headers = {}) {
  return respond(self, port, request, status, body, std::span(headers.begin(), headers.size()));
}
/// Answers a baton::Http or a baton::owned::Http.
template <class Request>
bool respond(const Self& self, const Request& request, int status, std::string_view body,
             std::initializer_list<Header> headers = {}) {
  return respond(self, request.port, request.request, status, body, headers);
}

}  // namespace http
}  // namespace baton::inline v1
