// NoThreads: while it lives the system has no thread to give, since there is no room for a stack.
//
// Only in a build without sanitizers, whose shadow needs room too; and only where no thread has
// ended yet, since its stack is kept for the next.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>

namespace baton::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kCanRunOutOfThreads = false;
#else
inline constexpr bool kCanRunOutOfThreads = true;
#endif

class NoThreads {
 public:
  NoThreads() {
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    getrlimit(RLIMIT_AS, &before_);
    rlimit now = before_;
    now.rlim_cur = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + kSpare;
    setrlimit(RLIMIT_AS, &now);
  }
  ~NoThreads() { setrlimit(RLIMIT_AS, &before_); }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;

 private:
  // For what else is allocated meanwhile; less than a stack.
  static constexpr rlim_t kSpare = 2 << 20;
  rlimit before_{};
};

}  // namespace baton::test
