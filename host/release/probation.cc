#include "release/probation.h"

#include "base/check.h"
#include "base/duration.h"

#include <algorithm>
#include <utility>

namespace baton::release {

namespace {

std::vector<std::string> names_of(const std::vector<description::ModuleReference>& modules) {
  std::vector<std::string> names;
  for (const description::ModuleReference& module : modules) names.push_back(module.name);
  return names;
}

}  // namespace

const char* verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPassed: return "passed";
    case Verdict::kFailed: return "failed";
    case Verdict::kInconclusive: return "inconclusive";
  }
  return "";
}

Probation::Probation(const description::ReleaseDescription& release,
                     std::chrono::nanoseconds duration, std::chrono::nanoseconds taken_over,
                     std::uint64_t samples)
    : rules_(release.probation),
      modules_(names_of(release.modules)),
      duration_(duration),
      taken_over_(taken_over),
      samples_before_(samples),
      failures_in_a_row_(rules_.health.size()) {}

void Probation::note_check(std::size_t number, const Result<void>& answer) {
  BATON_CHECK(number < failures_in_a_row_.size());
  std::uint32_t& failures = failures_in_a_row_[number];
  failures = answer.ok() ? 0 : failures + 1;
  if (failures < rules_.health[number].failures || !failed_.empty()) return;
  failed_ = answer.error().message() + " (" + std::to_string(failures) + " times in a row)";
}

void Probation::note_end(const std::string& what) {
  if (failed_.empty()) failed_ = what;
}

std::optional<Judgement> Probation::judge(std::chrono::nanoseconds now, const CrashLog& crashes,
                                          std::uint64_t samples) const {
  if (!failed_.empty()) return Judgement{Verdict::kFailed, failed_};
  const CrashLog::Count count =
      crashes.count(taken_over_, rules_.crash_period, [this](const std::string& module) {
        return std::find(modules_.begin(), modules_.end(), module) != modules_.end();
      });
  if (count.in_worst_period > rules_.crashes_max)
    return Judgement{Verdict::kFailed,
                     std::to_string(count.in_worst_period) + " processes crashed within " +
                         format_duration(rules_.crash_period) + ", allowed are " +
                         std::to_string(rules_.crashes_max) + "; the last: " + count.last};
  if (now < start_ + duration_) return std::nullopt;
  const std::uint64_t seen = samples - samples_before_;
  if (seen < rules_.min_samples)
    return Judgement{Verdict::kInconclusive, std::to_string(seen) + " messages, " +
                                                 std::to_string(rules_.min_samples) +
                                                 " are needed to judge"};
  return Judgement{Verdict::kPassed, "no check failed, " + std::to_string(count.all) +
                                         " crashes, " + std::to_string(seen) + " messages"};
}

}  // namespace baton::release
