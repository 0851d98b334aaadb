// Term: a look at Erlang's values, and the small ones as types of their own.
//
// Atom, Pid, Ref and Port are one word each and live as long as you like. A Term is a view into the
// block of a message and dies with it; TermValue is the owned copy that may be kept. BigInteger
// holds the integers that no machine word can.
//
// Invariants: a Term is never changed through; all accessors have a Requires that the is_ question
//             answers. Not checked: an accessor is one load, and codecs (baton/codec.h) ask first.
// Ownership:  Term borrows; TermValue and BigInteger own.
// Threads:    value types.
#pragma once

#include <baton/abi.h>
#include <baton/text.h>

#include <bit>
#include <compare>
#include <cstring>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace baton::inline v1 {

/// An Erlang atom. Write "ok"_atom; name the ones you make up in BATON_ATOMS so that they print.
struct Atom {
  baton_term word;
  constexpr Atom() : Atom(std::string_view("undefined")) {}
  constexpr explicit Atom(baton_term term) : word(term) {}
  constexpr explicit Atom(std::string_view text)
      : word((text::fnv1a(text) & ~std::uint64_t{7}) | BATON_TAG_ATOM) {}
  friend constexpr auto operator<=>(const Atom&, const Atom&) = default;
};

inline namespace literals {
// clang 14 leaves calls of a consteval function in a template to the linker.
#if defined(__clang__) && __clang_major__ < 15
#define BATON_LITERAL constexpr
#else
#define BATON_LITERAL consteval
#endif
BATON_LITERAL Atom operator""_atom(const char* text, std::size_t size) {
  return Atom(std::string_view(text, size));
}
#undef BATON_LITERAL
}  // namespace literals

/// A process of this node; empty until assigned.
struct Pid {
  baton_term word = BATON_NO_TERM;
  constexpr explicit operator bool() const { return word != BATON_NO_TERM; }
  friend constexpr auto operator<=>(const Pid&, const Pid&) = default;
};

/// Names one monitor, timer or request; empty until assigned.
struct Ref {
  baton_term word = BATON_NO_TERM;
  constexpr explicit operator bool() const { return word != BATON_NO_TERM; }
  friend constexpr auto operator<=>(const Ref&, const Ref&) = default;
};

/// A connection or listener that the host owns; empty until assigned.
struct Port {
  baton_term word = BATON_NO_TERM;
  constexpr explicit operator bool() const { return word != BATON_NO_TERM; }
  friend constexpr auto operator<=>(const Port&, const Port&) = default;
};

/// Where a message goes: a pid or a registered name.
struct ServerRef {
  baton_term word;
  constexpr ServerRef(Pid pid) : word(pid.word) {}     // NOLINT: both stand for a process
  constexpr ServerRef(Atom name) : word(name.word) {}  // NOLINT
};

/// An integer of any size: the sum of limbs[i] * 2^(64 i), negated if negative.
struct BigInteger {
  bool negative = false;
  std::vector<std::uint64_t> limbs;
  friend bool operator==(const BigInteger&, const BigInteger&) = default;
};

class Term {
 public:
  class List;
  class Map;

  constexpr Term() = default;
  constexpr explicit Term(baton_term word) : word_(word) {}
  constexpr baton_term word() const { return word_; }
  constexpr explicit operator bool() const { return word_ != BATON_NO_TERM; }

  constexpr bool is_atom() const { return tag() == BATON_TAG_ATOM; }
  constexpr bool is_atom(Atom atom) const { return word_ == atom.word; }
  constexpr bool is_pid() const { return tag() == BATON_TAG_PID; }
  constexpr bool is_ref() const { return tag() == BATON_TAG_REF; }
  constexpr bool is_port() const { return tag() == BATON_TAG_SPECIAL && (word_ >> 3 & 31) == 1; }
  constexpr bool is_nil() const { return word_ == BATON_NIL; }
  constexpr bool is_list() const { return tag() == BATON_TAG_LIST || is_nil(); }
  constexpr bool is_small() const { return tag() == BATON_TAG_INT; }
  bool is_big() const { return is_kind(BATON_KIND_POSITIVE) || is_kind(BATON_KIND_NEGATIVE); }
  bool is_integer() const { return is_small() || is_big(); }
  bool is_float() const { return is_kind(BATON_KIND_FLOAT); }
  bool is_tuple() const { return is_kind(BATON_KIND_TUPLE); }
  bool is_tuple(std::size_t size) const { return is_tuple() && this->size() == size; }
  bool is_binary() const { return is_kind(BATON_KIND_BINARY) || is_kind(BATON_KIND_SHARED); }
  bool is_map() const { return is_kind(BATON_KIND_MAP); }
  bool is_external() const { return is_kind(BATON_KIND_EXTERNAL); }

