// Version: one loaded version of a module, who runs it, and who may still need it.
//
// A process holds a lease on the version whose code it runs, from its spawn to its exit or its
// migration. "May this version be purged?" is "is the count of leases zero?", never a scan of all
// processes.
//
// Leases and the index of processes are sharded. A context (scheduler) puts some processes in a row
// into one shard and then goes on to the next, so that cores seldom meet at one: not those that
// spawn, nor those where the processes end. A shard counts leases acquired and released, each only
// ever rising; is_unused reads all released first and all acquired after: equal sums prove zero,
// since a retired version gives no new lease. (A sum of signed shards could read one process's
// release and miss another's acquire.)
//
// The index is an array per shard, walked in order by a take-over with prefetches; a list through
// the processes is 2 to 7 times slower to walk on a scattered heap.
//
// Invariants:
//   (1) A process of this version is in exactly one shard's array, at the position it remembers.
//   (2) After retire() returns, acquire fails.
// (1) is not checked: whoever leaves the index says where it stands, and to look there whether that
// is so costs each exit a line. That no lease is lost is: where they are summed, and before the
// library goes (release_library). So is that nobody leaves who did not come in.
// Ownership: the CodeTable owns versions; a Version owns its library.
// Threads:   any thread, as said per member. A shard is written under its lock.
#pragma once

#include "code/behaviour.h"

#include <baton/abi.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace baton::code {

class Library;

inline constexpr std::uint32_t kShards = 64;

/// A lock for a few instructions: two words would be too many beside the data of a shard.
class SpinLock {
 public:
  void lock() {
    if (locked_.exchange(true, std::memory_order_acquire)) wait();
  }
  void unlock() { locked_.store(false, std::memory_order_release); }

 private:
  void wait();

  std::atomic<bool> locked_{false};
};

/// What a take-over has done to the processes of a version so far (takeover/).
enum class Phase : std::uint32_t {
  kOpen,      // they run
  kDraining,  // only what was begun is finished; other mail waits
  kParked,    // none of them runs
};

class Version {
 public:
  /// Requires: `module` is the library's.
  Version(const baton_module* module, std::unique_ptr<Library> library);
  /// The host's own behaviours. Requires: `module` outlives the version.
  explicit Version(const baton_module* module);
  ~Version();
  Version(const Version&) = delete;
  Version& operator=(const Version&) = delete;

  const std::string& module_name() const { return name_; }
  const std::string& number() const { return number_; }
  const baton_module* module() const { return module_; }
  std::uint32_t behaviour_count() const { return module_->behaviour_count; }
  const baton_behaviour* behaviour_at(std::uint32_t i) const;
  /// Whether the description is one of this version's.
  bool owns(const baton_behaviour* behaviour) const;
  /// Null if there is none of that name.
  const baton_behaviour* behaviour(std::string_view name) const;
  /// Those of one of its messages, as numbered in the note; null if it has none. Requires: owns.
  const baton_message_hooks* message_hooks(const baton_behaviour& behaviour,
                                           std::uint32_t message) const {
    return code::message_hooks(behaviour, module_->behaviour_stride, message);
  }

  /// The library, to close it. Requires: is_unused() and retired.
  std::unique_ptr<Library> release_library();

  std::atomic<Phase>& phase() { return phase_; }

  struct alignas(128) Shard {
    SpinLock lock;
    std::vector<std::uint32_t> processes;    // slot indices; guarded by lock
    std::atomic<std::uint64_t> acquired{0};  // written under lock
    std::atomic<std::uint64_t> released{0};  // written under lock
    // That of the version to which a take-over under way moves these processes, or null; guarded by
    // lock. It has room for them all, whoever else is started here or there, so that moving them
    // cannot fail.
    Shard* heir = nullptr;
    // Those that this is the heir of, or 0; guarded by lock.
    std::size_t promised = 0;
    // Callbacks that wait in a frame, begun and ended, and samples (runtime/sample.h); written only
    // by the context whose id is this shard's number, and so in a line that the others leave alone.
    alignas(64) std::atomic<std::uint64_t> awaits_begun{0};
    std::atomic<std::uint64_t> awaits_ended{0};
    std::atomic<std::uint64_t> samples{0};

