// Net: the listeners and connections of a host, and what modules are given of them.
//
// Listeners are opened and closed by who runs the release; processes of modules reach them, and the
// connections accepted on them, through the tables of baton/net.h. Accepted connections go round
// the schedulers in turn; one stays where it is, whoever owns it.
//
// Ownership: owns listeners and connections. The runtime outlives it; its schedulers start after it
//            is made and have stopped when it ends.
// Threads:   open ... hang_up: any thread. The rest: in a context.
// Fails:     open: kFailed, when the address is taken or may not be bound; kUsage, when it is none,
//            or there is a listener of that name.
// See:       baton/net.h
#pragma once

#include "base/result.h"
#include "description/release_description.h"
#include "net/check_line.h"
#include "net/connections.h"
#include "net/listener.h"
#include "net/longest_idle.h"
#include "net/readiness.h"
#include "runtime/port_keeper.h"
#include "runtime/runtime.h"

#include <baton/net.h>

#include <atomic>
#include <map>
#include <memory>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace baton::net {

struct ListenerStatus {
  description::ListenerDescription description;
  description::Address address;  // where it is bound, its port known
  baton_term owner;              // 0: none
  bool is_suspended;
  Statistics statistics;
  std::uint64_t memory_bytes;  // held by its connections
};

class Net : public runtime::PortKeeper, public Readiness::Handler {
 public:
  /// `memory_max`: of what connections hold in all; 0: a share of the system's.
  explicit Net(runtime::Runtime& runtime, std::uint64_t memory_max = 0);
  ~Net() override;
  Net(const Net&) = delete;
  Net& operator=(const Net&) = delete;

  /// Exposure: a suspended listener is bound and may have an owner, but accepts nothing until
  /// resumed; clients wait in the system's backlog.
  enum class Exposure { kExposed, kSuspended };
  Result<description::Address> open(const description::ListenerDescription& description,
                                    Exposure exposure = Exposure::kExposed);
  /// kNotFound.
  Result<void> suspend(std::string_view name);
  Result<void> resume(std::string_view name);
  /// Unbinds it. Its connections live on with their owners, and end with them. kNotFound.
  Result<void> close(std::string_view name);
  /// Takes a listener out of use so that it can come back as it was: it stays bound and accepts
  /// nothing, and its name is free. Its connections live on. kNotFound; kUsage if one of that name
  /// is aside already.
  Result<void> set_aside(std::string_view name);
  /// Undoes set_aside, and a move that set one aside: what is open under its name is closed, and
  /// passes on its owner. kNotFound.
  Result<void> put_back(std::string_view name);
  /// Ends what was set aside. kNotFound.
  Result<void> close_aside(std::string_view name);
  /// Opens a listener anew, suspended, at another address or with another protocol, for the same
  /// owner. The one before is set aside, or closed first where its address is needed. On failure
  /// it is as before.
  enum class Before { kSetAside, kClosed };
  Result<description::Address> move(const description::ListenerDescription& description,
                                    Before before);
  /// Who owned a listener.
  struct Ownership {
    std::shared_ptr<Listener> listener;
    baton_term owner;
    bool is_announcing;
  };
  /// Frees the listeners that these processes own for others to take.
  std::vector<Ownership> disown(std::span<const baton_term> owners);
  /// To those that own it still: whom somebody else has followed, or who has ended, gets nothing.
  void give_back(std::span<const Ownership> ownerships);
  /// Other limits for a listener and its connections; kNotFound, and kUsage if name, protocol or
  /// address differ.
  Result<void> change(const description::ListenerDescription& description);
  std::vector<ListenerStatus> list() const;
  Result<ListenerStatus> status(std::string_view name) const;
  /// What all connections hold.
  Memory& memory() { return memory_; }
  /// A check of the host's own comes by its line as if it were accepted now, whatever room there is
  /// for clients; under what name it runs. kNotFound; kUnreachable: nobody would accept it now;
  /// kBusy, as External::borrow. Requires: the line is not in use.
  Result<baton_term> connect(std::string_view listener, const std::shared_ptr<CheckLine>& line);
  /// Ends it, as a client does, if it has not ended yet: its line is not in use any more.
  void hang_up(baton_term check);
  /// The listener's, to set what no release describes.
  std::shared_ptr<Listener> listener(std::string_view name) const;

