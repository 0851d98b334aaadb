// Frozen: a process and all below it, put out of use so that they can go on as if nothing had been.
//
// They are suspended, with their mail and state, and their registered names are free for others.
// Which processes are below one is told by their parents, within its application; one that does
// not answer in time, as its callback holds it, is suspended when that returns, but what it has
// spawned meanwhile is not found.
//
// Ownership: value type; the processes stay their supervisors'.
// Threads:   any thread outside the schedulers; each waits for the processes' answers.
#pragma once

#include "base/result.h"
#include "runtime/runtime.h"

#include <baton/abi.h>

#include <chrono>
#include <utility>
#include <vector>

namespace baton::behaviour {

struct Frozen {
  std::vector<baton_term> pids;
  std::vector<std::pair<baton_term, baton_term>> names;  // a name and whose it was
};

/// The process and all below it. `timeout` is for each round of questions; there are a few.
Frozen freeze(runtime::Runtime& runtime, baton_term top, std::chrono::milliseconds timeout);
/// Those that are still alive go on, each with its names. kFailed: a name is somebody else's now;
/// it may be tried again.
Result<void> thaw(runtime::Runtime& runtime, const Frozen& frozen,
                  std::chrono::milliseconds timeout);

}  // namespace baton::behaviour
