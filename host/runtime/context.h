// Context: what code runs in, the host's side of baton_context.
//
// A thread that runs processes has one (Runner); so have the watch and each thread outside that
// talks to the runtime (External). It has the memory pools, the free process slots and the counters
// of its thread, so that none of the common paths shares a line.
//
// Invariants:
//   (1) A module is given a context only for the length of a callback, on the context's thread.
//   (2) `scheduler` is not kept across module code: it may have been taken away meanwhile.
// Neither is checked: what a module keeps is not seen, and the other is a rule for who writes here.
// Ownership: the Runtime owns all contexts; they live as long as it does.
// Threads: its own thread, but for the atomics, which others may read, and what a claimant does in
//          its place (boundary.h).
#pragma once

#include "runtime/boundary.h"
#include "runtime/chain.h"
#include "runtime/pools.h"
#include "runtime/process.h"
#include "runtime/ref.h"

#include <baton/abi.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace baton::runtime {

class Errand;
class Runtime;
class Scheduler;

/// Kinds of message that the runtime keeps to itself. The public ones are in abi.h.
enum Signal : std::uint8_t {
  kMonitorSignal = 16,  // word[0] ref: from watches the receiver
  kDemonitorSignal,     // word[0] ref
  kGiveUpSignal,        // word[0] ref of a request that from wants no answer to any more
  kLinkSignal,          // from is linked to the receiver
  kUnlinkSignal,
  kExitSignal,     // word[0] an ExitKind, root the reason
  kSystemSignal,   // word[0] ref of the answer, word[1] a SystemRequest, root its argument
  kWakeSignal,     // look: a deadline of await_until may have passed
  kStartedSignal,  // from has completed init; only to a parent that asked for it
};
enum ExitKind : baton_term { kLinkExit, kSentExit, kKill };
enum SystemRequest : baton_term { kSuspend, kResume, kGetState, kInfo, kTerminate };

/// The host's bits of baton_message::flags.
enum MessageFlag : std::uint16_t {
  // ChainFlag: 2 and 4.
  kWatched = 8,  // a BATON_DOWN that answers a monitor, not a request
  kSetOff = 16,  // by a check or a timer: no sample (sample.h)
  kWanted = 32,  // a BATON_REPLY or BATON_DOWN that its receiver has looked at (is_unwanted)
  kPurged = 64,  // a BATON_EXIT or BATON_DOWN of one that was killed on a version to be unloaded
};

/// Those that a message's release has to act on.
inline constexpr std::uint16_t kReleaseFlags =
    std::uint16_t{kMarked} | std::uint16_t{BATON_MESSAGE_HAS_SHARED};

inline constexpr std::uint32_t kContextsMax = code::kShards;
inline constexpr std::uint32_t kSchedulersMax = 32;
/// Threads that run processes: those that drive the schedulers, their spares, those that carry out
/// errands, and those that are inside a callback that does not return.
inline constexpr std::uint32_t kRunnersMax = 47;
/// The context in which the watch acts for others.
inline constexpr std::uint32_t kWatchId = kRunnersMax;
/// Threads outside that are in a context at a time, see External.
inline constexpr std::uint32_t kExternalsMax = kContextsMax - kWatchId - 1;
/// Spawns in a row that go into one shard of a version's index.
inline constexpr std::uint32_t kSpawnsPerShard = 64;
inline constexpr std::uint32_t kErrorTextBytes = 1024;

/// A request that a process has not answered.
struct OpenCall {
  baton_term caller = BATON_NO_TERM;
  baton_term ref = BATON_NO_TERM;
};

struct Context : baton_context {
  Context(Runtime& runtime_of, std::uint32_t id_of);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // Constant after construction.
  Runtime& runtime;
  const std::uint32_t id;

  Errand* errand = nullptr;        // which it carries out; null: none
  Scheduler* scheduler = nullptr;  // which it drives; null: none, as on a thread outside
  Boundary boundary;
  std::atomic<baton_term> running{BATON_NO_TERM};  // whose turn it is, for reports
  // Of the process named there; false: its hook was left (errand.h), and no scheduler has handed it
  // over yet.
  std::atomic<bool> owns_running{true};

