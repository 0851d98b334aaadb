#include "base/system_memory.h"

#include "base/control_group.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace baton {

namespace {

// What a file of a control group limits to; `otherwise` if it is not there or says "max".
std::uint64_t limit_in(const std::string& file, std::uint64_t otherwise) {
  std::ifstream stream(file);
  std::uint64_t limit = 0;
  return stream >> limit && limit > 0 ? std::min(limit, otherwise) : otherwise;
}

}  // namespace

std::uint64_t limited_memory_bytes(std::uint64_t physical, std::string_view membership,
                                   const std::string& mount) {
  std::uint64_t least = physical;
  each_control_group("memory", membership, mount, [&](const std::string& folder, bool is_v2) {
    least = limit_in(folder + (is_v2 ? "/memory.max" : "/memory.limit_in_bytes"), least);
  });
  return least;
}

std::uint64_t system_memory_bytes() {
  const std::uint64_t physical = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                                 static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return limited_memory_bytes(physical, control_group_membership(), kControlGroupMount);
}

}  // namespace baton
