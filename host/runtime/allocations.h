// Allocations: the bytes that each process's callbacks have allocated and not freed.
//
// The program's operator new and delete (node/counted_new.cc), which modules import, ask here whose
// memory it is. In module code on a runner's thread it is the process's whose turn it is, in its
// init, callbacks, frames that go on, terminate and the destruction of its state. What is freed
// there is taken from it, whoever allocated it. Everything else is the host's, host calls of a
// callback included, and is not counted.
//
// Approximate where memory changes hands: what a take-over's hooks allocate for a new state is not
// counted, nor what the old one held taken off, as the one is about the other. The state object
// itself, messages and frames come from the pools (pools.h), and are no part of this.
//
// Cost: a callback that allocates nothing pays nothing. By callgrind, new and delete of a block,
// 123 instructions with mimalloc's own, take 170 in module code and 138 to 144 elsewhere.
//
// Threads: each asks for itself.
#pragma once

#include "runtime/context.h"

#include <cstddef>
#include <cstdint>

namespace baton::runtime {

/// The runner's context that this thread is; null: it is no runner's. Read through counted_process.
inline constinit thread_local const Context* counted_context = nullptr;

/// Counts what the thread does in a runner's module code, while this lives.
class CountedThread {
 public:
  explicit CountedThread(const Context& context) { counted_context = &context; }
  ~CountedThread() { counted_context = nullptr; }
  CountedThread(const CountedThread&) = delete;
  CountedThread& operator=(const CountedThread&) = delete;
};

/// Whose module code this thread runs now; null: nobody's. A hook of a take-over is nobody's, as
/// what it makes is freed elsewhere if the take-over fails.
inline Process* counted_process() {
  const Context* const context = counted_context;
  return context != nullptr && context->boundary.is_in_module() && context->hook == nullptr
             ? context->current
             : nullptr;
}

/// Requires: it is this thread's counted_process; so nobody else writes it.
inline void count_allocated(Process& process, std::int64_t bytes) {
  process.allocated.store(process.allocated.load(std::memory_order_relaxed) + bytes,
                          std::memory_order_relaxed);
}

}  // namespace baton::runtime
