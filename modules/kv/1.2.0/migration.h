// Migration: between entries that are strings only, as up to 1.1.0, and entries of any type.
//
// Threads: any; the sides are the caller's.
#pragma once

#include "state.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace kv::inline BATON_BUILD {

using Strings = std::unordered_map<std::string, std::string>;

/// The entries of 1.0.0 and 1.1.0 as those of this version.
std::unordered_map<std::string, Value> values_of(const Strings& strings);
/// The way back. Lists are left out: whoever asks has accepted their loss.
Strings strings_of(const std::unordered_map<std::string, Value>& values);

/// How many lists there are.
std::uint64_t count_lists(const State& state);
/// Removes all lists.
void erase_lists(State& state) noexcept;

}  // namespace kv::inline BATON_BUILD
