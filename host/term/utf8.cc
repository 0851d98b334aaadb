#include "term/utf8.h"

namespace baton::term {

std::optional<std::uint32_t> next_code_point(std::string_view& bytes) {
  if (bytes.empty()) return std::nullopt;
  const auto first = static_cast<unsigned char>(bytes[0]);
  if (first < 0x80) {
    bytes.remove_prefix(1);
    return first;
  }
  const unsigned more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  if (first < 0xc2 || first > 0xf4 || bytes.size() <= more) return std::nullopt;
  std::uint32_t point = first & (0x3fu >> more);
  for (unsigned i = 1; i <= more; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if ((byte & 0xc0) != 0x80) return std::nullopt;
    point = point << 6 | (byte & 0x3f);
  }
  constexpr std::uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  if (point < kLeast[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
    return std::nullopt;
  bytes.remove_prefix(more + 1);
  return point;
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty())
    if (!next_code_point(bytes)) return false;
  return true;
}

bool append_utf8(std::string& out, std::uint32_t point) {
  const auto rest = [&](unsigned shift) {
    out += static_cast<char>(0x80 | ((point >> shift) & 0x3f));
  };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0 | point >> 6);
    rest(0);
  } else if (point < 0x10000) {
    if (point >= 0xd800 && point < 0xe000) return false;
    out += static_cast<char>(0xe0 | point >> 12);
    rest(6), rest(0);
  } else {
    if (point > 0x10ffff) return false;
    out += static_cast<char>(0xf0 | point >> 18);
    rest(12), rest(6), rest(0);
  }
  return true;
}

}  // namespace baton::term
