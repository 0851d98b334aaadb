// Survey: one system request to many processes at once, and what they answer within a time.
//
// Asking one after the other would take a thread's wake-up per process, and stall at the first that
// is stuck.
//
// Threads: any thread outside the schedulers; waits.
#pragma once

#include "runtime/runtime.h"
#include "term/block.h"

#include <baton/abi.h>

#include <chrono>
#include <span>
#include <vector>

namespace baton::behaviour {

struct SurveyAnswer {
  baton_term pid;
  bool is_dead = false;
  term::Block value;  // empty: no answer in time
};

/// In the order of the pids.
std::vector<SurveyAnswer> survey(runtime::Runtime& runtime, std::span<const baton_term> pids,
                                 runtime::SystemRequest request, std::chrono::milliseconds timeout);

}  // namespace baton::behaviour
