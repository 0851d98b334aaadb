// UTF-8: whether bytes are valid, and up to where.
//
// Text from outside is checked once, where it comes in.
//
// Threads: any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace baton {

/// The length of the valid character that the bytes begin with, 1 to 4; 0 if there is none.
/// Overlong forms, surrogates and values above U+10FFFF are not valid.
std::size_t utf8_character(std::string_view bytes);

/// Whether this valid character is a control character: those below space, DEL, or U+0080 to
/// U+009F, which a terminal takes for commands as well.
bool is_control(std::string_view character);

/// How many bytes are valid from the start: all of them if the text is.
std::size_t utf8_valid_prefix(std::string_view bytes);

}  // namespace baton
