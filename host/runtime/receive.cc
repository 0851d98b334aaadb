// Receiving inside a frame: taking new mail, acting on the signals in it, picking what fits.
#include "runtime/receive.h"

#include "runtime/runtime.h"
#include "runtime/sample.h"
#include "runtime/scheduler.h"
#include "runtime/signals.h"

namespace baton::runtime {

namespace {

Message* unlink_from_mail(Process& process, Message* before, Message* message) {
  (before != nullptr ? before->next : process.in_first) = message->next;
  if (message->next == nullptr) process.in_last = before;
  return message;
}

// The message given to the frame: what was passed over counts no longer.
Message* received(Context& context, Process& process, Message* before, Message* message) {
  context.marker_ref = BATON_NO_TERM;
  context.refused = nullptr;
  if (context.runtime.attends()) receive_sample(context, *message);
  // Its caller hears of the end of a process that has not answered.
  if (message->kind == BATON_CALL)
    extension_of(process).callers.add(message->word[0], message->from);
  return unlink_from_mail(process, before, message);
}

template <class Fits>
Message* receive_from(Context& context, Message* start_after, Fits fits) {
  Process& process = *context.current;
  if (process.has(kExiting)) return nullptr;
  if (++context.receives > kTurnMessagesMax) {
    context.is_preempted = true;
    context.refused = start_after;
    return nullptr;
  }
  Message* before = start_after;
  for (bool is_second_look = false;; is_second_look = true) {
    Message* message = before != nullptr ? before->next : process.in_first;
    while (message != nullptr) {
      // Of a process that was exiled, what a claimant took of its mail may hold signals.
      if (message->kind < kMonitorSignal && fits(*message))
        return process.has(kAbandoned) ? nullptr : received(context, process, before, message);
      if (process.has(kAbandoned)) return nullptr;
      before = message;
      message = message->next;
    }
    if (is_second_look || !pull(context, process)) break;
    if (process.has(kExiting)) return nullptr;
  }
  context.refused = before;
  return nullptr;
}

}  // namespace

void append_mail(Process& process, Message* newest) {
  if (newest == nullptr) return;
  Message* last = newest;
  Message* first = nullptr;
  while (newest != nullptr) {
    Message* older = newest->next;
    newest->next = first;
    first = newest;
    newest = older;
  }
  (process.in_first != nullptr ? process.in_last->next : process.in_first) = first;
  process.in_last = last;
}

bool is_unwanted(Context& context, Process& process, Message& message) {
  if (message.kind != BATON_REPLY && message.kind != BATON_DOWN) return false;
  // Asked once: its mail may be looked through again before it is handled.
  if ((message.flags & kWanted) != 0) return false;
  message.flags |= kWanted;
  Extension* extension = process.extension;
  const baton_term ref = message.word[0];
  if (extension == nullptr) return true;
  if ((message.flags & kWatched) != 0) return extension->monitors.erase(ref) == 0;
  const auto asked = extension->asked.take(ref);
  // Who passed the request on to another still has its caller.
  if (asked && message.kind == BATON_REPLY && message.from != *asked) give_up(context, ref, *asked);
  return !asked;
}

namespace {
bool shows_state(const Message& message) {
  return message.kind == kSystemSignal && message.word[1] == kGetState;
}
}  // namespace

bool act_on_signals(Context& context, Process& process, Message* before) {
  bool has_removed = false;
  Message* message = before != nullptr ? before->next : process.in_first;
  while (message != nullptr) {
    Message* next = message->next;
    if (shows_state(*message)) {
      // It calls the module, in which the process may be abandoned: then the mail is gone.
      unlink_from_mail(process, before, message);
      act_on_signal(context, process, *message);
      context.release(message);
      if (process.has(kAbandoned)) return true;
      has_removed = true;
      message = next;
      continue;
    }
    const bool is_consumed = message->kind >= kMonitorSignal
                                 ? act_on_signal(context, process, *message)
                                 : is_unwanted(context, process, *message);
    if (is_consumed)
      context.release(unlink_from_mail(process, before, message));
    else
      before = message;
    has_removed = has_removed || is_consumed;
    message = next;
  }
  return has_removed;
}

void act_on_arrivals(Context& context, Process& process) {
  if (!process.mailbox.has_new_mail()) return;
  Message* before = process.in_first != nullptr ? process.in_last : nullptr;
  append_mail(process, process.mailbox.take());
  for (Message* message = before != nullptr ? before->next : process.in_first;
       message != nullptr;) {
    Message* next = message->next;
    if (message->kind >= kMonitorSignal && message->kind != kSystemSignal &&
        act_on_signal(context, process, *message))
      context.release(unlink_from_mail(process, before, message));
    else
      before = message;
    message = next;
  }
  // Requests for its state and the like keep their place. A frame and a suspended process take
  // their mail by other ways than one message after the other, and would not meet them.
  if (process.has(kAwaiting | kSuspended)) process.held_in = kPassedOver;
}

bool pull(Context& context, Process& process) {
  if (!process.mailbox.has_new_mail()) return false;
  Message* before = process.in_first != nullptr ? process.in_last : nullptr;
  append_mail(process, process.mailbox.take());
  act_on_signals(context, process, before);
  return true;
}

Message* receive(Context& context) {
  return receive_from(context, std::exchange(context.current->scan, nullptr),
                      [](const Message&) { return true; });
}

Message* receive_match(Context& context, baton_match match, void* environment) {
  return receive_from(
      context, std::exchange(context.current->scan, nullptr), [&](const Message& message) {
        int fits = 0;
        call_module_within(context, *context.current, [&] { fits = match(environment, &message); });
        return fits != 0;
      });
}

Message* receive_ref(Context& context, baton_term ref) {
  Message* after = std::exchange(context.current->scan, nullptr);
  if (after == nullptr && context.marker_ref == ref) after = context.marker;
  return receive_from(context, after, [ref](const Message& message) {
    return message.kind >= BATON_REPLY && message.kind <= BATON_TIMEOUT &&
           message.kind != BATON_EXIT && message.words >= 1 && message.word[0] == ref;
  });
}

}  // namespace baton::runtime