  /// Requires: the matching is_ question.
  constexpr std::int64_t small() const { return static_cast<std::int64_t>(word_) >> 3; }
  constexpr Atom atom() const { return Atom(word_); }
  constexpr Pid pid() const { return {word_}; }
  constexpr Ref ref() const { return {word_}; }
  constexpr Port port() const { return {word_}; }
  double number() const { return std::bit_cast<double>(box()[1]); }
  std::string_view binary() const {
    if (kind() == BATON_KIND_BINARY) return {reinterpret_cast<const char*>(box() + 1), size()};
    const auto* shared = reinterpret_cast<const baton_binary*>(box()[1]);
    return {reinterpret_cast<const char*>(shared->bytes), size()};
  }
  /// Elements of a tuple, bytes of a binary, pairs of a map, limbs of a big integer.
  std::size_t size() const { return box()[0] >> 8; }
  /// Element of a tuple, counted from 0. Requires: is_tuple and i < size().
  Term operator[](std::size_t i) const { return Term(box()[1 + i]); }
  /// The elements; those before the tail if the list is improper. Requires: is_list.
  List list() const;
  /// The pairs. Requires: is_map.
  Map map() const;
  /// The value under a key of this map, or an empty Term. Requires: is_map.
  Term get(Term key) const;
  Term get(Atom key) const { return get(Term(key.word)); }
  /// The integer, if it fits. Requires: is_integer.
  std::optional<std::int64_t> to_int64() const;
  std::optional<std::uint64_t> to_uint64() const;
  /// Requires: is_integer.
  BigInteger to_big() const;

  /// Erlang's =:=.
  friend bool operator==(Term a, Term b) { return a.word_ == b.word_ || same(a, b); }

  constexpr unsigned tag() const { return word_ & 7; }
  /// The words behind it, header first. Requires: something boxed.
  const baton_term* box() const { return reinterpret_cast<const baton_term*>(word_); }
  unsigned kind() const { return box()[0] >> 3 & 31; }
  /// Head and tail. Requires: a list that is not nil.
  const baton_term* cell() const {
    return reinterpret_cast<const baton_term*>(word_ & ~baton_term{7});
  }
  bool is_boxed() const { return tag() == BATON_TAG_BOXED && word_ != BATON_NO_TERM; }

 private:
  bool is_kind(unsigned wanted) const { return is_boxed() && kind() == wanted; }
  static bool same(Term a, Term b);

  baton_term word_ = BATON_NO_TERM;
};

class Term::List {
 public:
  class iterator {
   public:
    using value_type = Term;
    using difference_type = std::ptrdiff_t;
    iterator() = default;
    explicit iterator(Term at) : at_(at) {}
    Term operator*() const { return Term(at_.cell()[0]); }
    iterator& operator++() { return at_ = Term(at_.cell()[1]), *this; }
    iterator operator++(int) { return std::exchange(*this, iterator(Term(at_.cell()[1]))); }
    /// What is left of the list here.
    Term rest() const { return at_; }
    friend bool operator==(const iterator& i, std::default_sentinel_t) {
      return i.at_.tag() != BATON_TAG_LIST;
    }
    friend bool operator==(const iterator& i, const iterator& j) {
      return i.at_.word() == j.at_.word();
    }

   private:
    Term at_;
  };
  explicit List(Term head) : head_(head) {}
  iterator begin() const { return iterator(head_); }
  std::default_sentinel_t end() const { return {}; }

 private:
  Term head_;
};

