// Signals between processes: links, monitors, exits. What is sent here is acted on in turn.cc.
#include "base/check.h"
#include "runtime/runtime.h"
#include "term/atom.h"
#include "term/layout.h"

namespace baton::runtime {

namespace {

Message* plain_signal(Context& context, std::uint8_t kind, baton_term ref) {
  Message* signal = context.allocate(1, kind);
  signal->word[0] = ref;
  return signal;
}

// A name stands for whoever has it now; what is no pid, for nobody.
baton_term resolve(Context& context, baton_term to) {
  if (term::is_atom(to)) return context.runtime.registry().whereis(to);
  return term::is_pid(to) ? to : BATON_NO_TERM;
}

}  // namespace

Extension& extension_of(Process& process) {
  if (process.extension == nullptr) process.extension = new Extension;
  return *process.extension;
}

void exit_signal(Context& context, baton_term to, Message* reason) {
  reason->kind = kExitSignal;
  BATON_CHECK(reason->words >= 1, "an exit signal needs a word for its kind");
  reason->word[0] = reason->root == term::atoms::kKill ? kKill : kSentExit;
  send(context, to, reason);
}

void link(Context& context, baton_term to) {
  BATON_CHECK(context.current != nullptr, "only a process can be linked");
  const baton_term pid = resolve(context, to);
  Process& process = *context.current;
  if (pid == context.self) return;
  if (pid == process.parent && process.has(kParentLinked)) return;
  if (!extension_of(process).links.insert(pid).second) return;
  send(context, pid, plain_signal(context, kLinkSignal, BATON_NO_TERM));
}

void unlink(Context& context, baton_term pid) {
  BATON_CHECK(context.current != nullptr, "only a process can be unlinked");
  if (!drop_link(*context.current, pid)) return;
  send(context, pid, plain_signal(context, kUnlinkSignal, BATON_NO_TERM));
}

void notify_started(Context& context, baton_term parent) {
  Message* started = context.allocate(0, kStartedSignal);
  // The parent goes on with the chain that it began the child for: a supervisor starts the next
  // one.
  if (context.is_chained) started->flags |= kNested;
  send(context, parent, started);
}

baton_term monitor(Context& context, baton_term to) {
  BATON_CHECK(context.current != nullptr, "only a process can monitor");
  const baton_term ref = context.make_ref();
  const baton_term pid = resolve(context, to);
  extension_of(*context.current).monitors.emplace(ref, pid);
  // To a name nobody has it is sent as it is, and answered by a DOWN with noproc.
  send(context, pid == BATON_NO_TERM ? to : pid, plain_signal(context, kMonitorSignal, ref));
  return ref;
}

void demonitor(Context& context, baton_term ref) {
  BATON_CHECK(context.current != nullptr, "only a process can demonitor");
  Process& process = *context.current;
  Extension& extension = extension_of(process);
  const auto monitor = extension.monitors.find(ref);
  const bool is_monitor = monitor != extension.monitors.end();
  if (is_monitor) {
    send(context, monitor->second, plain_signal(context, kDemonitorSignal, ref));
    extension.monitors.erase(monitor);
  }
  context.refused = nullptr;
  // What has arrived already is dropped here; what is under way, when it comes.
  Message* before = nullptr;
  for (Message* message = process.in_first; message != nullptr;) {
    Message* next = message->next;
    const bool has_ref =
        (message->kind == BATON_REPLY || message->kind == BATON_DOWN) && message->word[0] == ref;
    if (has_ref) {
      (before != nullptr ? before->next : process.in_first) = next;
      if (next == nullptr) process.in_last = before;
      if (process.scan == message) process.scan = nullptr;
      context.marker_ref = BATON_NO_TERM;
      context.release(message);
      return;
    }
    before = message;
    message = next;
  }
  // A DOWN of a monitor that is none of ours any more is dropped as such (turn.cc).
  if (!is_monitor) extension.forgotten.insert(ref);
}

bool register_name(Context& context, baton_term name, baton_term pid) {
  // Only its owner keeps a process's list of names, so a process names itself (or is named at
  // spawn).
  if (!term::is_atom(name) || context.current == nullptr || pid != context.self) return false;
  if (!context.runtime.registry().add(name, pid)) return false;
  extension_of(*context.current).names.push_back(name);
  return true;
}

bool unregister_name(Context& context, baton_term name) {
  if (context.current == nullptr || !context.runtime.registry().remove(name, context.self))
    return false;
  std::erase(extension_of(*context.current).names, name);
  return true;
}

}  // namespace baton::runtime
