// TermGenerator: random terms of all kinds, the same for the same seed.
#pragma once

#include "term/atom_table.h"
#include "term/builder.h"
#include "term/layout.h"

#include <bit>
#include <cmath>
#include <random>
#include <string>
#include <vector>

namespace baton::term {

class TermGenerator {
 public:
  TermGenerator(std::uint64_t seed, Builder& builder, AtomTable& atoms)
      : random_(seed), builder_(builder), atoms_(atoms) {}

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  /// Keys hold no maps, so that random keys stay within the limits of the decoders.
  baton_term term(unsigned depth = 4, bool maps = true) {
    switch (below(depth == 0 ? 10 : 14)) {
      case 0: return builder_.integer(static_cast<std::int64_t>(below(512)) - 128);
      case 1: return builder_.integer(static_cast<std::int64_t>(random_() >> below(64)));
      case 2: return builder_.integer(-static_cast<std::int64_t>(random_() >> (1 + below(63))));
      case 3: return big();
      case 4: return real();
      case 5: return *atoms_.intern(text(below(2) ? 3 : 20));
      case 6: return builder_.binary(below(2) ? text(12) : bytes(12));
      case 7: return identifier();
      case 8: return builder_.byte_list(text(5));
      case 9: return BATON_NIL;
      case 10: return builder_.tuple(terms(depth, maps));
      case 11: return builder_.list(terms(depth, maps));
      case 12: return builder_.list(terms(depth, maps), term(depth - 1, maps));
      default: return maps ? map(depth) : builder_.tuple({});
    }
  }

  std::string bytes(std::size_t size_max) {
    std::string made(below(size_max + 1), '\0');
    for (char& c : made) c = static_cast<char>(random_());
    return made;
  }

  std::string text(std::size_t size_max) {
    constexpr std::string_view kPieces[] = {"a",    "z",    "Q",  "0",  "_", "@",       " ",
                                            "'",    "\"",   "\\", "\n", "é", "÷",       "日",
                                            "\x1f", "\x7f", "ok", "😀",  "%", "\xc2\x80"};
    std::string made;
    for (std::size_t i = below(size_max + 1); i > 0; --i)
      made += kPieces[below(std::size(kPieces))];
    return made;
  }

 private:
  baton_term big() {
    std::vector<std::uint64_t> limbs(1 + below(6));
    for (auto& limb : limbs) limb = random_();
    return builder_.big(below(2) == 1, limbs);
  }
  baton_term real() {
    for (;;) {
      const double value =
          below(2) ? static_cast<double>(below(100000)) / 64 : std::bit_cast<double>(random_());
      if (std::isfinite(value)) return builder_.real(value);
    }
  }
  baton_term identifier() {
    const auto word = static_cast<std::uint32_t>(random_());
    switch (below(3)) {
      case 0: return make_pid(word & kPidIndexMax, word * 7);
      case 1: return make_port(word & kPortIndexMax, word * 5);
      default: return make_ref(random_() & kRefCounterMax, word & kRefMakerMax);
    }
  }
  std::vector<baton_term> terms(unsigned depth, bool maps) {
    std::vector<baton_term> made(below(6));
    for (baton_term& one : made) one = term(depth - 1, maps);
    return made;
  }
  baton_term map(unsigned depth) {
    std::vector<Builder::Pair> pairs(below(6));
    for (auto& [key, value] : pairs) key = term(depth - 1, false), value = term(depth - 1);
    return builder_.map(pairs);
  }

  std::mt19937_64 random_;
  Builder& builder_;
  AtomTable& atoms_;
};

}  // namespace baton::term
