#include "term/external_reader.h"

#include "term/atom.h"
#include "term/layout.h"
#include "term/limits.h"
#include "term/utf8.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

namespace baton::term {

namespace {

constexpr std::size_t kReferenceWordsMax = 5;

bool is_atom_tag(std::uint64_t tag) {
  return tag == external::kAtom || tag == external::kSmallAtom || tag == external::kAtomUtf8 ||
         tag == external::kSmallAtomUtf8;
}

}  // namespace

bool Identifier::is_of(const NodeName& ours) const {
  return creation == ours.creation && atom(node) == ours.name;
}

std::string Identifier::bytes() const {
  std::string out;
  const auto big_endian = [&](std::uint64_t value, int count) {
    for (int shift = 8 * (count - 1); shift >= 0; shift -= 8)
      out += static_cast<char>(value >> shift);
  };
  big_endian(kind, 1);
  if (kind == external::kNewerReference) big_endian(numbers.size(), 2);
  big_endian(external::kSmallAtomUtf8, 1);
  big_endian(node.size(), 1);
  out += node;
  if (kind == external::kNewerReference) big_endian(creation, 4);
  for (std::uint64_t number : numbers) big_endian(number, kind == external::kV4Port ? 8 : 4);
  if (kind != external::kNewerReference) big_endian(creation, 4);
  return out;
}

std::uint64_t BigBytes::limb(std::size_t i) const {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data() + 8 * i, std::min<std::size_t>(8, bytes.size() - 8 * i));
  return value;
}

std::optional<baton_term> BigBytes::small() const {
  if (bytes.empty()) return make_int(0);
  if (limbs() > 1) return std::nullopt;
  const std::uint64_t magnitude = limb(0);
  if (magnitude > static_cast<std::uint64_t>(BATON_INT_MAX) + (negative ? 1 : 0))
    return std::nullopt;
  const auto value = static_cast<std::int64_t>(magnitude);
  return make_int(negative ? -value : value);
}

Error ExternalReader::wrong(const std::string& what) const {
  return Error(Code::kFailed, "byte " + std::to_string(at_) + ": " + what);
}

Result<std::string_view> ExternalReader::take(std::uint64_t count) {
  if (count > left())
    return wrong("expected " + std::to_string(count) + " more bytes, found " +
                 std::to_string(left()));
  at_ += count;
  return bytes_.substr(at_ - count, count);
}

Result<std::uint64_t> ExternalReader::number(std::size_t bytes) {
  BATON_ASSIGN(const std::string_view taken, take(bytes));
  std::uint64_t value = 0;
  for (unsigned char byte : taken) value = value << 8 | byte;
  return value;
}

Result<std::uint64_t> ExternalReader::count(std::size_t bytes_each) {
  BATON_ASSIGN(const std::uint64_t value, number(4));
  if (value * bytes_each > left())
    return wrong(std::to_string(value) + " elements announced, but only " + std::to_string(left()) +
                 " bytes left");
  return value;
}

Result<std::string_view> ExternalReader::atom_text(std::uint64_t tag) {
  const bool is_short = tag == external::kSmallAtom || tag == external::kSmallAtomUtf8;
  BATON_ASSIGN(const std::uint64_t size, number(is_short ? 1 : 2));
  BATON_ASSIGN(std::string_view text, take(size));
  if (tag == external::kSmallAtom || tag == external::kAtom) {
    latin1_.clear();
    for (unsigned char c : text) append_utf8(latin1_, c);
    text = latin1_;
  }
  if (text.size() > kAtomBytesMax)
    return wrong("an atom of " + std::to_string(text.size()) + " bytes; at most " +
                 std::to_string(kAtomBytesMax) + " are allowed");
  if (!is_utf8(text)) return wrong("an atom that is not UTF-8");
  return text;
}

Result<Identifier> ExternalReader::identifier(std::uint64_t tag) {
  using namespace external;
  Identifier found;
  const bool is_reference = tag == kReference || tag == kNewReference || tag == kNewerReference;
  const bool is_pid = tag == kPid || tag == kNewPid;
  found.kind = is_reference ? kNewerReference : is_pid ? kNewPid : kV4Port;
  std::uint64_t words = is_pid ? 2 : 1;
  if (tag == kNewReference || tag == kNewerReference) {
    BATON_ASSIGN(words, number(2));
    if (words == 0 || words > kReferenceWordsMax)
      return wrong("a reference of " + std::to_string(words) + " words; it has 1 to " +
                   std::to_string(kReferenceWordsMax));
  }
  BATON_ASSIGN(const std::uint64_t node_tag, number(1));
  if (!is_atom_tag(node_tag)) return wrong("expected a node's name");
  BATON_ASSIGN(const std::string_view node, atom_text(node_tag));
  found.node = node;
  const bool is_old = tag == kReference || tag == kNewReference || tag == kPid || tag == kPort;
  const std::size_t creation_bytes = is_old ? 1 : 4;
  const bool creation_first = tag == kNewReference || tag == kNewerReference;
  if (creation_first) {
    BATON_ASSIGN(found.creation, number(creation_bytes));
  }
  for (std::uint64_t i = 0; i < words; ++i) {
    BATON_ASSIGN(const std::uint64_t number, number(tag == kV4Port ? 8 : 4));
    found.numbers.push_back(number);
  }
  if (!creation_first) {
    BATON_ASSIGN(found.creation, number(creation_bytes));
  }
  return found;
}

Result<double> ExternalReader::real(std::uint64_t tag) {
  double value = 0;
  if (tag == external::kNewFloat) {
    BATON_ASSIGN(const std::uint64_t bits, number(8));
    value = std::bit_cast<double>(bits);
  } else {
    constexpr std::size_t kFloatTextBytes = 31;
    BATON_ASSIGN(std::string_view text, take(kFloatTextBytes));
    text = text.substr(0, text.find('\0'));
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size())
      return wrong("a float in text that is none");
  }
  if (!std::isfinite(value)) return wrong("a float that is infinite or no number");
  return value;
}

Result<BigBytes> ExternalReader::big(std::uint64_t tag) {
  BATON_ASSIGN(const std::uint64_t size, number(tag == external::kSmallBig ? 1 : 4));
  if (size > 8 * kIntegerLimbsMax)
    return wrong("an integer of " + std::to_string(size) + " bytes; at most " +
                 std::to_string(8 * kIntegerLimbsMax) + " are allowed");
  BATON_ASSIGN(const std::uint64_t sign, number(1));
  BATON_ASSIGN(std::string_view bytes, take(size));
  while (!bytes.empty() && bytes.back() == 0) bytes.remove_suffix(1);
  return BigBytes{sign != 0, bytes};
}

Result<baton_term> ExternalReader::local(const Identifier& id) const {
  switch (id.kind) {
    case external::kNewPid:
      if (id.numbers[0] > kPidIndexMax) break;
      return make_pid(static_cast<std::uint32_t>(id.numbers[0]),
                      static_cast<std::uint32_t>(id.numbers[1]));
    case external::kV4Port:
      if (id.numbers[0] >> 56 != 0) break;
      return id.numbers[0] << 8 | kPortWord;
    default:
      if (id.numbers.size() != 3 || id.numbers[0] >> 18 != 0 || id.numbers[2] >> 11 != 0) break;
      return (id.numbers[2] << 50 | id.numbers[1] << 18 | id.numbers[0]) << 3 | BATON_TAG_REF;
  }
  return wrong("a pid, reference or port with our name that we never made");
}

}  // namespace baton::term
