// Process: the object of one lightweight process, 128 bytes in two cache lines, and what only some
// need.
//
// Slots lie in one reserved address range (address = base + index x 128) and stay mapped until the
// table goes, so a send from any thread needs no look-up table and no epoch: a stale pid meets a
// slot of another generation. A pid that somebody made up meets a slot of another generation too,
// or names none (has_slot_of).
//
// Invariants:
//   (1) A process is owned by the runner that runs it, by the run queue entry that names it, or by
//       nobody (idle); a take-over owns all parked ones. Only the owner, or a claimant in its place
//       (boundary.h), touches anything but the atomics, which say who writes them.
//   (2) in_first..in_last is the mail taken from the mailbox, oldest first; null and null when
//       there is none.
// Neither is checked: both are asked for at each message.
// Threads: see (1).
#pragma once

#include "code/version.h"
#include "runtime/mailbox.h"
#include "term/layout.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace baton::runtime {

enum ProcessFlag : std::uint16_t {
  kStarted = 1,     // init has succeeded: there is a state, or a frame, to terminate
  kYielded = 2,     // handle is to be called again with no message
  kAwaiting = 4,    // a frame waits for mail; nothing else is handled meanwhile
  kTrapExit = 8,    // exit signals arrive as messages
  kExiting = 16,    // a fatal signal was met inside a callback; extension->exit_reason says which
  kSuspended = 32,  // by sys:suspend: only system messages are handled
  kNotifyParent = 64,    // its parent waits to hear that init is done
  kChained = 128,        // the awaiting frame continues a chain begun before a drain
  kParentLinked = 256,   // linked to its parent since its spawn: most are, so it costs no Extension
  kIsServer = 512,       // what a drain puts aside; here, as a take-over changes `behaviour`
  kFrameSetOff = 1024,   // the awaiting frame is no sample's (sample.h)
  kHostCode = 2048,      // its callbacks are the host's own (boundary.h)
  kKilled = 4096,        // the exit signal that it met was kill
  kAbandoned = 8192,     // dead to everybody, while a callback of it has not returned (exit.cc)
  kEndsInOrder = 16384,  // the fatal signal that it met is one that terminate is called for
  kUnderHook = 32768,    // a hook reads its state that nobody waits for any more (errand.h)
};

/// baton_behaviour::flags of the host's own behaviours.
enum BehaviourFlag : std::uint32_t {
  // It ends by itself when its parent's exit or sys:terminate asks, as a supervisor does.
  kMeetsExits = 1,
  // Its callbacks are the host's, which call the primitives and not the host table. Set by
  // native_behaviour.
  kIsHostCode = 2,
};

/// What Process::held_in says of one that stands on no list, but whose `scan` has to be forgotten,
/// and whose taken mail may hold signals, when it takes its mail as it comes again.
inline constexpr std::uint32_t kPassedOver = ~std::uint32_t{0};

/// Requests by their refs, and the other side of each. The first of them costs no table: most
/// processes have one at a time.
class Requests {
 public:
  void add(baton_term ref, baton_term pid) {
    if (ref_ != BATON_NO_TERM) {
      others_.emplace(ref, pid);
      return;
    }
    ref_ = ref;
    pid_ = pid;
  }
  /// Takes the request out if it is the one at hand and this its other side, which is the usual
  /// case. False: that is to be looked at.
  bool take_usual(baton_term ref, baton_term pid) {
    if (ref_ != ref || pid_ != pid) return false;
    ref_ = BATON_NO_TERM;
    return true;
  }
  /// The other side of a request that is there no more then.
  std::optional<baton_term> take(baton_term ref) {
    if (ref_ == ref) {
      ref_ = BATON_NO_TERM;
      return pid_;
    }
    const auto found = others_.find(ref);
    if (found == others_.end()) return std::nullopt;
    const baton_term pid = found->second;
    others_.erase(found);
    return pid;
  }
  template <class See>
  void each(See see) const {
    if (ref_ != BATON_NO_TERM) see(ref_, pid_);
    for (const auto& [ref, pid] : others_) see(ref, pid);
  }
  std::size_t size() const { return (ref_ != BATON_NO_TERM ? 1 : 0) + others_.size(); }

 private:
  baton_term ref_ = BATON_NO_TERM;
  baton_term pid_ = BATON_NO_TERM;
  boost::unordered_flat_map<baton_term, baton_term> others_;
};

/// What a process has besides, allocated when first used.
struct Extension {
  boost::unordered_flat_set<baton_term> links;
  boost::unordered_flat_map<baton_term, baton_term> monitors;  // ref -> whom we watch
  boost::unordered_flat_map<baton_term, baton_term> watchers;  // ref -> who watches us
  Requests asked;                                              // of others, not answered yet
  Requests callers;                                            // who waits for a later reply
  baton_term name = BATON_NO_TERM;
  void* frame = nullptr;  // of a gen_server's awaiting callback
  baton_term caller = 0;  // whom that callback answers
  baton_term call_ref = 0;
  std::uint64_t deadline_ns = 0;   // resume then, 0: never
  std::uint64_t armed_ns = 0;      // the wake-up timer under way, 0: none
  Message* exit_reason = nullptr;  // owned
};

