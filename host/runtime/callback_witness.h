// CallbackWitness: tells a crash report which callback a context is in, and for what message.
//
// Threads: the context's own, from a signal handler; or the watch, with a claim on the context
//          (boundary.h). Reads only, and as the last what may be damaged or gone: the message.
#pragma once

#include "base/crash.h"
#include "runtime/context.h"

namespace baton::runtime {

class CallbackWitness final : public CrashWitness {
 public:
  explicit CallbackWitness(const Context& context) : context_(context) {}
  void tell(CrashFacts& facts) const override;

 private:
  const Context& context_;
};

}  // namespace baton::runtime
