// Receive: the mail of a process that its owner has taken, and selective receive over it.
//
// Threads: the context's own; the process is the one it owns.
#pragma once

#include "runtime/context.h"

namespace baton::runtime {

/// Puts mail taken (newest first) behind what is there, oldest first.
void append_mail(Process& process, Message* newest);
/// Takes new mail, acts on the signals in it and drops what is unwanted; other messages stay.
/// False: there was none. A fatal signal sets kExiting and leaves its reason in the extension.
bool pull(Context& context, Process& process);
/// Acts on the signals in the mail behind `before` (null: in all of it) and drops what is unwanted.
/// True: something was taken out.
bool act_on_signals(Context& context, Process& process, Message* before);
/// Takes new mail and acts on the signals in it that need no callback; the others keep their place.
/// As the process's owner, or as a claimant while a callback of it is inside.
void act_on_arrivals(Context& context, Process& process);
/// An answer that is not the first to a request not given up, or the DOWN of a monitor taken back:
/// to be dropped. The request or monitor of one that is wanted is spent by this.
bool is_unwanted(Context& context, Process& process, Message& message);
/// The same of a message of these kinds that its process takes as it comes.
[[gnu::always_inline]] inline bool is_unwanted_answer(Context& context, Process& process,
                                                      Message& message) {
  if (message.kind == BATON_REPLY && (message.flags & kWanted) == 0 &&
      process.extension != nullptr &&
      process.extension->asked.take_usual(message.word[0], message.from)) {
    message.flags |= kWanted;
    return false;
  }
  return is_unwanted(context, process, message);
}

// For the host table, inside a callback: see abi.h. Null: nothing fits, the process is to exit, or
// its turn is over (Context::is_preempted).
Message* receive(Context& context);
Message* receive_match(Context& context, baton_match match, void* environment);
Message* receive_ref(Context& context, baton_term ref);

}  // namespace baton::runtime
