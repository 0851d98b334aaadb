#include "module/scalar.h"

#include "base/check.h"

#include <baton/abi.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <optional>

namespace baton::module {

namespace {

enum class Family { kNone, kBool, kSigned, kUnsigned, kFloat };
struct ScalarRow {
  std::uint8_t code;
  const char* text;
  Family family;
  std::uint32_t size;
};
constexpr ScalarRow kScalars[] = {
    {BATON_SCALAR_NONE, "", Family::kNone, 0},
    {BATON_SCALAR_BOOL, "bool", Family::kBool, 1},
    {BATON_SCALAR_I8, "i8", Family::kSigned, 1},
    {BATON_SCALAR_I16, "i16", Family::kSigned, 2},
    {BATON_SCALAR_I32, "i32", Family::kSigned, 4},
    {BATON_SCALAR_I64, "i64", Family::kSigned, 8},
    {BATON_SCALAR_U8, "u8", Family::kUnsigned, 1},
    {BATON_SCALAR_U16, "u16", Family::kUnsigned, 2},
    {BATON_SCALAR_U32, "u32", Family::kUnsigned, 4},
    {BATON_SCALAR_U64, "u64", Family::kUnsigned, 8},
    {BATON_SCALAR_F32, "f32", Family::kFloat, 4},
    {BATON_SCALAR_F64, "f64", Family::kFloat, 8},
};
static_assert(std::size(kScalars) == BATON_SCALAR_F64 + 1);
constexpr bool rows_stand_at_their_code() {
  for (std::size_t i = 0; i < std::size(kScalars); ++i)
    if (kScalars[i].code != i) return false;
  return true;
}
static_assert(rows_stand_at_their_code());

const ScalarRow& row(std::uint8_t code) {
  BATON_CHECK(code < std::size(kScalars), "a scalar code is checked by validate()");
  return kScalars[code];
}

std::uint8_t scalar_of(std::string_view type_text) {
  for (const ScalarRow& r : kScalars)
    if (r.code != BATON_SCALAR_NONE && type_text == r.text) return r.code;
  return BATON_SCALAR_NONE;
}

bool is_wider(std::uint8_t from, std::uint8_t to) {
  const ScalarRow &f = row(from), &t = row(to);
  if (f.size >= t.size) return false;
  if (f.family == t.family) return f.family != Family::kNone && f.family != Family::kBool;
  return f.family == Family::kUnsigned && t.family == Family::kSigned;
}

// "enum(i32:red=0,green=1)", the grammar of type texts (baton/codec.h).
struct EnumType {
  std::uint8_t underlying = BATON_SCALAR_NONE;
  struct Enumerator {
    std::string_view name;
    std::int64_t value;
  };
  std::vector<Enumerator> enumerators;
};

std::optional<EnumType> parse_enum(std::string_view text) {
  constexpr std::string_view kStart = "enum(";
  if (!text.starts_with(kStart) || !text.ends_with(')')) return std::nullopt;
  text = text.substr(kStart.size(), text.size() - kStart.size() - 1);
  EnumType type;
  std::size_t end = std::min(text.find(':'), text.size());
  type.underlying = scalar_of(text.substr(0, end));
  if (row(type.underlying).family != Family::kSigned &&
      row(type.underlying).family != Family::kUnsigned)
    return std::nullopt;
  while (end < text.size()) {
    text.remove_prefix(end + 1);
    end = std::min(text.find(','), text.size());
    const std::string_view one = text.substr(0, end);
    const std::size_t equals = one.find('=');
    if (equals == one.npos || equals == 0) return std::nullopt;
    EnumType::Enumerator e{one.substr(0, equals), 0};
    const char* last = one.data() + one.size();
    auto [at, error] = std::from_chars(one.data() + equals + 1, last, e.value);
    if (error != std::errc() || at != last) return std::nullopt;
    type.enumerators.push_back(e);
  }
  return type;
}

bool is_superset(const EnumType& from, const EnumType& to) {
  if (from.underlying != to.underlying && !is_wider(from.underlying, to.underlying)) return false;
  return std::all_of(
      from.enumerators.begin(), from.enumerators.end(), [&](const EnumType::Enumerator& f) {
        return std::any_of(
            to.enumerators.begin(), to.enumerators.end(),
            [&](const EnumType::Enumerator& t) { return t.name == f.name && t.value == f.value; });
      });
}

template <class T>
T read_as(const void* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Every integer of the ABI fits a sign and 64 bits.
__extension__ using Wide = __int128;

Wide read_integer(const ScalarRow& type, const void* at) {
  const bool is_signed = type.family == Family::kSigned;
  switch (type.size) {
    case 1: return is_signed ? Wide{read_as<std::int8_t>(at)} : Wide{read_as<std::uint8_t>(at)};
    case 2: return is_signed ? Wide{read_as<std::int16_t>(at)} : Wide{read_as<std::uint16_t>(at)};
    case 4: return is_signed ? Wide{read_as<std::int32_t>(at)} : Wide{read_as<std::uint32_t>(at)};
    default: return is_signed ? Wide{read_as<std::int64_t>(at)} : Wide{read_as<std::uint64_t>(at)};
  }
}

bool fits(const ScalarRow& type, Wide value) {
  const unsigned bits = 8 * type.size - (type.family == Family::kSigned ? 1 : 0);
  const Wide high = (Wide{1} << bits) - 1;
  return value <= high && value >= (type.family == Family::kSigned ? -high - 1 : 0);
}

void write_integer(const ScalarRow& type, Wide value, void* at) {
  // Little-endian: its first bytes are the narrower number.
  const auto low = static_cast<std::uint64_t>(value);
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(at, &low, type.size);
}

bool convert_float(const ScalarRow& from, const void* from_at, const ScalarRow& to, void* to_at) {
  const double value = from.size == 4 ? double{read_as<float>(from_at)} : read_as<double>(from_at);
  if (to.size == 8) {
    std::memcpy(to_at, &value, 8);
    return true;
  }
  // Going down may not round: a total that silently changes is worse than a refusal. Not a number
  // stays one.
  if (value == value &&
      (value > std::numeric_limits<float>::max() || value < std::numeric_limits<float>::lowest()) &&
      std::abs(value) != std::numeric_limits<double>::infinity())
    return false;
  const auto narrow = static_cast<float>(value);
  if (value == value && double{narrow} != value) return false;
  std::memcpy(to_at, &narrow, 4);
  return true;
}

}  // namespace

const char* scalar_name(std::uint8_t code) {
  return code < std::size(kScalars) ? kScalars[code].text : nullptr;
}

std::uint32_t scalar_size(std::uint8_t code) { return row(code).size; }

bool is_widening(ScalarType from, ScalarType to) {
  if (from.code == BATON_SCALAR_NONE || to.code == BATON_SCALAR_NONE) return false;
  const auto from_enum = parse_enum(from.text), to_enum = parse_enum(to.text);
  if (from_enum && to_enum) return is_superset(*from_enum, *to_enum);
  // An enum and a number mean different things, and so does an enum whose text is not understood.
  if (from.text.starts_with("enum") || to.text.starts_with("enum")) return false;
  return is_wider(from.code, to.code);
}

bool is_widening(std::string_view from_text, std::string_view to_text) {
  const auto type = [](std::string_view text) {
    const auto as_enum = parse_enum(text);
    return ScalarType{as_enum ? as_enum->underlying : scalar_of(text), text};
  };
  return is_widening(type(from_text), type(to_text));
}

std::vector<std::int64_t> enumerator_values(std::string_view text) {
  std::vector<std::int64_t> values;
  if (const auto type = parse_enum(text))
    for (const EnumType::Enumerator& e : type->enumerators) values.push_back(e.value);
  return values;
}

bool convert(std::uint8_t from, const void* from_at, std::uint8_t to, void* to_at,
             std::span<const std::int64_t> allowed) {
  const ScalarRow &from_type = row(from), &to_type = row(to);
  if (from_type.family == Family::kFloat) return convert_float(from_type, from_at, to_type, to_at);
  const Wide value = read_integer(from_type, from_at);
  if (!fits(to_type, value)) return false;
  if (!allowed.empty() &&
      std::none_of(allowed.begin(), allowed.end(), [&](std::int64_t e) { return e == value; }))
    return false;
  write_integer(to_type, value, to_at);
  return true;
}

}  // namespace baton::module
