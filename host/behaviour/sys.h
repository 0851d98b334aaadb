// Sys: what any process can be asked from outside, whatever its module: OTP's sys, and lists of
// processes.
//
// suspend and resume may be repeated. A suspended process answers these requests and nothing else;
// one that is busy in a callback answers after it, and one parked by a take-over after that.
//
// Threads: any thread outside the schedulers; each waits for its answer.
// Fails:   kNotFound: no such process, or it ended meanwhile; else as Runtime::call.
#pragma once

#include "base/result.h"
#include "behaviour/application.h"
#include "runtime/runtime.h"
#include "term/block.h"

#include <baton/abi.h>

#include <chrono>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace baton::behaviour::sys {

using Timeout = std::chrono::milliseconds;
inline constexpr Timeout kTimeout{5000};

/// A registered name, or a pid in its text form. kNotFound: it names no process that is alive now.
Result<baton_term> find_process(runtime::Runtime& runtime, std::string_view text);

Result<void> suspend(runtime::Runtime& runtime, baton_term pid, Timeout timeout = kTimeout);
Result<void> resume(runtime::Runtime& runtime, baton_term pid, Timeout timeout = kTimeout);
/// The state as a term; undefined for what has none to show.
Result<term::Block> get_state(runtime::Runtime& runtime, baton_term pid,
                              Timeout timeout = kTimeout);
/// What process_info says (runtime/info.h): a map with module, version, status, links ...
Result<term::Block> get_status(runtime::Runtime& runtime, baton_term pid,
                               Timeout timeout = kTimeout);
/// Ends it with this reason. Returns when it has the order.
Result<void> terminate(runtime::Runtime& runtime, baton_term pid, baton_term reason,
                       Timeout timeout = kTimeout);

// ---- Lists

/// The processes alive now, from the `after`th slot on, at most `max`; the host's own included.
struct Page {
  std::vector<baton_term> pids;
  std::uint32_t next = 0;  // where the next page begins; 0: this was the last
};
Page processes(runtime::Runtime& runtime, std::uint32_t after, std::size_t max);

struct ProcessReport {
  baton_term pid;
  term::Block status;  // as get_status; empty: it did not answer in time, a callback holds it
};
/// Asks all of them at once and waits at most that long; those that are dead by then are left out.
std::vector<ProcessReport> report(runtime::Runtime& runtime, std::span<const baton_term> pids,
                                  Timeout timeout = kTimeout);

inline constexpr std::size_t kTreeChildrenMax = 1000;
/// Supervisors below supervisors: what a process says of its children is not believed without end.
inline constexpr std::size_t kTreeDepthMax = 64;

/// A supervision tree as it runs. A supervisor with more than kTreeChildrenMax children shows that
/// many.
struct TreeNode {
  std::string id;  // as text; an application's name at the top
  baton_term pid = BATON_NO_TERM;
  std::string status;  // running, restarting, stopped; or "does not answer" of a supervisor
  bool is_supervisor = false;
  std::string module;
  std::size_t child_count = 0;
  std::vector<TreeNode> children;
};
/// Waits at most that long for all of them together; those that were not asked any more do not
/// answer.
std::vector<TreeNode> tree(runtime::Runtime& runtime, const Applications& applications,
                           Timeout timeout = kTimeout, std::stop_token stop = {});

}  // namespace baton::behaviour::sys
