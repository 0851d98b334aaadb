#include "base/processors.h"

#include "base/control_group.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <thread>
#include <vector>

namespace baton {

namespace {

// A machine with more is one of some other decade.
constexpr std::size_t kProcessorsMax = 1 << 16;

std::uint32_t allowed_by_affinity() {
  // A kernel built for more processors than a cpu_set_t names wants a larger set.
  std::vector<cpu_set_t> set(1);
  while (sched_getaffinity(0, set.size() * sizeof(cpu_set_t), set.data()) != 0) {
    if (set.size() * sizeof(cpu_set_t) * 8 >= kProcessorsMax)
      return std::max(1u, std::thread::hardware_concurrency());
    set.resize(2 * set.size());
  }
  return static_cast<std::uint32_t>(CPU_COUNT_S(set.size() * sizeof(cpu_set_t), set.data()));
}

// "max 100000" or "150000 100000" of v2; v1 has a file for each, and -1 for no limit.
void limit_by(const std::string& folder, bool is_v2, std::uint32_t& processors) {
  std::int64_t quota = 0, period = 0;
  std::ifstream quotas(folder + (is_v2 ? "/cpu.max" : "/cpu.cfs_quota_us"));
  if (!(quotas >> quota)) return;
  if (is_v2) {
    quotas >> period;
  } else {
    std::ifstream(folder + "/cpu.cfs_period_us") >> period;
  }
  if (quota <= 0 || period <= 0) return;
  const std::int64_t paid = (quota - 1) / period + 1;
  processors = static_cast<std::uint32_t>(std::min<std::int64_t>(processors, paid));
}

}  // namespace

std::uint32_t limited_processors(std::uint32_t allowed, std::string_view membership,
                                 const std::string& mount) {
  std::uint32_t least = std::max(1u, allowed);
  each_control_group("cpu", membership, mount, [&](const std::string& folder, bool is_v2) {
    limit_by(folder, is_v2, least);
  });
  return least;
}

std::uint32_t usable_processors() {
  return limited_processors(allowed_by_affinity(), control_group_membership(), kControlGroupMount);
}

}  // namespace baton
