#include "term/compare.h"

#include "term/hash.h"
#include "term/integer.h"
#include "term/layout.h"
#include "term/limits.h"
#include "term/map_keys.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <deque>
#include <optional>
#include <vector>

namespace baton::term {

namespace {

template <class T>
int sign_of(T a, T b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

enum Rank {
  kInteger,
  kFloat,
  kAtom,
  kReference,
  kFun,
  kPort,
  kPid,
  kTuple,
  kMap,
  kNil,
  kList,
  kBitstring,
  kNothing
};

Rank rank_of_external(std::string_view bytes) {
  switch (bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0])) {
    case 77: return kBitstring;
    case 88: return kPid;
    case 90: return kReference;
    case 112:
    case 113: return kFun;
    case 120: return kPort;
    default: return kNothing;
  }
}

Rank rank_of(baton_term t) {
  switch (tag_of(t)) {
    case BATON_TAG_INT: return kInteger;
    case BATON_TAG_ATOM: return kAtom;
    case BATON_TAG_PID: return kPid;
    case BATON_TAG_REF: return kReference;
    case BATON_TAG_LIST: return kList;
    case BATON_TAG_SPECIAL: return is_nil(t) ? kNil : is_port(t) ? kPort : kNothing;
    default: break;
  }
  if (!is_boxed(t)) return kNothing;
  switch (header_kind(*words_at(t))) {
    case BATON_KIND_TUPLE: return kTuple;
    case BATON_KIND_FLOAT: return kFloat;
    case BATON_KIND_POSITIVE:
    case BATON_KIND_NEGATIVE: return kInteger;
    case BATON_KIND_BINARY:
    case BATON_KIND_SHARED: return kBitstring;
    case BATON_KIND_MAP: return kMap;
    case BATON_KIND_EXTERNAL: return rank_of_external(*as_external(t));
    default: return kNothing;
  }
}

int compare_magnitudes(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  if (a.size() != b.size()) return sign_of(a.size(), b.size());
  for (std::size_t i = a.size(); i-- > 0;)
    if (a[i] != b[i]) return sign_of(a[i], b[i]);
  return 0;
}

int compare_integers(baton_term a, baton_term b) {
  const auto small_a = as_int(a), small_b = as_int(b);
  if (small_a && small_b) return sign_of(*small_a, *small_b);
  if (small_a) return as_big(b)->negative ? 1 : -1;
  if (small_b) return as_big(a)->negative ? -1 : 1;
  const BigView big_a = *as_big(a), big_b = *as_big(b);
  if (big_a.negative != big_b.negative) return big_a.negative ? -1 : 1;
  const int magnitudes = compare_magnitudes(big_a.limbs, big_b.limbs);
  return big_a.negative ? -magnitudes : magnitudes;
}

int compare_floats(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return std::isnan(a) && std::isnan(b)
               ? sign_of(std::bit_cast<std::uint64_t>(a), std::bit_cast<std::uint64_t>(b))
               : sign_of(std::isnan(a), std::isnan(b));
  return sign_of(a, b);
}

// By value and without rounding, so that the order stays an order: 2^60 + 1 is more than 2.0^60.
int compare_integer_float(baton_term integer, double real) {
  if (std::isnan(real)) return -1;
  if (std::isinf(real)) return real > 0 ? -1 : 1;
  const double whole = std::trunc(real);
  if (const auto small = as_int(integer)) {
    constexpr double kBeyondInt = 1152921504606846976.0;  // 2^60
    if (whole >= kBeyondInt) return -1;
    if (whole < -kBeyondInt) return 1;
    const auto rounded = static_cast<std::int64_t>(whole);
    return *small != rounded ? sign_of(*small, rounded) : sign_of(whole, real);
  }
  const BigView big = *as_big(integer);
  if (std::abs(whole) < 9007199254740992.0 || big.negative != (whole < 0))
    return big.negative ? -1 : 1;
  const FloatLimbs limbs(whole);  // beyond 2^53 a float is a whole number
  const int magnitudes = compare_magnitudes(big.limbs, limbs.span());
  return big.negative ? -magnitudes : magnitudes;
}

int compare_bytes(std::string_view a, std::string_view b) {
  const int front = std::memcmp(a.data(), b.data(), std::min(a.size(), b.size()));
  return front != 0 ? front : sign_of(a.size(), b.size());
}

// What comparing goes through: arrays of terms, pairwise from left to right.
struct Frame {
  const baton_term* a;
  const baton_term* b;
  std::size_t left;
  bool keys;  // compare by type too
};

class Comparison {
 public:
  Comparison(const AtomTable* atoms, std::size_t map_depth)
      : atoms_(atoms), map_depth_(map_depth) {}

