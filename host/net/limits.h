// Limits: every bound of the net room that is no listener's own choice.
//
// Threads: constants.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace baton::net {

/// Connections of one host.
inline constexpr std::uint32_t kPortsMax = 1u << 20;
/// Bytes of one read, and so of one {tcp, Port, Bytes}; see BATON_TCP_CHUNK_MAX.
inline constexpr std::size_t kChunkBytesMax = 65536;
/// Those of them that are left to the host's own checks.
inline constexpr std::uint32_t kPortsReserved = 64;
/// Reads of one connection before the others have their turn.
inline constexpr int kReadsMax = 2;
/// Sockets that one look finds ready.
inline constexpr int kEventsMax = 256;
/// By which a process asks for a listener.
inline constexpr std::size_t kListenerNameBytesMax = 255;
/// Connections accepted before something else has its turn.
inline constexpr int kAcceptsMax = 64;
/// Descriptors that connections leave to the host: to its admin interface, bundles and checks. Of a
/// small RLIMIT_NOFILE it is a quarter.
inline constexpr std::uint64_t kDescriptorsReserved = 256;
/// A connection without traffic for so long may be closed for a new one, where there is no room.
inline constexpr std::uint64_t kShedIdleNs = 1'000'000'000;
/// What one search for idle connections finds.
inline constexpr std::size_t kShedCandidatesMax = 64;
/// A search that found none is not repeated before.
inline constexpr std::uint64_t kShedPauseNs = 10'000'000;
/// How long a listener rests when the system has no descriptor or memory for a connection.
inline constexpr std::uint64_t kAcceptPauseNs = 100'000'000;

/// What connections may hold in all, see memory.h: of the system's memory for the host, of the
/// host's for a listener.
inline constexpr std::uint64_t kMemoryShareOfSystem = 4;
inline constexpr std::uint64_t kMemoryShareOfHost = 2;
/// From this part of the limit on it is high.
struct MemoryShare {
  std::uint64_t parts, of;
};
inline constexpr MemoryShare kMemoryHighShare{3, 4};
/// How long it may be high before requests are refused.
inline constexpr std::uint64_t kMemoryPatienceNs = 1'000'000'000;
/// While it is high it is looked at so often.
inline constexpr std::uint64_t kMemoryTickNs = 10'000'000;
/// A connection that holds this much is a large holder.
inline constexpr std::uint64_t kLargeHolderBytes = 64u << 10;
/// What a connection holds is counted in steps of this.
inline constexpr std::uint64_t kMemoryStepBytes = 4096;

/// A connection that holds this much to send and is given more is closed (send_queue_full).
inline constexpr std::uint64_t kSendQueueBytesMax = 32u << 20;
/// A connection that holds more than this to send is not read.
inline constexpr std::size_t kSendQueueBytesHigh = 256u << 10;
/// A client that takes nothing of what waits for it for so long is closed (send_timeout).
inline constexpr std::chrono::nanoseconds kSendTimeout = std::chrono::seconds(30);
/// A client that takes what waits for it more slowly, on the whole, is closed as well.
inline constexpr std::uint64_t kSendBytesPerSecondMin = 16u << 10;
/// A buffer larger than this is freed when it is empty.
inline constexpr std::size_t kKeptBufferBytesMax = 4096;
/// After we have ended our stream: how long the other side has to end its own.
inline constexpr std::uint64_t kLingerNs = 2'000'000'000;
/// After the other side has ended its stream: how long the owner has to answer and close.
inline constexpr std::uint64_t kHalfClosedNs = 30'000'000'000;

/// Requests of one HTTP connection that wait for their answers; further ones are not read.
inline constexpr std::size_t kPipelinedRequestsMax = 64;
/// Answers to pipelined requests are gathered up to this into one write.
inline constexpr std::size_t kGatheredBytesMax = 65536;
inline constexpr std::size_t kHttpHeadersMax = 100;
/// A chunk's size line with its extensions.
inline constexpr std::size_t kHttpChunkLineBytesMax = 256;
/// Empty lines before a request that are forgiven.
inline constexpr int kHttpEmptyLinesMax = 2;
/// Answers up to this size are copied behind their head; larger ones are written from where they
/// are.
inline constexpr std::size_t kCopiedBodyBytesMax = 16384;

}  // namespace baton::net
