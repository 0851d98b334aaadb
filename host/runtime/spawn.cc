// Spawning: a slot, a lease on the version, and the first message, with which init runs.
#include "base/check.h"
#include "runtime/primitives.h"
#include "runtime/runtime.h"
#include "runtime/sample.h"
#include "term/layout.h"

namespace baton::runtime {

namespace {

// The version of the process gives no lease. It may have been retired just now, by a take-over:
// then its module's current one starts the process, as it would have a moment later. False: there
// is none.
bool acquire_current(Runtime& runtime, Process& process, std::uint32_t index) {
  for (;;) {
    code::Version* const version = process.version.load(std::memory_order_relaxed);
    code::Version* const current = runtime.code().current(version->module_name());
    if (current == nullptr || current == version) return false;
    const baton_behaviour* const same = current->behaviour(process.behaviour->name);
    if (same == nullptr || same->kind != process.behaviour->kind) return false;
    process.behaviour = same;
    process.version.store(current, std::memory_order_release);
    if (current->acquire(process.shard, index, process.position)) return true;
  }
}

}  // namespace

Spawned spawn(Context& context, const SpawnRequest& request) {
  Runtime& runtime = context.runtime;
  Process* process = context.slots.get();
  const std::uint32_t index = runtime.table().index_of(*process);
  const std::uint32_t generation = process->generation.load(std::memory_order_relaxed);
  const baton_term pid = term::make_pid(index, generation);

  // All that a take-over reads of a process is set before the lease, under whose lock it finds the
  // process; from then on behaviour and version are no longer ours to write.
  const bool is_server = request.behaviour->kind == BATON_GEN_SERVER;
  const bool is_host_code = (request.behaviour->flags & kIsHostCode) != 0;
  process->flags.store(
      static_cast<std::uint16_t>((request.notifies_parent ? kNotifyParent : 0) |
                                 (is_server ? kIsServer : 0) | (is_host_code ? kHostCode : 0)),
      std::memory_order_relaxed);
  process->held_in = 0;
  process->owns_ports.store(false, std::memory_order_relaxed);
  process->has_signals.store(false, std::memory_order_relaxed);
  process->behaviour = request.behaviour;
  process->state = nullptr;
  process->extension = nullptr;
  process->scan = nullptr;
  process->self = pid;
  process->version.store(request.version, std::memory_order_release);
  process->shard = context.next_shard();
  process->parent = request.parent;
  process->allocated.store(0, std::memory_order_relaxed);
  std::uint16_t application = request.application;
  if (application == 0 && context.current != nullptr)
    application = context.current->application.load(std::memory_order_relaxed);
  process->application.store(application, std::memory_order_relaxed);

  Spawned spawned{.pid = pid};
  if (request.name != BATON_NO_TERM && !runtime.registry().reserve(request.name, pid)) {
    spawned = {.error = SpawnError::kNameTaken};
  } else if (!request.version->acquire(process->shard, index, process->position) &&
             !acquire_current(runtime, *process, index)) {
    if (request.name != BATON_NO_TERM) runtime.registry().remove(request.name, pid);
    const code::Version& version = *process->version.load(std::memory_order_relaxed);
    spawned = {.error = version.is_barred() ? SpawnError::kBarred : SpawnError::kRetired};
  }
  if (spawned.error != SpawnError::kNone) {
    process->version.store(nullptr, std::memory_order_release);
    context.slots.put(process);
    if (request.args != nullptr) context.release(request.args);
    return spawned;
  }

  Message* args = request.args != nullptr ? request.args : context.allocate(0);
  args->kind = BATON_SPAWN;
  args->next = nullptr;
  // Children of a chain begun before a drain belong to it; others wait for the outcome.
  if (runtime.attends()) {
    if (runtime.is_draining())
      mark_child(context, *process->version.load(std::memory_order_relaxed), args);
    mark_sample(context, *args);
  }
  process->in_first = process->in_last = args;

  if (request.is_linked) {
    BATON_CHECK(context.current != nullptr, "only a process can be linked");
    if (request.parent == context.self)
      process->set(kParentLinked);
    else
      extension_of(*process).links.insert(context.self);
    extension_of(*context.current).links.insert(pid);
  }
  if (request.is_monitored) {
    BATON_CHECK(context.current != nullptr, "only a process can monitor");
    spawned.monitor = context.make_ref();
    extension_of(*process).watchers.emplace(spawned.monitor, context.self);
    extension_of(*context.current).monitors.emplace(spawned.monitor, pid);
  }
  process->mailbox.open(generation);
  if (request.name != BATON_NO_TERM) {
    extension_of(*process).name = request.name;
    runtime.registry().publish(request.name);
  }
  if (__builtin_expect(context.scheduler != nullptr, 1))
    context.scheduler->enqueue_fresh(process);
  else
    runtime.wakeup().inject(process);
  return spawned;
}

}  // namespace baton::runtime
