#include "runtime/turn.h"

#include "base/check.h"
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

[[gnu::always_inline]] inline void begin_callback(Context& context, const Message* message) {
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
  const std::string_view text = context.error_said();
  const std::size_t size = text.size();
  const auto text_words = static_cast<std::uint32_t>((size + 7) / 8);
  Message* reason = context.allocate(3 + 1 + text_words);
  reason->word[0] = term::make_header(BATON_KIND_TUPLE, 2);
  reason->word[1] = term::atoms::kError;
  reason->word[2] = term::boxed_at(&reason->word[3]);
  reason->word[3] = term::make_header(BATON_KIND_BINARY, size);
  if (text_words != 0) reason->word[3 + text_words] = 0;
  text.copy(reinterpret_cast<char*>(&reason->word[4]), size);
  reason->root = term::boxed_at(&reason->word[0]);
  return reason;
}

// The process goes behind all others.
void requeue(Context& context, Process& process) {
  if (__builtin_expect(context.scheduler != nullptr, 1))
    context.scheduler->enqueue_tail(&process);
  else
    context.runtime.wakeup().inject(&process);
}

After end(Context& context, Process& process, Message* reason) {
  exit_process(context, process, reason->root);
  context.release(reason);
  return After::kLeave;
}

After end_by_signal(Context& context, Process& process) {
  if (process.has(kAbandoned)) {
    bury(context, process);
    return After::kLeave;
  }
  return end(context, process, std::exchange(process.extension->exit_reason, nullptr));
}

// The frame has to wait: remembers all that resume will need.
After await(Context& context, Process& process) {
  const bool is_first = !process.has(kAwaiting);
  if (process.behaviour->kind == BATON_PROCESS) {
    process.state = context.frame;
  } else {
    Extension& extension = extension_of(process);
    extension.frame = context.frame;
    extension.caller = context.caller;
    extension.call_ref = context.call_ref;
    if (is_first) begin_await(context, process);
  }
  // At once: whoever ends the process while a signal is acted on ends its wait, too.
  process.set(kAwaiting);
  // Signals taken together with the message under way wait behind it; a frame may wait long.
  if (is_first && act_on_signals(context, process, nullptr)) context.refused = nullptr;
  if (process.has(kAbandoned)) return After::kGoOn;
  context.call_ref = BATON_NO_TERM;
  if (context.chain.is_continued()) process.set(kChained);
  if (context.is_set_off) process.set(kFrameSetOff);
  process.scan = context.refused;
  if (context.deadline_ns != 0 || process.extension != nullptr)
    wake_at(context, process, context.deadline_ns);
  if (process.has(kExiting)) return After::kGoOn;
  if (std::exchange(context.is_preempted, false)) {
    requeue(context, process);
    return After::kLeave;
  }
  // Mail that was taken together with the message under way wakes nobody any more: a coroutine that
  // has not looked at it does so once.
  if (is_first && process.behaviour->kind == BATON_PROCESS && context.refused == nullptr &&
      process.in_first != nullptr)
    return After::kGoOn;
  // Of an exile the watch may have taken mail that the frame has not seen: it comes again.
  if (context.scheduler == nullptr) return After::kGoOn;
  return process.mailbox.go_idle() ? After::kLeave : After::kGoOn;
}

void leave_frame(Context& context, Process& process) {
  process.clear(kAwaiting | kChained | kFrameSetOff);
  process.scan = nullptr;
  if (process.extension != nullptr) process.extension->deadline_ns = 0;
  if (process.behaviour->kind == BATON_PROCESS) {
    process.state = nullptr;
    return;
  }
  if (process.extension != nullptr) process.extension->frame = nullptr;
  if (!process.has(kAbandoned)) end_await(context, process);
}

// What a callback's answer means. `message` is what it handled, already released.
After conclude(Context& context, Process& process, int answer) {
  if (__builtin_expect(process.has(kExiting), 0)) {
    if (answer == BATON_AWAIT && !process.has(kAwaiting)) {
      // The frame is destroyed where await would have put it.
      const bool is_process = process.behaviour->kind == BATON_PROCESS;
      (is_process ? process.state : extension_of(process).frame) = context.frame;
      process.set(kAwaiting);
      if (!is_process && !process.has(kAbandoned)) begin_await(context, process);
    }
    return end_by_signal(context, process);
  }
  if (context.call_ref != BATON_NO_TERM && (answer == BATON_OK || answer == BATON_YIELD)) {
    // It replies later.
    extension_of(process).callers.add(context.call_ref, context.caller);
    context.call_ref = BATON_NO_TERM;
  }
  if (__builtin_expect(answer == BATON_OK, 1)) return After::kGoOn;
  switch (answer) {
    case BATON_AWAIT: return await(context, process);
    case BATON_YIELD:
      process.set(kYielded);
      requeue(context, process);
      return After::kLeave;
    case BATON_STOP: {
      Message* reason = std::exchange(context.stop_reason, nullptr);
      if (reason != nullptr) return end(context, process, reason);
      exit_process(context, process, term::atoms::kNormal);
      return After::kLeave;
    }
    case BATON_CRASH: return end(context, process, crash_reason(context));
    default: {
      // A module in C: nothing held it to the values of abi.h.
      const int size = std::snprintf(context.error_text, sizeof context.error_text,
                                     "a callback returned %d, which is no answer", answer);
      context.error.length = static_cast<std::uint32_t>(size);
      return end(context, process, crash_reason(context));
    }
  }
}

