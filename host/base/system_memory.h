// system_memory: how much memory this process may use.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace baton {

/// The machine's memory, or the limit of a control group (v1 or v2) that this process is in.
std::uint64_t system_memory_bytes();

/// The same, of a machine with `physical` bytes, whose /proc/self/cgroup says `membership` and
/// whose control groups are mounted at `mount`.
std::uint64_t limited_memory_bytes(std::uint64_t physical, std::string_view membership,
                                   const std::string& mount);

}  // namespace baton
