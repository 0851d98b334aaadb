// StopLimit: ends the program when its orderly end takes too long.
//
// Threads: waits on one of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace baton::node {

class StopLimit {
 public:
  /// Unless this is destroyed within `limit`, `on_expiry` is called, which is to end the program.
  StopLimit(std::chrono::nanoseconds limit, std::function<void()> on_expiry);
  ~StopLimit();
  StopLimit(const StopLimit&) = delete;
  StopLimit& operator=(const StopLimit&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable has_stopped_;
  bool is_over_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace baton::node
