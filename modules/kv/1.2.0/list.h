// List: the elements of a list value, with cheap pushes and pops at both ends.
//
// A vector with room at its front. Not a std::deque: an empty one of those takes 650 bytes, and a
// value that may be one grows from 40 to 88, which counts a million times.
//
// Invariants:
//   (1) first <= items.size(); the items before first are empty strings.
// Threads: a value type.
#pragma once

#include <baton/state.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kv::inline BATON_BUILD {

struct List {
  std::vector<std::string> items;
  std::uint64_t first = 0;

  std::size_t size() const { return items.size() - first; }
  /// Requires: index < size().
  const std::string& operator[](std::size_t index) const { return items[first + index]; }
  void push_front(std::string_view element);
  void push_back(std::string_view element) { items.emplace_back(element); }
  /// Requires: size() > 0.
  std::string pop_front();
  std::string pop_back();

  bool operator==(const List&) const = default;
};
BATON_STATE(List, items, first)

}  // namespace kv::inline BATON_BUILD
