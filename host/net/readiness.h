// Readiness: tells one scheduler which of its sockets can be read or written, and which deadlines
// are due.
//
// An epoll instance of its own whose descriptor is one entry in the scheduler's Boost.Asio poller.
// A connection is registered once, edge-triggered, for both directions: no system call re-arms it
// after a read, and a write that could not finish is told of by itself, whichever thread tried it.
// An Asio socket needs one epoll_ctl or one refused read per read, handler objects, and may be used
// by one thread at a time.
//
// Ownership: owns its epoll and timer descriptors, not the sockets. A socket leaves it by being
//            closed.
// Threads:   watch, rearm, forget, set_deadline: any thread. flush_later: the scheduler's thread.
//            The Handler is called, and buffer may be used, on that thread between its turns.
#pragma once

#include "net/limits.h"
#include "runtime/scheduler.h"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <sys/epoll.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace baton::net {

class Readiness {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    /// `events` are those of epoll. The key may stand for something that is gone by now.
    virtual void ready(Readiness& readiness, std::uint64_t key, std::uint32_t events) = 0;
    /// A deadline set for the key; `deadline_ns` says which.
    virtual void due(Readiness& readiness, std::uint64_t key, std::uint64_t deadline_ns) = 0;
    /// What flush_later asked for.
    virtual void flush(Readiness& readiness, std::uint64_t key) = 0;
  };

  /// Requires: the scheduler is not running yet, and has stopped when this ends.
  Readiness(runtime::Scheduler& scheduler, Handler& handler);
  ~Readiness();
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  runtime::Scheduler& scheduler() { return scheduler_; }
  /// In which the scheduler's sockets are served now. The scheduler's thread.
  runtime::Context& context() { return scheduler_.context(); }

  /// False: the system has no room for it. Requires: key != 0.
  bool watch(int fd, std::uint64_t key, std::uint32_t events);
  /// What is ready now is told again; `events` replace the old ones.
  void rearm(int fd, std::uint64_t key, std::uint32_t events);
  /// To be called once for each socket watched, when it is closed.
  void forget();
  /// Instead, for one that stays open.
  void unwatch(int fd);

  void set_deadline(std::uint64_t deadline_ns, std::uint64_t key);

  /// Handler::flush for this key when the callbacks that are ready have run.
  void flush_later(std::uint64_t key);
  /// Room for one read, good until the Handler returns.
  std::span<char> buffer() { return {buffer_.get(), kChunkBytesMax}; }

 private:
  struct Deadline {
    std::uint64_t at_ns;
    std::uint64_t key;
    // std::*_heap makes the greatest first, so the later deadline is the lesser.
    bool operator<(const Deadline& other) const { return at_ns > other.at_ns; }
  };
  void arm();
  void dispatch();
  void run_deadlines();
  void run_flushes();
  void set_timer(std::uint64_t at_ns);

  runtime::Scheduler& scheduler_;
  Handler& handler_;
  const int timer_;
  boost::asio::posix::stream_descriptor epoll_;
  const int epoll_fd_;
  const std::unique_ptr<char[]> buffer_;

  // The scheduler's thread only.
  std::vector<std::uint64_t> flushes_;
  std::vector<std::uint64_t> flushing_;
  std::vector<Deadline> due_;

  std::mutex mutex_;
  std::vector<Deadline> deadlines_;  // guarded by mutex_, a heap
};

}  // namespace baton::net
