// start_child_process: spawns a supervisor's child from its spec, by the current version of its
// module.
//
// The answer comes later: kStartedSignal when its init has succeeded, an exit signal when it has
// not.
//
// Threads: inside a callback of the supervisor, which traps exits.
#pragma once

#include "behaviour/child_spec.h"
#include "behaviour/literal.h"
#include "runtime/runtime.h"

#include <baton/abi.h>

namespace baton::behaviour {

struct ChildStart {
  baton_term pid = BATON_NO_TERM;  // none: it could not be spawned, and `reason` says why
  Literal reason;
};

/// Its init is given the spec's args, with the elements of the list `extra` behind them. Requires:
/// where `extra` is not empty, the spec's args are a list.
ChildStart start_child_process(runtime::Context& context, const ChildSpec& spec,
                               baton_term extra = BATON_NIL);

}  // namespace baton::behaviour
