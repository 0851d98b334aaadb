#include "term/builder.h"

#include "term/binary.h"
#include "term/layout.h"
#include "term/map_keys.h"

#include <algorithm>
#include <cstring>

namespace baton::term {

namespace {
constexpr std::size_t kChunkWords = 1024;
}

Builder::~Builder() {
  for (baton_binary* binary : shared_) release(binary);
}

baton_term* Builder::take(std::size_t words) {
  if (words > left_) {
    const std::size_t chunk = std::max(words, kChunkWords);
    chunks_.push_back(std::make_unique_for_overwrite<baton_term[]>(chunk));
    next_ = chunks_.back().get();
    left_ = chunk;
  }
  left_ -= words;
  return std::exchange(next_, next_ + words);
}

baton_term Builder::integer(std::int64_t value) {
  if (fits_int(value)) return make_int(value);
  const std::uint64_t limb = value < 0 ? 0 - static_cast<std::uint64_t>(value) : value;
  return big(value < 0, {&limb, 1});
}

baton_term Builder::unsigned_integer(std::uint64_t value) { return big(false, {&value, 1}); }

baton_term Builder::big(bool negative, std::span<const std::uint64_t> limbs) {
  while (!limbs.empty() && limbs.back() == 0) limbs = limbs.first(limbs.size() - 1);
  if (limbs.empty()) return make_int(0);
  const std::uint64_t least = static_cast<std::uint64_t>(BATON_INT_MAX) + (negative ? 1 : 0);
  if (limbs.size() == 1 && limbs[0] <= least) {
    const auto value = static_cast<std::int64_t>(limbs[0]);
    return make_int(negative ? -value : value);
  }
  baton_term* to = take(1 + limbs.size());
  to[0] = make_header(negative ? BATON_KIND_NEGATIVE : BATON_KIND_POSITIVE, limbs.size());
  std::copy(limbs.begin(), limbs.end(), to + 1);
  return boxed_at(to);
}

baton_term Builder::real(double value) {
  baton_term* to = take(2);
  to[0] = make_header(BATON_KIND_FLOAT, 1);
  std::memcpy(to + 1, &value, sizeof value);
  return boxed_at(to);
}

baton_term Builder::bytes_of(unsigned kind, std::string_view bytes) {
  const baton_term header = make_header(kind, bytes.size());
  const std::size_t payload = payload_words(header);
  baton_term* to = take(1 + payload);
  to[0] = header;
  if (payload != 0) to[payload] = 0;  // no stray bytes in the padding
  if (!bytes.empty()) std::memcpy(to + 1, bytes.data(), bytes.size());
  return boxed_at(to);
}

baton_term Builder::binary(std::string_view bytes) { return bytes_of(BATON_KIND_BINARY, bytes); }
baton_term Builder::external(std::string_view bytes) {
  return bytes_of(BATON_KIND_EXTERNAL, bytes);
}

baton_term Builder::shared(baton_binary* bytes) {
  shared_.push_back(bytes);
  retain(bytes);
  baton_term* to = take(3);
  to[0] = make_header(BATON_KIND_SHARED, bytes->size);
  to[1] = reinterpret_cast<baton_term>(bytes);
  to[2] = 0;
  return boxed_at(to);
}

baton_term Builder::tuple(Terms elements) {
  baton_term* to = take(1 + elements.size());
  to[0] = make_header(BATON_KIND_TUPLE, elements.size());
  std::copy(elements.begin(), elements.end(), to + 1);
  return boxed_at(to);
}

baton_term Builder::cons(baton_term head, baton_term tail) {
  baton_term* to = take(2);
  to[0] = head;
  to[1] = tail;
  return cell_at(to);
}

baton_term Builder::list(Terms elements, baton_term tail) {
  for (std::size_t i = elements.size(); i-- > 0;) tail = cons(elements[i], tail);
  return tail;
}

baton_term Builder::byte_list(std::string_view bytes, baton_term tail) {
  for (std::size_t i = bytes.size(); i-- > 0;)
    tail = cons(make_int(static_cast<unsigned char>(bytes[i])), tail);
  return tail;
}

baton_term Builder::map(std::span<const Pair> pairs) {
  std::vector<baton_term> words;
  words.reserve(2 * pairs.size());
  for (const auto& [key, value] : pairs) words.insert(words.end(), {key, value});
  words.resize(2 * keep_last_of_equal_keys(words));
  baton_term* to = take(1 + words.size());
  to[0] = make_header(BATON_KIND_MAP, words.size() / 2);
  std::copy(words.begin(), words.end(), to + 1);
  return boxed_at(to);
}

Result<baton_term> Builder::copy(baton_term t) {
  if (is_immediate(t)) return t;
  BATON_ASSIGN(Block block, Block::copy_of(t));
  copies_.push_back(std::move(block));
  return copies_.back().root();
}

}  // namespace baton::term
