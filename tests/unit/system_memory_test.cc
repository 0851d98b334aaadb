#include "base/system_memory.h"

#include "support/control_groups.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

class SystemMemory : public testing::Test {
 protected:
  std::uint64_t of(const std::string& membership) {
    return limited_memory_bytes(1000, membership, groups_.mount());
  }

  test::ControlGroups groups_;
};

TEST_F(SystemMemory, IsThatOfTheMachineWhereNoGroupLimitsIt) {
  EXPECT_EQ(of(""), 1000u);
  EXPECT_EQ(of("0::/\n"), 1000u);
  EXPECT_EQ(of("no line of a group"), 1000u);
  groups_.write("a/memory.max", "max\n");
  EXPECT_EQ(of("0::/a\n"), 1000u);
  EXPECT_GT(system_memory_bytes(), 1u << 20);
}

TEST_F(SystemMemory, IsTheLeastLimitOfTheGroupsAbove) {
  groups_.write("a/memory.max", "700\n");
  groups_.write("a/b/memory.max", "800\n");
  EXPECT_EQ(of("0::/a/b\n"), 700u);
  groups_.write("memory.max", "600\n");
  EXPECT_EQ(of("0::/not/seen/from/here\n"), 600u);
  groups_.write("a/memory.max", "5000\n");
  EXPECT_EQ(of("0::/a/b\n"), 600u);
}

TEST_F(SystemMemory, KnowsTheFirstVersionToo) {
  groups_.write("memory/a/memory.limit_in_bytes", "500\n");
  EXPECT_EQ(of("5:cpu,cpuacct:/b\n4:memory:/a\n0::/\n"), 500u);
  EXPECT_EQ(of("4:hugetlb,memory:/a"), 500u);
}

}  // namespace
}  // namespace baton
