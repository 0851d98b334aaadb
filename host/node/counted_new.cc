// operator new and delete of the whole process, modules included: mimalloc's, and what module code
// allocates is counted for the process that runs it (runtime/allocations.h).
//
// It stands in the program itself, as modules import what the program has instead of a library's. A
// block counts with the size that was asked for, which whoever deletes it says again: to ask
// mimalloc for it both times would cost more than half of the allocation. Where nobody says it (a
// delete of void, a compiler without sized deallocation), what mimalloc gave is taken off.
#include "runtime/allocations.h"

#include <mimalloc.h>

#include <new>

namespace {

using baton::runtime::count_allocated;
using baton::runtime::counted_process;
using baton::runtime::Process;

constexpr std::size_t kCountedStep = 16;  // what a block takes at least, and in steps of

std::int64_t counted_size(std::size_t size) {
  return static_cast<std::int64_t>((size + kCountedStep - 1) & ~(kCountedStep - 1));
}

void* counted(void* block, std::size_t size) {
  Process* const process = counted_process();
  if (process != nullptr && block != nullptr) count_allocated(*process, counted_size(size));
  return block;
}
void release(void* block, std::size_t size) {
  Process* const process = counted_process();
  if (process != nullptr && block != nullptr) count_allocated(*process, -counted_size(size));
  mi_free(block);
}
void release(void* block) {
  Process* const process = counted_process();
  if (process != nullptr && block != nullptr)
    count_allocated(*process, -counted_size(mi_usable_size(block)));
  mi_free(block);
}

std::size_t number(std::align_val_t alignment) { return static_cast<std::size_t>(alignment); }

}  // namespace

void* operator new(std::size_t size) { return counted(mi_new(size), size); }
void* operator new[](std::size_t size) { return counted(mi_new(size), size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return counted(mi_new_nothrow(size), size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return counted(mi_new_nothrow(size), size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(mi_new_aligned(size, number(alignment)), size);
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return counted(mi_new_aligned(size, number(alignment)), size);
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return counted(mi_new_aligned_nothrow(size, number(alignment)), size);
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return counted(mi_new_aligned_nothrow(size, number(alignment)), size);
}

void operator delete(void* block, std::size_t size) noexcept { release(block, size); }
void operator delete[](void* block, std::size_t size) noexcept { release(block, size); }
void operator delete(void* block, std::size_t size, std::align_val_t) noexcept {
  release(block, size);
}
void operator delete[](void* block, std::size_t size, std::align_val_t) noexcept {
  release(block, size);
}
void operator delete(void* block) noexcept { release(block); }
void operator delete[](void* block) noexcept { release(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { release(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { release(block); }
void operator delete(void* block, std::align_val_t) noexcept { release(block); }
void operator delete[](void* block, std::align_val_t) noexcept { release(block); }
void operator delete(void* block, std::align_val_t, const std::nothrow_t&) noexcept {
  release(block);
}
void operator delete[](void* block, std::align_val_t, const std::nothrow_t&) noexcept {
  release(block);
}
