// Memory: how much connections hold: counted for each listener, and for the host.
//
// Held are what has come and waits (requests that are not whole, chunks in the owner's mailbox and
// what it says it holds of them, bodies and answers in a pipeline) and what is to be sent.
//
//   level   held                            what follows
//   calm    less than kMemoryHighShare      nothing
//   high    from there on                   large holders are not read, but for the first of them;
//                                           after kMemoryPatienceNs the newest large holders are
//                                           refused, until it is calm
//   full    the limit                       nobody who holds anything is read; the newest large
//                                           holders are closed at once, until it is calm
//
// A holder is large from kLargeHolderBytes on; the first is the one that has been for longest: it
// may go on, so that there is progress.
//
// Ownership: a listener's has the host's as its parent, which outlives it.
// Threads:   any; patience is asked by one at a time.
#pragma once

#include "net/limits.h"

#include <baton/abi.h>

#include <atomic>
#include <cstdint>
#include <vector>

namespace baton::net {

class Memory {
 public:
  enum class Level { kCalm, kHigh, kFull };

  /// Requires: max > 0.
  explicit Memory(std::uint64_t max, Memory* parent = nullptr) : parent_(parent), max_(max) {}
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  void set_max(std::uint64_t max) { max_.store(max, std::memory_order_relaxed); }
  std::uint64_t max() const { return max_.load(std::memory_order_relaxed); }
  std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  /// From here on it is high.
  std::uint64_t high() const { return max() / kMemoryHighShare.of * kMemoryHighShare.parts; }

  void add(std::uint64_t bytes);
  void subtract(std::uint64_t bytes);
  /// Its own and its parent's: the worse one.
  Level level() const;
  /// Whether it and its parent stay within their limits with so much more.
  bool has_room(std::uint64_t bytes) const;

  /// How much of what large holders have must go now: 0 while it is calm, or was not high for
  /// kMemoryPatienceNs without a break. Of its own, without its parent's.
  std::uint64_t excess(std::uint64_t now_ns);

 private:
  Level own_level() const;

  Memory* const parent_;
  std::atomic<std::uint64_t> max_;
  std::atomic<std::uint64_t> used_{0};
  std::atomic<bool> was_calm_{false};  // it came down to that since last asked
  std::uint64_t high_since_ns_ = 0;    // 0: it was calm when last asked
};

/// A connection that holds much.
struct LargeHolder {
  std::uint64_t since_ns;
  baton_term port;
  std::uint64_t bytes;
};

/// Those that have to go so that `excess` bytes do: the newest first. The first holder stays,
/// unless it alone is too much.
std::vector<baton_term> newest_for(std::vector<LargeHolder> holders, std::uint64_t excess);

}  // namespace baton::net
