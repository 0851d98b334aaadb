#include "base/pages.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace baton {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kPages = 16;

class PagesTest : public testing::Test {
 protected:
  PagesTest()
      : memory_(static_cast<char*>(mmap(nullptr, kPages * kPageBytes, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {}
  ~PagesTest() override { munmap(memory_, kPages * kPageBytes); }

  std::size_t present() const {
    std::vector<unsigned char> pages(kPages);
    EXPECT_EQ(mincore(memory_, kPages * kPageBytes, pages.data()), 0);
    std::size_t count = 0;
    for (unsigned char page : pages) count += page & 1;
    return count;
  }

  char* const memory_;
};

TEST_F(PagesTest, PopulatedPagesArePresent) {
  ASSERT_NE(memory_, MAP_FAILED);
  ASSERT_EQ(present(), 0u);

  // Asked of the kernel itself and not of populate, whose failure must not pass for the kernel's
  // age.
  constexpr int kPopulateWrite = 23;
  if (madvise(memory_, 0, kPopulateWrite) != 0 && errno == EINVAL)
    GTEST_SKIP() << "this kernel is older than 5.14";

  populate(memory_ + 2 * kPageBytes, 3 * kPageBytes);

  EXPECT_EQ(present(), 3u);
}

TEST_F(PagesTest, WhatPopulatedPagesHoldIsNotChanged) {
  ASSERT_NE(memory_, MAP_FAILED);
  std::strcpy(memory_ + 100, "held");

  // Neither end of it is that of a page.
  populate(memory_ + 100, kPageBytes);

  EXPECT_STREQ(memory_ + 100, "held");
  EXPECT_LE(present(), 2u);
}

TEST_F(PagesTest, MemoryThatIsNotThereLeavesErrnoAlone) {
  errno = 0;
  populate(nullptr, 0);
  populate(reinterpret_cast<void*>(kPageBytes), kPageBytes);
  EXPECT_EQ(errno, 0);
}

}  // namespace
}  // namespace baton
