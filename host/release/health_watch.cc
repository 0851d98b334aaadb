#include "release/health_watch.h"

#include "release/health.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace baton::release {

namespace {

Result<std::unique_ptr<CheckLine>> line_for(const description::HealthCheck& check,
                                            const Services& services) {
  return check.listener.empty() ? line_to_address(check.address) : services.line_to(check.listener);
}

}  // namespace

std::unique_ptr<HealthWatch> HealthWatch::start(std::vector<description::HealthCheck> checks,
                                                const Services& services, const Clock& clock,
                                                Tell tell) {
  std::unique_ptr<HealthWatch> watch(
      new HealthWatch(std::move(checks), services, clock, std::move(tell)));
  if (watch->checks_.empty()) return watch;
  try {
    watch->thread_ = std::thread([raw = watch.get()] { raw->watch(); });
  } catch (const std::system_error&) {
    return nullptr;
  }
  return watch;
}

HealthWatch::HealthWatch(std::vector<description::HealthCheck> checks, const Services& services,
                         const Clock& clock, Tell tell)
    : checks_(std::move(checks)), services_(services), clock_(clock), tell_(std::move(tell)) {
  // All of them now: what there is no room for now is tried again when it is due.
  for (const description::HealthCheck& check : checks_) {
    auto line = line_for(check, services_);
    lines_.push_back(line.ok() ? *std::move(line) : nullptr);
  }
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
  std::vector<std::chrono::nanoseconds> due(checks_.size(), clock_.monotonic());
  std::unique_lock lock(mutex_);
  while (!is_over_) {
    const auto next = std::min_element(due.begin(), due.end());
    if (const auto left = *next - clock_.monotonic(); left.count() > 0) {
      changed_.wait_for(lock, left);
      continue;
    }
    lock.unlock();
    const auto number = static_cast<std::size_t>(next - due.begin());
    tell_(number, check(number));
    *next = clock_.monotonic() + checks_[number].interval;
    lock.lock();
  }
}

Result<void> HealthWatch::check(std::size_t number) {
  const description::HealthCheck& check = checks_[number];
  std::unique_ptr<CheckLine>& line = lines_[number];
  if (line == nullptr) {
    BATON_ASSIGN(line, line_for(check, services_));
  }
  const std::string address =
      check.listener.empty() ? check.address.text() : services_.listener_address(check.listener);
  return check_health(check, address, *line, clock_);
}

}  // namespace baton::release
