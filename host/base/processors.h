// processors: how many processors' worth of time this process may use.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace baton {

/// Those that its affinity leaves to this process, or as many as the quota of a control group (v1
/// or v2) pays for, rounded up. At least 1.
std::uint32_t usable_processors();

/// The same, of a process with `allowed` ones, whose /proc/self/cgroup says `membership` and whose
/// control groups are mounted at `mount`.
std::uint32_t limited_processors(std::uint32_t allowed, std::string_view membership,
                                 const std::string& mount);

}  // namespace baton
