#include "module/message_form.h"

#include "term/atom.h"
#include "term/layout.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace baton::module {

namespace {

namespace atoms = term::atoms;

// The end of what begins at `from`: the next `end` outside of all brackets, or the text's.
std::size_t end_of(std::string_view text, std::size_t from, char end) {
  std::size_t at = from;
  for (int depth = 0; at < text.size() && (depth > 0 || text[at] != end); ++at) {
    if (std::string_view("{<(").find(text[at]) != std::string_view::npos) ++depth;
    if (std::string_view("}>)").find(text[at]) != std::string_view::npos) --depth;
  }
  return at;
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = end_of(text, at, ',');
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

bool fits_integer(baton_term t, unsigned bits, bool is_signed) {
  const auto small = term::as_int(t);
  const auto big = term::as_big(t);
  if (!small && !big) return false;
  if (bits == 0) return true;
  if (small) {
    if (!is_signed) return *small >= 0 && (bits == 64 || *small >> bits == 0);
    const std::int64_t high = *small >> (bits - 1);
    return high == 0 || high == -1;
  }
  if (bits < 64 || big->limbs.size() != 1) return false;
  const std::uint64_t value = big->limbs[0], half = std::uint64_t{1} << 63;
  if (!is_signed) return !big->negative;
  return big->negative ? value <= half : value < half;
}

bool is_number(std::string_view text, unsigned& bits) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<std::vector<MessageMember>> members_of(std::string_view text) {
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::vector<MessageMember> result;
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    if (colon == text.npos || colon == 0) return std::nullopt;
    const std::size_t end = end_of(text, colon + 1, ';');
    if (end == text.size()) return std::nullopt;
    result.push_back({text.substr(0, colon), text.substr(colon + 1, end - colon - 1)});
    text.remove_prefix(end + 1);
  }
  return result;
}

WireType WireType::of_parts(Kind kind, const std::vector<std::string_view>& texts, int depth) {
  WireType type;
  type.kind_ = kind;
  for (std::string_view text : texts) type.parts_.push_back(of(text, depth + 1));
  return type;
}

WireType WireType::of(std::string_view text, int depth) {
  WireType type;
  if (depth > kWireDepthMax) return type;
  constexpr std::pair<std::string_view, Kind> kPlain[] = {
      {"atom", Kind::kAtom},        {"string", Kind::kString},  {"pid", Kind::kPid},
      {"ref", Kind::kRef},          {"port", Kind::kPort},      {"bool", Kind::kAtomOf},
      {"undefined", Kind::kAtomOf}, {"integer", Kind::kInteger}};
  for (const auto& [name, kind] : kPlain)
    if (name == text) type.kind_ = kind;
  if (text == "bool") type.atoms_ = {atoms::kTrue, atoms::kFalse};
  if (text == "undefined") type.atoms_ = {atoms::kUndefined};
  if (type.kind_ != Kind::kAny || text.empty()) return type;

  const bool is_float = text.front() == 'f';
  if ((is_float || text.front() == 'i' || text.front() == 'u') &&
      is_number(text.substr(1), type.bits_) && type.bits_ >= 8 && type.bits_ <= 64) {
    type.kind_ = is_float ? Kind::kFloat : Kind::kInteger;
    type.is_signed_ = text.front() == 'i';
    return type;
  }
  if (const auto members = members_of(text)) {
    std::vector<std::string_view> types;
    for (const MessageMember& member : *members) types.push_back(member.type);
    return of_parts(Kind::kStruct, types, depth);
  }
  if (text.starts_with("enum(") && text.ends_with(')')) {
    type.kind_ = Kind::kAtomOf;
    const std::size_t colon = std::min(text.find(':'), text.size() - 1);
    for (std::string_view one : split(text.substr(colon + 1, text.size() - colon - 2)))
      type.atoms_.push_back(term::atom(one.substr(0, one.find('='))));
    return type;
  }
  const std::size_t open = text.find('<');
  if (open == text.npos || text.back() != '>') return type;
  const std::string_view name = text.substr(0, open);
  std::vector<std::string_view> parts = split(text.substr(open + 1, text.size() - open - 2));
  if (name == "optional" && parts.size() == 1) {
    parts.push_back("undefined");
    return of_parts(Kind::kOneOf, parts, depth);
  }
  if (name == "variant") return of_parts(Kind::kOneOf, parts, depth);
  if (name == "pair" || name == "tuple") return of_parts(Kind::kTuple, parts, depth);
  if ((name == "map" || name == "unordered_map") && parts.size() == 2)
    return of_parts(Kind::kMap, parts, depth);
  if (name == "array" && parts.size() == 2) {
    unsigned size = 0;
    if (!is_number(parts[1], size)) return type;
    type = of_parts(Kind::kList, {parts[0]}, depth);
    type.size_ = size;
    return type;
  }
  if ((name == "vector" || name == "deque" || name == "set" || name == "unordered_set") &&
      parts.size() == 1)
    return of_parts(Kind::kList, parts, depth);
  return type;
}

bool WireType::all_fit(const baton_term* terms) const {
  return std::all_of(parts_.begin(), parts_.end(),
                     [&](const WireType& part) { return part.fits(*terms++); });
}

bool WireType::fits(baton_term t) const {
  switch (kind_) {
    case Kind::kAny: return t != BATON_NO_TERM;
    case Kind::kAtomOf: return std::find(atoms_.begin(), atoms_.end(), t) != atoms_.end();
    case Kind::kAtom: return term::is_atom(t);
    case Kind::kInteger: return fits_integer(t, bits_, is_signed_);
    case Kind::kFloat: return term::as_float(t) || term::is_small(t);
    case Kind::kString: return term::as_binary(t).has_value();
    case Kind::kPid: return term::is_pid(t);
    case Kind::kRef: return term::is_ref(t);
    case Kind::kPort: return term::is_port(t);
    case Kind::kOneOf:
      return std::any_of(parts_.begin(), parts_.end(),
                         [&](const WireType& part) { return part.fits(t); });
    case Kind::kTuple: {
      const auto tuple = term::as_tuple(t);
      return tuple && tuple->size() == parts_.size() && all_fit(tuple->data());
    }
    case Kind::kStruct: {
      // A struct reads from a map of some of its members too.
      if (term::as_map(t)) return true;
      if (parts_.empty() && term::is_atom(t)) return true;
      const auto tuple = term::as_tuple(t);
      return tuple && tuple->size() == parts_.size() + 1 && term::is_atom((*tuple)[0]) &&
             all_fit(tuple->data() + 1);
    }
    case Kind::kList: {
      const auto length = term::list_length(t);
      if (!length || (size_ != 0 && *length != size_)) return false;
      for (const baton_term element : term::elements(t))
        if (!parts_[0].fits(element)) return false;
      return true;
    }
    case Kind::kMap: {
      const auto map = term::as_map(t);
      if (!map) return false;
      for (std::size_t i = 0; i < map->size(); ++i)
        if (!parts_[0].fits(map->key(i)) || !parts_[1].fits(map->value(i))) return false;
      return true;
    }
  }
  return false;
}

bool WireType::keeps(baton_term t) const {
  if (!fits(t)) return false;
  if (kind_ != Kind::kFloat || bits_ == 64) return true;
  const auto integer = term::as_int(t);
  const double value = integer ? static_cast<double>(*integer) : *term::as_float(t);
  if (!std::isfinite(value)) return true;
  // What is beyond a float would be undefined to convert.
  constexpr double kMax = std::numeric_limits<float>::max();
  return value <= kMax && value >= -kMax && double{static_cast<float>(value)} == value;
}

bool WireType::is_atomic() const {
  return kind_ == Kind::kAtom || kind_ == Kind::kAtomOf ||
         (kind_ == Kind::kStruct && parts_.empty());
}

bool overlap(const WireType& a, const WireType& b) {
  using Kind = WireType::Kind;
  if (a.kind_ == Kind::kAny || b.kind_ == Kind::kAny) return true;
  if (a.kind_ == Kind::kOneOf)
    return std::any_of(a.parts_.begin(), a.parts_.end(),
                       [&](const WireType& part) { return overlap(part, b); });
  if (b.kind_ == Kind::kOneOf) return overlap(b, a);
  if (a.is_atomic() && b.is_atomic()) {
    if (a.kind_ != Kind::kAtomOf || b.kind_ != Kind::kAtomOf) return true;
    return std::find_first_of(a.atoms_.begin(), a.atoms_.end(), b.atoms_.begin(), b.atoms_.end()) !=
           a.atoms_.end();
  }
  const auto pairwise = [](const WireType* x, const WireType* y, std::size_t size) {
    return std::equal(x, x + size, y,
                      [](const WireType& p, const WireType& q) { return overlap(p, q); });
  };
  if (a.kind_ == Kind::kTuple && b.kind_ == Kind::kStruct) return overlap(b, a);
  if (a.kind_ == Kind::kStruct && b.kind_ == Kind::kTuple)
    return b.parts_.size() == a.parts_.size() + 1 && !b.parts_.empty() && b.parts_[0].is_atomic() &&
           pairwise(a.parts_.data(), b.parts_.data() + 1, a.parts_.size());
  if (a.kind_ != b.kind_) return false;
  if (a.kind_ == Kind::kTuple || a.kind_ == Kind::kStruct)
    return a.parts_.size() == b.parts_.size() &&
           pairwise(a.parts_.data(), b.parts_.data(), a.parts_.size());
  return true;  // an integer, an empty list, an empty map may be of both
}

}  // namespace baton::module
