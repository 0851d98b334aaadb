// HealthWatch: asks a release's health checks, each at its interval, and tells what they answered.
//
// Ownership: owns its thread and the lines of the checks; borrows the Services and the Clock.
// Threads:   constructed and destroyed on one thread; answers are told on its own.
#pragma once

#include "base/clock.h"
#include "description/release_description.h"
#include "release/check_line.h"
#include "release/services.h"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace baton::release {

class HealthWatch {
 public:
  /// `number` is the check's place in the list.
  using Tell = std::function<void(std::size_t number, const Result<void>& answer)>;

  /// Null: the system has no thread for it.
  static std::unique_ptr<HealthWatch> start(std::vector<description::HealthCheck> checks,
                                            const Services& services, const Clock& clock,
                                            Tell tell);
  /// Ends the watching: after it, nothing is told. Waits for a check that is under way, which is
  /// bounded by its time-out.
  ~HealthWatch();
  HealthWatch(const HealthWatch&) = delete;
  HealthWatch& operator=(const HealthWatch&) = delete;

 private:
  HealthWatch(std::vector<description::HealthCheck> checks, const Services& services,
              const Clock& clock, Tell tell);
  void watch();
  Result<void> check(std::size_t number);

  const std::vector<description::HealthCheck> checks_;
  const Services& services_;
  const Clock& clock_;
  const Tell tell_;

  // Of each check; null: there was no room for it yet. Its thread's, once that runs.
  std::vector<std::unique_ptr<CheckLine>> lines_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_over_ = false;  // guarded by mutex_

  std::thread thread_;
};

}  // namespace baton::release
