#include "base/unix_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace baton {

namespace {

using std::chrono::milliseconds;

std::string reason(int error) {
  char text[128] = {};
  return strerror_r(error, text, sizeof text);
}

milliseconds left_until(Deadline deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
  return std::max(left, milliseconds(0));
}

Error timed_out() { return Error(Code::kTimedOut, "no answer in time"); }

// Waits until the socket is ready for this; false: the deadline has passed.
bool await(int fd, short events, Deadline deadline) {
  constexpr milliseconds kLookAgain{60'000};
  for (;;) {
    const milliseconds left = left_until(deadline);
    pollfd polled{fd, events, 0};
    const int ready = ::poll(&polled, 1, static_cast<int>(std::min(left, kLookAgain).count()));
    if (ready > 0) return true;  // errors too: the call that follows tells which
    if (ready == 0 && left <= kLookAgain) return false;
    if (ready < 0 && errno != EINTR) return true;
  }
}

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() > socket_path_bytes_max())
    return Error(Code::kUsage, path + ": the path of a socket has at most " +
                                   std::to_string(socket_path_bytes_max()) + " bytes");
  path.copy(address.sun_path, path.size());
  return address;
}

Result<ScopedFd> new_socket() {
  ScopedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return Error(Code::kFailed, "cannot make a socket: " + reason(errno));
  return fd;
}

}  // namespace

std::size_t socket_path_bytes_max() { return sizeof(sockaddr_un::sun_path) - 1; }

Result<ScopedFd> connect_unix(const std::string& path, Deadline deadline) {
  BATON_ASSIGN(const sockaddr_un address, address_of(path));
  BATON_ASSIGN(ScopedFd fd, new_socket());
  // With its queue full, a connect waits: for this time at most.
  const auto left = std::max(left_until(deadline), milliseconds(1)).count();
  const timeval patience{left / 1000, left % 1000 * 1000};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return fd;
  const int error = errno;
  if (error == EAGAIN || error == EINTR) return timed_out();
  return Error(error == EACCES || error == EPERM ? Code::kDenied : Code::kUnreachable,
               path + ": " + reason(error));
}

Result<ScopedFd> listen_unix(const std::string& path, std::uint32_t mode) {
  constexpr int kBacklog = 128;
  BATON_ASSIGN(const sockaddr_un address, address_of(path));
  BATON_ASSIGN(ScopedFd fd, new_socket());
  const mode_t before = ::umask(static_cast<mode_t>(~mode & 0777));
  const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::umask(before);
  if (bound != 0) return Error(Code::kFailed, path + ": " + reason(error));
  if (::listen(fd.get(), kBacklog) != 0) return Error(Code::kFailed, path + ": " + reason(errno));
  return fd;
}

Result<std::size_t> read_some(int fd, char* buffer, std::size_t size, Deadline deadline) {
  for (;;) {
    const ssize_t count = ::recv(fd, buffer, size, MSG_DONTWAIT);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return Error(Code::kUnreachable, reason(errno));
    if (!await(fd, POLLIN, deadline)) return timed_out();
  }
}

Result<void> write_all(int fd, std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return Error(Code::kUnreachable, reason(errno));
    if (!await(fd, POLLOUT, deadline)) return timed_out();
  }
  return {};
}

}  // namespace baton
