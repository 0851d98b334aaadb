// Layout: reading a baton_term as what it is.
//
// The word layout is drawn in baton/abi.h; these are its accessors. `as_...` functions answer
// nothing when the term is of another type, and are safe on every well-formed term and on 0, which
// is "no term".
//
// Ownership: views and string_views borrow from the block that owns the term.
// Threads:   any; terms are immutable.
#pragma once

#include "base/check.h"

#include <baton/abi.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace baton::term {

// ---- Words ----

constexpr unsigned tag_of(baton_term t) { return t & 7; }
constexpr bool is_atom(baton_term t) { return tag_of(t) == BATON_TAG_ATOM; }
constexpr bool is_pid(baton_term t) { return tag_of(t) == BATON_TAG_PID; }
constexpr bool is_ref(baton_term t) { return tag_of(t) == BATON_TAG_REF; }
constexpr bool is_nil(baton_term t) { return t == BATON_NIL; }
constexpr bool is_cell(baton_term t) { return tag_of(t) == BATON_TAG_LIST; }
constexpr bool is_boxed(baton_term t) { return tag_of(t) == BATON_TAG_BOXED && t != BATON_NO_TERM; }
constexpr bool is_small(baton_term t) { return tag_of(t) == BATON_TAG_INT; }
/// Wholly in its word: lives without a block.
constexpr bool is_immediate(baton_term t) { return !is_boxed(t) && !is_cell(t); }

constexpr bool fits_int(std::int64_t value) {
  return value >= BATON_INT_MIN && value <= BATON_INT_MAX;
}
/// Requires: fits_int(value). A Builder makes the others.
constexpr baton_term make_int(std::int64_t value) {
  BATON_CHECK(fits_int(value), "an INT holds 61 bits");
  return static_cast<std::uint64_t>(value) << 3 | BATON_TAG_INT;
}
/// The value if it is an integer of 61 bits.
constexpr std::optional<std::int64_t> as_int(baton_term t) {
  if (!is_small(t)) return std::nullopt;
  return static_cast<std::int64_t>(t) >> 3;
}

struct Pid {
  std::uint32_t index;
  std::uint32_t generation;
};
inline constexpr std::uint32_t kPidIndexMax = (1u << 29) - 1;
/// Requires: index <= kPidIndexMax.
constexpr baton_term make_pid(std::uint32_t index, std::uint32_t generation) {
  BATON_CHECK(index <= kPidIndexMax);
  return std::uint64_t{generation} << 32 | std::uint64_t{index} << 3 | BATON_TAG_PID;
}
constexpr std::optional<Pid> as_pid(baton_term t) {
  if (!is_pid(t)) return std::nullopt;
  return Pid{static_cast<std::uint32_t>(t >> 3) & kPidIndexMax,
             static_cast<std::uint32_t>(t >> 32)};
}

struct Ref {
  std::uint64_t counter;
  std::uint32_t maker;
};
inline constexpr std::uint64_t kRefCounterMax = (std::uint64_t{1} << 52) - 1;
inline constexpr std::uint32_t kRefMakerMax = (1u << 9) - 1;
/// Requires: both within their limits.
constexpr baton_term make_ref(std::uint64_t counter, std::uint32_t maker) {
  BATON_CHECK(counter <= kRefCounterMax && maker <= kRefMakerMax);
  return counter << 12 | std::uint64_t{maker} << 3 | BATON_TAG_REF;
}
constexpr std::optional<Ref> as_ref(baton_term t) {
  if (!is_ref(t)) return std::nullopt;
  return Ref{t >> 12, static_cast<std::uint32_t>(t >> 3) & kRefMakerMax};
}

struct Port {
  std::uint32_t index;
  std::uint32_t generation;
};
inline constexpr std::uint32_t kPortIndexMax = (1u << 24) - 1;
inline constexpr baton_term kPortWord = 1 << 3 | BATON_TAG_SPECIAL;
constexpr bool is_port(baton_term t) { return (t & 0xff) == kPortWord; }
/// Requires: index <= kPortIndexMax.
constexpr baton_term make_port(std::uint32_t index, std::uint32_t generation) {
  BATON_CHECK(index <= kPortIndexMax);
  return std::uint64_t{generation} << 32 | std::uint64_t{index} << 8 | kPortWord;
}
constexpr std::optional<Port> as_port(baton_term t) {
  if (!is_port(t)) return std::nullopt;
  return Port{static_cast<std::uint32_t>(t >> 8) & kPortIndexMax,
              static_cast<std::uint32_t>(t >> 32)};
}

// ---- Headers ----

