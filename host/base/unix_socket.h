// UnixSocket: bytes over a stream socket by a deadline, for the admin interface and its client.
//
// Asio's synchronous reads have none: a time-out set on the socket makes them wait again.
//
// Threads: any, one at a time for a descriptor and direction.
// Fails:   kTimedOut past the deadline; kUnreachable: the other side is gone; kDenied, kFailed.
#pragma once

#include "base/files.h"
#include "base/result.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace baton {

using Deadline = std::chrono::steady_clock::time_point;

/// The longest path that a socket can have.
std::size_t socket_path_bytes_max();

/// Connected to whoever listens at the path.
Result<ScopedFd> connect_unix(const std::string& path, Deadline deadline);
/// Listening at the path, where nothing may be, with this mode from its first moment.
Result<ScopedFd> listen_unix(const std::string& path, std::uint32_t mode);

/// Waits for bytes: at least one, at most `size`; 0: the other side has said all.
Result<std::size_t> read_some(int fd, char* buffer, std::size_t size, Deadline deadline);
Result<void> write_all(int fd, std::string_view bytes, Deadline deadline);

}  // namespace baton
