#include "list.h"

namespace kv::inline BATON_BUILD {
namespace {

constexpr std::size_t kFrontItemsMin = 4;

}  // namespace

void List::push_front(std::string_view element) {
  if (first == 0) {
    // Half as much again: so that pushing n elements moves each a limited number of times.
    const std::size_t room = kFrontItemsMin + items.size() / 2;
    items.insert(items.begin(), room, std::string());
    first = room;
  }
  items[first - 1].assign(element);
  --first;
}

std::string List::pop_front() {
  std::string element = std::move(items[first]);
  ++first;
  if (first > kFrontItemsMin + items.size() / 2) {
    items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(first));
    first = 0;
  }
  return element;
}

std::string List::pop_back() {
  std::string element = std::move(items.back());
  items.pop_back();
  return element;
}

}  // namespace kv::inline BATON_BUILD
