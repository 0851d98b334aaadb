// Signals: what the runtime sends between processes for itself (Signal), acted on by the receiver's
// owner.
//
// Threads: the context's own; the process is one it owns.
#pragma once

#include "runtime/context.h"

#include <cstdint>

namespace baton::runtime {

/// A name stands for whoever has it now; what is no pid, for nobody.
baton_term resolve(Context& context, baton_term to);
/// Tells who was asked that no answer is wanted any more.
void give_up(Context& context, baton_term ref, baton_term asked);
/// Acts on a signal. True: it is consumed (the caller frees it). False: it has become a message for
/// the process, its kind changed.
bool act_on_signal(Context& context, Process& process, Message& signal);
/// The process meets a kill: it ends as soon as its callback has returned.
void kill_process(Context& context, Process& process);
/// It ends as soon as its callback has returned, and its terminate is called for this reason.
void end_in_order(Context& context, Process& process, baton_term reason);
/// Has the process woken at the deadline, 0: never.
void wake_at(Context& context, Process& process, std::uint64_t deadline_ns);

}  // namespace baton::runtime
