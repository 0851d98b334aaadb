#include "base/processors.h"

#include "support/control_groups.h"

#include <gtest/gtest.h>
#include <sched.h>

namespace baton {
namespace {

class Processors : public testing::Test {
 protected:
  std::uint32_t of(const std::string& membership) {
    return limited_processors(16, membership, groups_.mount());
  }

  test::ControlGroups groups_;
};

TEST_F(Processors, AreThoseAllowedWhereNoGroupLimitsThem) {
  EXPECT_EQ(of(""), 16u);
  groups_.write("a/cpu.max", "max 100000\n");
  EXPECT_EQ(of("0::/a\n"), 16u);
  groups_.write("cpu/a/cpu.cfs_quota_us", "-1\n");
  groups_.write("cpu/a/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(of("5:cpu,cpuacct:/a\n"), 16u);
  EXPECT_EQ(limited_processors(0, "", groups_.mount()), 1u);
}

TEST_F(Processors, AreWhatTheQuotaPaysForRoundedUp) {
  groups_.write("a/cpu.max", "150000 100000\n");
  EXPECT_EQ(of("0::/a\n"), 2u);
  groups_.write("b/cpu.max", "1000 100000\n");
  EXPECT_EQ(of("0::/b\n"), 1u);
  groups_.write("c/cpu.max", "9000000 100000\n");
  EXPECT_EQ(of("0::/c\n"), 16u);
  groups_.write("a/d/cpu.max", "800000 100000\n");
  EXPECT_EQ(of("0::/a/d\n"), 2u) << "the group above";
  EXPECT_EQ(of("3:cpuset:/a\n0::/nothing/here\n"), 16u);
}

TEST_F(Processors, KnowTheFirstVersionToo) {
  groups_.write("cpu/a/cpu.cfs_quota_us", "250000\n");
  groups_.write("cpu/a/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(of("5:cpu,cpuacct:/a\n4:memory:/b\n0::/\n"), 3u);
  groups_.write("cpu/b/cpu.cfs_quota_us", "250000\n");
  EXPECT_EQ(of("5:cpu:/b\n"), 16u) << "no period";
}

TEST_F(Processors, OfAnAffinityAreThoseThatItLeaves) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (std::size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++i)
    if (CPU_ISSET(i, &before)) CPU_SET(i, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);

  EXPECT_EQ(usable_processors(), 1u);

  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
  EXPECT_LE(usable_processors(), static_cast<std::uint32_t>(CPU_COUNT(&before)));
}

}  // namespace
}  // namespace baton
