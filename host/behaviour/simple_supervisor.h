// SimpleSupervisor: simple_one_for_one: any number of children of one spec, in no order.
//
// Made for many: a running child costs an entry of two words, starting and ending one takes
// constant time, and all stop at once. What a child was started with is kept only where a restart
// would need it.
//
// Invariants:
//   (1) A child's pid is in exactly one of children_ (running), busy_ (starting, or being stopped
//       on request) and restarting_ (ended, to be tried again).
// Checked where one is entered.
// Threads:   the process's callbacks.
#pragma once

#include "behaviour/any_supervisor.h"
#include "term/block.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <vector>

namespace baton::behaviour {

class SimpleSupervisor final : public AnySupervisor {
 public:
  /// Requires: checked, of strategy simple_one_for_one.
  explicit SimpleSupervisor(SupervisorSpec spec);

 private:
  /// The args of start_child, for a restart; empty where there are or will be none.
  using Extra = term::Block;
  struct Busy {
    bool is_stopping = false;
    bool is_restart = false;
    Caller starter;
    std::vector<Caller> stoppers;
    baton_term timer = BATON_NO_TERM;
    Extra extra;
  };

  void start_children(Context& context) override;
  void stop_children(Context& context) override;
  void serve(Context& context, Caller caller, baton_term request) override;
  void started(Context& context, baton_term pid) override;
  void exited(Context& context, baton_term pid, baton_term reason) override;
  void timed_out(Context& context, baton_term timer, baton_term pid) override;
  void retry(Context& context, baton_term pid) override;
  baton_term which_children(const Context& context, term::Builder& builder) const override;

  void start_child(Context& context, Caller caller, baton_term extra);
  void terminate_child(Context& context, Caller caller, baton_term pid);
  void change_specs(Context& context, Caller caller, baton_term request);
  void get_childspec(Context& context, Caller caller, baton_term pid);
  baton_term count_children(term::Builder& builder, term::AtomTable& atoms) const;

  void no_longer_busy(Context& context, Busy busy, baton_term pid, baton_term reason);
  void ended(Context& context, baton_term pid, Extra extra, baton_term reason);
  void restart(Context& context, baton_term pid, Extra extra);
  void end_if_empty();
  bool has_children() const { return !children_.empty() || !busy_.empty() || !restarting_.empty(); }

  ChildSpec spec_;
  boost::unordered_flat_map<baton_term, Extra> children_;
  boost::unordered_flat_map<baton_term, Busy> busy_;
  boost::unordered_flat_map<baton_term, Extra> restarting_;  // by the pid that ended
  baton_term timer_ = BATON_NO_TERM;                         // while all are stopping
};

}  // namespace baton::behaviour
