#include "release/health_watch.h"

#include "release/health.h"

#include <algorithm>
#include <utility>

namespace baton::release {

HealthWatch::HealthWatch(std::vector<description::HealthCheck> checks, const Services& services,
                         Tell tell)
    : checks_(std::move(checks)), services_(services), tell_(std::move(tell)) {
  if (!checks_.empty()) thread_ = std::thread([this] { watch(); });
}

HealthWatch::~HealthWatch() {
  {
    std::lock_guard lock(mutex_);
    is_over_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void HealthWatch::watch() {
  using Clock = std::chrono::steady_clock;
  std::vector<Clock::time_point> due(checks_.size(), Clock::now());
  std::unique_lock lock(mutex_);
  while (!is_over_) {
    const auto next = std::min_element(due.begin(), due.end());
    if (changed_.wait_until(lock, *next, [this] { return is_over_; })) return;
    lock.unlock();
    const auto number = static_cast<std::size_t>(next - due.begin());
    const description::HealthCheck& check = checks_[number];
    const std::string address =
        check.listener.empty() ? check.address.text() : services_.listener_address(check.listener);
    tell_(number, check_health(check, address, services_));
    *next = Clock::now() + check.interval;
    lock.lock();
  }
}

}  // namespace baton::release