  // The callback under way.
  Process* current = nullptr;
  const char* hook = nullptr;          // the module's function, if it is no callback (errand.h)
  code::Version* hook_code = nullptr;  // whose that is; null: the process's or the errand's
  const Message* handled = nullptr;    // what it was given, null: nothing; for a crash report
  baton_term ending = BATON_NO_TERM;   // the last process whose terminate was called
  OpenCall open_call;                  // what the process that ends was answering
  Message* stop_reason = nullptr;      // what exit_reason was given, owned
  std::uint64_t deadline_ns = 0;       // what await_until was given
  Message* refused = nullptr;          // the last message a failing receive passed over
  baton_term marker_ref = 0;           // a request of this callback, and the mail older than it
  Message* marker = nullptr;
  std::uint32_t budget = 0;    // steps until the turn ends; 0 after leave_slowly
  std::uint32_t receives = 0;  // in this turn, against kTurnMessagesMax
  bool is_preempted = false;   // a receive answered nothing because the turn is over

  Pools pools;
  SlotCache slots;
  std::uint32_t spawns = 0;  // ever, round and round
  std::uint64_t refs = 0;

  Chain chain;
  bool is_set_off = false;  // the callback under way is, by a check or a timer (sample.h)

  char error_text[kErrorTextBytes];

  Message* allocate(std::uint32_t words, std::uint8_t kind = BATON_MESSAGE) {
    const std::size_t bytes = sizeof(Message) + std::size_t{words} * sizeof(baton_term);
    auto* message = static_cast<Message*>(pools.allocate(bytes));
    message->kind = kind;
    message->pool = Pools::class_of(bytes);
    message->flags = 0;
    message->words = words;
    message->from = self;
    message->root = BATON_NO_TERM;
    return message;
  }
  void release(Message* message) {
    if (__builtin_expect((message->flags & kReleaseFlags) != 0, 0)) release_flagged(message);
    pools.deallocate(message, message->pool);
  }
  /// Where a version's index is to name the process that is spawned now. A context goes round the
  /// shards, as its children often end on another scheduler while it spawns the next ones: in one
  /// shard both would wait for its lock all the time.
  std::uint32_t next_shard() { return (id + spawns++ / kSpawnsPerShard) % code::kShards; }
  /// What the callback has left as its error. A module in C may say that there is more of it than
  /// there is room for.
  std::string_view error_said() const {
    return {error_text, std::min(error.length, kErrorTextBytes)};
  }
  /// Boundary::leave found that somebody wants something: waits for a claim to end, and ends the
  /// turn.
  void leave_slowly();
  /// Whether the process under way was ended from outside while its callback was inside: what that
  /// still asks of the host is refused.
  bool is_abandoned() const { return current != nullptr && current->has(kAbandoned); }

  baton_term make_ref() {
    return (++refs << kRefNumberShift) | (std::uint64_t{id} << kRefMakerShift) | BATON_TAG_REF;
  }

 private:
  void release_flagged(Message* message);
};

/// Calls a function of the module whose process has its turn. Between this and its return the
/// context may have lost its scheduler, and the process its life (kAbandoned).
template <class Function>
auto call_module(Context& context, Function function) -> decltype(function()) {
  const std::uint64_t inside = context.boundary.enter();
  if constexpr (std::is_void_v<decltype(function())>) {
    function();
    if (__builtin_expect(context.boundary.leave(inside) != 0, 0)) context.leave_slowly();
  } else {
    const auto answer = function();
    if (__builtin_expect(context.boundary.leave(inside) != 0, 0)) context.leave_slowly();
    return answer;
  }
}

/// The host's part of a host call that touches more than the context's own memory. Such parts may
/// stand in each other.
class HostCall {
 public:
  explicit HostCall(Context& context)
      : context_(context), is_part_(context.boundary.begin_nesting()) {
    context.boundary.begin_call();
    if (!context.boundary.may_go_on() && !is_part_) context.boundary.hold();
  }
  ~HostCall() {
    Boundary& boundary = context_.boundary;
    boundary.end_nesting(is_part_);
    if (__builtin_expect(boundary.is_held() && !is_part_, 0))
      boundary.release();
    else
      boundary.end_call();
  }
  HostCall(const HostCall&) = delete;
  HostCall& operator=(const HostCall&) = delete;

  /// The caller's process was abandoned: it is refused.
  bool is_refused() const { return context_.boundary.is_held() && context_.is_abandoned(); }

 private:
  Context& context_;
  const bool is_part_;
};

/// A function of the module called inside a host call, or outside of any. True: the process was
/// abandoned meanwhile, and nothing of it may be touched.
template <class Function>
bool call_module_within(Context& context, const Process& process, Function function) {
  if (context.boundary.is_inside()) {
    context.boundary.open_window();
    function();
    context.boundary.close_window();
  } else {
    call_module(context, function);
  }
  return process.has(kAbandoned);
}

inline Context& context_of(baton_context* context) { return *static_cast<Context*>(context); }

}  // namespace baton::runtime
