#include "net/net.h"

#include "base/system_memory.h"
#include "net/messages.h"
#include "net/tables.h"
#include "runtime/primitives.h"
#include "term/layout.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <mutex>

namespace baton::net {

namespace {

// Listeners' keys and ports go through the same epoll; a port's low byte is another.
constexpr std::uint64_t kListenerKeyStep = 256;

// From here on a descriptor is one of those kept for the host: the system gives the lowest free
// one.
int first_reserved_descriptor() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return INT_MAX;
  const rlim_t max = std::min<rlim_t>(limit.rlim_cur, INT_MAX);
  return static_cast<int>(max - std::min<rlim_t>(kDescriptorsReserved, max / 4));
}

// To the lowest free descriptor: one has just been freed, and the reserve is as large as before.
int moved_down(int fd) {
  const int moved = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (moved < 0) return fd;
  ::close(fd);
  return moved;
}

Error no_listener(std::string_view name) {
  return Error(Code::kNotFound, "there is no listener " + std::string(name));
}

}  // namespace

Net::Net(runtime::Runtime& runtime, std::uint64_t memory_max)
    : runtime_(runtime),
      memory_(memory_max != 0 ? memory_max : system_memory_bytes() / kMemoryShareOfSystem) {
  for (std::uint32_t i = 0; i < runtime.scheduler_count(); ++i)
    readiness_.push_back(std::make_unique<Readiness>(runtime.scheduler(i), *this));
  intern_atoms(runtime.atoms());
  runtime.add_extension(BATON_TCP, &kTcpTable);
  runtime.add_extension(BATON_HTTP, &kHttpTable);
  runtime.set_port_keeper(this);
}

Net::~Net() = default;

// ---- Listeners

Result<std::shared_ptr<Listener>> Net::make(const description::ListenerDescription& description,
                                            Exposure exposure) {
  BATON_ASSIGN(const baton_term atom, runtime_.atoms().intern(description.name));
  const std::uint64_t key = last_key_ += kListenerKeyStep;
  Readiness& readiness = *readiness_[listeners_.size() % readiness_.size()];
  BATON_ASSIGN(
      std::shared_ptr<Listener> listener,
      Listener::open(description, atom, key, readiness, memory_, exposure == Exposure::kSuspended));
  by_key_.emplace(key, listener);
  return listener;
}

Result<description::Address> Net::open(const description::ListenerDescription& description,
                                       Exposure exposure) {
  std::unique_lock lock(mutex_);
  if (listeners_.contains(description.name))
    return Error(Code::kUsage, "there is a listener " + description.name + " already");
  BATON_ASSIGN(const std::shared_ptr<Listener> listener, make(description, exposure));
  listeners_.emplace(description.name, listener);
  return listener->address();
}

Result<void> Net::suspend(std::string_view name) {
  const auto found = listener(name);
  if (found == nullptr) return no_listener(name);
  found->suspend(true);
  return {};
}

Result<void> Net::resume(std::string_view name) {
  const auto found = listener(name);
  if (found == nullptr) return no_listener(name);
  found->suspend(false);
  return {};
}

Result<void> Net::close(std::string_view name) {
  std::shared_ptr<Listener> closed;
  {
    std::unique_lock lock(mutex_);
    const auto found = listeners_.find(name);
    if (found == listeners_.end()) return no_listener(name);
    closed = found->second;
    listeners_.erase(found);
    retire(closed);
  }
  end_unowned(*closed);
  return {};
}

void Net::retire(const std::shared_ptr<Listener>& listener) {
  listener->close();
  by_key_.erase(listener->key());
  std::erase_if(closed_, [](const auto& older) { return older.expired(); });
  closed_.push_back(listener);
}

void Net::end_unowned(const Listener& listener) {
  // Those of an owner end with it.
  if (listener.owner() != BATON_NO_TERM) return;
  runtime::External external(runtime_);
  for (baton_term port : connections_.index().ports_of(listener.key()))
    end_of_owner(external.context(), port, BATON_NO_TERM);
}

// ---- Set aside

Result<void> Net::check_not_aside(std::string_view name) const {
  if (!aside_.contains(name)) return {};
  return Error(Code::kUsage, "a listener " + std::string(name) + " is set aside already");
}

Result<void> Net::set_aside(std::string_view name) {
  std::unique_lock lock(mutex_);
  const auto found = listeners_.find(name);
  if (found == listeners_.end()) return no_listener(name);
  BATON_TRY(check_not_aside(name));
  found->second->suspend(true);
  aside_.insert(listeners_.extract(found));
  return {};
}

