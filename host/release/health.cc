#include "release/health.h"

#include "base/files.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace baton::release {

namespace {

using Nanoseconds = std::chrono::nanoseconds;

// Enough for a status line; the rest of the answer is not looked at.
constexpr std::size_t kStatusLineBytesMax = 1024;

bool wait_for(int fd, short events, Nanoseconds patience) {
  pollfd waiting{fd, events, 0};
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
  return left > 0 && poll(&waiting, 1, static_cast<int>(left)) == 1;
}

// One socket, connected and disconnected again and again.
class AddressLine final : public CheckLine {
 public:
  AddressLine(ScopedFd fd, const sockaddr_storage& to, socklen_t size)
      : fd_(std::move(fd)), to_(to), size_(size) {}

  Result<int> connect(Nanoseconds patience) override {
    if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to_), size_) == 0) return fd_.get();
    int error = errno;
    if (error == EINPROGRESS) {
      if (!wait_for(fd_.get(), POLLOUT, patience))
        return Error(Code::kFailed, "no connection in time");
      socklen_t size = sizeof error;
      getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error != 0) return Error(Code::kFailed, std::strerror(error));
    return fd_.get();
  }
  void hang_up() override {
    sockaddr none{};
    none.sa_family = AF_UNSPEC;
    static_cast<void>(::connect(fd_.get(), &none, sizeof none));
  }

 private:
  const ScopedFd fd_;
  const sockaddr_storage to_;
  const socklen_t size_;
};

Result<std::string> read_status_line(int fd, Nanoseconds deadline, const Clock& clock) {
  std::string text;
  while (text.find("\r\n") == std::string::npos && text.size() < kStatusLineBytesMax) {
    if (!wait_for(fd, POLLIN, deadline - clock.monotonic()))
      return Error(Code::kFailed, "no answer in time");
    char buffer[256];
    const ssize_t size = recv(fd, buffer, sizeof buffer, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (size <= 0) return Error(Code::kFailed, "the connection ended before an answer");
    text.append(buffer, static_cast<std::size_t>(size));
  }
  return text.substr(0, text.find("\r\n"));
}

Result<void> ask(const description::HealthCheck& check, const std::string& address, CheckLine& line,
                 const Clock& clock) {
  const Nanoseconds deadline = clock.monotonic() + check.timeout;
  BATON_ASSIGN(const int fd, line.connect(check.timeout));
  if (check.protocol == description::Protocol::kTcp) return {};
  const std::string request = "GET " + check.path + " HTTP/1.1\r\nHost: " + address +
                              "\r\nUser-Agent: baton-probation\r\nConnection: close\r\n\r\n";
  // A request this small fits the socket's buffer, or the peer is not reading at all.
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    return Error(Code::kFailed, "the request could not be sent");
  BATON_ASSIGN(const std::string answer, read_status_line(fd, deadline, clock));
  const std::string wanted = std::to_string(check.status);
  if (answer.size() < 12 || answer.compare(0, 5, "HTTP/") != 0 || answer.compare(9, 3, wanted) != 0)
    return Error(Code::kFailed,
                 "GET " + check.path + " answered \"" + answer + "\", expected " + wanted);
  return {};
}

}  // namespace

Result<std::unique_ptr<CheckLine>> line_to_address(const description::Address& address) {
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (address.host.find(':') != std::string::npos) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    inet_pton(AF_INET6, address.host.c_str(), &v6->sin6_addr);
    size = sizeof *v6;
  } else {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    inet_pton(AF_INET, address.host.c_str(), &v4->sin_addr);
    size = sizeof *v4;
  }
  ScopedFd fd(socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return Error(Code::kFailed, std::strerror(errno));
  return std::unique_ptr<CheckLine>(std::make_unique<AddressLine>(std::move(fd), storage, size));
}

Result<void> check_health(const description::HealthCheck& check, const std::string& address,
                          CheckLine& line, const Clock& clock) {
  Result<void> answer = ask(check, address, line, clock);
  line.hang_up();
  if (answer.ok()) return answer;
  return Error(Code::kFailed, "health check of " + address + ": " + answer.error().message());
}

}  // namespace baton::release
