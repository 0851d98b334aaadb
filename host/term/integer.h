// Integer: limbs of large integers to digits, digits to limbs, and floats as limbs.
//
// Schoolbook methods: what comes from outside is bounded by kIntegerDigitsMax, and what is longer
// is written in base 16, which takes linear time.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace baton::term {

using Limbs = std::vector<std::uint64_t>;  // least significant first

/// In decimal, without a sign. Takes quadratic time.
std::string to_decimal(std::span<const std::uint64_t> limbs);
/// In base 16, upper case.
std::string to_hexadecimal(std::span<const std::uint64_t> limbs);
/// May have zero limbs on top. Requires: base 2 to 36, and digits of that base only.
Limbs from_digits(std::string_view digits, unsigned base);
/// 0 to 35 for 0-9, a-z and A-Z; 36 for what is no digit.
unsigned digit_value(char c);

/// The magnitude of a whole float.
class FloatLimbs {
 public:
  /// Requires: finite, without a fraction, at least 2^53 in magnitude.
  explicit FloatLimbs(double whole);
  std::span<const std::uint64_t> span() const { return {limbs_, count_}; }

 private:
  std::uint64_t limbs_[17] = {};
  std::size_t count_ = 0;
};

}  // namespace baton::term
