// Scalar: what a number or an enumeration of one version is in another.
//
// A scalar is a code of the ABI (BATON_SCALAR_*) and the text of its type: "i32", or
// "enum(u8:red=0,green=1)" for an enumeration, whose code is that of the integer under it
// (baton/codec.h has the grammar). States are compared by it, and so are members of messages.
//
// Threads: pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace baton::module {

struct ScalarType {
  std::uint8_t code;
  std::string_view text;
};

/// Null if the ABI has no such code.
const char* scalar_name(std::uint8_t code);
/// Requires: the code is the ABI's, and not BATON_SCALAR_NONE.
std::uint32_t scalar_size(std::uint8_t code);

/// Whether every value of the one has its place in the other: a wider integer of the same
/// signedness, from unsigned to a wider signed one, f32 to f64, and an enumeration that has all
/// enumerators of the other under the same values.
bool is_widening(ScalarType from, ScalarType to);
/// The same of texts alone, which may be those of other types.
bool is_widening(std::string_view from_text, std::string_view to_text);

/// The values that an enumeration has; empty for every other type.
std::vector<std::int64_t> enumerator_values(std::string_view text);

/// Converts the value at one address into that at the other. False: it does not fit, or `allowed`
/// is not empty and does not have it; nothing was written.
bool convert(std::uint8_t from, const void* from_at, std::uint8_t to, void* to_at,
             std::span<const std::int64_t> allowed);

}  // namespace baton::module