After run_init(Context& context, Process& process, Message* args) {
  const baton_behaviour& behaviour = *process.behaviour;
  begin_callback(context, args);
  const int answer = call_module(context, [&] {
    if (const baton_schema* schema = behaviour.state; schema != nullptr) {
      void* state = context.pools.allocate(schema->size);
      if (schema->construct(state, &context.error) != 0) {
        context.pools.deallocate(state, Pools::class_of(schema->size));
        return int{BATON_CRASH};
      }
      process.state = state;
    }
    return behaviour.init(&context, process.state, args);
  });
  context.handled = nullptr;
  context.release(args);
  if (__builtin_expect(process.has(kAbandoned), 0)) return conclude(context, process, answer);
  // An init that awaits counts as started: its supervisor need not wait for it. So does a coroutine
  // process that has run to its end already. One that failed is not terminated either.
  const bool is_started =
      answer == BATON_OK || answer == BATON_AWAIT || answer == BATON_YIELD ||
      (answer == BATON_STOP && behaviour.kind == BATON_PROCESS && context.stop_reason == nullptr);
  if (is_started) process.set(kStarted);
  if (is_started && process.has(kNotifyParent)) {
    process.clear(kNotifyParent);
    notify_started(context, process.parent);
  }
  return conclude(context, process, answer);
}

After run_message(Context& context, Process& process, Message* message) {
  if (__builtin_expect(message->kind == BATON_SPAWN, 0)) return run_init(context, process, message);
  begin_callback(context, message);
  const int answer = call_module(
      context, [&] { return process.behaviour->handle(&context, process.state, message); });
  context.handled = nullptr;
  context.release(message);
  return conclude(context, process, answer);
}

After run_frame(Context& context, Process& process) {
  const bool is_process = process.behaviour->kind == BATON_PROCESS;
  void* frame = is_process ? process.state : process.extension->frame;
  begin_callback(context, nullptr);
  if (!is_process) {
    context.caller = process.extension->caller;
    context.call_ref = std::exchange(process.extension->call_ref, BATON_NO_TERM);
  }
  if (context.runtime.attends()) follow(context, process);
  if (process.extension != nullptr && process.extension->deadline_ns != 0 &&
      process.scan != nullptr && process.extension->deadline_ns <= now_ns())
    process.scan = nullptr;  // the wait is over: what receives next may want another message
  const int answer = call_module(context, [&] {
    return process.behaviour->resume(&context, is_process ? nullptr : process.state, frame);
  });
  if (answer != BATON_AWAIT) leave_frame(context, process);
  return conclude(context, process, answer);
}

After run_yielded(Context& context, Process& process) {
  process.clear(kYielded);
  begin_callback(context, nullptr);
  return conclude(context, process, call_module(context, [&] {
                    return process.behaviour->handle(&context, process.state, nullptr);
                  }));
}

// Frames: coroutine processes, and gen_servers while a callback of theirs waits.
After run_awaiting(Context& context, Process& process) {
  pull(context, process);
  if (process.has(kExiting)) return end_by_signal(context, process);
  return run_frame(context, process);
}

Message* pop_front(Process& process) {
  Message* message = process.in_first;
  process.in_first = message->next;
  return message;
}

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

After hold(Context& context, Process& process) {
  // Exiled while its state was shown: another thread drives the scheduler.
  if (context.scheduler == nullptr) return After::kGoOn;
  context.scheduler->held().add(process);
  return process.mailbox.go_idle() ? After::kLeave : After::kGoOn;
}

// What was passed over under a drain is to be looked at again; the signals in it, which a parked
// process takes unseen, act now: a frame that receives must not meet them.
void forget_hold(Context& context, Process& process) {
  process.held_in = 0;
  process.scan = nullptr;
  act_on_signals(context, process, nullptr);
}

// A hook reads its state, and nobody waits for that any more: until it returns the process belongs
// to the runner inside it.
After leave_to_hook(Context& context, Process& process) {
  return context.runtime.runners().hand_over(process) ? After::kLeave : After::kGoOn;
}

