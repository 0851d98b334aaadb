#include "takeover/crew.h"

#include <system_error>

namespace baton::takeover {

Crew::Crew(std::size_t size) {
  threads_.reserve(size);
  while (threads_.size() + 1 < size) {
    try {
      threads_.emplace_back([this, number = threads_.size() + 1] { serve(number); });
    } catch (const std::system_error&) {
      break;
    }
  }
}

Crew::~Crew() {
  {
    std::lock_guard lock(mutex_);
    is_over_ = true;
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

void Crew::run(Call call, void* work) {
  {
    std::lock_guard lock(mutex_);
    call_ = call;
    work_ = work;
    working_ = threads_.size();
    ++round_;
    changed_.notify_all();
  }
  call(work, 0);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return working_ == 0; });
}

void Crew::serve(std::size_t number) {
  std::unique_lock lock(mutex_);
  for (std::size_t done = 0;; ++done) {
    changed_.wait(lock, [&] { return is_over_ || round_ != done; });
    if (is_over_) return;
    const Call call = call_;
    void* const work = work_;
    lock.unlock();
    call(work, number);
    lock.lock();
    if (--working_ == 0) changed_.notify_all();
  }
}

}  // namespace baton::takeover
