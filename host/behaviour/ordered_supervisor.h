// OrderedSupervisor: one_for_one, one_for_all and rest_for_one: children in an order, each with a
// spec of its own.
//
// What concerns several children is a sequence over a part of the list: its children are stopped
// right to left, then started left to right, one after the other. The supervisor's own start is a
// sequence that only starts, its end one that only stops. While one is under way, children that end
// by themselves elsewhere and requests that change anything wait for its end (catch_up).
//
// A child that is set aside is no member of any sequence and is not restarted; its process is
// whoever's that set it aside to suspend. When the supervisor stops, it stops like the others.
//
// Invariants:
//   (1) by_pid_ has exactly the children that are starting, running, stopping, or ended and not
//       dealt with yet.
//   (2) Only the sequence moves its cursor, except that erasing a child moves what points at it to
//       the next.
// (1) is checked where a child is started, goes, and when the last has stopped; (2) is a rule for
// who writes here: an iterator does not say where it stands.
// Threads:   the process's callbacks.
#pragma once

#include "behaviour/any_supervisor.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <deque>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

namespace baton::behaviour {

class OrderedSupervisor final : public AnySupervisor {
 public:
  /// Requires: checked specs of another strategy than simple_one_for_one.
  explicit OrderedSupervisor(SupervisorSpec spec);

 private:
  enum class State { kStopped, kStarting, kRunning, kEnded, kRestarting, kStopping };
  /// Why a child is being started: decides what its failure means.
  enum class Purpose { kSequence, kAdded, kAsked, kRestart };
  struct Child {
    ChildSpec spec;
    State state = State::kStopped;
    Purpose purpose = Purpose::kSequence;
    baton_term pid = BATON_NO_TERM;
    baton_term timer = BATON_NO_TERM;  // while stopping
    bool is_aside = false;             // it stands in aside_, and not in by_id_
    Caller starter;
    std::vector<Caller> stoppers;
  };
  using At = std::list<Child>::iterator;
  struct Sequence {
    bool is_stopping;
    At first;
    At cursor;  // stopping: all from here on are stopped; starting: all before it are started
  };
  struct Postponed {
    Caller caller;
    Literal request;
    bool is_chained;
  };
  struct End {
    baton_term pid;
    Literal reason;
  };

  void start_children(Context& context) override;
  void stop_children(Context& context) override;
  void serve(Context& context, Caller caller, baton_term request) override;
  void started(Context& context, baton_term pid) override;
  void exited(Context& context, baton_term pid, baton_term reason) override;
  void timed_out(Context& context, baton_term timer, baton_term pid) override;
  void retry(Context& context, baton_term id) override;
  void catch_up(Context& context) override;
  baton_term which_children(const Context& context, term::Builder& builder) const override;

  // Requests.
  void start_child(Context& context, Caller caller, baton_term request);
  void terminate_child(Context& context, Caller caller, baton_term request);
  void restart_child(Context& context, Caller caller, baton_term request);
  void delete_child(Context& context, Caller caller, baton_term request);
  void change_specs(Context& context, Caller caller, baton_term request);
  void change_spec(Context& context, Caller caller, baton_term request);
  void set_aside(Context& context, Caller caller, baton_term request);
  void put_back(Context& context, Caller caller, baton_term request);
  void end_aside(Context& context, Caller caller, baton_term request);
  void get_childspec(Context& context, Caller caller, baton_term id);
  baton_term count_children(term::Builder& builder, term::AtomTable& atoms) const;
  /// Until no sequence is under way, or the child that is stopping has stopped.
  void postpone(Context& context, Caller caller, baton_term request);

  // One child.
  std::optional<At> find(baton_term id_or_pid);
  std::optional<At> find_aside(baton_term id);
  At add(ChildSpec spec);
  /// Behind the child named in the list `after`, or in front if that is empty.
  void place(At at, baton_term after);
  void erase(At at);
  void start(Context& context, At at, Purpose purpose);
  void start_failed(Context& context, At at, baton_term reason);
  void ignored(Context& context, At at);
  void ended(Context& context, At at, baton_term pid, baton_term reason);
  void restart(Context& context, At at);
  void begin_stop(Context& context, At at);
  void stopped(Context& context, At at, baton_term reason);
  void aside_ended(Context& context, At at);
  void shut_down_if_significant(Context& context, bool is_significant);

  // Sequences.
  void regroup(Context& context, At first);
  void proceed(Context& context);
  bool stop_next(Context& context);
  bool start_next(Context& context);

  std::list<Child> children_;
  std::list<Child> aside_;
  std::unordered_map<Literal, At, LiteralHash> by_id_;
  boost::unordered_flat_map<baton_term, At> by_pid_;
  std::optional<Sequence> sequence_;
  std::deque<End> ends_;         // waiting for the sequence's end, in the order heard
  std::deque<Literal> retries_;  // ids, as ends_
  std::deque<Postponed> postponed_;
};

}  // namespace baton::behaviour