class Term::Map {
 public:
  class iterator {
   public:
    using value_type = std::pair<Term, Term>;
    using difference_type = std::ptrdiff_t;
    iterator() = default;
    explicit iterator(const baton_term* at) : at_(at) {}
    value_type operator*() const { return {Term(at_[0]), Term(at_[1])}; }
    iterator& operator++() { return at_ += 2, *this; }
    iterator operator++(int) { return std::exchange(*this, iterator(at_ + 2)); }
    friend bool operator==(const iterator&, const iterator&) = default;

   private:
    const baton_term* at_ = nullptr;
  };
  explicit Map(Term map) : map_(map) {}
  iterator begin() const { return iterator(map_.box() + 1); }
  iterator end() const { return iterator(map_.box() + 1 + 2 * map_.size()); }

 private:
  Term map_;
};

inline Term::List Term::list() const { return List(*this); }
inline Term::Map Term::map() const { return Map(*this); }

inline Term Term::get(Term key) const {
  for (auto [k, v] : map())
    if (k == key) return v;
  return {};
}

inline std::optional<std::uint64_t> Term::to_uint64() const {
  if (is_small()) return small() < 0 ? std::nullopt : std::optional<std::uint64_t>(small());
  if (kind() == BATON_KIND_NEGATIVE || size() != 1) return std::nullopt;
  return box()[1];
}

inline std::optional<std::int64_t> Term::to_int64() const {
  if (is_small()) return small();
  if (size() != 1) return std::nullopt;
  const std::uint64_t limb = box()[1], half = std::uint64_t{1} << 63;
  if (kind() == BATON_KIND_POSITIVE)
    return limb < half ? std::optional<std::int64_t>(limb) : std::nullopt;
  return limb <= half ? std::optional<std::int64_t>(0 - limb) : std::nullopt;
}

inline BigInteger Term::to_big() const {
  if (!is_small()) return {kind() == BATON_KIND_NEGATIVE, {box() + 1, box() + 1 + size()}};
  const std::int64_t value = small();
  if (value == 0) return {};
  return {value < 0, {value < 0 ? 0 - static_cast<std::uint64_t>(value) : value}};
}

// With a list of what is left to compare instead of recursion, since a sender decides how deep a
// term is.
inline bool Term::same(Term a, Term b) {
  std::vector<std::pair<Term, Term>> left{{a, b}};
  while (!left.empty()) {
    std::tie(a, b) = left.back();
    left.pop_back();
    if (a.word_ == b.word_) continue;
    if (a.tag() == BATON_TAG_LIST && b.tag() == BATON_TAG_LIST) {
      left.emplace_back(Term(a.cell()[1]), Term(b.cell()[1]));
      left.emplace_back(Term(a.cell()[0]), Term(b.cell()[0]));
      continue;
    }
    if (a.is_binary() && b.is_binary()) {
      if (a.binary() != b.binary()) return false;
      continue;
    }
    if (!a.is_boxed() || !b.is_boxed() || a.box()[0] != b.box()[0]) return false;
    switch (a.kind()) {
      case BATON_KIND_TUPLE:
        for (std::size_t i = 0; i < a.size(); ++i) left.emplace_back(a[i], b[i]);
        break;
      case BATON_KIND_MAP:
        for (auto [key, value] : a.map()) {
          const Term other = b.get(key);
          if (!other) return false;
          left.emplace_back(value, other);
        }
        break;
      case BATON_KIND_FLOAT:
        if (a.number() != b.number()) return false;
        break;
      case BATON_KIND_EXTERNAL:
        if (std::memcmp(a.box() + 1, b.box() + 1, a.size()) != 0) return false;
        break;
      default:
        if (std::memcmp(a.box() + 1, b.box() + 1, a.size() * 8) != 0) return false;
    }
  }
  return true;
}

}  // namespace baton::inline v1

template <>
struct std::hash<baton::Atom> {
  std::size_t operator()(baton::Atom atom) const noexcept { return atom.word >> 3; }
};
template <>
struct std::hash<baton::Pid> {
  std::size_t operator()(baton::Pid pid) const noexcept { return pid.word >> 3; }
};
template <>
struct std::hash<baton::Ref> {
  std::size_t operator()(baton::Ref ref) const noexcept { return ref.word >> 3; }
};
template <>
struct std::hash<baton::Port> {
  std::size_t operator()(baton::Port port) const noexcept { return port.word >> 3; }
};