// One step of a process that may not take its mail as it comes.
After run_restricted(Context& context, Process& process, code::Phase phase) {
  if (process.has(kUnderHook)) return leave_to_hook(context, process);
  if (phase == code::Phase::kParked) {
    // Not even signals: a take-over owns what is parked, its mail too.
    context.scheduler->held().keep(process);
    return After::kLeave;
  }
  if (process.held_in != 0 && process.held_in != kPassedOver &&
      !context.scheduler->held().has(process))
    forget_hold(context, process);
  pull(context, process);
  if (process.has(kExiting)) return end_by_signal(context, process);
  if (process.has(kAwaiting)) return run_frame(context, process);
  if (!process.has(kStarted)) {
    // Its init comes first, and comes now only if somebody in the chain waits for the process.
    for (Message* message = process.in_first; message != nullptr; message = message->next)
      if (continues_chain(context, *message)) {
        process.in_first->flags |= kNested;  // so what init does continues the chain too
        return run_message(context, process, pop_front(process));
      }
    return hold(context, process);
  }
  const bool is_suspended = process.has(kSuspended);
  if (phase == code::Phase::kOpen && !is_suspended) return After::kGoOn;  // resumed: its mail waits
  Message* message = take_served(process, [&](const Message& candidate) {
    if (candidate.kind == BATON_EXIT && candidate.from == process.parent) return true;
    return !is_suspended && continues_chain(context, candidate);
  });
  if (message != nullptr && is_unwanted(context, process, *message)) {
    context.release(message);
    return After::kGoOn;
  }
  if (message != nullptr) return run_message(context, process, message);
  if (phase == code::Phase::kOpen) return process.mailbox.go_idle() ? After::kLeave : After::kGoOn;
  return hold(context, process);
}

// Signals have come: they are met before the mail that lies before them. A kill is met unseen: a
// look for it in a million messages would take long.
After meet_signals(Context& context, Process& process) {
  if (process.has(kUnderHook)) return leave_to_hook(context, process);
  process.has_signals.store(false, std::memory_order_relaxed);
  // Behind it, the mail and `doomed` that were written before it was set.
  std::atomic_thread_fence(std::memory_order_acquire);
  if (process.doomed.load(std::memory_order_relaxed) ==
      process.generation.load(std::memory_order_relaxed))
    kill_process(context, process);
  else if (!process.has(kAwaiting | kSuspended))  // these take all their mail at once
    act_on_arrivals(context, process);
  return After::kGoOn;
}

// One message, or what else comes first, of an ordinary process.
After step(Context& context, Process& process) {
  constexpr std::uint16_t kUnusual = kYielded | kAwaiting | kSuspended | kExiting | kUnderHook;
  if (__builtin_expect(process.has_signals.load(std::memory_order_relaxed), 0))
    return meet_signals(context, process);
  if (__builtin_expect(process.has(kUnusual), 0)) {
    if (process.has(kUnderHook)) return leave_to_hook(context, process);
    if (process.has(kExiting)) return end_by_signal(context, process);
    if (process.has(kAwaiting)) return run_awaiting(context, process);
    if (process.has(kSuspended)) return run_restricted(context, process, code::Phase::kOpen);
    return run_yielded(context, process);
  }
  if (process.in_first == nullptr) {
    if (!process.mailbox.has_new_mail())
      return process.mailbox.go_idle() ? After::kLeave : After::kGoOn;
    append_mail(process, process.mailbox.take());
  }
  Message* message = pop_front(process);
  if (__builtin_expect(message->kind >= kMonitorSignal, 0)) {
    if (act_on_signal(context, process, *message)) {
      context.release(message);
      return After::kGoOn;
    }
  } else if (__builtin_expect(message->kind == BATON_REPLY || message->kind == BATON_DOWN, 0) &&
             is_unwanted_answer(context, process, *message)) {
    context.release(message);
    return After::kGoOn;
  }
  return run_message(context, process, message);
}

}  // namespace

void give_back(Context& context, Process& process) {
  BATON_CHECK(process.has(kUnderHook), "no hook had read its state");
  if (process.has(kAbandoned)) return bury(context, process);
  process.clear(kUnderHook);
  requeue(context, process);
}

void run_turn(Context& context, Process& process) {
  context.current = &process;
  context.self = process.self;
  context.running.store(process.self, std::memory_order_relaxed);
  context.receives = 0;
  context.is_preempted = false;
  context.budget = context.scheduler->turn_messages();
  context.boundary.set_host_code(process.has(kHostCode));
  const bool is_drainable = process.has(kIsServer);
  After after = After::kGoOn;
  while (after == After::kGoOn) {
    // Once for so many messages; else somebody wants the turn to end.
    if (__builtin_expect(context.budget-- == 0, 0)) {
      if (process.has(kAbandoned))
        bury(context, process);
      else
        requeue(context, process);
      break;
    }
    const code::Phase phase = phase_of(process);
    if (__builtin_expect(phase != code::Phase::kOpen && is_drainable, 0)) {
      after = run_restricted(context, process, phase);
      continue;
    }
    if (__builtin_expect(process.held_in != 0, 0) && !process.has(kUnderHook))
      forget_hold(context, process);
    after = step(context, process);
  }
  context.current = nullptr;
  context.self = BATON_NO_TERM;
  context.running.store(BATON_NO_TERM, std::memory_order_relaxed);
  context.chain.begin(false);
  context.is_set_off = false;
}

}  // namespace baton::runtime
