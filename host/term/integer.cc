#include "term/integer.h"

#include "base/check.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace baton::term {

namespace {
__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kTenTo19 = 10000000000000000000ull;  // the largest power in a limb
constexpr int kDigitsInTenTo19 = 19;
}  // namespace

std::string to_decimal(std::span<const std::uint64_t> limbs) {
  Limbs rest(limbs.begin(), limbs.end());
  std::string reversed;
  while (!rest.empty()) {
    std::uint64_t remainder = 0;
    for (std::size_t i = rest.size(); i-- > 0;) {
      const Wide part = static_cast<Wide>(remainder) << 64 | rest[i];
      rest[i] = static_cast<std::uint64_t>(part / kTenTo19);
      remainder = static_cast<std::uint64_t>(part % kTenTo19);
    }
    while (!rest.empty() && rest.back() == 0) rest.pop_back();
    for (int i = 0; i < kDigitsInTenTo19; ++i, remainder /= 10)
      reversed += static_cast<char>('0' + remainder % 10);
  }
  while (reversed.size() > 1 && reversed.back() == '0') reversed.pop_back();
  if (reversed.empty()) return "0";
  std::reverse(reversed.begin(), reversed.end());
  return reversed;
}

std::string to_hexadecimal(std::span<const std::uint64_t> limbs) {
  std::string digits;
  for (std::size_t i = limbs.size(); i-- > 0;) {
    char limb[17];
    std::snprintf(limb, sizeof limb, digits.empty() ? "%lX" : "%016lX", limbs[i]);
    if (!digits.empty() || limbs[i] != 0) digits += limb;
  }
  return digits.empty() ? "0" : digits;
}

unsigned digit_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A' + 10);
  return 36;
}

namespace {
Limbs from_hexadecimal(std::string_view digits) {
  Limbs limbs((digits.size() + 15) / 16);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const std::uint64_t digit = digit_value(digits[digits.size() - 1 - i]);
    BATON_CHECK(digit < 16);
    limbs[i / 16] |= digit << 4 * (i % 16);
  }
  return limbs;
}
}  // namespace

Limbs from_digits(std::string_view digits, unsigned base) {
  BATON_CHECK(base >= 2 && base <= 36);
  if (base == 16) return from_hexadecimal(digits);
  Limbs limbs;
  while (!digits.empty()) {
    // As many digits at once as a limb takes.
    std::uint64_t scale = 1, part = 0;
    while (!digits.empty() && scale <= ~std::uint64_t{0} / base) {
      const unsigned digit = digit_value(digits.front());
      BATON_CHECK(digit < base);
      scale *= base;
      part = part * base + digit;
      digits.remove_prefix(1);
    }
    std::uint64_t carry = part;
    for (std::uint64_t& limb : limbs) {
      const Wide product = static_cast<Wide>(limb) * scale + carry;
      limb = static_cast<std::uint64_t>(product);
      carry = static_cast<std::uint64_t>(product >> 64);
    }
    if (carry != 0) limbs.push_back(carry);
  }
  return limbs;
}

FloatLimbs::FloatLimbs(double whole) {
  int exponent = 0;
  const double fraction = std::frexp(std::abs(whole), &exponent);
  const auto mantissa = static_cast<std::uint64_t>(std::ldexp(fraction, 53));
  BATON_CHECK(exponent >= 53 && exponent <= 1024);
  const unsigned shift = static_cast<unsigned>(exponent - 53);
  limbs_[shift / 64] = mantissa << shift % 64;
  if (shift % 64 != 0) limbs_[shift / 64 + 1] = mantissa >> (64 - shift % 64);
  count_ = shift / 64 + 2;
  while (limbs_[count_ - 1] == 0) --count_;
}

}  // namespace baton::term
