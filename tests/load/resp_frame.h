// RespFrame: where one reply of the Redis protocol (RESP2) ends in a stream of bytes.
//
// The client compares replies byte for byte with what it expects, so it needs no parsed form, only
// the next reply's extent, and that only when the bytes are not the expected ones.
//
// Threads: a pure function.
#pragma once

#include <cstddef>
#include <string_view>

namespace baton::load {

inline constexpr std::size_t kRespIncomplete = 0;
inline constexpr std::size_t kRespMalformed = static_cast<std::size_t>(-1);
/// Replies nested deeper than this, or longer, are taken for garbage.
inline constexpr int kRespDepthMax = 8;
inline constexpr long kRespLengthMax = 512L << 20;

/// The size of the reply that `bytes` begins with; kRespIncomplete; or kRespMalformed.
std::size_t resp_frame_size(std::string_view bytes);

}  // namespace baton::load
