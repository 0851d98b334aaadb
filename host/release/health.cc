#include "release/health.h"

#include "base/files.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace baton::release {

namespace {

using Clock = std::chrono::steady_clock;

// Enough for a status line; the rest of the answer is not looked at.
constexpr std::size_t kStatusLineBytesMax = 1024;

Error failed(const std::string& address, const std::string& what) {
  return Error(Code::kFailed, "health check of " + address + ": " + what);
}

bool wait_for(int fd, short events, Clock::time_point deadline) {
  pollfd waiting{fd, events, 0};
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return left > 0 && poll(&waiting, 1, static_cast<int>(left)) == 1;
}

// A socket whose port the services expect a check from, for as long as nobody else can have it.
class CheckSocket {
 public:
  explicit CheckSocket(const Services& services) : services_(services) {}
  ~CheckSocket() {
    if (port_ != 0) services_.forget_check(port_);
  }
  CheckSocket(const CheckSocket&) = delete;
  CheckSocket& operator=(const CheckSocket&) = delete;

  /// Before it connects. False, with errno: the system has none.
  bool open(sa_family_t family) {
    fd_ = ScopedFd(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_storage any{};
    any.ss_family = family;
    socklen_t size = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    auto* const generic = reinterpret_cast<sockaddr*>(&any);
    if (fd_.get() < 0 || bind(fd_.get(), generic, size) != 0 ||
        getsockname(fd_.get(), generic, &size) != 0)
      return false;
    port_ = ntohs(family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&any)->sin6_port
                                     : reinterpret_cast<sockaddr_in*>(&any)->sin_port);
    services_.expect_check(port_);
    return true;
  }
  int fd() const { return fd_.get(); }

 private:
  const Services& services_;
  ScopedFd fd_;
  std::uint16_t port_ = 0;
};

Result<void> connect_to(const std::string& address, CheckSocket& from, Clock::time_point deadline) {
  auto parsed = description::Address::parse(address);
  if (!parsed.ok()) return std::move(parsed).error();
  sockaddr_storage storage{};
  socklen_t size = 0;
  const bool is_v6 = parsed->host.find(':') != std::string::npos;
  if (is_v6) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(parsed->port);
    inet_pton(AF_INET6, parsed->host.c_str(), &v6->sin6_addr);
    size = sizeof *v6;
  } else {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(parsed->port);
    inet_pton(AF_INET, parsed->host.c_str(), &v4->sin_addr);
    size = sizeof *v4;
  }
  if (!from.open(storage.ss_family)) return failed(address, std::strerror(errno));
  if (connect(from.fd(), reinterpret_cast<sockaddr*>(&storage), size) != 0) {
    if (errno != EINPROGRESS) return failed(address, std::strerror(errno));
    if (!wait_for(from.fd(), POLLOUT, deadline)) return failed(address, "no connection in time");
    int error = 0;
    socklen_t error_size = sizeof error;
    getsockopt(from.fd(), SOL_SOCKET, SO_ERROR, &error, &error_size);
    if (error != 0) return failed(address, std::strerror(error));
  }
  return {};
}

Result<std::string> read_status_line(int fd, const std::string& address,
                                     Clock::time_point deadline) {
  std::string text;
  while (text.find("\r\n") == std::string::npos && text.size() < kStatusLineBytesMax) {
    if (!wait_for(fd, POLLIN, deadline)) return failed(address, "no answer in time");
    char buffer[256];
    const ssize_t size = recv(fd, buffer, sizeof buffer, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (size <= 0) return failed(address, "the connection ended before an answer");
    text.append(buffer, static_cast<std::size_t>(size));
  }
  return text.substr(0, text.find("\r\n"));
}

}  // namespace

Result<void> check_health(const description::HealthCheck& check, const std::string& address,
                          const Services& services) {
  const auto deadline = Clock::now() + check.timeout;
  CheckSocket from(services);
  BATON_TRY(connect_to(address, from, deadline));
  if (check.protocol == description::Protocol::kTcp) return {};
  const std::string request = "GET " + check.path + " HTTP/1.1\r\nHost: " + address +
                              "\r\nUser-Agent: baton-probation\r\nConnection: close\r\n\r\n";
  // A request this small fits the socket's buffer, or the peer is not reading at all.
  if (send(from.fd(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    return failed(address, "the request could not be sent");
  BATON_ASSIGN(const std::string line, read_status_line(from.fd(), address, deadline));
  const std::string wanted = std::to_string(check.status);
  if (line.size() < 12 || line.compare(0, 5, "HTTP/") != 0 || line.compare(9, 3, wanted) != 0)
    return failed(address, "GET " + check.path + " answered \"" + line + "\", expected " + wanted);
  return {};
}

}  // namespace baton::release
