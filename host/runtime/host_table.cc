#include "runtime/host_table.h"

#include "runtime/primitives.h"
#include "runtime/receive.h"
#include "runtime/runtime.h"
#include "term/binary.h"
#include "term/layout.h"

#include <baton/interval.h>

namespace baton::runtime {

namespace {

Runtime& runtime_of(const baton_host* host) { return static_cast<const HostTable*>(host)->runtime; }

Message* alloc(baton_context* context, std::uint32_t words) {
  return context_of(context).allocate(words);
}
void free_message(baton_context* context, Message* message) {
  context_of(context).release(message);
}
void send_message(baton_context* context, baton_term to, Message* message) {
  send(context_of(context), to, message);
}
void cast(baton_context* context, baton_term to, Message* message) {
  message->kind = BATON_CAST;
  send(context_of(context), to, message);
}
baton_term call_process(baton_context* context, baton_term to, Message* message) {
  return call(context_of(context), to, message);
}
void reply_to(baton_context* context, baton_term caller, baton_term ref, Message* message) {
  reply(context_of(context), caller, ref, message);
}
Message* receive_any(baton_context* raw) {
  const HostCall call(context_of(raw));
  return call.is_refused() ? nullptr : receive(context_of(raw));
}
Message* receive_fitting(baton_context* raw, baton_match match, void* environment) {
  const HostCall call(context_of(raw));
  return call.is_refused() ? nullptr : receive_match(context_of(raw), match, environment);
}
Message* receive_answer(baton_context* raw, baton_term ref) {
  const HostCall call(context_of(raw));
  return call.is_refused() ? nullptr : receive_ref(context_of(raw), ref);
}
void await_until(baton_context* context, std::uint64_t deadline_ns) {
  context_of(context).deadline_ns = deadline_ns;
}

// A hook of a take-over is given a context too, but no process, which some calls are about: what it
// asks is refused, as it is to one that was abandoned.
bool is_refused(const HostCall& call, const Context& context) {
  return context.current == nullptr || call.is_refused();
}

// The description of a behaviour belongs to the caller's version; a coroutine process may still run
// code of an old one, whose children are started from the current one.
baton_term spawn_process(baton_context* raw, const baton_behaviour* behaviour, Message* args,
                         baton_spawn_options* options) {
  Context& context = context_of(raw);
  const HostCall call(context);
  if (is_refused(call, context)) {
    if (args != nullptr) context.release(args);
    return BATON_NO_TERM;
  }
  SpawnRequest request{.version = context.current->version.load(std::memory_order_acquire),
                       .behaviour = behaviour,
                       .args = args,
                       .parent = context.self};
  if (options != nullptr) {
    request.is_linked = (options->flags & BATON_SPAWN_LINK) != 0;
    request.is_monitored = (options->flags & BATON_SPAWN_MONITOR) != 0;
    request.name = options->name;
    if (request.name != BATON_NO_TERM && !term::is_atom(request.name)) {
      if (args != nullptr) context.release(args);
      return BATON_NO_TERM;
    }
  }
  const Spawned spawned = spawn(context, request);
  if (options != nullptr) options->monitor = spawned.monitor;
  return spawned.pid;
}

void exit_reason(baton_context* raw, Message* reason) {
  Context& context = context_of(raw);
  if (context.stop_reason != nullptr) context.release(context.stop_reason);
  context.stop_reason = reason;
}
void exit_process_by_signal(baton_context* context, baton_term pid, Message* reason) {
  Context& own = context_of(context);
  if (reason->words == 0) {  // the signal needs a word for its kind
    Message* larger = own.allocate(1);
    larger->root = reason->root;
    own.release(reason);
    reason = larger;
  } else if (!term::is_immediate(reason->root)) {
    Message* larger = message_of(own, reason->root, BATON_MESSAGE, 1);
    own.release(reason);
    reason = larger;
  }
  exit_signal(own, pid, reason);
}
void link_to(baton_context* raw, baton_term pid) {
  const HostCall call(context_of(raw));
  if (!is_refused(call, context_of(raw))) link(context_of(raw), pid);
}
void unlink_from(baton_context* raw, baton_term pid) {
  const HostCall call(context_of(raw));
  if (!is_refused(call, context_of(raw))) unlink(context_of(raw), pid);
}
baton_term monitor_process(baton_context* raw, baton_term pid) {
  Context& context = context_of(raw);
  const HostCall call(context);
  return is_refused(call, context) ? context.make_ref() : monitor(context, pid);
}
void demonitor_ref(baton_context* raw, baton_term ref) {
  const HostCall call(context_of(raw));
  if (!is_refused(call, context_of(raw))) demonitor(context_of(raw), ref);
}
void trap_exit(baton_context* raw, int on) {
  Context& context = context_of(raw);
  const HostCall call(context);
  if (is_refused(call, context)) return;
  if (on != 0)
    context.current->set(kTrapExit);
  else
    context.current->clear(kTrapExit);
}
int register_process(baton_context* raw, baton_term name, baton_term pid) {
  const HostCall call(context_of(raw));
  return !call.is_refused() && register_name(context_of(raw), name, pid) ? 0 : -1;
}
int unregister_process(baton_context* raw, baton_term name) {
  const HostCall call(context_of(raw));
  return !call.is_refused() && unregister_name(context_of(raw), name) ? 0 : -1;
}
baton_term whereis(baton_context* raw, baton_term name) {
  const HostCall call(context_of(raw));
  return call.is_refused() ? BATON_NO_TERM : context_of(raw).runtime.registry().whereis(name);
}
baton_term make_ref(baton_context* context) { return context_of(context).make_ref(); }

// A hundred years; what is to come later than that is meant never to come.
constexpr std::uint64_t kDelayMillisecondsMax = std::uint64_t{36'525} * 24 * 3'600'000;

baton_term send_later(baton_context* raw, std::uint64_t milliseconds, baton_term to,
                      Message* message) {
  Context& context = context_of(raw);
  const HostCall call(context);
  const bool is_never = milliseconds > kDelayMillisecondsMax;
  if (!is_never && !call.is_refused())
    return send_after(context, milliseconds * 1'000'000, to, message);
  context.release(message);
  return is_never ? BATON_NO_TERM : context.make_ref();
}
baton_term send_each(baton_context* raw, std::uint64_t milliseconds, baton_term to,
                     Message* message) {
  Context& context = context_of(raw);
  const HostCall call(context);
  const bool is_period = milliseconds != 0 && milliseconds <= kDelayMillisecondsMax;
  if (is_period && message->words != 0 && !call.is_refused())
    return send_interval(context, milliseconds * 1'000'000, to, message);
  context.release(message);
  return is_period && message->words != 0 ? context.make_ref() : BATON_NO_TERM;
}
int cancel(baton_context* raw, baton_term ref) {
  const HostCall call(context_of(raw));
  return !call.is_refused() && cancel_timer(context_of(raw), ref) ? 1 : 0;
}

baton_term atom(const baton_host* host, const char* text, std::size_t size) {
  const auto atom = runtime_of(host).atoms().intern({text, size});
  return atom.ok() ? *atom : BATON_NO_TERM;
}
const char* atom_text(const baton_host* host, baton_term atom, std::size_t* size) {
  const auto text = runtime_of(host).atoms().text(atom);
  if (!text) return nullptr;
  *size = text->size();
  return text->data();
}

void* allocate(baton_context* context, std::size_t bytes) {
  return context_of(context).pools.allocate(bytes);
}
void deallocate(baton_context* context, void* block, std::size_t bytes) {
  context_of(context).pools.deallocate(block, Pools::class_of(bytes));
}

void log(baton_context* raw, int level, const char* text, std::size_t size) {
  Context& context = context_of(raw);
  const HostCall call(context);
  if (call.is_refused()) return;
  const code::Version* version = context.current != nullptr
                                     ? context.current->version.load(std::memory_order_relaxed)
                                     : nullptr;
  context.runtime.observer().log(level, context.self, version, {text, size});
}
Message* config(baton_context* raw, const char* key, std::size_t size) {
  Context& context = context_of(raw);
  const HostCall call(context);
  const Runtime::Config& config = context.runtime.config();
  return config && !call.is_refused() ? config(context, context.self, {key, size}) : nullptr;
}
const void* get_extension(const baton_host* host, const char* name_and_version) {
  return runtime_of(host).extension(name_and_version);
}

constexpr baton_host kTable{
    .struct_size = sizeof(baton_host),
    .abi_major = BATON_ABI_MAJOR,
    .abi_minor = BATON_ABI_MINOR,
    .alloc = alloc,
    .free = free_message,
    .send = send_message,
    .cast = cast,
    .call = call_process,
    .reply = reply_to,
    .receive = receive_any,
    .receive_match = receive_fitting,
    .receive_ref = receive_answer,
    .await_until = await_until,
    .spawn = spawn_process,
    .exit_reason = exit_reason,
    .exit = exit_process_by_signal,
    .link = link_to,
    .unlink = unlink_from,
    .monitor = monitor_process,
    .demonitor = demonitor_ref,
    .trap_exit = trap_exit,
    .register_name = register_process,
    .unregister_name = unregister_process,
    .whereis = whereis,
    .make_ref = make_ref,
    .now_ns = now_ns,
    .send_after = send_later,
    .cancel_timer = cancel,
    .atom = atom,
    .atom_text = atom_text,
    .binary_new = term::new_binary,
    .binary_retain = term::retain,
    .binary_release = term::release,
    .allocate = allocate,
    .deallocate = deallocate,
    .log = log,
    .config = config,
    .get_extension = get_extension,
};

constexpr baton_interval kIntervals{.struct_size = sizeof(baton_interval),
                                    .send_interval = send_each};

}  // namespace

void add_own_extensions(Runtime& runtime) { runtime.add_extension(BATON_INTERVAL, &kIntervals); }

HostTable::HostTable(Runtime& runtime_for) : baton_host(kTable), runtime(runtime_for) {}

}  // namespace baton::runtime
