#include "base/system_memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

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
  // Lines of ID:CONTROLLERS:PATH; of v2 the controllers are empty.
  while (!membership.empty()) {
    const std::string_view line = membership.substr(0, membership.find('\n'));
    membership.remove_prefix(std::min(line.size() + 1, membership.size()));
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const bool is_v2 = controllers.empty();
    if (!is_v2 && ("," + std::string(controllers) + ",").find(",memory,") == std::string::npos)
      continue;
    const std::string root = is_v2 ? mount : mount + "/memory";
    const char* const name = is_v2 ? "/memory.max" : "/memory.limit_in_bytes";
    // Each group above limits as well. In a container the path may be that of the machine outside,
    // and only the root is to be seen.
    for (std::string path(line.substr(second + 1));; path.erase(path.rfind('/'))) {
      if (path == "/") path.clear();
      least = limit_in(root + path + name, least);
      if (path.find('/') == std::string::npos) break;
    }
  }
  return least;
}

std::uint64_t system_memory_bytes() {
  const std::uint64_t physical = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                                 static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  std::ifstream stream("/proc/self/cgroup");
  const std::string membership{std::istreambuf_iterator<char>(stream), {}};
  return limited_memory_bytes(physical, membership, "/sys/fs/cgroup");
}

}  // namespace baton