  int run(baton_term a, baton_term b, bool keys) {
    for (;;) {
      const int result = a == b ? 0 : step(a, b, keys);
      if (result != 0) return result;
      while (!frames_.empty() && frames_.back().left == 0) frames_.pop_back();
      if (frames_.empty()) return 0;
      Frame& top = frames_.back();
      a = *top.a++;
      b = *top.b++;
      keys = top.keys;
      if (--top.left == 0) frames_.pop_back();  // now, so that a long list takes no room
    }
  }

 private:
  int step(baton_term a, baton_term b, bool keys) {
    const Rank rank = rank_of(a), other = rank_of(b);
    if (rank != other) {
      if (keys || rank > kFloat || other > kFloat) return sign_of<int>(rank, other);
      return rank == kInteger ? compare_integer_float(a, *as_float(b))
                              : -compare_integer_float(b, *as_float(a));
    }
    switch (rank) {
      case kInteger: return compare_integers(a, b);
      case kFloat: return compare_floats(*as_float(a), *as_float(b));
      case kAtom: return compare_atoms(a, b);
      case kTuple: {
        const TupleView x = *as_tuple(a), y = *as_tuple(b);
        if (x.size() != y.size()) return sign_of(x.size(), y.size());
        push(x.data(), y.data(), x.size(), keys);
        return 0;
      }
      case kList: push(words_at(a), words_at(b), 2, keys); return 0;
      case kMap: return step_maps(*as_map(a), *as_map(b), keys);
      default: return compare_opaque(a, b);
    }
  }

  int compare_atoms(baton_term a, baton_term b) const {
    if (atoms_ == nullptr) return sign_of(a, b);
    const auto x = atoms_->text(a), y = atoms_->text(b);
    if (x && y) return compare_bytes(*x, *y);
    return x ? -1 : y ? 1 : sign_of(a, b);
  }

  // References, ports, pids, funs and bitstrings: those in one word come before those in bytes.
  static int compare_opaque(baton_term a, baton_term b) {
    if (is_immediate(a) || is_immediate(b))
      return is_immediate(a) && is_immediate(b) ? sign_of(a, b) : is_immediate(a) ? -1 : 1;
    const auto x = as_binary(a), y = as_binary(b);
    if (x && y) return compare_bytes(*x, *y);
    if (x || y) return x ? -1 : 1;
    return compare_bytes(*as_external(a), *as_external(b));
  }

  // Size, then the keys in their order, then the values in the order of their keys.
  int step_maps(MapView a, MapView b, bool keys) {
    if (a.size() != b.size()) return sign_of(a.size(), b.size());
    if (map_depth_ == 0) return sign_of(hash_of(a), hash_of(b));
    const std::vector<baton_term>& x = sorted(a);
    const std::vector<baton_term>& y = sorted(b);
    const std::size_t size = a.size();
    push(x.data() + size, y.data() + size, size, keys);
    push(x.data(), y.data(), size, true);
    return 0;
  }

