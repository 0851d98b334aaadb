// Applications: what a release runs: named supervision trees, started in order, stopped in reverse.
//
//   status     event                          next
//   -          start                          starting
//   starting   its tree has started           running
//   starting   its tree could not start       -          start answers why
//   running    stop                           stopping
//   running    set aside                      aside      nobody counts it among those that run; its
//                                                        processes are whoever's that asked
//   aside      put back                       running
//   aside      end                            stopping
//   aside      its top supervisor ended       -          not reported
//   stopping   its tree has stopped           -
//   running    its top supervisor ended       -          reported (Ended); by its type that ends
//                                                        the node: permanent always, transient if
//                                                        abnormal, temporary never
//
// Every process of an application knows it (Process::application, inherited at spawn), which is how
// host->config finds the application's environment. A change of that is told to the workers
// directly below its top supervisor, as the message {config_change, Changed, New, Removed}.
//
// One process of the host's own, the application controller, is the parent of all top supervisors.
//
// Ownership: outlives the runtime's schedulers: stop the runtime before it goes. Holds the specs;
//            the trees are the runtime's.
// Threads:   any thread outside the schedulers; start, stop and change wait, one at a time.
// Fails:     kUsage for a spec that cannot be, kFailed with the reason of a start that failed,
//            kNotFound for a name that is not known or does not run; kTimedOut, kBusy and
//            kUnreachable as Runtime::call.
#pragma once

#include "base/result.h"
#include "behaviour/child_spec.h"
#include "behaviour/literal.h"
#include "description/release_description.h"
#include "runtime/runtime.h"

#include <baton/abi.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace baton::behaviour {

using description::ApplicationType;
struct ApplicationTable;

using Environment = std::vector<std::pair<std::string, Literal>>;  // keys distinct

struct ApplicationSpec {
  std::string name;
  ApplicationType type = ApplicationType::kPermanent;
  Environment env;
  SupervisorSpec supervisor;
  /// An atom to register the top supervisor under, or none.
  baton_term supervisor_name = BATON_NO_TERM;
};
Result<ApplicationSpec> application_spec_of(const description::ApplicationDescription& description,
                                            term::AtomTable& atoms);

/// An application's top supervisor ended without having been asked to.
struct Ended {
  std::string name;
  ApplicationType type;
  Literal reason;
  bool ends_node;
};

struct ApplicationStatus {
  std::string name;
  ApplicationType type;
  baton_term supervisor;  // its top one
};

class Applications {
 public:
  using Timeout = std::chrono::milliseconds;

  /// `ended` is called on a scheduler and must be quick; so is `controller_ended`, if the
  /// application controller should be killed: nothing can be started or stopped any more. Call
  /// before the runtime starts: it answers host->config from now on.
  Applications(
      runtime::Runtime& runtime, std::function<void(const Ended&)> ended,
      std::function<void()> controller_ended = [] {});
  ~Applications();
  Applications(const Applications&) = delete;
  Applications& operator=(const Applications&) = delete;

  /// Waits until the whole tree has started. What could not start in time is stopped again.
  Result<void> start(ApplicationSpec spec, Timeout timeout);
  /// Waits until the tree has stopped, in order; past the timeout it is killed. Stopped already is
  /// no failure.
  Result<void> stop(std::string_view name, Timeout timeout);
  /// kNotFound if it does not run. Its top supervisor.
  Result<baton_term> set_aside(std::string_view name);
  /// False: it has ended meanwhile.
  bool put_back(std::string_view name);
  /// As stop, of one that is set aside.
  Result<void> end_aside(std::string_view name, Timeout timeout);
  /// Its place among those that run: behind `after`, or first if that is empty.
  void place(std::string_view name, std::string_view after);
  /// In reverse of the order they were started in. Goes on past failures; the first is returned.
  Result<void> stop_all(Timeout timeout_each);

  /// The application controller; none before the first application.
  baton_term controller() const { return controller_.load(std::memory_order_acquire); }
  /// Those that run, in the order they were started in.
  std::vector<ApplicationStatus> list() const;
  /// The top supervisor; kNotFound if it does not run.
  Result<baton_term> supervisor(std::string_view name) const;

  /// What its end means from now on.
  void change_type(std::string_view name, ApplicationType type);
  /// Replaces the environment and tells who wants to know.
  Result<void> change_environment(std::string_view name, Environment env, Timeout timeout);
  Result<Environment> environment(std::string_view name) const;
  /// The value of a key; no term if there is none.
  Literal value(std::string_view name, std::string_view key) const;

 private:
  /// The index of an application, running or not; 0: never heard of.
  std::uint16_t index_of(std::string_view name) const;
  Result<std::uint16_t> enter(ApplicationSpec spec);
  enum class Request { kStart, kStop };
  Result<term::Block> ask(Request request, std::uint16_t index, Timeout timeout);
  Result<void> start_locked(ApplicationSpec spec, Timeout timeout);
  Result<void> stop_locked(std::string_view name, Timeout timeout);
  Result<void> end(std::string_view name, std::uint16_t index, baton_term supervisor,
                   Timeout timeout);
  /// kNotFound if it is not running.
  Result<std::pair<std::uint16_t, baton_term>> running(std::string_view name) const;
  Result<void> tell(baton_term supervisor, const Literal& news, Timeout timeout);

  runtime::Runtime& runtime_;
  const std::shared_ptr<ApplicationTable> table_;  // shared with the controller and host->config
  std::mutex changing_;                            // held by start, stop and change
  std::atomic<baton_term> controller_{BATON_NO_TERM};  // written under changing_
};

}  // namespace baton::behaviour
