// Poller: where a scheduler sleeps, and where the sockets it serves wait with it.
//
// Wraps one Boost.Asio io_context per scheduler. Its handlers run inside poll and wait, on the
// thread that calls them; net/ registers sockets with io().
//
// Threads: wake: any thread. poll and wait: the scheduler's, one at a time. io(): as Asio says.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <atomic>
#include <cstdint>

namespace baton::runtime {

class Poller {
 public:
  Poller();

  boost::asio::io_context& io() { return io_; }
  /// Sockets registered with io() are counted here, so that a scheduler without any makes no system
  /// call.
  std::atomic<std::uint32_t>& sockets() { return sockets_; }
  /// Ends the wait under way, or the next one.
  void wake();
  /// Runs a handler that is ready. Does not sleep; does nothing without sockets.
  void poll() {
    if (sockets_.load(std::memory_order_relaxed) != 0) poll_now();
  }
  /// Sleeps until a handler is ready, wake is called, or `timeout_ns` has passed (kNever: no
  /// bound), and runs it. False: the time passed.
  bool wait(std::uint64_t timeout_ns);

 private:
  void arm();
  void poll_now();

  boost::asio::io_context io_;
  // Without it the io_context stops for good when a handler has run and nothing else is waited for.
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::posix::stream_descriptor wake_up_;  // an eventfd
  bool is_armed_ = false;                          // the scheduler's thread only
  std::atomic<std::uint32_t> sockets_{0};
};

}  // namespace baton::runtime
