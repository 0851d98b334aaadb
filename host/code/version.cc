#include "code/version.h"

#include "base/check.h"
#include "code/library.h"

#include <thread>

namespace baton::code {

void SpinLock::wait() {
  do {
    while (locked_.load(std::memory_order_relaxed)) std::this_thread::yield();
  } while (locked_.exchange(true, std::memory_order_acquire));
}

Version::Version(const baton_module* module, std::unique_ptr<Library> library)
    : module_(module),
      name_(module->name),
      number_(module->version),
      library_(std::move(library)) {}

Version::Version(const baton_module* module) : Version(module, nullptr) {}

Version::~Version() = default;

const baton_behaviour* Version::behaviour_at(std::uint32_t i) const {
  BATON_CHECK(i < module_->behaviour_count);
  const char* first = reinterpret_cast<const char*>(module_->behaviours);
  return reinterpret_cast<const baton_behaviour*>(first +
                                                  std::size_t{i} * module_->behaviour_stride);
}

const baton_behaviour* Version::behaviour(std::string_view name) const {
  for (std::uint32_t i = 0; i < behaviour_count(); ++i)
    if (name == behaviour_at(i)->name) return behaviour_at(i);
  return nullptr;
}

bool Version::owns(const baton_behaviour* behaviour) const {
  const auto first = reinterpret_cast<std::uintptr_t>(module_->behaviours);
  const auto at = reinterpret_cast<std::uintptr_t>(behaviour);
  return at >= first &&
         at < first + std::size_t{module_->behaviour_count} * module_->behaviour_stride;
}

std::unique_ptr<Library> Version::release_library() {
  BATON_CHECK(is_retired() && is_unused(), "a version with leases must stay loaded");
  return std::move(library_);
}

void Version::bury() { unpin(); }

void Version::unpin() {
  barred_.store(false, std::memory_order_relaxed);
  const std::uint32_t before = abandoned_.fetch_sub(1, std::memory_order_release);
  BATON_CHECK(before != 0, "nobody was abandoned or has pinned it");
}

void Version::leave_as_guest() {
  const std::uint32_t before = guests_.fetch_sub(1, std::memory_order_release);
  BATON_CHECK(before != 0, "nobody came in as a guest");
}

bool Version::acquire(std::uint32_t shard_index, std::uint32_t process, std::uint32_t& position) {
  Shard& shard = shards_[shard_index];
  shard.lock.lock();
  // retire() sets the flag and then passes through every shard's lock, so whoever holds the lock
  // and still reads false is counted before retire() returns.
  // Who is started under a take-over runs after it, and most likely another version's code: a
  // rollback from a version that is barred needs its supervisors.
  if (retired_.load(std::memory_order_relaxed) ||
      (is_barred() && phase_.load(std::memory_order_acquire) == Phase::kOpen)) {
    shard.lock.unlock();
    return false;
  }
  position = static_cast<std::uint32_t>(shard.processes.size());
  shard.processes.push_back(process);
  if (shard.heir != nullptr) shard.make_room_at_heir();
  // Between the flip and the move of the processes it is the heir's turn to take new ones.
  if (shard.promised != 0) shard.make_room();
  shard.acquired.store(shard.acquired.load(std::memory_order_relaxed) + 1,
                       std::memory_order_release);
  shard.lock.unlock();
  return true;
}

void Version::Shard::set_heir(Shard* shard) {
  std::lock_guard guard(lock);
  if (heir != nullptr) {
    std::lock_guard heir_guard(heir->lock);
    heir->promised = 0;
  }
  heir = shard;
  if (heir != nullptr) make_room_at_heir();
}

void Version::Shard::make_room_at_heir() {
  std::lock_guard guard(heir->lock);
  heir->promised = processes.size();
  heir->make_room();
}

void Version::Shard::make_room() {
  const std::size_t all = processes.size() + promised;
  if (all > processes.capacity()) processes.reserve(all + all / 2);
}

void Version::retire() {
  retired_.store(true, std::memory_order_release);
  for (Shard& shard : shards_) {
    shard.lock.lock();
    shard.lock.unlock();
  }
}

void Version::revive() { retired_.store(false, std::memory_order_release); }

// An abandoned process is counted here before its lease is given up.
bool Version::is_unused() const { return lease_count() == 0 && abandoned() == 0 && guests() == 0; }

std::uint64_t Version::samples() const {
  std::uint64_t sum = 0;
  for (const Shard& shard : shards_) sum += shard.samples.load(std::memory_order_relaxed);
  return sum;
}

std::uint64_t Version::lease_count() const {
  std::uint64_t released = 0, acquired = 0;
  for (const Shard& shard : shards_) released += shard.released.load(std::memory_order_acquire);
  for (const Shard& shard : shards_) acquired += shard.acquired.load(std::memory_order_acquire);
  BATON_CHECK(released <= acquired, "a lease was released twice");
  return acquired - released;
}

}  // namespace baton::code
