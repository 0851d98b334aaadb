// full_fence: orders this thread's earlier stores before its later loads.
//
// One half of the store-then-load pairs by which a scheduler that goes to sleep and one that has
// made work see each other (scheduler.cc). The thread sanitizer does not model stand-alone fences,
// so its build uses an equivalent read-modify-write on a word of the caller's.
//
// Threads: any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace baton::runtime {

inline void full_fence([[maybe_unused]] std::atomic<std::uint64_t>& own_word) {
#ifdef BATON_THREAD_SANITIZER
  own_word.fetch_add(1, std::memory_order_seq_cst);
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

}  // namespace baton::runtime