    /// The lock of this one, and then the heir's, are taken.
    void set_heir(Shard* shard);
    /// Requires: lock is held. The heir's is taken.
    void make_room_at_heir();
    /// For what was promised. Requires: lock is held.
    void make_room();
  };
  static_assert(sizeof(Shard) == 128);
  Shard& shard(std::uint32_t i) { return shards_[i]; }

  /// Adds a process to the index with a lease. False: the version is retired or barred, nothing was
  /// done. The position goes into `position`.
  bool acquire(std::uint32_t shard, std::uint32_t process, std::uint32_t& position);
  /// Takes the process at `position` out. If another moves into its place, `moved` is called with
  /// that one's slot index and new position. `position` is read, and `moved` called, under the
  /// shard's lock.
  template <class Moved>
  void release(std::uint32_t shard, const std::uint32_t& position, Moved moved);

  /// Takes a process out in the same way whose callback has not returned: it is in the index no
  /// more, and a take-over passes it by, but its code is needed until bury.
  template <class Moved>
  void abandon(std::uint32_t shard, const std::uint32_t& position, Moved moved) {
    abandoned_.fetch_add(1, std::memory_order_relaxed);
    release(shard, position, moved);
  }
  /// The callback of an abandoned process has returned, and nothing is left of it.
  void bury();
  /// Its code is run for nobody, and needed until unpin: as that of an abandoned process.
  void pin() { abandoned_.fetch_add(1, std::memory_order_relaxed); }
  void unpin();
  /// How many were abandoned and not yet buried, or pinned and not unpinned.
  std::uint32_t abandoned() const { return abandoned_.load(std::memory_order_acquire); }

  /// From now on acquire fails. Undone by revive.
  void retire();
  void revive();
  /// From now on acquire fails, until an abandoned process is buried: too many are inside.
  void bar() { barred_.store(true, std::memory_order_relaxed); }
  bool is_barred() const { return barred_.load(std::memory_order_relaxed); }
  bool is_retired() const { return retired_.load(std::memory_order_acquire); }
  /// Others than its processes run a hook of it. Requires of enter: somebody keeps it loaded.
  void enter_as_guest() { guests_.fetch_add(1, std::memory_order_relaxed); }
  void leave_as_guest();
  std::uint32_t guests() const { return guests_.load(std::memory_order_acquire); }

  /// Meaningful only when retired: no lease is left, and none can come, and no callback of an
  /// abandoned process is inside, nor a hook.
  bool is_unused() const;
  std::uint64_t lease_count() const;
  /// Handled by its processes while samples were counted.
  std::uint64_t samples() const;

 private:
  // Constant after construction.
  const baton_module* module_;
  std::string name_;
  std::string number_;
  std::unique_ptr<Library> library_;

  std::atomic<Phase> phase_{Phase::kOpen};
  std::atomic<bool> retired_{false};
  std::atomic<bool> barred_{false};
  std::atomic<std::uint32_t> abandoned_{0};
  std::atomic<std::uint32_t> guests_{0};
  Shard shards_[kShards];
};

template <class Moved>
void Version::release(std::uint32_t shard_index, const std::uint32_t& position_now, Moved moved) {
  Shard& shard = shards_[shard_index];
  shard.lock.lock();
  const std::uint32_t position = position_now;
  const std::uint32_t last = shard.processes.back();
  shard.processes.pop_back();
  if (position < shard.processes.size()) {
    shard.processes[position] = last;
    moved(last, position);
  }
  shard.released.store(shard.released.load(std::memory_order_relaxed) + 1,
                       std::memory_order_release);
  shard.lock.unlock();
}

}  // namespace baton::code
