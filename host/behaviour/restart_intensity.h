// RestartIntensity: whether a supervisor has restarted children too often to go on.
//
// More than `intensity` restarts within `period` are too many; the supervisor then gives up, and
// its own supervisor decides.
//
// Threads: a value type.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

namespace baton::behaviour {

class RestartIntensity {
 public:
  RestartIntensity(std::uint32_t intensity, std::chrono::nanoseconds period)
      : intensity_(intensity), period_ns_(static_cast<std::uint64_t>(period.count())) {}

  /// Counts a restart. False: that is one too many.
  bool add(std::uint64_t now_ns) {
    while (!restarts_ns_.empty() && now_ns - restarts_ns_.front() > period_ns_)
      restarts_ns_.pop_front();
    restarts_ns_.push_back(now_ns);
    return restarts_ns_.size() <= intensity_;
  }

  /// New limits for the restarts counted so far.
  void change(std::uint32_t intensity, std::chrono::nanoseconds period) {
    intensity_ = intensity;
    period_ns_ = static_cast<std::uint64_t>(period.count());
  }

 private:
  std::uint32_t intensity_;
  std::uint64_t period_ns_;
  // Oldest first; at most one more than the greatest intensity that it had.
  std::deque<std::uint64_t> restarts_ns_;
};

}  // namespace baton::behaviour
