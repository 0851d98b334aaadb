// CrashLog: the crashes of processes lately, for whoever judges a release by them.
//
// It is kept all the time, so that a crash counts from the moment of a take-over's commit, however
// late the judge comes.
//
// Threads: any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <utility>

namespace baton::release {

/// Crashes that are remembered. A release that may crash more often within a period is not caught.
inline constexpr std::size_t kCrashesKept = 10'000;

struct Crash {
  std::chrono::nanoseconds at;  // monotonic
  std::string module;
  std::string what;
};

class CrashLog {
 public:
  void note(Crash crash) {
    std::lock_guard lock(mutex_);
    if (crashes_.size() == kCrashesKept) crashes_.pop_front();
    crashes_.push_back(std::move(crash));
  }

  struct Count {
    std::size_t all = 0;
    std::size_t in_worst_period = 0;  // the most that lie within one period
    std::string last;                 // what the last one was
  };
  /// Those since a moment, of modules for which `concerns` says yes.
  template <class Concerns>
  Count count(std::chrono::nanoseconds since, std::chrono::nanoseconds period,
              Concerns concerns) const;

 private:
  mutable std::mutex mutex_;
  std::deque<Crash> crashes_;  // guarded by mutex_; in the order of time
};

template <class Concerns>
CrashLog::Count CrashLog::count(std::chrono::nanoseconds since, std::chrono::nanoseconds period,
                                Concerns concerns) const {
  Count count;
  std::deque<std::chrono::nanoseconds> within;
  std::lock_guard lock(mutex_);
  for (const Crash& crash : crashes_) {
    if (crash.at < since || !concerns(crash.module)) continue;
    within.push_back(crash.at);
    while (crash.at - within.front() > period) within.pop_front();
    count.in_worst_period = std::max(count.in_worst_period, within.size());
    ++count.all;
    count.last = crash.what;
  }
  return count;
}

}  // namespace baton::release
