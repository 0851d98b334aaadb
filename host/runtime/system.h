// System messages: what any gen_server answers without its module: suspend, resume, get_state,
// terminate, info.
//
// See: the sys module of OTP. They are handled between callbacks, also while a frame waits.
#pragma once

#include "runtime/context.h"

namespace baton::runtime {

/// Acts on a kSystemSignal and answers it. True: it is consumed. False: it has become its parent's
/// exit signal, for a process that ends by itself (kMeetsExits).
bool act_on_system(Context& context, Process& process, Message& signal);

}  // namespace baton::runtime
