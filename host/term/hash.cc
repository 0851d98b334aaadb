#include "term/hash.h"

#include "term/layout.h"
#include "term/limits.h"

#include <bit>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace baton::term {

namespace {

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a ^ 0x9e3779b97f4a7c15ull) * (b ^ 0xd6e8feb86659fd93ull);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t hash_bytes(std::string_view bytes) {
  std::uint64_t sum = mixed(bytes.size(), 1);
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const std::size_t n = bytes.size() < 8 ? bytes.size() : 8;
    std::memcpy(&word, bytes.data(), n);
    sum = mixed(sum, word);
    bytes.remove_prefix(n);
  }
  return sum;
}

std::uint64_t hash_below(baton_term t, std::size_t depth) {
  if (is_immediate(t)) return mixed(t, 2);
  if (depth == 0) return 3;
  if (is_cell(t)) {
    std::uint64_t sum = 4;
    for (; is_cell(t); t = tail(t)) sum = mixed(sum, hash_below(head(t), depth - 1));
    return mixed(sum, hash_below(t, depth - 1));
  }
  if (const auto binary = as_binary(t)) return hash_bytes(*binary);
  if (const auto real = as_float(t))
    return mixed(std::bit_cast<std::uint64_t>(*real == 0 ? 0.0 : *real), 5);
  if (const auto map = as_map(t)) {
    std::uint64_t sum = map->size();  // a sum, since the order of the pairs means nothing
    for (std::size_t i = 0; i < map->size(); ++i)
      sum += mixed(hash_below(map->key(i), depth - 1), hash_below(map->value(i), depth - 1));
    return mixed(sum, 6);
  }
  if (const auto external = as_external(t)) return mixed(hash_bytes(*external), 7);
  const baton_term* word = words_at(t);
  std::uint64_t sum = *word;
  const bool is_tuple = header_kind(*word) == BATON_KIND_TUPLE;
  for (std::size_t i = 1; i <= header_size(*word); ++i)
    sum = mixed(sum, is_tuple ? hash_below(word[i], depth - 1) : word[i]);
  return sum;
}

}  // namespace

std::uint64_t hash(baton_term t) { return hash_below(t, kTermDepthMax); }

}  // namespace baton::term
