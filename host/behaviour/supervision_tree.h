// Supervision tree: the steps by which a running tree follows its release's description.
//
// What has to change, and in which order, says description/difference.h; nothing is compared here.
// A supervisor is named by the ids from below the top one to it. One that does not run needs no
// step: when it starts, it does so from its own spec, which its supervisor has been given.
//
// Threads: any thread outside the schedulers; each waits for its answers.
// Fails:   kFailed naming the child and why it did not start; kNotFound: the top supervisor has
//          ended; else as Runtime::call.
#pragma once

#include "base/result.h"
#include "behaviour/child_spec.h"
#include "runtime/runtime.h"

#include <baton/abi.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace baton::behaviour {

class SupervisionTree {
 public:
  using Path = std::vector<std::string>;

  /// `top` is the pid of the application's supervisor.
  SupervisionTree(runtime::Runtime& runtime, baton_term top, std::chrono::milliseconds timeout_each)
      : runtime_(runtime), top_(top), timeout_(timeout_each) {}

  /// Behind the child with the id `after`, or in front if that is empty. On failure the supervisor
  /// knows nothing of it.
  Result<void> start_child(const Path& supervisor, const ChildSpec& spec, const std::string& after);
  /// Waits until it has stopped; then the supervisor knows nothing of it. Gone already is no
  /// failure.
  Result<void> stop_child(const Path& supervisor, const Literal& id);
  /// See supervisor.h. The pid, if it runs.
  Result<std::optional<baton_term>> set_aside(const Path& supervisor, const Literal& id);
  /// As it was; started anew if it has ended, or if its supervisor has. Back already is no failure.
  Result<void> put_back(const Path& supervisor, const ChildSpec& spec, const std::string& after);
  Result<void> end_aside(const Path& supervisor, const Literal& id);
  /// Its flags, the specs of its children, and their order.
  Result<void> change_specs(const Path& supervisor, const SupervisorSpec& specs);
  /// What its supervisor starts it from, from its next start on.
  Result<void> change_spec(const Path& supervisor, const ChildSpec& spec);

 private:
  /// None: it does not run.
  Result<std::optional<baton_term>> pid_of(const Path& supervisor);
  Result<term::Block> ask(baton_term supervisor, baton_term request);
  Result<term::Block> ask(baton_term supervisor, std::string_view what, const Literal& id);
  Literal after_of(const std::string& after) const;
  Error refused(const std::string& doing, const Literal& id, const term::Block& answer) const;

  runtime::Runtime& runtime_;
  const baton_term top_;
  const std::chrono::milliseconds timeout_;
};

}  // namespace baton::behaviour
