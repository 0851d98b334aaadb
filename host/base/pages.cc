#include "base/pages.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstdint>

namespace baton {

namespace {
constexpr std::uintptr_t kPageBytes = 4096;
#ifdef MADV_POPULATE_WRITE
constexpr int kPopulateWrite = MADV_POPULATE_WRITE;
#else
// Its number in the kernel's interface; libraries older than it lack the name.
constexpr int kPopulateWrite = 23;
#endif
}  // namespace

void populate(void* memory, std::size_t bytes) {
  const int saved = errno;
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t begin = address & ~(kPageBytes - 1);
  (void)madvise(reinterpret_cast<void*>(begin), address + bytes - begin, kPopulateWrite);
  errno = saved;
}

}  // namespace baton
