#include "term/utf8.h"

#include "base/utf8.h"

namespace baton::term {

std::optional<std::uint32_t> next_code_point(std::string_view& bytes) {
  const std::size_t size = utf8_character(bytes);
  if (size == 0) return std::nullopt;
  const auto first = static_cast<unsigned char>(bytes[0]);
  std::uint32_t point = size == 1 ? first : first & (0x7fu >> size);
  for (std::size_t i = 1; i < size; ++i)
    point = point << 6 | (static_cast<unsigned char>(bytes[i]) & 0x3f);
  bytes.remove_prefix(size);
  return point;
}

bool is_utf8(std::string_view bytes) { return utf8_valid_prefix(bytes) == bytes.size(); }

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
