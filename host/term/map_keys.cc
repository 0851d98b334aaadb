#include "term/map_keys.h"

#include "term/compare.h"
#include "term/hash.h"

#include <algorithm>

namespace baton::term {

namespace {
// Up to this many keys that are single words are compared each with each, without any memory.
constexpr std::size_t kFewKeys = 16;

bool is_few_words(MapView map) {
  if (map.size() > kFewKeys) return false;
  for (std::size_t i = 0; i < map.size(); ++i)
    if (!is_immediate(map.key(i))) return false;
  return true;
}
}  // namespace

std::vector<HashedKey> sorted_keys(MapView map) {
  std::vector<HashedKey> keys;
  keys.reserve(map.size());
  for (std::size_t i = 0; i < map.size(); ++i) keys.push_back({hash(map.key(i)), map.key(i), i});
  std::sort(keys.begin(), keys.end(), [](const HashedKey& a, const HashedKey& b) {
    if (a.hash != b.hash) return a.hash < b.hash;
    if (a.key != b.key) {
      const auto by_key = key_order(a.key, b.key);
      if (by_key != 0) return by_key < 0;
    }
    return a.index < b.index;
  });
  return keys;
}

bool has_equal_keys(MapView map) {
  if (is_few_words(map)) {
    for (std::size_t i = 1; i < map.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (map.key(i) == map.key(j)) return true;
    return false;
  }
  const std::vector<HashedKey> keys = sorted_keys(map);
  for (std::size_t i = 1; i < keys.size(); ++i)
    if (keys[i].hash == keys[i - 1].hash && equal(keys[i].key, keys[i - 1].key)) return true;
  return false;
}

std::size_t keep_last_of_equal_keys(std::span<baton_term> words) {
  if (!has_equal_keys(MapView(words))) return words.size() / 2;
  const std::vector<HashedKey> keys = sorted_keys(MapView(words));
  std::vector<bool> is_replaced(keys.size());
  for (std::size_t i = 1; i < keys.size(); ++i)
    if (keys[i].hash == keys[i - 1].hash && equal(keys[i].key, keys[i - 1].key))
      is_replaced[keys[i - 1].index] = true;
  std::size_t left = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (is_replaced[i]) continue;
    words[2 * left] = words[2 * i];
    words[2 * left + 1] = words[2 * i + 1];
    ++left;
  }
  return left;
}

}  // namespace baton::term
