// Version: what this server calls itself.
#pragma once

#include <string_view>

namespace kv::inline BATON_BUILD {

constexpr std::string_view kVersion = "1.0.0";
/// Whose replies these are; clients choose what they send by it.
constexpr std::string_view kRedisVersion = "7.0.15";

}  // namespace kv::inline BATON_BUILD
