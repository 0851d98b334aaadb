// System messages: what any process answers by itself: suspend, resume, get_state, terminate, info.
//
// They are handled between callbacks, also while a frame waits. Of them only get_state asks the
// module, for the state as a term.
//
// Threads: the context's own; the process is one it owns.
// See:     the sys module of OTP.
#pragma once

#include "runtime/context.h"

namespace baton::runtime {

/// Acts on a kSystemSignal and answers it. True: it is consumed. False: it has become its parent's
/// exit signal, for a process that ends by itself (kMeetsExits).
bool act_on_system(Context& context, Process& process, Message& signal);

}  // namespace baton::runtime
