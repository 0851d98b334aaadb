// kv_standalone: the kv engine behind a plain socket loop, to test it without a host.
//
// Usage: kv_standalone [PORT]       listens on 127.0.0.1 (port 0: any), prints "listening on PORT"
//
// Built once for each version of modules/kv. Ends with its standard input, so that it never
// outlives the test that started it.
#include "support/kv_session.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

constexpr int kEventsMax = 64;
constexpr std::size_t kChunkBytes = 64 << 10;

[[noreturn]] void die(const char* doing) {
  std::perror(doing);
  std::exit(1);
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

baton::Port port_of(int fd) { return {static_cast<std::uint64_t>(fd)}; }

class Loop {
 public:
  explicit Loop(int listener) : listener_(listener), epoll_(epoll_create1(0)) {
    watch(listener_, EPOLLIN);
    watch(STDIN_FILENO, EPOLLIN);
  }

  void run() {
    while (true) {
      epoll_event events[kEventsMax];
      const int count = epoll_wait(epoll_, events, kEventsMax, -1);
      for (int i = 0; i < count; ++i) {
        const int fd = events[i].data.fd;
        if (fd == STDIN_FILENO) {
          char byte;
          if (read(fd, &byte, 1) <= 0) return;
        } else if (fd == listener_) {
          accept_one();
        } else {
          serve(fd);
        }
      }
    }
  }

 private:
  void watch(int fd, std::uint32_t what) {
    epoll_event event{};
    event.events = what;
    event.data.fd = fd;
    // A closed or regular standard input cannot be watched; then it does not end the loop.
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0 && fd != STDIN_FILENO) die("epoll_ctl");
  }

  void accept_one() {
    const int fd = accept(listener_, nullptr, nullptr);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    state_.connections[port_of(fd)].id = ++state_.connections_total;
    watch(fd, EPOLLIN);
  }

  // Blocks while the client does not read: a test tool has friendly clients.
  static bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  void serve(int fd) {
    const ssize_t size = recv(fd, chunk_, sizeof chunk_, 0);
    const bool is_open =
        size > 0 && carry_out(fd, std::string_view(chunk_, static_cast<std::size_t>(size)));
    if (is_open) return;
    state_.connections.erase(port_of(fd));
    close(fd);
  }

  bool carry_out(int fd, std::string_view bytes) {
    auto session =
        kv::open_session(state_, state_.connections[port_of(fd)], bytes, now_ms(), unix_ms);
    while (true) {
      replies_.clear();
      const auto progress = session.run(replies_);
      if (!send_all(fd, replies_)) return false;
      if (progress == kv::Session::Progress::kDone) return true;
      if (progress == kv::Session::Progress::kClose) return false;
    }
  }

  const int listener_;
  const int epoll_;
  kv::State state_;
  std::string replies_;
  char chunk_[kChunkBytes];
};

}  // namespace

int main(int argc, char** argv) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0));
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, generic, size) != 0) die("bind");
  if (listen(listener, SOMAXCONN) != 0) die("listen");
  if (getsockname(listener, generic, &size) != 0) die("getsockname");
  std::printf("listening on %d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  static Loop loop(listener);
  loop.run();
}
