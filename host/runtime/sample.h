// Sample: a message by which what a module does is put to use, counted for a probation.
//
// While samples are counted (Attention::kSampling) a sample is a message, call or cast that a
// process handles, unless a check of the host's own or a timer set it off. Replies, signals,
// time-outs and starts are none: what asked for them has been counted.
//
// What is set off is marked (kSetOff), and the mark is handed on from a callback to all that it
// sends and spawns, and to the frame in which it waits. What a process keeps and does later, such
// as a reply, is not known to be set off any more.
//
// Cost: nothing on its own while nobody counts: who looks for a drain's marks looks for these.
//
// Threads: the context's own; sums: code::Version::samples.
#pragma once

#include "runtime/context.h"

namespace baton::runtime {

/// A callback begins with this message, null: none. Requires: somebody attends to messages.
void begin_sample(Context& context, const Message* message);
/// A frame goes on. The same.
void resume_sample(Context& context, Process& process);
/// A frame receives. The same.
void receive_sample(Context& context, const Message& message);
/// Hands the mark on to what the callback under way sends, or a child of it begins with.
inline void mark_sample(const Context& context, Message& message) {
  if (context.is_set_off) message.flags |= kSetOff;
}

}  // namespace baton::runtime
