// control_group: the control groups (v1 or v2) that limit this process.
//
// Threads: any.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace baton {

/// Where the kernel mounts them, as far as a process can tell.
inline constexpr const char* kControlGroupMount = "/sys/fs/cgroup";

/// What /proc/self/cgroup says; empty where there is none.
std::string control_group_membership();

/// Calls `look` with the folder of each group that limits the processes of `membership`: of v2, and
/// of v1 those of the controller, as "memory" or "cpu". Each group above limits as well, and in a
/// container the path may be that of the machine outside, where only the root is to be seen; so a
/// folder need not be there.
void each_control_group(std::string_view controller, std::string_view membership,
                        const std::string& mount,
                        const std::function<void(const std::string& folder, bool is_v2)>& look);

}  // namespace baton
