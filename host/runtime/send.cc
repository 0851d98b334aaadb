// Sending: from a message to its place in a mailbox, and what a dead receiver answers.
#include "base/check.h"
#include "runtime/primitives.h"
#include "runtime/runtime.h"
#include "runtime/sample.h"
#include "runtime/signals.h"
#include "term/atom.h"
#include "term/copy.h"
#include "term/layout.h"

namespace baton::runtime {

void dead_letter(Context& context, baton_term to, Message* message, baton_term reason) {
  const auto down = [&](baton_term ref) {
    Message* answer = context.allocate(1, BATON_DOWN);
    answer->from = to;
    answer->word[0] = ref;
    answer->root = reason;
    if (message->kind == kMonitorSignal) answer->flags |= kWatched;
    send(context, message->from, answer);
  };
  switch (message->kind) {
    case kMonitorSignal:
    case BATON_CALL:
    case kSystemSignal: down(message->word[0]); break;
    case kLinkSignal: {
      Message* exit = context.allocate(1, kExitSignal);
      exit->from = to;
      exit->word[0] = kLinkExit;
      exit->root = reason;
      send(context, message->from, exit);
      break;
    }
    default: break;
  }
  context.release(message);
}

namespace {

[[gnu::always_inline]] inline void deliver(Context& context, baton_term pid, Message* message) {
  Process& process = context.runtime.table().at(pid_index(pid));
  if (context.runtime.attends()) {
    if (context.runtime.is_draining()) mark_sent(context, process, message);
    mark_sample(context, *message);
  }
  switch (process.mailbox.push(pid_generation(pid), message)) {
    case Push::kDelivered: return;
    case Push::kWoke:
      if (__builtin_expect(context.scheduler != nullptr, 1))
        context.scheduler->enqueue_woken(&process);
      else
        context.runtime.wakeup().inject(&process);
      return;
    case Push::kDead: dead_letter(context, pid, message, term::atoms::kNoProc); return;
  }
}

}  // namespace

namespace {

[[gnu::always_inline]] inline void send_now(Context& context, baton_term to, Message* message) {
  if (__builtin_expect(!term::is_pid(to), 0)) {
    const baton_term pid =
        term::is_atom(to) ? context.runtime.registry().whereis(to) : BATON_NO_TERM;
    // What lies in a block goes with it, so it is nobody's return address.
    if (pid == BATON_NO_TERM)
      return dead_letter(context, term::is_immediate(to) ? to : BATON_NO_TERM, message,
                         term::atoms::kNoProc);
    to = pid;
  }
  if (__builtin_expect(!context.runtime.table().has_slot_of(to), 0))
    return dead_letter(context, to, message, term::atoms::kNoProc);
  deliver(context, to, message);
}

template <class Part>
[[gnu::noinline]] void send_held_after(Context& context, Message* message, Part part) {
  const HostCall call(context);
  if (call.is_refused()) return context.release(message);
  send_now(context, part(), message);
}

// The most frequent host call: a HostCall, spelled out so that it costs least. What `part` does
// before the message is sent belongs to it; it says to whom.
template <class Part>
[[gnu::always_inline]] inline void send_after_part(Context& context, Message* message, Part part) {
  context.boundary.begin_call();
  if (__builtin_expect(context.boundary.may_go_on(), 1)) {
    send_now(context, part(), message);
    context.boundary.end_call();
    return;
  }
  context.boundary.end_call();
  send_held_after(context, message, part);
}

}  // namespace

void send(Context& context, baton_term to, Message* message) {
  send_after_part(context, message, [to] { return to; });
}

void send_signal(Context& context, baton_term to, Message* signal) {
  const baton_term pid = term::is_atom(to) ? context.runtime.registry().whereis(to) : to;
  Process* process = context.runtime.find(pid);
  if (process == nullptr) return send(context, to, signal);
  const bool is_kill = signal->kind == kExitSignal && signal->word[0] == kKill;
  send(context, pid, signal);
  // Behind the push: who sees them finds it. The slot may have another process by now, for which
  // they mean a look in vain.
  if (is_kill) process->doomed.store(pid_generation(pid), std::memory_order_relaxed);
  process->has_signals.store(true, std::memory_order_release);
}

baton_term ask(Context& context, baton_term to, Message* request) {
  BATON_CHECK(request->words >= 1, "a request needs a word for its ref");
  const baton_term ref = context.make_ref();
  request->word[0] = ref;
  send_after_part(context, request, [&context, to, ref] {
    if (context.current == nullptr) return to;
    const baton_term pid = __builtin_expect(term::is_pid(to), 1) ? to : resolve(context, to);
    extension_of(*context.current).asked.add(ref, pid);
    // The answer can only come after what is here now: a receive for it starts behind that.
    context.marker_ref = ref;
    context.marker = context.current->in_first != nullptr ? context.current->in_last : nullptr;
    return pid != BATON_NO_TERM ? pid : to;
  });
  return ref;
}

baton_term call(Context& context, baton_term to, Message* request) {
  request->kind = BATON_CALL;
  if (context.call_ref != BATON_NO_TERM) request->flags |= kNested;
  return ask(context, to, request);
}

void reply(Context& context, baton_term caller, baton_term ref, Message* answer) {
  BATON_CHECK(answer->words >= 1, "a reply needs a word for its ref");
  answer->kind = BATON_REPLY;
  answer->word[0] = ref;
  // One part with the send: were the process abandoned in between, its caller would hear neither.
  send_after_part(context, answer, [&context, caller, ref] {
    if (context.call_ref == ref)
      context.call_ref = BATON_NO_TERM;
    else if (context.current != nullptr && context.current->extension != nullptr)
      context.current->extension->callers.take(ref);
    return caller;
  });
}

Message* message_of(Context& context, baton_term root, std::uint8_t kind,
                    std::uint32_t leading_words) {
  if (root == BATON_NO_TERM || term::is_immediate(root)) {
    Message* message = context.allocate(leading_words, kind);
    message->root = root;
    return message;
  }
  const auto extent = term::extent_of(root);
  if (!extent.ok()) {
    // Only what a module built itself can be this large; it is told so in the term's place.
    Message* message = context.allocate(leading_words, kind);
    message->root = term::atoms::kSystemLimit;
    return message;
  }
  Message* message =
      context.allocate(leading_words + static_cast<std::uint32_t>(extent->total()), kind);
  term::copy_into(message, leading_words, root);
  return message;
}

Scheduler& keeper_for(Context& context) {
  if (context.scheduler != nullptr) return *context.scheduler;
  return context.runtime.scheduler(context.id % context.runtime.scheduler_count());
}

namespace {

baton_term add_timer(Context& context, std::uint64_t delay_ns, baton_term to, Message* message,
                     std::uint64_t every_ns) {
  Scheduler& keeper = keeper_for(context);
  const baton_term ref = keeper.timers().make_ref();
  message->kind = BATON_TIMEOUT;
  if (message->words >= 1) message->word[0] = ref;
  if (keeper.timers().add(now_ns() + delay_ns, {ref, to, message, every_ns}) &&
      &keeper != context.scheduler)
    keeper.poller().wake();
  return ref;
}

}  // namespace

baton_term send_after(Context& context, std::uint64_t delay_ns, baton_term to, Message* message) {
  return add_timer(context, delay_ns, to, message, 0);
}

baton_term send_interval(Context& context, std::uint64_t period_ns, baton_term to,
                         Message* message) {
  BATON_CHECK(period_ns > 0 && message->words >= 1, "an interval has a period and a ref");
  if (term::is_atom(to)) to = context.runtime.registry().whereis(to);
  return add_timer(context, period_ns, to, message, period_ns);
}

bool cancel_timer(Context& context, baton_term ref) {
  const std::uint32_t keeper = Timers::keeper_of(ref);
  if (keeper >= context.runtime.scheduler_count()) return false;
  bool found = false;
  Message* message = context.runtime.scheduler(keeper).timers().cancel(ref, found);
  if (message != nullptr) context.release(message);
  return found;
}

}  // namespace baton::runtime
