// The end of a process: whoever watches, is linked, or waits for an answer hears of it, and its slot is free.
#include "base/check.h"
#include "runtime/receive.h"
#include "term/atom.h"
#include "term/layout.h"

namespace baton::runtime {

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

// The state object and the frames: the module's part of the process.
void destroy_state(Context& context, Process& process, baton_term reason) {
  const baton_behaviour& behaviour = *process.behaviour;
  if (process.has(kAwaiting)) {
    const bool is_process = behaviour.kind == BATON_PROCESS;
    void* frame = is_process ? process.state : process.extension->frame;
    behaviour.destroy_frame(&context, frame);
    if (is_process) {
      process.state = nullptr;
    } else {
      auto& ended =
          process.version.load(std::memory_order_relaxed)->shard(context.id).awaits_ended;
      ended.store(ended.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }
  }
  if (behaviour.state == nullptr || process.state == nullptr) return;
  if (behaviour.terminate != nullptr && process.has(kStarted)) {
    Message* why = message_of(context, reason);
    context.call_ref = BATON_NO_TERM;
    behaviour.terminate(&context, process.state, why);
    context.release(why);
  }
  behaviour.state->destroy(process.state);
  context.pools.deallocate(process.state, Pools::class_of(behaviour.state->size));
  process.state = nullptr;
}

// A message that nobody will handle: what asks for an answer gets it.
void answer_unhandled(Context& context, baton_term pid, Message* message) {
  if (message->kind == kDemonitorSignal) {
    // Its monitor was answered, or will be below, from the watchers; the sender drops that by itself.
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
  destroy_state(context, process, reason);
  if (Message* unused = std::exchange(context.stop_reason, nullptr)) context.release(unused);

  Extension* extension = std::exchange(process.extension, nullptr);
  // Names are free before anyone hears of the death, so that a restart can take them.
  if (extension != nullptr)
    for (baton_term name : extension->names) runtime.registry().remove(name, pid);

  // From here on every push fails. The order matters: what is sent below may be answered at once.
  const std::uint32_t next_generation = process.generation.load(std::memory_order_relaxed) + 1;
  process.generation.store(next_generation, std::memory_order_relaxed);
  append_mail(process, process.mailbox.close(next_generation));
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

  process.version.store(nullptr, std::memory_order_release);
  version.release(process.shard, process.position,
                  [&runtime](std::uint32_t moved, std::uint32_t position) {
                    runtime.table().at(moved).position = position;
                  });
  context.slots.put(&process);
}

}  // namespace baton::runtime
