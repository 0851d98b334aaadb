// Probation: watches a release for a while after its take-over, and gives one verdict.
//
//   observed                                               verdict
//   more than crashes_max crashes within crash_period      failed, at once
//   a health check failed `failures` times in a row        failed, at once
//   the duration is over, fewer samples than min_samples   inconclusive, once; it goes on watching
//   the duration is over                                   passed
//
// Ownership: owns a copy of the description; borrows the Services.
// Threads:   note_crash: any thread. The rest: the release handler's. The verdict is told on a
//            thread of its own.
#pragma once

#include "description/release_description.h"
#include "release/services.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace baton::release {

enum class Verdict { kPassed, kFailed, kInconclusive };

class Probation {
 public:
  /// `evidence` says which check, what was observed, and what is allowed.
  using Tell = std::function<void(Verdict, const std::string& evidence)>;

  Probation(description::ProbationDescription rules, const Services& services, Tell tell);
  /// Ends the watching; no verdict is told after it returns.
  ~Probation();
  Probation(const Probation&) = delete;
  Probation& operator=(const Probation&) = delete;

  /// A process of the release crashed.
  void note_crash(const std::string& what);
  /// How long it has been watched so far.
  std::chrono::nanoseconds elapsed() const;
  const description::ProbationDescription& rules() const { return rules_; }

 private:
  using Clock = std::chrono::steady_clock;
  void watch();
  void check_listeners();
  /// What is against the release, empty if nothing is. Requires: mutex_ is held.
  std::string evidence_against() const;

  const description::ProbationDescription rules_;
  const Services& services_;
  const Tell tell_;
  const Clock::time_point start_;
  const std::uint64_t samples_before_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  bool is_over_ = false;
  bool has_told_ = false;
  std::deque<Clock::time_point> crashes_;
  std::string last_crash_;
  std::string failed_check_;

  std::thread watcher_;
  std::thread checker_;
};

}  // namespace baton::release
