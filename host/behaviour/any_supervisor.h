// AnySupervisor: what the supervisors of all strategies share: who asks, the phase, the end, the
// reports.
//
// The table stands in supervisor.h; the children, and so the steps, are those of the derived
// classes.
//
// Invariants:
//   (1) Every event of the process comes in by handle; a derived class acts on it and returns,
//       never waits.
// Not checked: a rule for who writes a strategy. One that waits shows as a callback that does not
// return (runtime/watch.h).
// Ownership: the supervisor's process owns it, as its state.
// Threads:   the process's callbacks.
#pragma once

#include "behaviour/child_spec.h"
#include "behaviour/literal.h"
#include "behaviour/restart_intensity.h"
#include "runtime/runtime.h"
#include "term/builder.h"

#include <baton/abi.h>

#include <cstddef>
#include <string_view>

namespace baton::behaviour {

using runtime::Context;
using runtime::Message;

/// A reason that nobody restarts a transient child for: normal, shutdown, {shutdown, _}.
bool is_orderly(baton_term reason);

class AnySupervisor {
 public:
  virtual ~AnySupervisor() = default;
  AnySupervisor(const AnySupervisor&) = delete;
  AnySupervisor& operator=(const AnySupervisor&) = delete;

  /// The process's init and handle, with their answers to the runtime.
  int begin(Context& context);
  int handle(Context& context, const Message& message);

  /// Its flags, its phase and its children, as a map.
  baton_term describe(const Context& context, term::Builder& builder) const;

 protected:
  enum class Phase { kStarting, kRunning, kRegrouping, kStopping, kEnded };
  /// Who waits for an answer.
  struct Caller {
    baton_term pid = BATON_NO_TERM;
    baton_term ref = BATON_NO_TERM;
    explicit operator bool() const { return ref != BATON_NO_TERM; }
  };

  explicit AnySupervisor(const SupervisorFlags& flags)
      : flags_(flags), intensity_(flags.intensity, flags.period) {}

  // The steps of the derived classes.
  virtual void start_children(Context& context) = 0;
  /// Requires: phase kStopping. Ends in phase kEnded, now or by a later event.
  virtual void stop_children(Context& context) = 0;
  virtual void serve(Context& context, Caller caller, baton_term request) = 0;
  virtual void started(Context& context, baton_term pid) = 0;
  /// Of any process, which may be none of the children, and may be told twice.
  virtual void exited(Context& context, baton_term pid, baton_term reason) = 0;
  virtual void timed_out(Context& context, baton_term timer, baton_term pid) = 0;
  /// What try_again was given.
  virtual void retry(Context& context, baton_term what) = 0;
  /// After every event: what had to wait for a phase that may have come.
  virtual void catch_up(Context&) {}
  virtual baton_term which_children(const Context& context, term::Builder& builder) const = 0;

  // For them.
  void answer(Context& context, Caller caller, baton_term root);
  void answer_ok(Context& context, Caller caller, baton_term value);
  void answer_error(Context& context, Caller caller, baton_term reason);
  void answer_error(Context& context, Caller caller, const Error& error);

  /// Stops the children, then ends with the reason. A second stop changes nothing.
  void stop(Context& context, baton_term reason);
  /// Counts a restart. False: one too many, and the supervisor is stopping.
  bool may_restart(Context& context, const ChildSpec& spec);
  void try_again(Context& context, baton_term what);

  /// Sends the exit signal that the spec's shutdown says. The ref of the time-out, if there is one.
  baton_term ask_to_end(Context& context, baton_term pid, const Shutdown& shutdown);
  void kill(Context& context, baton_term pid);
  /// Says in the log what became of a child.
  void report(Context& context, int level, const ChildSpec& spec, baton_term pid,
              std::string_view what, baton_term reason) const;
  void change_flags(const SupervisorFlags& flags);

  struct Counts {
    std::size_t specs = 0;
    std::size_t active = 0;
    std::size_t supervisors = 0;
    std::size_t workers = 0;
  };
  static baton_term write(const Counts& counts, term::Builder& builder, term::AtomTable& atoms);
  /// {Id, Pid, worker | supervisor, [Module]}
  static baton_term describe_child(const Context& context, term::Builder& builder,
                                   const ChildSpec& spec, baton_term id, baton_term pid);

  SupervisorFlags flags_;
  Phase phase_ = Phase::kStarting;

 private:
  void receive(Context& context, const Message& message);
  int conclude(Context& context);

  RestartIntensity intensity_;
  baton_term parent_ = BATON_NO_TERM;
  bool notifies_parent_ = false;
  bool is_purged_ = false;  // what the message under way tells the end of
  Literal stop_reason_;
};

}  // namespace baton::behaviour
