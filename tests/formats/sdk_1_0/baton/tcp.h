// Tcp: the connections of a listener, for gen_servers and loops: baton/net.h in C++.
//
//   struct Echo : baton::GenServer<Echo, State> {
//     using Infos = baton::Messages<baton::TcpAccepted, baton::Tcp, baton::TcpClosed>;
//     void init() { baton::tcp::listen(*this, "echo"); }
//     void handle_info(const baton::TcpAccepted& m) {
//       baton::tcp::set_active(*this, m.port, baton::tcp::kAlways);
//     }
//     void handle_info(const baton::Tcp& m) { baton::tcp::send(*this, m.port, m.bytes); }
//     void handle_info(const baton::TcpClosed& m) { baton::tcp::close(*this, m.port); }
//   };
//
// What each message and function means is said in baton/net.h. A Port is a value: keep it in the
// State.
//
// Threads: the callback's, like Self.
// Fails:   listen throws, since a server without its listener has nothing to do; the others answer
//          false for a connection that is gone, which a server need not look at: tcp_closed tells
//          it.
#pragma once

#include <baton/net.h>
#include <baton/self.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace baton::inline v1 {

struct TcpAccepted {
  Atom listener;
  Port port;
};
BATON_MESSAGE(TcpAccepted, listener, port)

/// Bytes of a connection; a view into the message.
struct Tcp {
  Port port;
  std::string_view bytes;
};
BATON_MESSAGE(Tcp, port, bytes)

struct TcpPassive {
  Port port;
};
BATON_MESSAGE(TcpPassive, port)

struct TcpClosed {
  Port port;
};
BATON_MESSAGE(TcpClosed, port)

struct TcpError {
  Port port;
  Atom reason;
};
BATON_MESSAGE(TcpError, port, reason)

namespace owned {

/// The same, for a handler that awaits.
struct Tcp {
  Port port;
  std::string bytes;
};
BATON_MESSAGE(Tcp, port, bytes)

}  // namespace owned

namespace tcp {

inline constexpr std::int32_t kFalse = BATON_ACTIVE_FALSE;
inline constexpr std::int32_t kAlways = BATON_ACTIVE_ALWAYS;
inline constexpr std::int32_t kOnce = BATON_ACTIVE_ONCE;

inline const baton_tcp& table(const Self& self) {
  const auto* const table = self.extension<baton_tcp>(BATON_TCP);
  if (table == nullptr) throw std::runtime_error("this host has no " BATON_TCP);
  return *table;
}

inline void listen(const Self& self, std::string_view name, std::uint32_t flags = 0) {
  switch (table(self).listen(self.context(), name.data(), name.size(), flags)) {
    case BATON_NET_OK: return;
    case BATON_NET_TAKEN:
      throw std::runtime_error("listen: another process owns the listener " + std::string(name));
    case BATON_NET_CLOSED:
      throw std::runtime_error("listen: the release declares no listener " + std::string(name));
    default: throw std::runtime_error("listen: bad flags for the listener " + std::string(name));
  }
}

/// How many bytes wait to go out, or a negative number: the connection is gone.
inline std::int64_t send(const Self& self, Port port, std::string_view bytes) {
  return table(self).send(self.context(), port.word, bytes.data(), bytes.size());
}
/// `count` messages more, or one of the constants above.
inline bool set_active(const Self& self, Port port, std::int32_t count) {
  return table(self).set_active(self.context(), port.word, count) == BATON_NET_OK;
}
inline bool controlling_process(const Self& self, Port port, Pid pid) {
  return table(self).controlling_process(self.context(), port.word, pid.word) == BATON_NET_OK;
}
inline bool shutdown(const Self& self, Port port) {
  return table(self).shutdown(self.context(), port.word) == BATON_NET_OK;
}
inline bool close(const Self& self, Port port) {
  return table(self).close(self.context(), port.word) == BATON_NET_OK;
}
/// The other side's address, "127.0.0.1:5000"; empty when the connection is gone.
inline std::string peer(const Self& self, Port port) {
  char text[64];
  const int size = table(self).peer(self.context(), port.word, text, sizeof text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

}  // namespace tcp
}  // namespace baton::inline v1
