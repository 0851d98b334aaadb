// Chain: what a drain lets be finished: all that follows from what began before it.
//
// Under a drain (code::Phase) the processes of the group serve only what continues a chain; other
// mail waits. What does so is decided in chain.cc and nowhere else:
//   a message   that is marked: a chain sent it to a process being drained, and it is counted, so
//               that the drain ends when none is left
//               that is nested: a call made while its sender was itself answering one; what a
//               chain asks of a process that is not drained but may act on those that are; the
//               news that a child of a chain has started; the first message of a process, once a
//               chain waits for it
//               that is a call of a process being drained
//   a callback  that handles such a message; a frame that waited for its answer; one that began
//               before its scheduler noticed the drain
//   a child     that such a callback spawned
// What may not run is put aside (HeldList) until a barrier gives it back. What is parked is kept
// there as it is, with all mail where it lies: from the last barrier of a park on no scheduler
// touches it.
//
// Coroutine processes are not drained: their frame is code of their version.
//
// Threads: as said per class; the functions: the context's own.
#pragma once

#include "code/version.h"
#include "runtime/mailbox.h"

#include <baton/abi.h>

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

namespace baton::runtime {

struct Context;
struct Process;
class Runtime;
class Scheduler;

/// Of baton_message::flags.
enum ChainFlag : std::uint16_t { kMarked = 2, kNested = 4 };

/// A counter that only its context writes and anyone reads.
inline void add_one(std::atomic<std::uint64_t>& own_counter) {
  own_counter.store(own_counter.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

/// A context's part: what its callback continues, and the marked messages that it has sent and
/// finished. Threads: the context's own, but for the counts.
class Chain {
 public:
  /// The callback under way continues a chain begun before the drain.
  bool is_continued() const { return is_continued_; }
  /// A callback begins.
  void begin(bool is_continued) { is_continued_ = is_continued; }

  void mark(Message& message) {
    message.flags |= kMarked;
    add_one(begun_);
  }
  /// A marked message was handled, and all that its callback sent was counted before.
  void finish_marked() { add_one(ended_); }
  std::uint64_t begun() const { return begun_.load(std::memory_order_acquire); }
  std::uint64_t ended() const { return ended_.load(std::memory_order_acquire); }

 private:
  bool is_continued_ = false;
  std::atomic<std::uint64_t> begun_{0};
  std::atomic<std::uint64_t> ended_{0};
};

/// Lets part of a callback be done for another chain than its own: what was postponed.
class ChainScope {
 public:
  ChainScope(Chain& chain, bool is_continued) : chain_(chain), outer_(chain.is_continued()) {
    chain_.begin(is_continued);
  }
  ~ChainScope() { chain_.begin(outer_); }
  ChainScope(const ChainScope&) = delete;
  ChainScope& operator=(const ChainScope&) = delete;

 private:
  Chain& chain_;
  const bool outer_;
};

/// Whether the message continues a chain. Requires: a drain is under way.
bool continues_chain(Context& context, const Message& message);
/// Whether what the context's callback does continues one. Requires: a drain is under way.
bool continues_chain(const Context& context);
/// Whether the frame that goes on continues one. Requires: a drain is under way.
bool continues_chain(const Process& process);

/// Marks what a chain sends to a process being drained. Requires: a drain is under way.
void mark_sent(Context& context, Process& receiver, Message* message);
/// The first message of a child of the version; the same.
void mark_child(Context& context, code::Version& version, Message* args);

/// A callback of the process begins to wait in a frame, and its end; counted by version, so that a
/// drain knows when none waits.
void begin_await(Context& context, Process& process);
void end_await(Context& context, Process& process);

/// No callback of the group waits in a frame, but for so many of processes that are not waited for,
/// and no marked message is left. Proof only while draining. Not on a scheduler's thread.
bool is_at_rest(Runtime& runtime, std::span<code::Version* const> group, std::uint64_t frames_left);
/// The process, whose callback `inside` has not returned, is not waited for any more: what is done
/// for it continues no chain, nor does the mail that it has. Acts in `context`. Requires: a claim
/// on `inside`.
void cut_chain(Context& context, Context& inside);
/// Marked messages sent and not yet finished, over all runners. The same.
std::uint64_t marked_work(Runtime& runtime);

/// A scheduler's part: the processes that a drain put aside. Each barrier gives them back to the
/// run queues and begins a new round, in which those that still may not run are put aside again.
/// Threads: the scheduler's own.
class HeldList {
 public:
  explicit HeldList(std::uint32_t scheduler) : scheduler_(scheduler) {}

  /// Once per round. What another scheduler or an earlier round wrote down does not count: that
  /// list may be worked off in this very moment, in vain because we own the process.
  void add(Process& process);
  bool has(const Process& process) const;
  /// A parked process that its scheduler owns: the list does from now on, so that what is sent to
  /// it wakes nobody.
  void keep(Process& process) { kept_.push_back(&process); }
  void give_back(Scheduler& scheduler);

 private:
  const std::uint32_t scheduler_;
  std::vector<baton_term> pids_;
  std::vector<Process*> kept_;
  std::uint32_t round_ = 1;
};

}  // namespace baton::runtime
