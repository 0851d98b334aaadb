// Pools: memory in steps of 32 bytes for messages, states and frames.
//
// Each context (a scheduler, or a thread that talks to the runtime) has its own Pools, so that the
// common allocation is a pop from a list no other thread sees. What piles up on one side (blocks
// are freed by the receiver) travels back through the Depot in batches of kBatchBlocks. A general
// allocator costs 40 % more per spawned process (tests/bench/README.md), since it cannot know that
// sizes and threads repeat so.
//
// Invariants:
//   (1) A block's class is kept by its user: in baton_message::pool, or implied by its size.
//   (2) Slabs stay mapped until the Depot goes; blocks only move between lists.
// Neither is checked: a block says nothing of itself, and a look at it costs as much as the pop.
// Ownership: the Runtime owns the Depot; it outlives every Pools.
// Threads:   Pools: its context's thread only. Depot: any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace baton::runtime {

inline constexpr std::size_t kPoolStepBytes = 32;
inline constexpr std::size_t kPooledBytesMax = 1024;
inline constexpr std::uint32_t kPoolClasses = kPooledBytesMax / kPoolStepBytes + 1;
inline constexpr std::uint8_t kUnpooled = 255;  // a block of the general allocator

class Depot {
 public:
  ~Depot();
  Depot() = default;
  Depot(const Depot&) = delete;
  Depot& operator=(const Depot&) = delete;

 private:
  friend class Pools;
  struct FreeBlock {
    FreeBlock* next;
  };
  struct Shelf {
    std::mutex mutex;
    std::vector<FreeBlock*> batches;          // guarded by mutex
    std::atomic<std::size_t> batch_count{0};  // may be read without it, as a hint
  };
  /// Memory for new blocks; stays mapped until the Depot goes.
  void* map_slab();

  Shelf shelves_[kPoolClasses];
  std::mutex slabs_mutex_;
  std::vector<void*> slabs_;  // guarded by slabs_mutex_
};

class Pools {
 public:
  explicit Pools(Depot& depot) : depot_(depot) {}
  /// Whole batches go back to the depot; of each class less than one stays unused until that goes.
  ~Pools();
  Pools(const Pools&) = delete;
  Pools& operator=(const Pools&) = delete;

  static std::uint8_t class_of(std::size_t bytes) {
    std::size_t pool = (bytes + kPoolStepBytes - 1) / kPoolStepBytes;
    return pool < kPoolClasses ? static_cast<std::uint8_t>(pool == 0 ? 1 : pool) : kUnpooled;
  }

  /// Never null: running out of memory ends the host.
  void* allocate(std::size_t bytes) {
    const std::uint8_t pool = class_of(bytes);
    if (__builtin_expect(pool == kUnpooled, 0)) return allocate_unpooled(bytes);
    List& list = lists_[pool];
    if (__builtin_expect(list.first != nullptr, 1)) {
      Depot::FreeBlock* block = list.first;
      list.first = block->next;
      --list.count;
      return block;
    }
    return refill(pool);
  }

  /// Requires: `pool` is class_of the size that `block` was allocated with, on whatever context.
  void deallocate(void* block, std::uint8_t pool) {
    if (__builtin_expect(pool == kUnpooled, 0)) return deallocate_unpooled(block);
    List& list = lists_[pool];
    auto* free_block = static_cast<Depot::FreeBlock*>(block);
    free_block->next = list.first;
    list.first = free_block;
    if (__builtin_expect(++list.count >= 3 * kBatchBlocks, 0)) spill(pool);
  }

 private:
  static constexpr std::uint32_t kBatchBlocks = 128;
  struct List {
    Depot::FreeBlock* first = nullptr;
    std::uint32_t count = 0;
  };

  void* refill(std::uint8_t pool);
  void spill(std::uint8_t pool);
  static void* allocate_unpooled(std::size_t bytes);
  static void deallocate_unpooled(void* block);

  Depot& depot_;
  List lists_[kPoolClasses];
  char* slab_ = nullptr;
  char* slab_present_ = nullptr;  // where the pages begin that were not made present
  char* slab_end_ = nullptr;
};

}  // namespace baton::runtime
