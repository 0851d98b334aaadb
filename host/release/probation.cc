#include "release/probation.h"

#include "base/duration.h"
#include "release/health.h"

#include <algorithm>
#include <utility>

namespace baton::release {

Probation::Probation(description::ProbationDescription rules, const Services& services, Tell tell)
    : rules_(std::move(rules)),
      services_(services),
      tell_(std::move(tell)),
      start_(Clock::now()),
      samples_before_(services.samples()),
      watcher_([this] { watch(); }),
      checker_([this] { check_listeners(); }) {}

Probation::~Probation() {
  {
    std::lock_guard lock(mutex_);
    is_over_ = true;
    changed_.notify_all();
  }
  watcher_.join();
  checker_.join();
}

void Probation::note_crash(const std::string& what) {
  std::lock_guard lock(mutex_);
  // One more than allowed is all that the verdict needs.
  if (crashes_.size() > rules_.crashes_max) crashes_.pop_front();
  crashes_.push_back(Clock::now());
  last_crash_ = what;
  changed_.notify_all();
}

std::chrono::nanoseconds Probation::elapsed() const { return Clock::now() - start_; }

// The verdict is told without the lock: whoever hears it may hold locks of its own while it notes a
// crash.
void Probation::watch() {
  const auto end = start_ + rules_.duration;
  std::unique_lock lock(mutex_);
  while (!is_over_) {
    const auto now = Clock::now();
    if (const std::string evidence = evidence_against(); !evidence.empty()) {
      lock.unlock();
      return tell_(Verdict::kFailed, evidence);
    }
    if (now >= end) {
      const std::uint64_t samples = services_.samples() - samples_before_;
      const std::string seen = std::to_string(samples) + " requests";
      if (samples >= rules_.min_samples) {
        const std::string evidence =
            "no check failed, " + std::to_string(crashes_.size()) + " crashes, " + seen;
        lock.unlock();
        return tell_(Verdict::kPassed, evidence);
      }
      if (!std::exchange(has_told_, true)) {
        lock.unlock();
        tell_(Verdict::kInconclusive, seen + ", " + std::to_string(rules_.min_samples) +
                                          " are needed to judge; watching on");
        lock.lock();
        continue;
      }
    }
    // Past the end the samples are looked at once in a while.
    changed_.wait_until(lock, now < end ? end : now + std::chrono::seconds(1));
  }
}

std::string Probation::evidence_against() const {
  if (!failed_check_.empty()) return failed_check_;
  if (crashes_.size() <= rules_.crashes_max ||
      crashes_.back() - crashes_.front() > rules_.crash_period)
    return {};
  return std::to_string(crashes_.size()) + " processes crashed within " +
         format_duration(rules_.crash_period) + ", allowed are " +
         std::to_string(rules_.crashes_max) + "; the last: " + last_crash_;
}

void Probation::check_listeners() {
  struct Watched {
    const description::HealthCheck* check;
    Clock::time_point next;
    std::uint32_t failures = 0;
  };
  std::vector<Watched> watched;
  for (const description::HealthCheck& check : rules_.health) watched.push_back({&check, start_});
  if (watched.empty()) return;
  std::unique_lock lock(mutex_);
  while (!is_over_) {
    auto due = std::min_element(watched.begin(), watched.end(),
                                [](const auto& a, const auto& b) { return a.next < b.next; });
    if (changed_.wait_until(lock, due->next, [this] { return is_over_; })) return;
    lock.unlock();
    const std::string address = due->check->listener.empty()
                                    ? due->check->address.text()
                                    : services_.listener_address(due->check->listener);
    const Result<void> result = check_health(*due->check, address, services_);
    due->next = Clock::now() + due->check->interval;
    due->failures = result.ok() ? 0 : due->failures + 1;
    lock.lock();
    if (due->failures >= due->check->failures) {
      failed_check_ =
          result.error().message() + " (" + std::to_string(due->failures) + " times in a row)";
      changed_.notify_all();
      return;
    }
  }
}

}  // namespace baton::release
