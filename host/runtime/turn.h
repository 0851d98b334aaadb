// Turn: what a runner does with a process it owns, until that has nothing to do, has had enough, or
// ends.
//
// A gen_server takes its mail in order, one callback after the other. While a frame of it waits,
// only that frame runs and other mail queues. Under a drain it serves only what continues a chain
// (chain.h); the rest waits in the mailbox. Parked, it runs nothing. Coroutine processes are never
// drained: they keep their version until they leave it by themselves.
//
// Threads: the context's own; the process is one it owns.
#pragma once

#include "runtime/context.h"

namespace baton::runtime {

void run_turn(Context& context, Process& process);
/// Ends the process; `reason` is a term in a block that stays the caller's.
void exit_process(Context& context, Process& process, baton_term reason);
/// Makes the process dead to everybody with the reason killed, while a callback of it is inside.
/// That one's thread buries it afterwards. Requires: a claim on that thread's context, `inside`.
void abandon_process(Context& context, Context& inside);
/// Frees what is left of an abandoned process. Requires: its callback has returned.
void bury(Context& context, Process& process);
/// A hook that read its state has returned: the process goes on, or is buried. Requires: it is the
/// caller's (Runners::hand_over).
void give_back(Context& context, Process& process);
/// Frees what the process holds; its callbacks are not called, and nobody hears of its end.
/// Requires: no scheduler runs.
void discard_process(Context& context, Process& process);

}  // namespace baton::runtime
