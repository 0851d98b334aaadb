// Limits: how large a term may be.
//
// Terms that come from outside (text, external form) are refused beyond these; what a module built
// itself may be deeper, and is then shown shortened.
#pragma once

#include <cstddef>
#include <cstdint>

namespace baton::term {

/// Terms inside terms: elements of tuples, lists and maps. The tail of a list does not count.
inline constexpr std::size_t kTermDepthMax = 1000;
/// Maps that are part of a key of a map that is part of a key ... Comparing such keys costs a
/// factor for each level, so an outsider may not choose it.
inline constexpr std::size_t kMapKeyDepthMax = 4;
/// Words of one block: 1 GiB.
inline constexpr std::size_t kTermWordsMax = std::size_t{1} << 27;
/// Limbs of 64 bits of one integer from outside: 4 Mbit, as far as Erlang goes.
inline constexpr std::size_t kIntegerLimbsMax = 65536;
/// Digits of one integer in text. Conversion is quadratic; this many take milliseconds.
inline constexpr std::size_t kIntegerDigitsMax = 20000;
/// Atoms one table holds.
inline constexpr std::size_t kAtomsMax = std::size_t{1} << 20;
/// Bytes of one atom's text.
inline constexpr std::size_t kAtomBytesMax = 255;
/// Bytes of text: longer text is not parsed, and printed shortened.
inline constexpr std::size_t kTextBytesMax = std::size_t{16} << 20;

}  // namespace baton::term
