// PortKeeper: who keeps listeners and connections for processes, implemented by net/.
//
// The runtime tells it when a process that has some ends, so that they can be closed: like OTP's
// ports, they are linked to their owner. A process without ports pays one look at a flag.
//
// Threads: called by the scheduler that ends the process, or by the watch that abandons it, once
//          nothing can be sent to it any more and before anyone hears of its end.
#pragma once

#include "runtime/context.h"

#include <baton/abi.h>

namespace baton::runtime {

class PortKeeper {
 public:
  virtual ~PortKeeper() = default;
  virtual void owner_ended(Context& context, baton_term pid) = 0;
};

}  // namespace baton::runtime
