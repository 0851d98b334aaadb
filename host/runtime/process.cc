#include "runtime/process.h"

#include "base/check.h"
#include "base/pages.h"

#include <sys/mman.h>

namespace baton::runtime {

namespace {
constexpr std::size_t kTableBytes = std::size_t{kProcessesMax} * sizeof(Process);
constexpr std::uint32_t kCachedSlotsMax = 4 * ProcessTable::kSlotBatch;
}  // namespace

Extension& extension_of(Process& process) {
  if (process.extension == nullptr) process.extension = new Extension;
  return *process.extension;
}

ProcessTable::ProcessTable() {
  void* range = mmap(nullptr, kTableBytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  BATON_CHECK(range != MAP_FAILED, "cannot reserve the address range of the process table");
  base_ = static_cast<Process*>(range);
  new (&at(0)) Process;
}

ProcessTable::~ProcessTable() { munmap(base_, kTableBytes); }

std::uint32_t ProcessTable::carve() {
  std::lock_guard lock(carve_mutex_);
  const std::uint32_t first = used_.load(std::memory_order_relaxed);
  BATON_CHECK(first < kProcessesMax - kSlotBatch, "the process table is full");
  populate(&at(first), kSlotBatch * sizeof(Process));
  // Dead before anyone can name them: a zero page would be alive, as generation 0.
  for (std::uint32_t i = first; i < first + kSlotBatch; ++i)
    (new (&at(i)) Process)->generation.store(1, std::memory_order_relaxed);
  used_.store(first + kSlotBatch, std::memory_order_release);
  return first;
}

SlotCache::~SlotCache() {
  if (first_ == nullptr) return;
  std::lock_guard lock(table_.batches_mutex_);
  // Only whole batches go back, since whoever takes one counts on kSlotBatch slots in it. The few
  // left over stay unused until the table goes.
  while (first_ != nullptr && count_ >= ProcessTable::kSlotBatch) {
    Process* first = first_;
    Process* last = first;
    for (std::uint32_t i = 1; i < ProcessTable::kSlotBatch; ++i) last = last->queue_next;
    first_ = last->queue_next;
    last->queue_next = nullptr;
    count_ -= ProcessTable::kSlotBatch;
    table_.batches_.emplace_back(first, last);
  }
  table_.batch_count_.store(table_.batches_.size(), std::memory_order_relaxed);
}

Process* SlotCache::get() {
  if (count_ < ProcessTable::kSlotBatch &&
      table_.batch_count_.load(std::memory_order_relaxed) != 0) {
    std::lock_guard lock(table_.batches_mutex_);
    if (!table_.batches_.empty()) {
      auto [first, last] = table_.batches_.back();
      table_.batches_.pop_back();
      table_.batch_count_.store(table_.batches_.size(), std::memory_order_relaxed);
      (last_ != nullptr ? last_->queue_next : first_) = first;
      last_ = last;
      count_ += ProcessTable::kSlotBatch;
    }
  }
  if (count_ >= ProcessTable::kSlotBatch) {
    Process* process = first_;
    first_ = process->queue_next;
    if (first_ == nullptr) last_ = nullptr;
    --count_;
    return process;
  }
  if (carved_ == carved_end_) {
    carved_ = table_.carve();
    carved_end_ = carved_ + ProcessTable::kSlotBatch;
  }
  return &table_.at(carved_++);
}

void SlotCache::put(Process* process) {
  process->queue_next = nullptr;
  (last_ != nullptr ? last_->queue_next : first_) = process;
  last_ = process;
  if (++count_ < kCachedSlotsMax) return;
  Process* first = first_;
  Process* last = first;
  for (std::uint32_t i = 1; i < ProcessTable::kSlotBatch; ++i) last = last->queue_next;
  first_ = last->queue_next;
  last->queue_next = nullptr;
  count_ -= ProcessTable::kSlotBatch;
  std::lock_guard lock(table_.batches_mutex_);
  table_.batches_.emplace_back(first, last);
  table_.batch_count_.store(table_.batches_.size(), std::memory_order_relaxed);
}

}  // namespace baton::runtime
