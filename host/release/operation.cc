#include "release/operation.h"

namespace baton::release {

Operation::Operation(std::uint64_t id_of, std::string kind_of, std::string target_of,
                     std::string who_of, std::string started_at_of)
    : id(id_of),
      kind(std::move(kind_of)),
      target(std::move(target_of)),
      who(std::move(who_of)),
      started_at(std::move(started_at_of)),
      start_(std::chrono::steady_clock::now()) {}

void Operation::progress(std::string phase, std::string text) {
  const double at_ms = elapsed_ms();
  std::lock_guard lock(mutex_);
  lines_.push_back({at_ms, std::move(phase), std::move(text)});
  changed_.notify_all();
}

void Operation::set_report(const takeover::TakeoverReport& report) {
  std::lock_guard lock(mutex_);
  report_ = report;
}

void Operation::finish(Result<void> result) {
  const double at_ms = elapsed_ms();
  std::lock_guard lock(mutex_);
  if (result_) return;
  ended_ms_ = at_ms;
  result_ = std::move(result);
  changed_.notify_all();
}

bool Operation::is_done() const {
  std::lock_guard lock(mutex_);
  return result_.has_value();
}

std::optional<Result<void>> Operation::result() const {
  std::lock_guard lock(mutex_);
  return result_;
}

std::optional<takeover::TakeoverReport> Operation::report() const {
  std::lock_guard lock(mutex_);
  return report_;
}

double Operation::elapsed_ms() const {
  std::lock_guard lock(mutex_);
  if (result_) return ended_ms_;
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_)
      .count();
}

std::vector<ProgressLine> Operation::lines(std::size_t first) const {
  std::lock_guard lock(mutex_);
  if (first >= lines_.size()) return {};
  return {lines_.begin() + static_cast<std::ptrdiff_t>(first), lines_.end()};
}

void Operation::wait(std::size_t first, std::chrono::milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] { return result_ || lines_.size() > first; });
}

}  // namespace baton::release
