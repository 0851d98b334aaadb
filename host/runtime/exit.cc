#include "base/check.h"
#include "runtime/primitives.h"
#include "runtime/receive.h"
#include "runtime/runtime.h"
#include "runtime/signals.h"
#include "runtime/turn.h"
#include "term/atom.h"
#include "term/layout.h"

namespace baton::runtime {

// The end of a process: whoever watches, is linked, or waits for an answer hears of it, and its
// slot is free.

namespace {

bool is_orderly(baton_term reason) {
  if (reason == term::atoms::kNormal || reason == term::atoms::kShutdown) return true;
  const auto tuple = term::as_tuple(reason);
  return tuple && tuple->size() == 2 && (*tuple)[0] == term::atoms::kShutdown;
}

// It was killed for its version's sake: that is no crash of its own.
bool is_purged(const Process& process, baton_term reason) {
  return __builtin_expect(reason == term::atoms::kKilled, 0) &&
         process.version.load(std::memory_order_relaxed)->is_retired();
}

void send_down(Context& context, baton_term to, baton_term ref, baton_term reason,
               std::uint16_t flags) {
  Message* down = message_of(context, reason, BATON_DOWN, 1);
  down->word[0] = ref;
  down->flags |= flags;
  send(context, to, down);
}

void send_exit(Context& context, baton_term to, baton_term reason, std::uint16_t flags) {
  Message* exit = message_of(context, reason, kExitSignal, 1);
  exit->flags |= flags;
  exit->word[0] = kLinkExit;
  send_signal(context, to, exit);
}

void destroy_frame(Context& context, Process& process) {
  if (!process.has(kAwaiting)) return;
  const bool is_process = process.behaviour->kind == BATON_PROCESS;
  void* frame = is_process ? process.state : process.extension->frame;
  call_module(context, [&] { process.behaviour->destroy_frame(&context, frame); });
  if (is_process) process.state = nullptr;
  // Of an abandoned one it was counted at once.
  if (!is_process && !process.has(kAbandoned)) end_await(context, process);
  process.clear(kAwaiting);
}

// Not for every end, as in OTP: an exit that is not trapped, and kill, end a process where it
// stands.
void terminate(Context& context, Process& process, baton_term reason) {
  if (process.has(kExiting) && !process.has(kEndsInOrder)) return;
  const baton_behaviour& behaviour = *process.behaviour;
  if (behaviour.terminate == nullptr || process.state == nullptr || !process.has(kStarted)) return;
  if (process.has(kAbandoned)) return;  // while its frame was destroyed
  Message* why = message_of(context, reason);
  context.call_ref = BATON_NO_TERM;
  context.ending = process.self;
  call_module(context, [&] { behaviour.terminate(&context, process.state, why); });
  context.release(why);
}

void destroy_state(Context& context, Process& process) {
  const baton_schema* schema = process.behaviour->state;
  if (schema == nullptr || process.state == nullptr) return;
  call_module(context, [&] { schema->destroy(process.state); });
  context.pools.deallocate(process.state, Pools::class_of(schema->size));
  process.state = nullptr;
}

// From here on every push fails. What nobody has taken, newest first.
Message* close_mailbox(Process& process) {
  const std::uint32_t next_generation = process.generation.load(std::memory_order_relaxed) + 1;
  process.generation.store(next_generation, std::memory_order_relaxed);
  return process.mailbox.close(next_generation);
}

// For Version::release: another process has taken a place in the index.
auto moving_in(Runtime& runtime) {
  return [&runtime](std::uint32_t moved, std::uint32_t position) {
    runtime.table().at(moved).position = position;
  };
}

void give_up_lease(Runtime& runtime, Process& process) {
  code::Version& version = *process.version.load(std::memory_order_relaxed);
  process.version.store(nullptr, std::memory_order_release);
  version.release(process.shard, process.position, moving_in(runtime));
}

}  // namespace

namespace {

// All that others see of a death. Requires: the context's self is the process.
[[gnu::always_inline]] inline void announce(Context& context, Process& process, OpenCall call,
                                            baton_term reason) {
  Runtime& runtime = context.runtime;
  const baton_term pid = process.self;
  const std::uint16_t purged = is_purged(process, reason) ? kPurged : 0;
  Extension* extension = std::exchange(process.extension, nullptr);
  // Its name is free before anyone hears of the death, so that a restart can take it.
  if (extension != nullptr)
    if (extension->name != BATON_NO_TERM) runtime.registry().remove(extension->name, pid);

  // The order matters: what is sent below may be answered at once.
  Message* unread = close_mailbox(process);
  Message* taken = std::exchange(process.in_first, nullptr);
  process.in_last = nullptr;
  if (__builtin_expect(process.owns_ports.load(std::memory_order_relaxed), 0))
    runtime.port_keeper()->owner_ended(context, pid);

  if (call.ref != BATON_NO_TERM) send_down(context, call.caller, call.ref, reason, 0);
  if (extension != nullptr) {
    if (extension->call_ref != BATON_NO_TERM)
      send_down(context, extension->caller, extension->call_ref, reason, 0);
    extension->callers.each(
        [&](baton_term ref, baton_term caller) { send_down(context, caller, ref, reason, 0); });
    extension->asked.each([&](baton_term ref, baton_term asked) { give_up(context, ref, asked); });
    for (const auto& [ref, watcher] : extension->watchers)
      send_down(context, watcher, ref, reason, kWatched | purged);
    for (const auto& [ref, watched] : extension->monitors) {
      Message* demonitor = context.allocate(1, kDemonitorSignal);
      demonitor->word[0] = ref;
      send_signal(context, watched, demonitor);
    }
    for (baton_term linked : extension->links) send_exit(context, linked, reason, purged);
    if (extension->exit_reason != nullptr) context.release(extension->exit_reason);
    delete extension;
  }
  if (process.has(kParentLinked)) send_exit(context, process.parent, reason, purged);
  if (__builtin_expect(taken == nullptr && unread == nullptr, 1)) return;
  // Who took back a link or a monitor in mail that was not read drops what came for it. A kill is
  // met before the links and monitors that came before it: these hear of it here.
  const baton_term told = reason == term::atoms::kKilled ? reason : term::atoms::kNoProc;
  runtime.estates().leave(context, pid, taken, told);
  runtime.estates().leave(context, pid, unread, told);
}

}  // namespace

void exit_process(Context& context, Process& process, baton_term reason) {
  Runtime& runtime = context.runtime;
  code::Version& version = *process.version.load(std::memory_order_relaxed);
  if (__builtin_expect(!is_orderly(reason), 0) && !is_purged(process, reason))
    runtime.observer().crashed(process.self, version, process.behaviour->name, reason);

  context.handled = nullptr;
  context.open_call = {context.caller, std::exchange(context.call_ref, BATON_NO_TERM)};
  destroy_frame(context, process);
  terminate(context, process, reason);
  destroy_state(context, process);
  if (__builtin_expect(process.has(kAbandoned), 0)) return bury(context, process);
  if (Message* unused = std::exchange(context.stop_reason, nullptr)) context.release(unused);

  announce(context, process, std::exchange(context.open_call, {}), reason);
  give_up_lease(runtime, process);
  context.slots.put(&process);
}

void abandon_process(Context& context, Context& inside) {
  Process& process = *inside.current;
  BATON_CHECK(!process.has(kAbandoned), "a process is abandoned once");
  code::Version& version = *process.version.load(std::memory_order_relaxed);
  process.set(kExiting | kAbandoned);
  context.self = process.self;

  // Nothing that a drain waits for: what it counted ends here, and not again at the burial.
  if (process.has(kAwaiting) && process.behaviour->kind != BATON_PROCESS)
    end_await(context, process);
  if (inside.handled != nullptr && (inside.handled->flags & kMarked) != 0) {
    const_cast<Message*>(inside.handled)->flags &= static_cast<std::uint16_t>(~kMarked);
    context.chain.finish_marked();
  }
  void* frame = process.extension != nullptr ? process.extension->frame : nullptr;
  const OpenCall call = inside.call_ref != BATON_NO_TERM ? OpenCall{inside.caller, inside.call_ref}
                                                         : std::exchange(inside.open_call, {});
  announce(context, process, call, term::atoms::kKilled);
  if (frame != nullptr) extension_of(process).frame = frame;  // for the burial

  version.abandon(process.shard, process.position, moving_in(context.runtime));
  context.self = BATON_NO_TERM;
}

void bury(Context& context, Process& process) {
  BATON_CHECK(process.has(kAbandoned), "only those that were abandoned are buried");
  destroy_frame(context, process);
  destroy_state(context, process);
  if (Message* unused = std::exchange(context.stop_reason, nullptr)) context.release(unused);
  delete std::exchange(process.extension, nullptr);
  context.call_ref = BATON_NO_TERM;
  context.open_call = {};
  code::Version& version = *process.version.load(std::memory_order_relaxed);
  process.version.store(nullptr, std::memory_order_release);
  context.slots.put(&process);
  version.bury();
}

void discard_process(Context& context, Process& process) {
  destroy_frame(context, process);
  destroy_state(context, process);
  append_mail(process, close_mailbox(process));
  while (Message* message = process.in_first) {
    process.in_first = message->next;
    context.release(message);
  }
  process.in_last = nullptr;
  if (Extension* extension = std::exchange(process.extension, nullptr)) {
    if (extension->exit_reason != nullptr) context.release(extension->exit_reason);
    delete extension;
  }
  give_up_lease(context.runtime, process);
}

}  // namespace baton::runtime
