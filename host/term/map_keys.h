// MapKeys: finding equal keys among the pairs of a map.
//
// By hash first, so that large keys are hardly ever compared in full.
//
// Threads: any.
#pragma once

#include "term/layout.h"

#include <baton/abi.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace baton::term {

/// A key, where it stands in its map, and its hash.
struct HashedKey {
  std::uint64_t hash;
  baton_term key;
  std::size_t index;
};
/// All keys, sorted by hash and then by key_order: equal keys are neighbours, in the order they
/// stood.
std::vector<HashedKey> sorted_keys(MapView map);

bool has_equal_keys(MapView map);
/// `words` are keys and values in turn; of equal keys only the last pair stays. How many pairs are
/// left, in front.
std::size_t keep_last_of_equal_keys(std::span<baton_term> words);

}  // namespace baton::term
