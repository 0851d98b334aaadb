#include "base/control_group.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace baton {

std::string control_group_membership() {
  std::ifstream stream("/proc/self/cgroup");
  return {std::istreambuf_iterator<char>(stream), {}};
}

void each_control_group(std::string_view controller, std::string_view membership,
                        const std::string& mount,
                        const std::function<void(const std::string& folder, bool is_v2)>& look) {
  const std::string wanted = "," + std::string(controller) + ",";
  // Lines of ID:CONTROLLERS:PATH; of v2 the controllers are empty.
  while (!membership.empty()) {
    const std::string_view line = membership.substr(0, membership.find('\n'));
    membership.remove_prefix(std::min(line.size() + 1, membership.size()));
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const bool is_v2 = controllers.empty();
    if (!is_v2 && ("," + std::string(controllers) + ",").find(wanted) == std::string::npos)
      continue;
    const std::string root = is_v2 ? mount : mount + "/" + std::string(controller);
    for (std::string path(line.substr(second + 1));; path.erase(path.rfind('/'))) {
      if (path == "/") path.clear();
      look(root + path, is_v2);
      if (path.find('/') == std::string::npos) break;
    }
  }
}

}  // namespace baton
