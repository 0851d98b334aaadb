// Observer: what the runtime tells about processes, implemented by whoever logs, counts or traces.
//
// Threads: called on any runner, between or inside callbacks, or on a thread outside that is in a
//          context (but for long_schedule); must be quick and must not call the runtime.
#pragma once

#include "code/version.h"
#include "runtime/long_schedule.h"

#include <baton/abi.h>

#include <string_view>

namespace baton::runtime {

class Observer {
 public:
  virtual ~Observer() = default;
  /// A process ended for a reason other than normal, shutdown or {shutdown, _}. `reason` lives for
  /// the call.
  virtual void crashed(baton_term pid, const code::Version& version, const char* behaviour,
                       baton_term reason) = 0;
  /// A module's log line; `version` is null outside a process.
  virtual void log(int level, baton_term pid, const code::Version* version,
                   std::string_view text) = 0;
  /// A callback does not return. Called by the watch (watch.h), not on a scheduler.
  virtual void long_schedule(const LongSchedule&) {}
};

}  // namespace baton::runtime
