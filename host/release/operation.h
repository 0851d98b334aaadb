// Operation: a change of releases under way or done: who asked, how far it is, how it ended.
//
// The host owns it: the client that asked may leave and ask again by the id.
//
// Threads: any thread.
#pragma once

#include "base/result.h"
#include "takeover/takeover.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace baton::release {

struct ProgressLine {
  double at_ms;  // since the start of the operation
  std::string phase;
  std::string text;
};

class Operation {
 public:
  Operation(std::uint64_t id, std::string kind, std::string target, std::string who,
            std::string started_at);

  // Constant after construction.
  const std::uint64_t id;
  const std::string kind;    // upgrade, rollback, make_permanent, ...
  const std::string target;  // NAME-VERSION, or empty
  const std::string who;
  const std::string started_at;

  void progress(std::string phase, std::string text);
  /// What the take-over did, once there was one.
  void set_report(const takeover::TakeoverReport& report);
  /// The end; only the first one counts.
  void finish(Result<void> result);

  bool is_done() const;
  /// Nothing while it runs; then its error, or none.
  std::optional<Result<void>> result() const;
  std::optional<takeover::TakeoverReport> report() const;
  double elapsed_ms() const;
  /// The lines from number `first` on.
  std::vector<ProgressLine> lines(std::size_t first) const;
  /// Waits until there are lines beyond `first`, it is done, or the time has passed.
  void wait(std::size_t first, std::chrono::milliseconds timeout) const;

 private:
  const std::chrono::steady_clock::time_point start_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  // Guarded by mutex_.
  std::vector<ProgressLine> lines_;
  std::optional<Result<void>> result_;
  std::optional<takeover::TakeoverReport> report_;
  double ended_ms_ = 0;
};

}  // namespace baton::release
