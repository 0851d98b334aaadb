// Kv: the gen_server that serves the Redis protocol on one listener.
//
// One process owns the listener and all its connections, so commands are carried out one after
// another, as in Redis, and a take-over has one state to move. A chunk of input is one message; its
// replies go out together.
//
//   message          action
//   tcp_accepted     remember the connection, read from it
//   tcp              carry out the commands in it, reply
//   tcp_passive      read on
//   tcp_closed       forget the connection
//   timeout          remove some of the keys whose time is up; there is a timer while any key
//                    expires
//
// Configuration: listener, the name of the listener in the release; "kv" if it is not given.
// Fails: a client that does not take its replies is closed by the host (send_queue_full).
#include "expiry.h"
#include "session.h"
#include "state.h"
#include "version.h"

#include <baton/baton.h>
#include <baton/tcp.h>

namespace kv::inline BATON_BUILD {

/// How many chunks of one connection may wait in the mailbox.
constexpr std::int32_t kChunksMax = 64;
/// What a connection holds of a command is told to the host from here on.
constexpr std::size_t kAccountedBytesMin = 4096;
constexpr baton::Atom kSweep{std::string_view("sweep")};

struct Kv : baton::GenServer<Kv, State> {
  using Infos = baton::Messages<baton::Tcp, baton::TcpPassive, baton::TcpAccepted, baton::TcpClosed,
                                baton::TcpError>;

  void init() {
    baton::tcp::listen(*this, config<std::string>("listener").value_or("kv"));
    log_info("kv ", kVersion, " serves");
  }

  void handle_info(const baton::TcpAccepted& accepted) {
    state().connections[accepted.port].id = ++state().connections_total;
    baton::tcp::account(*this, accepted.port, 0, 0);
    baton::tcp::set_active(*this, accepted.port, kChunksMax);
  }

  void handle_info(const baton::Tcp& input) {
    const auto found = state().connections.find(input.port);
    if (found == state().connections.end()) return;  // closed by us while this was on its way
    Session session(state(), found->second, input.bytes, now_ms(), unix_ms);
    std::string replies;
    while (true) {
      const Session::Progress progress = session.run(replies);
      const bool is_sent = replies.empty() || baton::tcp::send(*this, input.port, replies) >= 0;
      if (progress == Session::Progress::kClose) {
        close(input.port);
        break;
      }
      // Who is gone needs no more of what would be many replies.
      if (progress == Session::Progress::kDone || !is_sent) {
        account(input, found->second);
        break;
      }
      replies.clear();
    }
    if (!state().sweep_timer && !state().expiries.empty()) start_timer();
  }

  void handle_info(const baton::TcpPassive& passive) {
    baton::tcp::set_active(*this, passive.port, kChunksMax);
  }

  void handle_info(const baton::TcpClosed& closed) { close(closed.port); }

  void handle_info(const baton::TcpError&) {}  // tcp_closed follows

  void handle_timeout(baton::Ref timer, baton::Term) {
    if (timer != state().sweep_timer) return;  // of a version before this one
    sweep(state(), now_ms());
    state().sweep_timer = {};
    if (!state().expiries.empty()) start_timer();
  }

 private:
  std::int64_t now_ms() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now()).count();
  }
  static std::int64_t unix_ms() {
    const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count();
  }

  void start_timer() {
    state().sweep_timer = send_after(std::chrono::milliseconds(kSweepIntervalMs), self(), kSweep);
  }

  // Tells the host what is held for a command that is not whole.
  void account(const baton::Tcp& input, const Connection& connection) {
    const std::size_t taken = input.bytes.size() >= BATON_TCP_LARGE ? input.bytes.size() : 0;
    const std::size_t held = connection.input.pending.capacity();
    if (taken == 0 && held < kAccountedBytesMin) return;
    if (baton::tcp::account(*this, input.port, taken, held)) return;
    baton::tcp::send(*this, input.port,
                     "-OOM too much is held for commands that are not whole\r\n");
    close(input.port);
  }

  void close(baton::Port port) {
    state().connections.erase(port);
    baton::tcp::close(*this, port);
  }
};

}  // namespace kv::inline BATON_BUILD

BATON_ATOMS("sweep")
BATON_MODULE("kv", "1.1.0", kv::Kv)
