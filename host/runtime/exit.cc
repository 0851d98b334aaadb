#include "runtime/primitives.h"
#include "runtime/receive.h"
#include "runtime/runtime.h"
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

void send_down(Context& context, baton_term to, baton_term ref, baton_term reason,
               std::uint16_t flags) {
  Message* down = message_of(context, reason, BATON_DOWN, 1);
  down->word[0] = ref;
  down->flags |= flags;
  send(context, to, down);
}

void send_exit(Context& context, baton_term to, baton_term reason) {
  Message* exit = message_of(context, reason, kExitSignal, 1);
  exit->word[0] = kLinkExit;
  send(context, to, exit);
}

void destroy_frame(Context& context, Process& process) {
  if (!process.has(kAwaiting)) return;
  const bool is_process = process.behaviour->kind == BATON_PROCESS;
  process.behaviour->destroy_frame(&context, is_process ? process.state : process.extension->frame);
  process.clear(kAwaiting);
  if (is_process) {
    process.state = nullptr;
    return;
  }
  end_await(context, process);
}

void terminate(Context& context, Process& process, baton_term reason) {
  const baton_behaviour& behaviour = *process.behaviour;
  if (behaviour.terminate == nullptr || process.state == nullptr || !process.has(kStarted)) return;
  Message* why = message_of(context, reason);
  context.call_ref = BATON_NO_TERM;
  context.ending = process.self;
  behaviour.terminate(&context, process.state, why);
  context.release(why);
}

void destroy_state(Context& context, Process& process) {
  const baton_schema* schema = process.behaviour->state;
  if (schema == nullptr || process.state == nullptr) return;
  schema->destroy(process.state);
  context.pools.deallocate(process.state, Pools::class_of(schema->size));
  process.state = nullptr;
}

// From here on every push fails. What is left of the mail stands in in_first.
void close_mailbox(Process& process) {
  const std::uint32_t next_generation = process.generation.load(std::memory_order_relaxed) + 1;
  process.generation.store(next_generation, std::memory_order_relaxed);
  append_mail(process, process.mailbox.close(next_generation));
}

void give_up_lease(Runtime& runtime, Process& process) {
  code::Version& version = *process.version.load(std::memory_order_relaxed);
  process.version.store(nullptr, std::memory_order_release);
  version.release(process.shard, process.position,
                  [&runtime](std::uint32_t moved, std::uint32_t position) {
                    runtime.table().at(moved).position = position;
                  });
}

// A message that nobody will handle: what asks for an answer gets it.
void answer_unhandled(Context& context, baton_term pid, Message* message) {
  if (message->kind == kDemonitorSignal) {
    // Its monitor was answered, or will be below, from the watchers; the sender drops that by
    // itself.
    context.release(message);
    return;
  }
  // To a pid that is dead already, which send answers as such.
  send(context, pid, message);
}

}  // namespace

void exit_process(Context& context, Process& process, baton_term reason) {
  Runtime& runtime = context.runtime;
  const baton_term pid = process.self;
  code::Version& version = *process.version.load(std::memory_order_relaxed);
  if (__builtin_expect(!is_orderly(reason), 0))
    runtime.observer().crashed(pid, version, process.behaviour->name, reason);

  // Whose request was being handled.
  const baton_term caller = context.caller;
  const baton_term call_ref = std::exchange(context.call_ref, BATON_NO_TERM);
  destroy_frame(context, process);
  terminate(context, process, reason);
  destroy_state(context, process);
  if (Message* unused = std::exchange(context.stop_reason, nullptr)) context.release(unused);

  Extension* extension = std::exchange(process.extension, nullptr);
  // Names are free before anyone hears of the death, so that a restart can take them.
  if (extension != nullptr)
    for (baton_term name : extension->names) runtime.registry().remove(name, pid);

  // The order matters: what is sent below may be answered at once.
  close_mailbox(process);
  if (__builtin_expect(process.owns_ports.load(std::memory_order_relaxed), 0))
    runtime.port_keeper()->owner_ended(context, pid);

  if (call_ref != BATON_NO_TERM) send_down(context, caller, call_ref, reason, 0);
  for (Message* message = process.in_first; message != nullptr;) {
    Message* next = message->next;
    if (message->kind == kDemonitorSignal && extension != nullptr)
      extension->watchers.erase(message->word[0]);
    if (message->kind == kUnlinkSignal) {
      if (message->from == process.parent) process.clear(kParentLinked);
      if (extension != nullptr) extension->links.erase(message->from);
    }
    answer_unhandled(context, pid, message);
    message = next;
  }
  process.in_first = process.in_last = nullptr;

  if (extension != nullptr) {
    if (extension->call_ref != BATON_NO_TERM)
      send_down(context, extension->caller, extension->call_ref, reason, 0);
    for (const auto& [ref, waiting] : extension->callers)
      send_down(context, waiting, ref, reason, 0);
    for (const auto& [ref, watcher] : extension->watchers)
      send_down(context, watcher, ref, reason, kWatched);
    for (const auto& [ref, watched] : extension->monitors) {
      Message* demonitor = context.allocate(1, kDemonitorSignal);
      demonitor->word[0] = ref;
      send(context, watched, demonitor);
    }
    for (baton_term linked : extension->links) send_exit(context, linked, reason);
    if (extension->exit_reason != nullptr) context.release(extension->exit_reason);
    delete extension;
  }
  if (process.has(kParentLinked)) send_exit(context, process.parent, reason);

  give_up_lease(runtime, process);
  context.slots.put(&process);
}

void discard_process(Context& context, Process& process) {
  destroy_frame(context, process);
  destroy_state(context, process);
  close_mailbox(process);
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
