#include "runtime/pools.h"

#include "base/check.h"
#include "base/pages.h"

#include <sys/mman.h>

#include <cstdlib>

namespace baton::runtime {

namespace {
constexpr std::size_t kSlabBytes = 1 << 20;
// The pages of a slab are made present so many bytes at a time: a fault for each page costs several
// times more.
constexpr std::size_t kPopulateBytes = 64 << 10;
}  // namespace

Depot::~Depot() {
  for (void* slab : slabs_) munmap(slab, kSlabBytes);
}

void* Depot::map_slab() {
  void* slab = mmap(nullptr, kSlabBytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  BATON_CHECK(slab != MAP_FAILED, "out of memory");
  std::lock_guard lock(slabs_mutex_);
  slabs_.push_back(slab);
  return slab;
}

Pools::~Pools() {
  for (std::uint32_t pool = 1; pool < kPoolClasses; ++pool) {
    List& list = lists_[pool];
    while (list.count >= kBatchBlocks) spill(static_cast<std::uint8_t>(pool));
    if (list.first == nullptr) continue;
    // A short last batch would break the depot's counting, so its blocks do not go back: they stay
    // mapped, and unused until the depot goes.
    list = List{};
  }
}

void* Pools::refill(std::uint8_t pool) {
  Depot::Shelf& shelf = depot_.shelves_[pool];
  if (shelf.batch_count.load(std::memory_order_relaxed) != 0) {
    std::lock_guard lock(shelf.mutex);
    if (!shelf.batches.empty()) {
      Depot::FreeBlock* batch = shelf.batches.back();
      shelf.batches.pop_back();
      shelf.batch_count.store(shelf.batches.size(), std::memory_order_relaxed);
      lists_[pool] = {batch->next, kBatchBlocks - 1};
      return batch;
    }
  }
  const std::size_t bytes = pool * kPoolStepBytes;
  if (static_cast<std::size_t>(slab_end_ - slab_) < bytes) {
    slab_ = static_cast<char*>(depot_.map_slab());
    slab_end_ = slab_ + kSlabBytes;
    slab_present_ = slab_;
  }
  void* block = slab_;
  slab_ += bytes;
  if (slab_ > slab_present_) {
    populate(slab_present_, kPopulateBytes);
    slab_present_ += kPopulateBytes;
  }
  return block;
}

void Pools::spill(std::uint8_t pool) {
  List& list = lists_[pool];
  Depot::FreeBlock* batch = list.first;
  Depot::FreeBlock* last = batch;
  for (std::uint32_t i = 1; i < kBatchBlocks; ++i) last = last->next;
  list.first = last->next;
  last->next = nullptr;
  list.count -= kBatchBlocks;
  Depot::Shelf& shelf = depot_.shelves_[pool];
  std::lock_guard lock(shelf.mutex);
  shelf.batches.push_back(batch);
  shelf.batch_count.store(shelf.batches.size(), std::memory_order_relaxed);
}

void* Pools::allocate_unpooled(std::size_t bytes) {
  void* block = std::malloc(bytes);
  BATON_CHECK(block != nullptr, "out of memory");
  return block;
}

void Pools::deallocate_unpooled(void* block) { std::free(block); }

}  // namespace baton::runtime
