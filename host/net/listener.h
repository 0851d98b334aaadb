// Listener: one bound address, its limits, its owner and its counts.
//
//   state                       accepts
//   without an owner            no: clients wait in the system's backlog
//   owned                       yes
//   suspended                   no, whoever owns it: not exposed yet, or removed by a release that
//                               may be undone
//   resting                     not for kAcceptPauseNs: the system had no room for a connection
//
// Ownership: its connections and the Net share it; it closes its socket when told to, at the latest
//            in the end.
// Threads:   any thread.
#pragma once

#include "base/result.h"
#include "description/release_description.h"
#include "net/limits.h"
#include "net/memory.h"
#include "net/readiness.h"
#include "net/statistics.h"

#include <baton/abi.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace baton::net {

/// What a connection may cost; see ListenerDescription. Changed in place by a release.
struct ListenerLimits {
  std::atomic<std::uint64_t> connections_max;
  std::atomic<std::uint64_t> idle_timeout_ns;     // 0: none
  std::atomic<std::uint64_t> request_timeout_ns;  // 0: none
  std::atomic<std::uint64_t> header_bytes_max;
  std::atomic<std::uint64_t> body_bytes_max;
  std::atomic<std::uint64_t> send_queue_bytes_max{kSendQueueBytesMax};
  std::atomic<std::uint64_t> send_timeout_ns{static_cast<std::uint64_t>(kSendTimeout.count())};
  std::atomic<std::uint64_t> send_bytes_per_second_min{kSendBytesPerSecondMin};

  void set(const description::ListenerDescription& description);
};

class Listener {
 public:
  /// Binds and listens; `key` names it to `readiness`, which is to watch it. Fails: the address is
  /// taken, may not be bound, or is none of this machine.
  static Result<std::shared_ptr<Listener>> open(const description::ListenerDescription& description,
                                                baton_term atom, std::uint64_t key,
                                                Readiness& readiness, Memory& host_memory,
                                                bool is_suspended);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  description::ListenerDescription description() const;
  /// Other limits; kUsage if name, protocol or address differ.
  Result<void> change(const description::ListenerDescription& description);
  baton_term atom() const { return atom_; }
  bool is_http() const { return is_http_; }
  /// Where it is bound: never port 0.
  const description::Address& address() const { return address_; }
  std::uint64_t key() const { return key_; }
  ListenerLimits& limits() { return limits_; }
  /// What its connections hold.
  Memory& memory() { return memory_; }
  const Memory& memory() const { return memory_; }
  Counters& counters() { return counters_; }
  const Counters& counters() const { return counters_; }

  baton_term owner() const { return owner_.load(std::memory_order_seq_cst); }
  bool is_announcing() const { return is_announcing_.load(std::memory_order_relaxed); }
  bool is_suspended() const;
  bool is_closed() const { return is_closed_.load(std::memory_order_seq_cst); }
  /// False: it has another owner, one that is not `ended`.
  bool take(baton_term pid, bool is_announcing, baton_term ended);
  /// The owner of that one, or nobody if it has none.
  void inherit(const Listener& other);
  /// If the owner is that process.
  bool give_up(baton_term pid);
  void suspend(bool is_suspended);
  void rest(bool is_resting);
  /// A new connection's descriptor, non-blocking; else -1, with errno.
  int accept();
  /// No connection is accepted from here on.
  void close();

 private:
  Listener(const description::ListenerDescription& description, baton_term atom, std::uint64_t key,
           Readiness& readiness, Memory& host_memory);
  void set_limits(const description::ListenerDescription& description);
  void update();  // requires mutex_

  // Constant after open.
  const bool is_http_;
  const baton_term atom_;
  const std::uint64_t key_;
  Readiness& readiness_;
  description::Address address_;
  int fd_ = -1;

  const Memory& host_memory_;
  Memory memory_;
  ListenerLimits limits_;
  Counters counters_;
  std::atomic<baton_term> owner_{BATON_NO_TERM};  // written under mutex_
  std::atomic<bool> is_announcing_{false};        // written under mutex_
  std::atomic<bool> is_closed_{false};            // written under mutex_

  mutable std::mutex mutex_;
  description::ListenerDescription description_;  // guarded by mutex_
  bool is_suspended_ = false;                     // guarded by mutex_
  bool is_resting_ = false;                       // guarded by mutex_
  bool is_watched_ = false;                       // guarded by mutex_
};

enum class Side { kOwn, kPeer };
/// A socket's own address or its peer's; an empty host on failure.
description::Address address_of(int fd, Side side);

}  // namespace baton::net