  // Asked for by processes, see baton/net.h.
  int listen(runtime::Context& context, std::string_view name, bool is_announcing);
  int unlisten(runtime::Context& context, std::string_view name);
  int controlling_process(runtime::Context& context, baton_term port, baton_term pid);
  int set_active(runtime::Context& context, baton_term port, std::int32_t count);
  std::int64_t send(runtime::Context& context, baton_term port, std::string_view bytes);
  int shutdown(runtime::Context& context, baton_term port);
  int account(runtime::Context& context, baton_term port, std::uint64_t taken, std::uint64_t held);
  int close(runtime::Context& context, baton_term port);
  /// An empty host: it is gone.
  description::Address peer(baton_term port);
  int respond(runtime::Context& context, baton_term port, std::int64_t request, int status,
              std::span<const baton_http_header> headers, std::string_view body);

  // What the runtime and the sockets tell.
  void owner_ended(runtime::Context& context, baton_term pid) override;
  void ready(Readiness& readiness, std::uint64_t key, std::uint32_t events) override;
  void due(Readiness& readiness, std::uint64_t key, std::uint64_t deadline_ns) override;
  void flush(Readiness& readiness, std::uint64_t key) override;

 private:
  std::shared_ptr<Listener> listener_of(std::uint64_t key) const;
  // With mutex_ held.
  Result<std::shared_ptr<Listener>> make(const description::ListenerDescription& description,
                                         Exposure exposure);
  void retire(const std::shared_ptr<Listener>& listener);
  Result<void> check_not_aside(std::string_view name) const;
  // Without it: nobody will ever serve the connections of one that has no owner.
  void end_unowned(const Listener& listener);
  void accept(Readiness& readiness, const std::shared_ptr<Listener>& listener);
  void end_of_owner(runtime::Context& context, baton_term port, baton_term pid);
  void begin(Readiness& acceptor, const std::shared_ptr<Listener>& listener, int fd,
             int first_reserved);
  /// Gives a socket to its connection, and that to its owner. False: it could not.
  bool serve(runtime::Context& context, const std::shared_ptr<Listener>& listener,
             const Connections::Slot& slot, int fd, const std::shared_ptr<CheckLine>& line);
  /// Closes the connection that was idle longest, of this listener (null: of all). False: none is.
  bool shed_one(runtime::Context& context, const Listener* of);
  /// Runs `act` on an open connection with its lock held; `otherwise` if there is none.
  template <class Act>
  auto with(baton_term port, Act act, decltype(act(std::declval<Connection&>())) otherwise);

  /// Looks at what connections hold, while that is high.
  void watch_memory(Readiness& readiness);
  void relieve(runtime::Context& context, Memory& memory, std::vector<LargeHolder> holders);

  runtime::Runtime& runtime_;
  Memory memory_;
  std::vector<std::unique_ptr<Readiness>> readiness_;  // of each scheduler; outlive all they watch
  Connections connections_;
  std::atomic<std::uint32_t> next_scheduler_{0};

  mutable std::shared_mutex mutex_;
  std::map<std::string, std::shared_ptr<Listener>, std::less<>> listeners_;  // guarded by mutex_
  std::map<std::string, std::shared_ptr<Listener>, std::less<>> aside_;      // guarded by mutex_
  std::map<std::uint64_t, std::shared_ptr<Listener>> by_key_;                // guarded by mutex_
  std::vector<std::weak_ptr<Listener>> closed_;  // that may have connections; guarded by mutex_
  std::uint64_t last_key_ = 0;                   // guarded by mutex_

  std::mutex shed_mutex_;                 // before a connection's
  LongestIdle longest_idle_;              // guarded by shed_mutex_
  const Listener* longest_of_ = nullptr;  // whose; only compared; guarded by shed_mutex_
  std::uint64_t fruitless_ns_ = 0;        // the last search that found none; guarded by shed_mutex_
};

}  // namespace baton::net
