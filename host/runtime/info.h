// process_info: what a process says of itself, as a map with atoms for keys, like OTP's
// process_info/1.
//
// Threads: as said per function.
#pragma once

#include "runtime/context.h"

namespace baton::runtime {

/// Bytes of its slot, its state and what that holds (allocations.h); not its mail. Any thread while
/// the process lives.
std::uint64_t memory_of(const Process& process);

/// In a block that passes to the caller. Requires: the context owns the process.
Message* process_info(Context& context, const Process& process);

}  // namespace baton::runtime
