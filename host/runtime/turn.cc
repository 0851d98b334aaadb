#include "runtime/turn.h"

#include "runtime/primitives.h"
#include "runtime/receive.h"
#include "runtime/runtime.h"
#include "runtime/sample.h"
#include "runtime/signals.h"
#include "term/atom.h"
#include "term/layout.h"

#include <algorithm>
#include <cstdio>

namespace baton::runtime {

namespace {

enum class After { kGoOn, kLeave };  // kLeave: the process is queued, idle or dead; do not touch it

code::Phase phase_of(const Process& process) {
  return process.version.load(std::memory_order_acquire)->phase().load(std::memory_order_acquire);
}

// Somebody attends to messages: what the callback continues, and what set it off.
void follow(Context& context, const Message* message) {
  if (context.runtime.is_draining())
    context.chain.begin(message != nullptr && continues_chain(context, *message));
  begin_sample(context, message);
}

void follow(Context& context, Process& process) {
  if (context.runtime.is_draining()) context.chain.begin(continues_chain(process));
  resume_sample(context, process);
}

void begin_callback(Context& context, const Message* message) {
  context.handled = message;
  context.frame = nullptr;
  context.error.length = 0;
  context.deadline_ns = 0;
  context.marker_ref = BATON_NO_TERM;
  context.refused = nullptr;
  if (message != nullptr && message->kind == BATON_CALL) {
    context.caller = message->from;
    context.call_ref = message->word[0];
  } else {
    context.call_ref = BATON_NO_TERM;
  }
  context.chain.begin(false);
  if (context.runtime.attends()) follow(context, message);
}

// A term that says what a callback's error text says: {error, Text}.
Message* crash_reason(Context& context) {
  const std::size_t size = std::min<std::size_t>(context.error.length, context.error.capacity - 1);
  const auto text_words = static_cast<std::uint32_t>((size + 7) / 8);
  Message* reason = context.allocate(3 + 1 + text_words);
  reason->word[0] = term::make_header(BATON_KIND_TUPLE, 2);
  reason->word[1] = term::atoms::kError;
  reason->word[2] = term::boxed_at(&reason->word[3]);
  reason->word[3] = term::make_header(BATON_KIND_BINARY, size);
  if (text_words != 0) reason->word[3 + text_words] = 0;
  std::copy_n(context.error.text, size, reinterpret_cast<char*>(&reason->word[4]));
  reason->root = term::boxed_at(&reason->word[0]);
  return reason;
}

After end(Context& context, Process& process, Message* reason) {
  exit_process(context, process, reason->root);
  context.release(reason);
  return After::kLeave;
}

After end_by_signal(Context& context, Process& process) {
  return end(context, process, std::exchange(process.extension->exit_reason, nullptr));
}

// The frame has to wait: remembers all that resume will need.
After await(Scheduler& scheduler, Process& process) {
  const bool is_first = !process.has(kAwaiting);
  if (process.behaviour->kind == BATON_PROCESS) {
    process.state = scheduler.frame;
  } else {
    Extension& extension = extension_of(process);
    extension.frame = scheduler.frame;
    extension.caller = scheduler.caller;
    extension.call_ref = scheduler.call_ref;
    if (is_first) begin_await(scheduler, process);
  }
  // Signals taken together with the message under way wait behind it; a frame may wait long.
  if (is_first && act_on_signals(scheduler, process, nullptr)) scheduler.refused = nullptr;
  scheduler.call_ref = BATON_NO_TERM;
  process.set(kAwaiting);
  if (scheduler.chain.is_continued()) process.set(kChained);
  if (scheduler.is_set_off) process.set(kFrameSetOff);
  process.scan = scheduler.refused;
  if (scheduler.deadline_ns != 0 || process.extension != nullptr)
    wake_at(scheduler, process, scheduler.deadline_ns);
  if (process.has(kExiting)) return After::kGoOn;
  if (std::exchange(scheduler.is_preempted, false)) {
    scheduler.enqueue_tail(&process);
    return After::kLeave;
  }
  return process.mailbox.go_idle() ? After::kLeave : After::kGoOn;
}

void leave_frame(Scheduler& scheduler, Process& process) {
  process.clear(kAwaiting | kChained | kFrameSetOff);
  process.scan = nullptr;
  if (process.extension != nullptr) process.extension->deadline_ns = 0;
  if (process.behaviour->kind == BATON_PROCESS) {
    process.state = nullptr;
    return;
  }
  process.extension->frame = nullptr;
  end_await(scheduler, process);
}

// What a callback's answer means. `message` is what it handled, already released.
After conclude(Scheduler& scheduler, Process& process, int answer) {
  if (__builtin_expect(process.has(kExiting), 0)) {
    if (answer == BATON_AWAIT && !process.has(kAwaiting)) {
      // exit_process destroys the frame where await would have put it.
      const bool is_process = process.behaviour->kind == BATON_PROCESS;
      (is_process ? process.state : process.extension->frame) = scheduler.frame;
      process.set(kAwaiting);
      if (!is_process) begin_await(scheduler, process);
    }
    return end_by_signal(scheduler, process);
  }
  if (scheduler.call_ref != BATON_NO_TERM && (answer == BATON_OK || answer == BATON_YIELD)) {
    // It replies later.
    extension_of(process).callers.emplace(scheduler.call_ref, scheduler.caller);
    scheduler.call_ref = BATON_NO_TERM;
  }
  if (__builtin_expect(answer == BATON_OK, 1)) return After::kGoOn;
  switch (answer) {
    case BATON_AWAIT: return await(scheduler, process);
    case BATON_YIELD:
      process.set(kYielded);
      scheduler.enqueue_tail(&process);
      return After::kLeave;
    case BATON_STOP: {
      Message* reason = std::exchange(scheduler.stop_reason, nullptr);
      if (reason != nullptr) return end(scheduler, process, reason);
      exit_process(scheduler, process, term::atoms::kNormal);
      return After::kLeave;
    }
    case BATON_CRASH: return end(scheduler, process, crash_reason(scheduler));
    default: {
      // A module in C: nothing held it to the values of abi.h.
      const int size = std::snprintf(scheduler.error_text, sizeof scheduler.error_text,
                                     "a callback returned %d, which is no answer", answer);
      scheduler.error.length = static_cast<std::uint32_t>(size);
      return end(scheduler, process, crash_reason(scheduler));
    }
  }
}

After run_init(Scheduler& scheduler, Process& process, Message* args) {
  const baton_behaviour& behaviour = *process.behaviour;
  if (behaviour.state != nullptr) {
    void* state = scheduler.pools.allocate(behaviour.state->size);
    if (behaviour.state->construct(state, &scheduler.error) != 0) {
      scheduler.pools.deallocate(state, Pools::class_of(behaviour.state->size));
      scheduler.release(args);
      return end(scheduler, process, crash_reason(scheduler));
    }
    process.state = state;
  }
  begin_callback(scheduler, args);
  const int answer = behaviour.init(&scheduler, process.state, args);
  scheduler.release(args);
  // An init that awaits counts as started: its supervisor need not wait for it. So does a coroutine
  // process that has run to its end already. One that failed is not terminated either.
  const bool is_started =
      answer == BATON_OK || answer == BATON_AWAIT || answer == BATON_YIELD ||
      (answer == BATON_STOP && behaviour.kind == BATON_PROCESS && scheduler.stop_reason == nullptr);
  if (is_started) process.set(kStarted);
  if (is_started && process.has(kNotifyParent)) {
    process.clear(kNotifyParent);
    notify_started(scheduler, process.parent);
  }
  return conclude(scheduler, process, answer);
}

After run_message(Scheduler& scheduler, Process& process, Message* message) {
  if (__builtin_expect(message->kind == BATON_SPAWN, 0))
    return run_init(scheduler, process, message);
  begin_callback(scheduler, message);
  const int answer = process.behaviour->handle(&scheduler, process.state, message);
  scheduler.release(message);
  return conclude(scheduler, process, answer);
}

After run_frame(Scheduler& scheduler, Process& process) {
  const bool is_process = process.behaviour->kind == BATON_PROCESS;
  void* frame = is_process ? process.state : process.extension->frame;
  begin_callback(scheduler, nullptr);
  if (!is_process) {
    scheduler.caller = process.extension->caller;
    scheduler.call_ref = std::exchange(process.extension->call_ref, BATON_NO_TERM);
  }
  if (scheduler.runtime.attends()) follow(scheduler, process);
  if (process.extension != nullptr && process.extension->deadline_ns != 0 &&
      process.scan != nullptr && process.extension->deadline_ns <= now_ns())
    process.scan = nullptr;  // the wait is over: what receives next may want another message
  const int answer =
      process.behaviour->resume(&scheduler, is_process ? nullptr : process.state, frame);
  if (answer != BATON_AWAIT) leave_frame(scheduler, process);
  return conclude(scheduler, process, answer);
}

After run_yielded(Scheduler& scheduler, Process& process) {
  process.clear(kYielded);
  begin_callback(scheduler, nullptr);
  return conclude(scheduler, process,
                  process.behaviour->handle(&scheduler, process.state, nullptr));
}

// Frames: coroutine processes, and gen_servers while a callback of theirs waits.
After run_awaiting(Scheduler& scheduler, Process& process) {
  pull(scheduler, process);
  if (process.has(kExiting)) return end_by_signal(scheduler, process);
  return run_frame(scheduler, process);
}

Message* pop_front(Process& process) {
  Message* message = process.in_first;
  process.in_first = message->next;
  return message;
}

// What Process::held_in says of one that stands on no list, but whose `scan` has to be forgotten
// when it takes its mail as it comes again.
constexpr std::uint32_t kPassedOver = ~std::uint32_t{0};

// Takes what may be served under a drain, or of a suspended process, out of the mail; null: none.
template <class Served>
Message* take_served(Process& process, Served is_served) {
  Message* before = process.scan;
  Message* message = before != nullptr ? before->next : process.in_first;
  for (; message != nullptr; before = message, message = message->next) {
    if (!is_served(*message)) continue;
    (before != nullptr ? before->next : process.in_first) = message->next;
    if (message->next == nullptr) process.in_last = before;
    process.scan = before;
    if (before != nullptr && process.held_in == 0) process.held_in = kPassedOver;
    return message;
  }
  process.scan = before;
  return nullptr;
}

After hold(Scheduler& scheduler, Process& process) {
  scheduler.held().add(process);
  return process.mailbox.go_idle() ? After::kLeave : After::kGoOn;
}

// What was passed over under a drain is to be looked at again; the signals in it, which a parked
// process takes unseen, act now: a frame that receives must not meet them.
void forget_hold(Context& context, Process& process) {
  process.held_in = 0;
  process.scan = nullptr;
  act_on_signals(context, process, nullptr);
}

// One step of a process that may not take its mail as it comes.
After run_restricted(Scheduler& scheduler, Process& process, code::Phase phase) {
  if (phase == code::Phase::kParked) {
    // Not even signals: a take-over owns what is parked, its mail too.
    scheduler.held().keep(process);
    return After::kLeave;
  }
  if (process.held_in != 0 && process.held_in != kPassedOver && !scheduler.held().has(process))
    forget_hold(scheduler, process);
  pull(scheduler, process);
  if (process.has(kExiting)) return end_by_signal(scheduler, process);
  if (process.has(kAwaiting)) return run_frame(scheduler, process);
  if (!process.has(kStarted)) {
    // Its init comes first, and comes now only if somebody in the chain waits for the process.
    for (Message* message = process.in_first; message != nullptr; message = message->next)
      if (continues_chain(scheduler, *message)) {
        process.in_first->flags |= kNested;  // so what init does continues the chain too
        return run_message(scheduler, process, pop_front(process));
      }
    return hold(scheduler, process);
  }
  const bool is_suspended = process.has(kSuspended);
  if (phase == code::Phase::kOpen && !is_suspended) return After::kGoOn;  // resumed: its mail waits
  Message* message = take_served(process, [&](const Message& candidate) {
    if (candidate.kind == BATON_EXIT && candidate.from == process.parent) return true;
    return !is_suspended && continues_chain(scheduler, candidate);
  });
  if (message != nullptr) return run_message(scheduler, process, message);
  if (phase == code::Phase::kOpen) return process.mailbox.go_idle() ? After::kLeave : After::kGoOn;
  return hold(scheduler, process);
}

// One message, or what else comes first, of an ordinary process.
After step(Scheduler& scheduler, Process& process) {
  constexpr std::uint16_t kUnusual = kYielded | kAwaiting | kSuspended | kExiting;
  if (__builtin_expect(process.has(kUnusual), 0)) {
    if (process.has(kExiting)) return end_by_signal(scheduler, process);
    if (process.has(kAwaiting)) return run_awaiting(scheduler, process);
    if (process.has(kSuspended)) return run_restricted(scheduler, process, code::Phase::kOpen);
    return run_yielded(scheduler, process);
  }
  if (process.in_first == nullptr) {
    if (!process.mailbox.has_new_mail())
      return process.mailbox.go_idle() ? After::kLeave : After::kGoOn;
    append_mail(process, process.mailbox.take());
  }
  Message* message = pop_front(process);
  if (__builtin_expect(message->kind >= kMonitorSignal, 0)) {
    if (act_on_signal(scheduler, process, *message)) {
      scheduler.release(message);
      return After::kGoOn;
    }
  } else if (__builtin_expect(message->kind == BATON_REPLY || message->kind == BATON_DOWN, 0) &&
             is_unwanted(process, *message)) {
    scheduler.release(message);
    return After::kGoOn;
  }
  return run_message(scheduler, process, message);
}

}  // namespace

void run_turn(Scheduler& scheduler, Process& process) {
  scheduler.current = &process;
  scheduler.self = process.self;
  scheduler.set_running(process.self);
  scheduler.receives = 0;
  scheduler.is_preempted = false;
  const bool is_drainable = process.has(kIsServer);
  std::uint32_t budget = kTurnMessagesMax;
  After after = After::kGoOn;
  while (after == After::kGoOn) {
    if (__builtin_expect(budget-- == 0, 0)) {
      scheduler.enqueue_tail(&process);
      break;
    }
    // Between two callbacks: a barrier under way can pass.
    scheduler.acknowledge();
    const code::Phase phase = phase_of(process);
    if (__builtin_expect(phase != code::Phase::kOpen && is_drainable, 0)) {
      after = run_restricted(scheduler, process, phase);
      continue;
    }
    if (__builtin_expect(process.held_in != 0, 0)) forget_hold(scheduler, process);
    after = step(scheduler, process);
  }
  scheduler.current = nullptr;
  scheduler.self = BATON_NO_TERM;
  scheduler.set_running(BATON_NO_TERM);
  scheduler.chain.begin(false);
  scheduler.is_set_off = false;
}

}  // namespace baton::runtime
