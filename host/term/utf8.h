// Utf8: reading and writing the code points of texts.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace baton::term {

/// Takes the next code point off the front. Nothing, with `bytes` as it was, where they are not
/// UTF-8 (overlong forms and surrogates are not) or at the end.
std::optional<std::uint32_t> next_code_point(std::string_view& bytes);
bool is_utf8(std::string_view bytes);
/// False, and nothing appended, for what is no code point: surrogates and above 10FFFF.
bool append_utf8(std::string& out, std::uint32_t code_point);

}  // namespace baton::term