Result<void> Net::put_back(std::string_view name) {
  std::shared_ptr<Listener> closed;
  {
    std::unique_lock lock(mutex_);
    const auto found = aside_.find(name);
    if (found == aside_.end()) return no_listener(name);
    const std::shared_ptr<Listener> back = found->second;
    if (const auto open = listeners_.find(name); open != listeners_.end()) {
      closed = open->second;
      listeners_.erase(open);
      back->inherit(*closed);
      retire(closed);
    }
    listeners_.insert(aside_.extract(found));
    back->suspend(false);
  }
  if (closed != nullptr) end_unowned(*closed);
  return {};
}

Result<void> Net::close_aside(std::string_view name) {
  std::shared_ptr<Listener> closed;
  {
    std::unique_lock lock(mutex_);
    const auto found = aside_.find(name);
    if (found == aside_.end()) return no_listener(name);
    closed = found->second;
    aside_.erase(found);
    retire(closed);
  }
  end_unowned(*closed);
  return {};
}

Result<description::Address> Net::move(const description::ListenerDescription& description,
                                       Before before) {
  std::unique_lock lock(mutex_);
  const auto found = listeners_.find(description.name);
  if (found == listeners_.end()) return no_listener(description.name);
  const std::shared_ptr<Listener> old = found->second;
  if (before == Before::kSetAside) BATON_TRY(check_not_aside(description.name));
  if (before == Before::kClosed) retire(old);
  auto made = make(description, Exposure::kSuspended);
  if (made.ok()) {
    (*made)->inherit(*old);
    if (before == Before::kSetAside) {
      old->suspend(true);
      aside_.emplace(description.name, old);
    }
    found->second = *made;
    return (*made)->address();
  }
  if (before == Before::kSetAside) return std::move(made).error();
  auto reopened = make(old->description(), Exposure::kExposed);
  if (!reopened.ok()) {
    listeners_.erase(found);
    return Error(Code::kStuck,
                 made.error().message() + "; and it cannot go back: " + reopened.error().message());
  }
  (*reopened)->inherit(*old);
  found->second = *reopened;
  return std::move(made).error();
}

std::vector<Net::Ownership> Net::disown(std::span<const baton_term> owners) {
  std::vector<Ownership> freed;
  std::shared_lock lock(mutex_);
  for (const auto& [name, listener] : listeners_) {
    const baton_term owner = listener->owner();
    if (owner == BATON_NO_TERM || std::ranges::find(owners, owner) == owners.end()) continue;
    const bool is_announcing = listener->is_announcing();
    if (listener->give_up(owner)) freed.push_back({listener, owner, is_announcing});
  }
  return freed;
}

void Net::give_back(std::span<const Ownership> ownerships) {
  // Held, so that an owner's end comes before or after.
  std::unique_lock lock(mutex_);
  for (const Ownership& one : ownerships)
    if (runtime_.watch_port_owner(one.owner))
      one.listener->take(one.owner, one.is_announcing, BATON_NO_TERM);
}

Result<void> Net::change(const description::ListenerDescription& description) {
  const auto found = listener(description.name);
  if (found == nullptr) return no_listener(description.name);
  return found->change(description);
}

namespace {
ListenerStatus status_of(const Listener& listener) {
  return {listener.description(),
          listener.address(),
          listener.owner(),
          listener.is_suspended(),
          snapshot(listener.counters()),
          listener.memory().used()};
}
}  // namespace

std::vector<ListenerStatus> Net::list() const {
  std::shared_lock lock(mutex_);
  std::vector<ListenerStatus> all;
  for (const auto& [name, listener] : listeners_) all.push_back(status_of(*listener));
  return all;
}

Result<ListenerStatus> Net::status(std::string_view name) const {
  const auto found = listener(name);
  if (found == nullptr) return no_listener(name);
  return status_of(*found);
}

std::shared_ptr<Listener> Net::listener(std::string_view name) const {
  std::shared_lock lock(mutex_);
  const auto found = listeners_.find(name);
  return found != listeners_.end() ? found->second : nullptr;
}

std::shared_ptr<Listener> Net::listener_of(std::uint64_t key) const {
  std::shared_lock lock(mutex_);
  const auto found = by_key_.find(key);
  return found != by_key_.end() ? found->second : nullptr;
}

