// Signals between processes: links, monitors, exits: sent, and acted on.
#include "runtime/signals.h"

#include "base/check.h"
#include "runtime/primitives.h"
#include "runtime/runtime.h"
#include "runtime/system.h"
#include "term/atom.h"
#include "term/layout.h"

namespace baton::runtime {

namespace {

Message* plain_signal(Context& context, std::uint8_t kind, baton_term ref) {
  Message* signal = context.allocate(1, kind);
  signal->word[0] = ref;
  return signal;
}

}  // namespace

baton_term resolve(Context& context, baton_term to) {
  if (term::is_atom(to)) return context.runtime.registry().whereis(to);
  return term::is_pid(to) ? to : BATON_NO_TERM;
}

void give_up(Context& context, baton_term ref, baton_term asked) {
  // Behind the request, which may be unread: so it is no signal to be met before mail.
  send(context, asked, plain_signal(context, kGiveUpSignal, ref));
}

void exit_signal(Context& context, baton_term to, Message* reason) {
  reason->kind = kExitSignal;
  BATON_CHECK(reason->words >= 1, "an exit signal needs a word for its kind");
  reason->word[0] = reason->root == term::atoms::kKill ? kKill : kSentExit;
  send_signal(context, to, reason);
}

void link(Context& context, baton_term to) {
  BATON_CHECK(context.current != nullptr, "only a process can be linked");
  const baton_term pid = resolve(context, to);
  Process& process = *context.current;
  if (pid == context.self) return;
  if (pid == process.parent && process.has(kParentLinked)) return;
  if (!extension_of(process).links.insert(pid).second) return;
  send_signal(context, pid, plain_signal(context, kLinkSignal, BATON_NO_TERM));
}

void unlink(Context& context, baton_term pid) {
  BATON_CHECK(context.current != nullptr, "only a process can be unlinked");
  if (!drop_link(*context.current, pid)) return;
  send_signal(context, pid, plain_signal(context, kUnlinkSignal, BATON_NO_TERM));
}

void notify_started(Context& context, baton_term parent) {
  Message* started = context.allocate(0, kStartedSignal);
  // The parent goes on with the chain that it began the child for: a supervisor starts the next
  // one.
  if (context.chain.is_continued()) started->flags |= kNested;
  send(context, parent, started);
}

baton_term monitor(Context& context, baton_term to) {
  BATON_CHECK(context.current != nullptr, "only a process can monitor");
  const baton_term ref = context.make_ref();
  const baton_term pid = resolve(context, to);
  extension_of(*context.current).monitors.emplace(ref, pid);
  // To a name nobody has it is sent as it is, and answered by a DOWN with noproc.
  send_signal(context, pid == BATON_NO_TERM ? to : pid, plain_signal(context, kMonitorSignal, ref));
  return ref;
}

void demonitor(Context& context, baton_term ref) {
  BATON_CHECK(context.current != nullptr, "only a process can demonitor");
  Process& process = *context.current;
  Extension& extension = extension_of(process);
  const auto monitor = extension.monitors.find(ref);
  if (monitor != extension.monitors.end()) {
    send_signal(context, monitor->second, plain_signal(context, kDemonitorSignal, ref));
    extension.monitors.erase(monitor);
  } else if (const auto asked = extension.asked.take(ref)) {
    give_up(context, ref, *asked);
  }
  context.refused = nullptr;
  // What has arrived already is dropped here; what is under way, when it comes (is_unwanted).
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
}

bool register_name(Context& context, baton_term name, baton_term pid) {
  // Only its owner keeps a process's name, so a process names itself (or is named at spawn).
  if (!term::is_atom(name) || context.current == nullptr || pid != context.self) return false;
  Extension& extension = extension_of(*context.current);
  if (extension.name != BATON_NO_TERM || !context.runtime.registry().add(name, pid)) return false;
  extension.name = name;
  return true;
}

bool unregister_name(Context& context, baton_term name) {
  if (context.current == nullptr || !context.runtime.registry().remove(name, context.self))
    return false;
  extension_of(*context.current).name = BATON_NO_TERM;
  return true;
}

void wake_at(Context& context, Process& process, std::uint64_t deadline_ns) {
  Extension& extension = extension_of(process);
  extension.deadline_ns = deadline_ns;
  // One wake-up stays armed: if it comes too early it is armed again (act_on_signal). A loop of
  // calls with time-outs costs two stores per call this way.
  if (deadline_ns == 0 || (extension.armed_ns != 0 && extension.armed_ns <= deadline_ns)) return;
  extension.armed_ns = deadline_ns;
  Scheduler& keeper = keeper_for(context);
  if (keeper.timers().add(deadline_ns, {context.make_ref(), process.self, nullptr}) &&
      &keeper != context.scheduler)
    keeper.poller().wake();
}

namespace {

void meet_fatal(Context& context, Process& process, baton_term reason) {
  if (process.has(kExiting)) return;
  process.set(kExiting);
  extension_of(process).exit_reason = message_of(context, reason);
}

}  // namespace

void end_in_order(Context& context, Process& process, baton_term reason) {
  if (!process.has(kExiting)) process.set(kEndsInOrder);
  meet_fatal(context, process, reason);
}

void kill_process(Context& context, Process& process) {
  process.set(kKilled);
  meet_fatal(context, process, term::atoms::kKilled);
}

bool act_on_signal(Context& context, Process& process, Message& signal) {
  const auto fatal = [&](baton_term reason) { meet_fatal(context, process, reason); };
  switch (signal.kind) {
    case kMonitorSignal:
      extension_of(process).watchers.emplace(signal.word[0], signal.from);
      return true;
    case kDemonitorSignal:
      if (process.extension != nullptr) process.extension->watchers.erase(signal.word[0]);
      return true;
    case kGiveUpSignal:
      if (process.extension != nullptr) process.extension->callers.take(signal.word[0]);
      return true;
    case kLinkSignal:
      if (signal.from != process.parent || !process.has(kParentLinked))
        extension_of(process).links.insert(signal.from);
      return true;
    case kUnlinkSignal: drop_link(process, signal.from); return true;
    case kExitSignal: {
      const auto kind = static_cast<ExitKind>(signal.word[0]);
      // A gen_server ends with the parent it is linked to, also when it traps exits.
      const bool ends_it = signal.from == process.parent && process.has(kParentLinked) &&
                           process.behaviour->kind == BATON_GEN_SERVER &&
                           (process.behaviour->flags & kMeetsExits) == 0;
      if (kind == kLinkExit && !drop_link(process, signal.from)) return true;  // unlinked meanwhile
      if (kind == kKill) {
        kill_process(context, process);
        return true;
      }
      if (process.has(kTrapExit)) {
        if (ends_it) {
          end_in_order(context, process, signal.root);
          return true;
        }
        signal.kind = BATON_EXIT;
        return false;
      }
      const bool is_harmless = signal.root == term::atoms::kNormal &&
                               !(kind == kSentExit && signal.from == process.self);
      if (!is_harmless) fatal(signal.root);
      return true;
    }
    case kWakeSignal: {
      Extension& extension = extension_of(process);
      extension.armed_ns = 0;
      if (extension.deadline_ns != 0 && extension.deadline_ns > now_ns())
        wake_at(context, process, extension.deadline_ns);
      return true;
    }
    case kSystemSignal: return act_on_system(context, process, signal);
    case kStartedSignal: return false;
    default: BATON_CHECK(false, "a signal of no known kind"); return true;
  }
}

}  // namespace baton::runtime
