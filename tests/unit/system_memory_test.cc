#include "base/system_memory.h"

#include "support/temporary_directory.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace baton {
namespace {

class SystemMemory : public testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) {
    const auto path = std::filesystem::path(mount_) / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::uint64_t of(const std::string& membership) {
    return limited_memory_bytes(1000, membership, mount_);
  }

  TemporaryDirectory directory_;
  const std::string mount_ = directory_.path();
};

TEST_F(SystemMemory, IsThatOfTheMachineWhereNoGroupLimitsIt) {
  EXPECT_EQ(of(""), 1000u);
  EXPECT_EQ(of("0::/\n"), 1000u);
  EXPECT_EQ(of("no line of a group"), 1000u);
  write("a/memory.max", "max\n");
  EXPECT_EQ(of("0::/a\n"), 1000u);
  EXPECT_GT(system_memory_bytes(), 1u << 20);
}

TEST_F(SystemMemory, IsTheLeastLimitOfTheGroupsAbove) {
  write("a/memory.max", "700\n");
  write("a/b/memory.max", "800\n");
  EXPECT_EQ(of("0::/a/b\n"), 700u);
  write("memory.max", "600\n");
  EXPECT_EQ(of("0::/not/seen/from/here\n"), 600u);
  write("a/memory.max", "5000\n");
  EXPECT_EQ(of("0::/a/b\n"), 600u);
}

TEST_F(SystemMemory, KnowsTheFirstVersionToo) {
  write("memory/a/memory.limit_in_bytes", "500\n");
  EXPECT_EQ(of("5:cpu,cpuacct:/b\n4:memory:/a\n0::/\n"), 500u);
  EXPECT_EQ(of("4:hugetlb,memory:/a"), 500u);
}

}  // namespace
}  // namespace baton