int Net::listen(runtime::Context& context, std::string_view name, bool is_announcing) {
  const auto found = listener(name);
  if (found == nullptr) return BATON_NET_CLOSED;
  if (is_announcing && !found->is_http()) return BATON_NET_INVALID;
  const baton_term owner = found->owner();
  // An owner that has just ended may still stand there: owner_ended is about to come.
  const bool has_ended = owner != BATON_NO_TERM && !runtime_.watch_port_owner(owner);
  runtime_.watch_port_owner(context.self);
  const bool taken = found->take(context.self, is_announcing, has_ended ? owner : BATON_NO_TERM);
  return taken ? BATON_NET_OK : BATON_NET_TAKEN;
}

int Net::unlisten(runtime::Context& context, std::string_view name) {
  const auto found = listener(name);
  if (found == nullptr) return BATON_NET_CLOSED;
  return found->give_up(context.self) ? BATON_NET_OK : BATON_NET_NOT_OWNER;
}

// ---- Accepting

Result<baton_term> Net::connect(std::string_view name, const std::shared_ptr<CheckLine>& line) {
  const auto found = listener(name);
  if (found == nullptr) return no_listener(name);
  if (found->is_suspended() || found->owner() == BATON_NO_TERM)
    return Error(Code::kUnreachable, "nobody serves listener " + std::string(name));
  BATON_ASSIGN(runtime::External external, runtime::External::borrow(runtime_));
  line->clear();
  const Connections::Slot slot = connections_.allocate(Connections::Whose::kChecks);
  if (slot.connection == nullptr || !serve(external.context(), found, slot, line->lent_end(), line))
    return Error(Code::kUnreachable, "listener " + std::string(name) + " takes no connection");
  return slot.port;
}

void Net::hang_up(baton_term check) {
  runtime::External external(runtime_);
  Connection* connection = connections_.find(check);
  std::lock_guard lock(connection->mutex());
  if (connection->port() == check) connection->hang_up(external.context());
}

bool Net::shed_one(runtime::Context& context, const Listener* of) {
  std::lock_guard lock(shed_mutex_);
  const std::uint64_t now = runtime::now_ns();
  if (longest_of_ != of) longest_idle_.clear();
  for (bool has_searched = false;;) {
    const auto candidate = longest_idle_.take();
    if (candidate) {
      Connection* connection = connections_.find(candidate->port);
      std::lock_guard connection_lock(connection->mutex());
      if (connection->port() != candidate->port ||
          connection->idle_since_ns(of) != candidate->since_ns)
        continue;
      connection->shed(context);
      return true;
    }
    if (has_searched || (longest_of_ == of && now < fruitless_ns_ + kShedPauseNs)) {
      if (has_searched) fruitless_ns_ = now;
      return false;
    }
    has_searched = true;
    longest_of_ = of;
    connections_.for_each([&](Connection& connection) {
      std::lock_guard connection_lock(connection.mutex());
      const std::uint64_t since = connection.idle_since_ns(of);
      if (since != 0 && since + kShedIdleNs <= now) longest_idle_.offer({since, connection.port()});
    });
  }
}

void Net::accept(Readiness& readiness, const std::shared_ptr<Listener>& listener) {
  Counters& counters = listener->counters();
  const int first_reserved = first_reserved_descriptor();
  for (int i = 0; i < kAcceptsMax; ++i) {
    const int fd = listener->accept();
    if (fd >= 0) {
      begin(readiness, listener, fd, first_reserved);
      continue;
    }
    switch (errno) {
      case EAGAIN: return;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        if (shed_one(readiness.context(), nullptr)) continue;
        // The client waits in the backlog; asking again at once would only burn the processor.
        add(counters.deferred);
        listener->rest(true);
        readiness.set_deadline(runtime::now_ns() + kAcceptPauseNs, listener->key());
        return;
      default: break;  // this client has gone again
    }
  }
}