constexpr baton_term make_header(unsigned kind, std::uint64_t size) {
  return size << 8 | kind << 3 | BATON_TAG_HEADER;
}
constexpr unsigned header_kind(baton_term header) { return (header >> 3) & 31; }
constexpr std::uint64_t header_size(baton_term header) { return header >> 8; }
/// How many words follow this header.
constexpr std::uint64_t payload_words(baton_term header) {
  const std::uint64_t size = header_size(header);
  switch (header_kind(header)) {
    case BATON_KIND_FLOAT: return 1;
    case BATON_KIND_BINARY:
    case BATON_KIND_EXTERNAL: return (size + 7) / 8;
    case BATON_KIND_SHARED: return 2;
    case BATON_KIND_MAP: return 2 * size;
    default: return size;
  }
}

/// The words a BOXED or LIST term points at: a header and what follows, or a cell's head and tail.
inline const baton_term* words_at(baton_term t) {
  return reinterpret_cast<const baton_term*>(t & ~baton_term{7});
}
inline baton_term boxed_at(const baton_term* header) {
  return reinterpret_cast<baton_term>(header);
}
inline baton_term cell_at(const baton_term* head) {
  return reinterpret_cast<baton_term>(head) | BATON_TAG_LIST;
}
inline bool is_kind(baton_term t, unsigned kind) {
  return is_boxed(t) && header_kind(*words_at(t)) == kind;
}

// ---- Views ----

using TupleView = std::span<const baton_term>;
inline std::optional<TupleView> as_tuple(baton_term t) {
  if (!is_kind(t, BATON_KIND_TUPLE)) return std::nullopt;
  return TupleView(words_at(t) + 1, header_size(*words_at(t)));
}

inline std::optional<double> as_float(baton_term t) {
  if (!is_kind(t, BATON_KIND_FLOAT)) return std::nullopt;
  double value;
  std::memcpy(&value, words_at(t) + 1, sizeof value);
  return value;
}

/// The bytes of a BINARY or SHARED.
inline std::optional<std::string_view> as_binary(baton_term t) {
  if (!is_boxed(t)) return std::nullopt;
  const baton_term* word = words_at(t);
  if (header_kind(*word) == BATON_KIND_BINARY)
    return std::string_view(reinterpret_cast<const char*>(word + 1), header_size(*word));
  if (header_kind(*word) != BATON_KIND_SHARED) return std::nullopt;
  const auto* shared = reinterpret_cast<const baton_binary*>(word[1]);
  return std::string_view(reinterpret_cast<const char*>(shared->bytes), header_size(*word));
}

/// The bytes of an EXTERNAL: one term in external form, without the version byte.
inline std::optional<std::string_view> as_external(baton_term t) {
  if (!is_kind(t, BATON_KIND_EXTERNAL)) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(words_at(t) + 1),
                          header_size(*words_at(t)));
}

/// An integer beyond INT: its sign and its limbs, least significant first.
struct BigView {
  bool negative;
  std::span<const std::uint64_t> limbs;
};
inline std::optional<BigView> as_big(baton_term t) {
  if (!is_boxed(t)) return std::nullopt;
  const baton_term* word = words_at(t);
  const unsigned kind = header_kind(*word);
  if (kind != BATON_KIND_POSITIVE && kind != BATON_KIND_NEGATIVE) return std::nullopt;
  return BigView{kind == BATON_KIND_NEGATIVE, {word + 1, header_size(*word)}};
}

/// The pairs of a map, in the order they lie there.
class MapView {
 public:
  explicit MapView(std::span<const baton_term> words) : words_(words) {}
  std::size_t size() const { return words_.size() / 2; }
  baton_term key(std::size_t i) const { return words_[2 * i]; }
  baton_term value(std::size_t i) const { return words_[2 * i + 1]; }

 private:
  std::span<const baton_term> words_;
};
inline std::optional<MapView> as_map(baton_term t) {
  if (!is_kind(t, BATON_KIND_MAP)) return std::nullopt;
  return MapView({words_at(t) + 1, 2 * header_size(*words_at(t))});
}

inline baton_term head(baton_term cell) { return words_at(cell)[0]; }
inline baton_term tail(baton_term cell) { return words_at(cell)[1]; }

/// The elements of a list, for a range loop; it ends at the first tail that is no cell, and any
/// term that is no list has none. To know whether the list was proper use list_length.
class ListView {
 public:
  class Iterator {
   public:
    explicit Iterator(baton_term rest) : rest_(rest) {}
    baton_term operator*() const { return head(rest_); }
    Iterator& operator++() { return rest_ = tail(rest_), *this; }
    bool operator!=(const Iterator&) const { return is_cell(rest_); }

   private:
    baton_term rest_;
  };
  explicit ListView(baton_term list) : list_(list) {}
  Iterator begin() const { return Iterator(list_); }
  Iterator end() const { return Iterator(BATON_NIL); }

 private:
  baton_term list_;
};
inline ListView elements(baton_term list) { return ListView(list); }

/// How many elements a proper list has; nothing for any other term.
inline std::optional<std::size_t> list_length(baton_term t) {
  std::size_t length = 0;
  for (; is_cell(t); t = tail(t)) ++length;
  if (!is_nil(t)) return std::nullopt;
  return length;
}

}  // namespace baton::term
