#include "load/connection.h"

#include "base/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace baton::load {

Result<Address> parse_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  Address address;
  in_addr parsed{};
  bool good = colon != std::string::npos;
  if (good) {
    address.host = text.substr(0, colon);
    const char* end = text.data() + text.size();
    const auto port = std::from_chars(text.data() + colon + 1, end, address.port);
    good = port.ec == std::errc() && port.ptr == end && address.port != 0 &&
           inet_pton(AF_INET, address.host.c_str(), &parsed) == 1;
  }
  if (!good)
    return Error(Code::kUsage,
                 "expected ADDRESS:PORT such as 127.0.0.1:6379, got \"" + text + "\"");
  return address;
}

Result<Connection> Connection::open(const Address& address, std::unique_ptr<Model> model) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Error(Code::kFailed, std::string("socket: ") + std::strerror(errno));
  Connection connection(fd, std::move(model));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(address.port);
  inet_pton(AF_INET, address.host.c_str(), &to.sin_addr);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    return Error(Code::kUnreachable, "connect to " + address.text() + ": " + std::strerror(errno));
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return connection;
}

Connection::Connection(Connection&& other) noexcept
    : fd_(other.fd_),
      model_(std::move(other.model_)),
      out_(std::move(other.out_)),
      written_(other.written_),
      in_(std::move(other.in_)),
      judged_(other.judged_),
      sent_ns_(std::move(other.sent_ns_)) {
  other.fd_ = -1;
}

Connection::~Connection() { close(); }

void Connection::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void Connection::ask(const std::string& bytes, std::uint64_t now_ns) {
  BATON_CHECK(is_open());
  out_ += bytes;
  sent_ns_.push_back(now_ns);
}

std::string Connection::lost(const std::string& why) {
  close();
  return "connection lost with " + std::to_string(in_flight()) + " requests unanswered: " + why;
}

std::string Connection::flush() {
  while (wants_write()) {
    const ssize_t n =
        ::send(fd_, out_.data() + written_, out_.size() - written_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return {};
    if (n < 0) return lost(std::strerror(errno));
    written_ += static_cast<std::size_t>(n);
  }
  out_.clear();
  written_ = 0;
  return {};
}

std::string Connection::receive(const Replied& replied) {
  char chunk[65536];
  for (;;) {
    const ssize_t n = ::recv(fd_, chunk, sizeof chunk, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return {};
    if (n < 0) return lost(std::strerror(errno));
    if (n == 0) return lost("the server closed it");
    in_.append(chunk, static_cast<std::size_t>(n));
    std::string why = judge(replied);
    if (!why.empty() || static_cast<std::size_t>(n) < sizeof chunk) return why;
  }
}

std::string Connection::judge(const Replied& replied) {
  while (judged_ < in_.size()) {
    const std::string_view rest = std::string_view(in_).substr(judged_);
    if (in_flight() == 0) return lost("a reply that nothing asked for: " + quoted(rest));
    const Answer answer = model_->answer(rest);
    if (answer.size == 0 && !answer.broken) break;
    judged_ += answer.size;
    const std::uint64_t sent_ns = sent_ns_.front();
    sent_ns_.pop_front();
    replied(answer, sent_ns);
    if (answer.broken) return lost("the stream of replies cannot be followed any more");
  }
  in_.erase(0, judged_);
  judged_ = 0;
  return {};
}

}  // namespace baton::load
