// Refs: how the host makes them: a number, who made it, and the tag.
//
// A maker is a context, or the keeper of a timer (timers.h), and counts by itself.
//
// Threads: constants.
#pragma once

namespace baton::runtime {

inline constexpr int kRefNumberShift = 12;
inline constexpr int kRefMakerShift = 3;
inline constexpr unsigned kRefMakersMask = 0x1ff;

}  // namespace baton::runtime
