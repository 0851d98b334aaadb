#include "runtime/poller.h"

#include "base/check.h"
#include "runtime/timers.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>

namespace baton::runtime {

Poller::Poller()
    : io_(1), work_(io_.get_executor()), wake_up_(io_, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  arm();
}

void Poller::arm() {
  is_armed_ = true;
  wake_up_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [this](const boost::system::error_code& error) {
                        is_armed_ = false;
                        if (error) return;
                        std::uint64_t count = 0;
                        [[maybe_unused]] auto size = ::read(wake_up_.native_handle(), &count, 8);
                      });
}

void Poller::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] auto size = ::write(wake_up_.native_handle(), &one, sizeof one);
}

void Poller::poll_now() {
  if (!is_armed_) arm();
  // One, not all: handlers that make each other ready (sockets that always have more) would never
  // end, and the processes would not get to what they have sent.
  io_.poll_one();
}

bool Poller::wait(std::uint64_t timeout_ns) {
  if (!is_armed_) arm();
  std::size_t handlers = 0;
  if (timeout_ns == kNever) {
    handlers = io_.run_one();
  } else {
    handlers = io_.run_one_for(std::chrono::nanoseconds(timeout_ns));
  }
  return handlers != 0;
}

}  // namespace baton::runtime