void Net::begin(Readiness& acceptor, const std::shared_ptr<Listener>& listener, int fd,
                int first_reserved) {
  Counters& counters = listener->counters();
  const bool is_full = counters.open.load(std::memory_order_relaxed) >=
                       listener->limits().connections_max.load(std::memory_order_relaxed);
  const bool is_short = fd >= first_reserved;
  bool has_room = true;
  if (is_full || is_short) {
    has_room = shed_one(acceptor.context(), is_full ? listener.get() : nullptr);
    if (has_room && is_short) fd = moved_down(fd);
  }
  const Connections::Slot slot =
      has_room ? connections_.allocate(Connections::Whose::kClients) : Connections::Slot();
  if (slot.connection == nullptr) {
    add(counters.refused);
    if (listener->is_http()) {
      constexpr std::string_view kAnswer =
          "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
      [[maybe_unused]] const auto size =
          ::send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    ::close(fd);
    return;
  }
  serve(acceptor.context(), listener, slot, fd, nullptr);
}

bool Net::serve(runtime::Context& context, const std::shared_ptr<Listener>& listener,
                const Connections::Slot& slot, int fd, const std::shared_ptr<CheckLine>& line) {
  const baton_term owner = listener->owner();
  const bool is_direct = listener->is_http() && !listener->is_announcing();
  Readiness& readiness =
      *readiness_[next_scheduler_.fetch_add(1, std::memory_order_relaxed) % readiness_.size()];
  std::lock_guard lock(slot.connection->mutex());
  if (!slot.connection->open(connections_, fd, line, slot.port, listener, readiness,
                             is_direct ? listener->key() : owner, is_direct)) {
    add(listener->counters().refused);
    connections_.release(slot.port);
    return false;
  }
  if (is_direct) return true;
  // Its owner may have ended since: then owner_ended may have looked before the connection was
  // there.
  if (owner == BATON_NO_TERM || !runtime_.watch_port_owner(owner)) {
    slot.connection->close(context);
    return false;
  }
  slot.connection->announce(context);
  return true;
}

// ---- What the sockets tell

void Net::ready(Readiness& readiness, std::uint64_t key, std::uint32_t events) {
  if (!term::is_port(key)) {
    if (const auto listener = listener_of(key); listener != nullptr) accept(readiness, listener);
    return;
  }
  Connection* connection = connections_.find(key);
  std::lock_guard lock(connection->mutex());
  if (connection->port() == key) connection->ready(readiness.context(), events);
}

void Net::due(Readiness& readiness, std::uint64_t key, std::uint64_t deadline_ns) {
  if (key == kMemoryKey) return watch_memory(readiness);
  if (!term::is_port(key)) {
    if (const auto listener = listener_of(key); listener != nullptr) listener->rest(false);
    return;
  }
  Connection* connection = connections_.find(key);
  std::lock_guard lock(connection->mutex());
  if (connection->port() == key) connection->due(readiness.context(), deadline_ns);
}

void Net::flush(Readiness& readiness, std::uint64_t key) {
  Connection* connection = connections_.find(key);
  std::lock_guard lock(connection->mutex());
  if (connection->port() == key) connection->flush_gathered(readiness.context());
}

// ---- Memory

void Net::watch_memory(Readiness& readiness) {
  connections_.forget_memory();
  std::vector<std::shared_ptr<Listener>> listeners;
  {
    std::shared_lock lock(mutex_);
    for (const auto& [name, listener] : listeners_) listeners.push_back(listener);
    for (const auto& closed : closed_)
      if (auto listener = closed.lock()) listeners.push_back(std::move(listener));
  }
  std::map<const Listener*, std::vector<LargeHolder>> holders;
  std::map<const Listener*, LargeHolder> first;  // of those who could go on with their request
  std::vector<LargeHolder> all;
  connections_.for_each([&](Connection& connection) {
    std::lock_guard lock(connection.mutex());
    if (!connection.is_open() || connection.disposable_bytes() < kLargeHolderBytes) return;
    const LargeHolder holder{connection.large_since_ns(), connection.port(),
                             connection.disposable_bytes()};
    holders[connection.listener()].push_back(holder);
    all.push_back(holder);
    if (!connection.has_large_request()) return;
    const auto [known, is_new] = first.emplace(connection.listener(), holder);
    if (!is_new && holder.since_ns < known->second.since_ns) known->second = holder;
  });
  runtime::Context& context = readiness.context();
  for (const auto& listener : listeners)
    relieve(context, listener->memory(), std::move(holders[listener.get()]));
  relieve(context, memory_, std::move(all));

  // Whoever may be read now is; so is the first of each listener, until it is done.
  connections_.for_each([&](Connection& connection) {
    std::lock_guard lock(connection.mutex());
    if (!connection.is_open()) return;
    const auto found = first.find(connection.listener());
    connection.resume(found != first.end() && found->second.port == connection.port());
  });
  const bool is_calm = std::all_of(listeners.begin(), listeners.end(), [](const auto& listener) {
    return listener->memory().level() == Memory::Level::kCalm;
  });
  if (!is_calm) connections_.watch_memory(readiness);
}

void Net::relieve(runtime::Context& context, Memory& memory, std::vector<LargeHolder> holders) {
  const std::uint64_t excess = memory.excess(runtime::now_ns());
  if (excess == 0) return;
  for (const baton_term port : newest_for(std::move(holders), excess)) {
    Connection* connection = connections_.find(port);
    std::lock_guard lock(connection->mutex());
    if (connection->port() == port && connection->is_open()) connection->refuse_memory(context);
  }
}

// ---- What processes ask for

template <class Act>
auto Net::with(baton_term port, Act act, decltype(act(std::declval<Connection&>())) otherwise) {
  Connection* connection = connections_.find(port);
  if (connection == nullptr) return otherwise;
  std::lock_guard lock(connection->mutex());
  if (connection->port() != port || !connection->is_open()) return otherwise;
  return act(*connection);
}

int Net::controlling_process(runtime::Context& context, baton_term port, baton_term pid) {
  return with(
      port,
      [&](Connection& connection) -> int {
        if (connection.owner() != context.self) return BATON_NET_NOT_OWNER;
        connection.pass_to(pid);
        // In this order: the other way round, its end could come between the two and be missed.
        if (runtime_.watch_port_owner(pid)) return BATON_NET_OK;
        connection.pass_to(context.self);
        return BATON_NET_INVALID;
      },
      BATON_NET_CLOSED);
}

int Net::set_active(runtime::Context& context, baton_term port, std::int32_t count) {
  return with(
      port,
      [&](Connection& connection) -> int {
        if (connection.owner() != context.self) return BATON_NET_NOT_OWNER;
        return connection.set_active(count);
      },
      BATON_NET_CLOSED);
}

std::int64_t Net::send(runtime::Context& context, baton_term port, std::string_view bytes) {
  return with(
      port, [&](Connection& connection) { return connection.send(context, bytes); },
      BATON_NET_CLOSED);
}

int Net::shutdown(runtime::Context& context, baton_term port) {
  return with(
      port, [&](Connection& connection) { return connection.shutdown(context); }, BATON_NET_CLOSED);
}

int Net::account(runtime::Context& context, baton_term port, std::uint64_t taken,
                 std::uint64_t held) {
  return with(
      port,
      [&](Connection& connection) -> int {
        if (connection.owner() != context.self) return BATON_NET_NOT_OWNER;
        return connection.account(taken, held);
      },
      BATON_NET_CLOSED);
}

int Net::close(runtime::Context& context, baton_term port) {
  return with(
      port,
      [&](Connection& connection) -> int {
        connection.close(context);
        return BATON_NET_OK;
      },
      BATON_NET_CLOSED);
}

description::Address Net::peer(baton_term port) {
  return with(port, [](Connection& connection) { return connection.peer(); }, {});
}

int Net::respond(runtime::Context& context, baton_term port, std::int64_t request, int status,
                 std::span<const baton_http_header> headers, std::string_view body) {
  return with(
      port,
      [&](Connection& connection) {
        return connection.respond(context, request, status, headers, body);
      },
      BATON_NET_CLOSED);
}

void Net::end_of_owner(runtime::Context& context, baton_term port, baton_term pid) {
  Connection* connection = connections_.find(port);
  std::lock_guard lock(connection->mutex());
  if (connection->port() == port && connection->is_open()) connection->owner_ended(context, pid);
}

void Net::owner_ended(runtime::Context& context, baton_term pid) {
  std::vector<std::uint64_t> keys;
  {
    std::shared_lock lock(mutex_);
    // First all listeners: from here on no request is given to it.
    for (const auto& [name, listener] : listeners_)
      if (listener->give_up(pid)) keys.push_back(listener->key());
    for (const auto& [name, listener] : aside_)
      if (listener->give_up(pid)) keys.push_back(listener->key());
    for (const auto& closed : closed_)
      if (const auto listener = closed.lock(); listener != nullptr && listener->give_up(pid))
        keys.push_back(listener->key());
  }
  for (std::uint64_t key : keys)
    for (baton_term port : connections_.index().ports_of(key)) end_of_owner(context, port, pid);
  for (baton_term port : connections_.index().ports_of(pid)) end_of_owner(context, port, pid);
}

}  // namespace baton::net
