// Supervision tree: the difference between two declared trees, and how to bring a running one from
// one to the other.
//
// OTP leaves this to hand-written instructions (restart_child, delete_child ...). Here a release
// declares its tree and the steps follow, per supervisor, from the top down:
//   children gone, or to be started anew    stopped right to left; those gone are forgotten
//   flags, specs and their order            changed, without touching what runs (change_specs)
//   new children, or to be started anew     started left to right; supervisors that stay are gone
//                                           into
// A child is started anew if its module, behaviour, args, name or type changed, or if its
// supervisor changed from or to simple_one_for_one; a change of its restart type, shutdown or
// significance counts from now on. A new version of its module is no difference: that is the
// take-over's.
//
// Doing it twice does no harm, so that a change that failed half-way is undone by changing back.
//
// Threads: difference: pure. change_tree: any thread outside the schedulers.
// Fails:   kFailed naming the child and why it did not start; kTimedOut; kUsage where only a
//          restart of the application would do.
#pragma once

#include "base/result.h"
#include "behaviour/child_spec.h"
#include "runtime/runtime.h"
#include "term/atom_table.h"

#include <baton/abi.h>

#include <chrono>
#include <string>
#include <vector>

namespace baton::behaviour {

struct TreeChange {
  enum class Kind { kStart, kStop, kRestart, kKeep, kFlags, kOrder };
  Kind kind;
  std::vector<std::string> path;  // ids as text, from below the top to the child; of kFlags and
                                  // kOrder to the supervisor
  std::string why;                // for the plan: "its args changed"

  /// "restart child top/a: its args changed"
  std::string text() const;
};

/// What change_tree would do, in its order; nothing if the trees are the same.
std::vector<TreeChange> difference(const SupervisorSpec& running, const SupervisorSpec& wanted,
                                   const term::AtomTable& atoms);

Result<void> change_tree(runtime::Runtime& runtime, baton_term supervisor,
                         const SupervisorSpec& running, const SupervisorSpec& wanted,
                         std::chrono::milliseconds timeout_each);

}  // namespace baton::behaviour
