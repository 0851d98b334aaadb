// Probation: judges a release while it is new, from what was seen of it since its take-over.
//
//   observed                                               verdict
//   more than crashes_max crashes within crash_period      failed, at once
//   an application ended that must not                     failed, at once
//   a health check failed `failures` times in a row        failed, at once
//   the duration is over, fewer samples than min_samples   inconclusive, while that is so
//   the duration is over                                   passed
//
// It only judges: others watch (release/health_watch.h, release/crash_log.h), and the upgrade acts.
//
// Threads: the release handler's.
#pragma once

#include "description/release_description.h"
#include "release/crash_log.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace baton::release {

enum class Verdict { kPassed, kFailed, kInconclusive };
const char* verdict_name(Verdict verdict);

struct Judgement {
  Verdict verdict;
  std::string evidence;  // which check, what was observed, and what is allowed
};

class Probation {
 public:
  /// `taken_over` is when the release took over, on the monotonic clock: what crashes from then on
  /// counts. `samples` is how many had been counted until then (Modules::samples).
  Probation(const description::ReleaseDescription& release, std::chrono::nanoseconds duration,
            std::chrono::nanoseconds taken_over, std::uint64_t samples);

  /// From here on the duration counts: clients see the release. Requires: before judge.
  void begin(std::chrono::nanoseconds now) { start_ = now; }
  /// One health check's answer; `number` is its place in the description.
  void note_check(std::size_t number, const Result<void>& answer);
  /// Something ended that must not, such as an application that ends the host by its type.
  void note_end(const std::string& what);

  /// Nothing: it is too early to say.
  std::optional<Judgement> judge(std::chrono::nanoseconds now, const CrashLog& crashes,
                                 std::uint64_t samples) const;

  std::chrono::nanoseconds start() const { return start_; }
  std::chrono::nanoseconds duration() const { return duration_; }
  const description::ProbationDescription& rules() const { return rules_; }

 private:
  const description::ProbationDescription rules_;
  const std::vector<std::string> modules_;
  const std::chrono::nanoseconds duration_;
  const std::chrono::nanoseconds taken_over_;
  const std::uint64_t samples_before_;

  std::vector<std::uint32_t> failures_in_a_row_;  // by the number of the check
  std::chrono::nanoseconds start_{0};
  std::string failed_;  // what speaks against it; empty: nothing yet
};

}  // namespace baton::release
