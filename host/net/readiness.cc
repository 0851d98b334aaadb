#include "net/readiness.h"

#include "base/check.h"
#include "runtime/runtime.h"

#include <boost/asio/post.hpp>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace baton::net {

namespace {
constexpr std::uint64_t kTimerKey = 0;

int checked(int fd) {
  BATON_CHECK(fd >= 0, "the system has no descriptor for a scheduler's sockets");
  return fd;
}
}  // namespace

Readiness::Readiness(runtime::Scheduler& scheduler, Handler& handler)
    : scheduler_(scheduler),
      handler_(handler),
      timer_(checked(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC))),
      epoll_(scheduler.poller().io(), checked(epoll_create1(EPOLL_CLOEXEC))),
      epoll_fd_(epoll_.native_handle()),
      buffer_(std::make_unique<char[]>(kChunkBytesMax)) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = kTimerKey;
  BATON_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, timer_, &event) == 0);
  arm();
}

Readiness::~Readiness() { ::close(timer_); }

void Readiness::arm() {
  epoll_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [this](const boost::system::error_code& error) {
                      if (error) return;
                      dispatch();
                      arm();
                    });
}

bool Readiness::watch(int fd, std::uint64_t key, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = key;
  scheduler_.poller().sockets().fetch_add(1, std::memory_order_relaxed);
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) == 0) return true;
  forget();
  return false;
}

void Readiness::rearm(int fd, std::uint64_t key, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = key;
  BATON_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0);
}

void Readiness::forget() { scheduler_.poller().sockets().fetch_sub(1, std::memory_order_relaxed); }

void Readiness::unwatch(int fd) {
  BATON_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr) == 0);
  forget();
}

void Readiness::dispatch() {
  std::array<epoll_event, kEventsMax> events;
  // One batch: what is left makes the descriptor ready again when it is armed.
  const int count = epoll_wait(epoll_fd_, events.data(), kEventsMax, 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.u64 == kTimerKey)
      run_deadlines();
    else
      handler_.ready(*this, event.data.u64, event.events);
  }
}

void Readiness::set_timer(std::uint64_t at_ns) {
  itimerspec spec{};
  spec.it_value.tv_sec = static_cast<time_t>(at_ns / 1'000'000'000);
  spec.it_value.tv_nsec = static_cast<long>(at_ns % 1'000'000'000);
  timerfd_settime(timer_, TFD_TIMER_ABSTIME, &spec, nullptr);
}

void Readiness::set_deadline(std::uint64_t deadline_ns, std::uint64_t key) {
  std::lock_guard lock(mutex_);
  const bool is_first = deadlines_.empty() || deadline_ns < deadlines_.front().at_ns;
  deadlines_.push_back({deadline_ns, key});
  std::push_heap(deadlines_.begin(), deadlines_.end());
  if (is_first) set_timer(deadline_ns);
}

void Readiness::run_deadlines() {
  std::uint64_t expirations = 0;
  [[maybe_unused]] const auto size = ::read(timer_, &expirations, sizeof expirations);
  due_.clear();
  {
    std::lock_guard lock(mutex_);
    const std::uint64_t now = runtime::now_ns();
    while (!deadlines_.empty() && deadlines_.front().at_ns <= now) {
      due_.push_back(deadlines_.front());
      std::pop_heap(deadlines_.begin(), deadlines_.end());
      deadlines_.pop_back();
    }
    if (!deadlines_.empty()) set_timer(deadlines_.front().at_ns);
  }
  for (const Deadline& deadline : due_) handler_.due(*this, deadline.key, deadline.at_ns);
}

void Readiness::flush_later(std::uint64_t key) {
  flushes_.push_back(key);
  if (flushes_.size() == 1) boost::asio::post(scheduler_.poller().io(), [this] { run_flushes(); });
}

void Readiness::run_flushes() {
  flushing_.swap(flushes_);
  for (std::uint64_t key : flushing_) handler_.flush(*this, key);
  flushing_.clear();
}

}  // namespace baton::net
