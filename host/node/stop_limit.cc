#include "node/stop_limit.h"

#include <utility>

namespace baton::node {

StopLimit::StopLimit(std::chrono::nanoseconds limit, std::function<void()> on_expiry)
    : thread_([this, limit, on_expiry = std::move(on_expiry)] {
        std::unique_lock lock(mutex_);
        if (!has_stopped_.wait_for(lock, limit, [this] { return is_over_; })) on_expiry();
      }) {}

StopLimit::~StopLimit() {
  {
    std::lock_guard lock(mutex_);
    is_over_ = true;
    has_stopped_.notify_all();
  }
  thread_.join();
}

}  // namespace baton::node