struct alignas(128) Process {
  // The first cache line: what sending and running touch.
  Mailbox mailbox;
  Message* in_first;
  Message* in_last;
  std::atomic<std::uint32_t> generation;
  std::atomic<std::uint16_t> flags;  // ProcessFlags; written by the owner, read by reports
  std::atomic<bool> owns_ports;      // PortKeeper wants to hear of its end; set by any thread
  std::atomic<bool> has_signals;     // some may lie in the mailbox; set by any thread, behind them
  const baton_behaviour* behaviour;
  void* state;          // the state object, or a coroutine process's frame
  Process* queue_next;  // free list or injection queue
  Extension* extension;
  // The second.
  Message* scan;  // the last message already passed over, null: none
  baton_term self;
  std::atomic<code::Version*> version;
  std::uint32_t shard;  // where the version's index names us
  std::uint32_t position;
  baton_term parent;
  std::atomic<std::int64_t> allocated;  // bytes (allocations.h); written by its callbacks
  std::uint32_t held_in;  // the round of the list it was put aside on, 0: none since its last turn
  std::uint16_t held_by;  // the scheduler whose list that was
  std::atomic<std::uint16_t>
      application;  // inherited from the spawner; 0: none. Any thread reads it.
  // The generation that was killed last, so that the kill is met before the mail that it lies in.
  // Set by any thread; a late one may name a process before, then the mail tells.
  std::atomic<std::uint32_t> doomed;

  bool has(std::uint16_t flag) const { return (flags.load(std::memory_order_relaxed) & flag) != 0; }
  void set(std::uint16_t flag) {
    const auto more = static_cast<std::uint16_t>(flags.load(std::memory_order_relaxed) | flag);
    flags.store(more, std::memory_order_relaxed);
  }
  void clear(std::uint16_t flag) {
    const auto fewer = static_cast<std::uint16_t>(flags.load(std::memory_order_relaxed) & ~flag);
    flags.store(fewer, std::memory_order_relaxed);
  }
};
static_assert(sizeof(Process) == 128 && offsetof(Process, scan) == 64);

/// The extension of a process that the context owns.
Extension& extension_of(Process& process);

/// Forgets a link of a process that the caller owns. False: there was none.
inline bool drop_link(Process& process, baton_term pid) {
  if (pid == process.parent && process.has(kParentLinked)) {
    process.clear(kParentLinked);
    return true;
  }
  return process.extension != nullptr && process.extension->links.erase(pid) != 0;
}

inline constexpr std::uint32_t kProcessesMax = 1u << 27;
static_assert(kProcessesMax <= term::kPidIndexMax + 1);

inline std::uint32_t pid_index(baton_term pid) { return static_cast<std::uint32_t>(pid) >> 3; }
inline std::uint32_t pid_generation(baton_term pid) {
  return static_cast<std::uint32_t>(pid >> 32);
}

/// The slots: one reserved range, whose pages appear as they are used.
class ProcessTable {
 public:
  ProcessTable();
  ~ProcessTable();
  ProcessTable(const ProcessTable&) = delete;
  ProcessTable& operator=(const ProcessTable&) = delete;

  /// Requires: index < used().
  Process& at(std::uint32_t index) { return base_[index]; }
  std::uint32_t index_of(const Process& process) const {
    return static_cast<std::uint32_t>(&process - base_);
  }
  /// Slots handed out so far; index 0 is never used.
  std::uint32_t used() const { return used_.load(std::memory_order_acquire); }
  /// False: somebody made the pid up. Any pid, also one of the dead, is one or the other.
  bool has_slot_of(baton_term pid) const { return pid_index(pid) < used(); }

  /// `kSlotBatch` fresh slots, dead: the first index. There are kProcessesMax; more end the host.
  std::uint32_t carve();
  static constexpr std::uint32_t kSlotBatch = 1024;

 private:
  friend class SlotCache;
  Process* base_;
  std::atomic<std::uint32_t> used_{1};  // written under carve_mutex_
  std::mutex carve_mutex_;
  std::mutex batches_mutex_;
  std::vector<std::pair<Process*, Process*>> batches_;  // guarded by batches_mutex_
  std::atomic<std::size_t> batch_count_{0};
};

/// One context's free slots, reused first in first out with at least kSlotBatch free (see
/// mailbox.h).
class SlotCache {
 public:
  explicit SlotCache(ProcessTable& table) : table_(table) {}
  ~SlotCache();
  SlotCache(const SlotCache&) = delete;
  SlotCache& operator=(const SlotCache&) = delete;

  Process* get();
  void put(Process* process);

 private:
  ProcessTable& table_;
  Process* first_ = nullptr;
  Process* last_ = nullptr;
  std::uint32_t count_ = 0;
  std::uint32_t carved_ = 0;
  std::uint32_t carved_end_ = 0;
};

}  // namespace baton::runtime
