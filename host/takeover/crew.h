// Crew: threads that do one piece of work together, as often as they are asked to, all there before
// the first.
//
// A commit must not fail: what it needs is made in prepare, the threads included. They wait between
// two pieces of work.
//
// Ownership: owns its threads, which end with it.
// Threads:   one thread owns it and asks; the work runs on all of them at once.
// Fails:     where the system has no thread there are fewer; whoever owns it is always one of them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace baton::takeover {

class Crew {
 public:
  /// Of so many, the owner included, or fewer.
  explicit Crew(std::size_t size);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  std::size_t size() const { return threads_.size() + 1; }
  /// Calls work(i) on each, i being its number, 0 the owner's; returns when all are done. It
  /// allocates nothing and cannot fail.
  template <class Work>
  void run(Work& work) {
    run([](void* raw, std::size_t number) { (*static_cast<Work*>(raw))(number); }, &work);
  }

 private:
  using Call = void (*)(void*, std::size_t number);
  void run(Call call, void* work);
  void serve(std::size_t number);

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  Call call_ = nullptr;
  void* work_ = nullptr;
  std::size_t round_ = 0;    // of work, counted from 1
  std::size_t working_ = 0;  // that are not done with it
  bool is_over_ = false;
};

}  // namespace baton::takeover