  static std::uint64_t hash_of(MapView map) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < map.size(); ++i) sum += hash(map.key(i)) ^ hash(map.value(i));
    return sum;
  }

  // The keys in order, then their values.
  const std::vector<baton_term>& sorted(MapView map) {
    std::vector<std::size_t> at(map.size());
    for (std::size_t i = 0; i < at.size(); ++i) at[i] = i;
    std::sort(at.begin(), at.end(), [&](std::size_t i, std::size_t j) {
      return Comparison(atoms_, map_depth_ - 1).run(map.key(i), map.key(j), true) < 0;
    });
    std::vector<baton_term>& words = scratch_.emplace_back(2 * at.size());
    for (std::size_t i = 0; i < at.size(); ++i) {
      words[i] = map.key(at[i]);
      words[at.size() + i] = map.value(at[i]);
    }
    return words;
  }

  void push(const baton_term* a, const baton_term* b, std::size_t n, bool keys) {
    if (n != 0) frames_.push_back({a, b, n, keys});
  }

  const AtomTable* const atoms_;
  const std::size_t map_depth_;
  std::vector<Frame> frames_;
  std::deque<std::vector<baton_term>> scratch_;
};

std::weak_ordering compared(baton_term a, baton_term b, const AtomTable* atoms, bool keys) {
  return Comparison(atoms, kTermDepthMax).run(a, b, keys) <=> 0;
}

// Equality needs no order: maps match by the hashes of their keys, which spares comparing large
// keys often.
class Equality {
 public:
  bool run(baton_term a, baton_term b) {
    push(a, b);
    while (!waiting_.empty()) {
      const auto [x, y] = waiting_.back();
      waiting_.pop_back();
      if (!step(x, y)) return false;
    }
    return true;
  }

 private:
  void push(baton_term a, baton_term b) { waiting_.emplace_back(a, b); }

  // Words that differ: are they the same term all the same? Their parts are left for later.
  bool step(baton_term a, baton_term b) {
    while (is_cell(a) && is_cell(b) && a != b) {
      if (!step_or_push(head(a), head(b))) return false;
      a = tail(a), b = tail(b);
    }
    if (a == b) return true;
    if (!is_boxed(a) || !is_boxed(b)) return false;
    if (const auto x = as_tuple(a)) {
      const auto y = as_tuple(b);
      if (!y || x->size() != y->size()) return false;
      for (std::size_t i = 0; i < x->size(); ++i)
        if (!step_or_push((*x)[i], (*y)[i])) return false;
      return true;
    }
    if (const auto x = as_map(a)) {
      const auto y = as_map(b);
      return y && step_maps(*x, *y);
    }
    return equal_flat(a, b);
  }

  bool step_or_push(baton_term a, baton_term b) {
    if (a == b) return true;
    if (is_immediate(a) || is_immediate(b)) return false;
    push(a, b);
    return true;
  }

  static bool equal_flat(baton_term a, baton_term b) {
    if (const auto x = as_binary(a)) return x == as_binary(b);
    if (const auto x = as_external(a)) return x == as_external(b);
    if (const auto x = as_float(a)) {
      const auto y = as_float(b);
      return y && compare_floats(*x, *y) == 0;
    }
    const auto x = as_big(a), y = as_big(b);
    return x && y && x->negative == y->negative && compare_magnitudes(x->limbs, y->limbs) == 0;
  }

  bool step_maps(MapView a, MapView b) {
    if (a.size() != b.size()) return false;
    if (a.size() == 1)
      return step_or_push(a.key(0), b.key(0)) && step_or_push(a.value(0), b.value(0));
    const std::vector<HashedKey> x = sorted_keys(a), y = sorted_keys(b);
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (x[i].hash != y[i].hash || !step_or_push(x[i].key, y[i].key)) return false;
      if (!step_or_push(a.value(x[i].index), b.value(y[i].index))) return false;
    }
    return true;
  }

  std::vector<std::pair<baton_term, baton_term>> waiting_;
};

}  // namespace

bool equal(baton_term a, baton_term b) {
  if (a == b) return true;
  if (is_immediate(a) || is_immediate(b)) return false;
  return Equality().run(a, b);
}

std::weak_ordering order(baton_term a, baton_term b, const AtomTable& atoms) {
  return compared(a, b, &atoms, false);
}
std::weak_ordering key_order(baton_term a, baton_term b, const AtomTable& atoms) {
  return compared(a, b, &atoms, true);
}
std::weak_ordering key_order(baton_term a, baton_term b) { return compared(a, b, nullptr, true); }

}  // namespace baton::term
