#include "net/listener.h"

#include "base/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace baton::net {

namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Result<SocketAddress> resolve(const description::Address& address) {
  SocketAddress made;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&made.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&made.storage);
  if (inet_pton(AF_INET, address.host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    made.size = sizeof(sockaddr_in);
  } else if (inet_pton(AF_INET6, address.host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    made.size = sizeof(sockaddr_in6);
  } else {
    return Error(Code::kUsage, "\"" + address.host +
                                   "\" is no IPv4 or IPv6 address; write one in digits, such as "
                                   "127.0.0.1");
  }
  return made;
}

std::uint64_t nanoseconds(std::chrono::nanoseconds duration) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
}

}  // namespace

description::Address address_of(int fd, Side side) {
  SocketAddress found;
  const int result = side == Side::kOwn ? getsockname(fd, found.get(), &found.size)
                                        : getpeername(fd, found.get(), &found.size);
  if (result != 0) return {};
  char text[INET6_ADDRSTRLEN] = {};
  if (found.storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&found.storage);
    inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
    return {text, ntohs(v4->sin_port)};
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&found.storage);
  inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
  return {text, ntohs(v6->sin6_port)};
}

void ListenerLimits::set(const description::ListenerDescription& description) {
  connections_max = description.connections_max;
  idle_timeout_ns = nanoseconds(description.idle_timeout);
  request_timeout_ns = nanoseconds(description.request_timeout);
  header_bytes_max = description.header_bytes_max;
  body_bytes_max = description.body_bytes_max;
}

Listener::Listener(const description::ListenerDescription& description, baton_term atom,
                   std::uint64_t key, Readiness& readiness, Memory& host_memory)
    : is_http_(description.protocol == description::Protocol::kHttp),
      atom_(atom),
      key_(key),
      readiness_(readiness),
      host_memory_(host_memory),
      memory_(host_memory.max(), &host_memory),
      description_(description) {
  set_limits(description);
}

void Listener::set_limits(const description::ListenerDescription& description) {
  limits_.set(description);
  memory_.set_max(description.memory_max != 0
                      ? description.memory_max
                      : std::max<std::uint64_t>(host_memory_.max() / kMemoryShareOfHost, 1));
}

Result<std::shared_ptr<Listener>> Listener::open(
    const description::ListenerDescription& description, baton_term atom, std::uint64_t key,
    Readiness& readiness, Memory& host_memory, bool is_suspended) {
  const auto failed = [&](const char* what) {
    return Error(Code::kFailed, "listener " + description.name + ": cannot " + what + " " +
                                    description.address.text() + ": " + std::strerror(errno));
  };
  auto resolved = resolve(description.address);
  if (!resolved.ok()) return std::move(resolved).error().within("listener " + description.name);
  std::shared_ptr<Listener> listener(new Listener(description, atom, key, readiness, host_memory));
  listener->is_suspended_ = is_suspended;
  listener->fd_ =
      socket(resolved->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener->fd_ < 0) return failed("make a socket for");
  const int on = 1;
  setsockopt(listener->fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Linux hands it down to what is accepted.
  setsockopt(listener->fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(listener->fd_, resolved->get(), resolved->size) != 0) return failed("bind");
  if (::listen(listener->fd_, static_cast<int>(description.backlog)) != 0)
    return failed("listen on");
  listener->address_ = address_of(listener->fd_, Side::kOwn);
  listener->is_watched_ = readiness.watch(listener->fd_, key, 0);
  if (!listener->is_watched_) return failed("watch");
  return listener;
}

Listener::~Listener() { close(); }

description::ListenerDescription Listener::description() const {
  std::lock_guard lock(mutex_);
  return description_;
}

Result<void> Listener::change(const description::ListenerDescription& description) {
  std::lock_guard lock(mutex_);
  if (description.name != description_.name || description.protocol != description_.protocol ||
      description.address != description_.address)
    return Error(Code::kUsage,
                 "listener " + description_.name +
                     ": its protocol and address cannot change while it is open; declare another "
                     "listener with a name of its own");
  // The system takes a new length for a socket that listens already.
  if (description.backlog != description_.backlog && !is_closed_ &&
      ::listen(fd_, static_cast<int>(description.backlog)) != 0)
    return Error(Code::kFailed, "listener " + description_.name +
                                    ": cannot change its backlog: " + std::strerror(errno));
  description_ = description;
  set_limits(description);
  return {};
}

bool Listener::is_suspended() const {
  std::lock_guard lock(mutex_);
  return is_suspended_;
}

bool Listener::take(baton_term pid, bool is_announcing, baton_term ended) {
  std::lock_guard lock(mutex_);
  const baton_term owner = owner_.load(std::memory_order_relaxed);
  if (owner != BATON_NO_TERM && owner != pid && owner != ended) return false;
  is_announcing_.store(is_announcing, std::memory_order_relaxed);
  owner_.store(pid, std::memory_order_seq_cst);
  update();
  return true;
}

void Listener::inherit(const Listener& other) {
  const baton_term owner = other.owner();
  const bool is_announcing = other.is_announcing();
  std::lock_guard lock(mutex_);
  is_announcing_.store(is_announcing, std::memory_order_relaxed);
  owner_.store(owner, std::memory_order_seq_cst);
  update();
}

bool Listener::give_up(baton_term pid) {
  std::lock_guard lock(mutex_);
  if (owner_.load(std::memory_order_relaxed) != pid) return false;
  owner_.store(BATON_NO_TERM, std::memory_order_seq_cst);
  update();
  return true;
}

void Listener::suspend(bool is_suspended) {
  std::lock_guard lock(mutex_);
  is_suspended_ = is_suspended;
  update();
}

void Listener::rest(bool is_resting) {
  std::lock_guard lock(mutex_);
  is_resting_ = is_resting;
  update();
}

void Listener::update() {
  if (is_closed_) return;
  const bool accepts =
      owner_.load(std::memory_order_relaxed) != BATON_NO_TERM && !is_suspended_ && !is_resting_;
  // Level-triggered: what is left in the backlog makes it ready again.
  readiness_.rearm(fd_, key_, accepts ? std::uint32_t{EPOLLIN} : 0);
}

int Listener::accept() {
  std::lock_guard lock(mutex_);
  if (is_closed_) {
    errno = EAGAIN;
    return -1;
  }
  return accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

void Listener::close() {
  std::lock_guard lock(mutex_);
  if (is_closed_) return;
  is_closed_ = true;
  if (fd_ < 0) return;
  ::close(fd_);
  if (is_watched_) readiness_.forget();
}

}  // namespace baton::net
