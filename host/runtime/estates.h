// Estates: the mail that processes had not handled when they ended. Whoever waits for an answer to
// some of it hears of the end; all of it is freed.
//
// Little is done at once. A million messages take a while, so they are worked off in pieces, by
// whichever scheduler looks: the end itself is heard of before, and no process waits for it.
//
// Threads: any context.
#pragma once

#include "runtime/context.h"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

namespace baton::runtime {

/// So many messages are worked off at a time.
inline constexpr std::uint32_t kEstatePiece = 256;

class Estates {
 public:
  explicit Estates(Runtime& runtime) : runtime_(runtime) {}
  Estates(const Estates&) = delete;
  Estates& operator=(const Estates&) = delete;

  /// Takes a chain of messages of the process that has ended for this reason, an immediate term.
  void leave(Context& context, baton_term pid, Message* chain, baton_term reason) {
    if (chain != nullptr) leave_some(context, pid, chain, reason);
  }
  bool is_empty() const { return count_.load(std::memory_order_acquire) == 0; }
  /// Works off a piece of what there is.
  void work_off(Context& context);
  /// Frees all, and tells nobody. Requires: no scheduler runs.
  void discard(Context& context);

 private:
  struct Estate {
    baton_term pid;
    Message* chain;
    baton_term reason;
  };

  void leave_some(Context& context, baton_term pid, Message* chain, baton_term reason);

  Runtime& runtime_;
  std::mutex mutex_;
  std::vector<Estate> waiting_;  // guarded by mutex_
  std::atomic<std::size_t> count_{0};
};

}  // namespace baton::runtime
