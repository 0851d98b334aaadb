#include "behaviour/ordered_supervisor.h"

#include "base/check.h"
#include "behaviour/child_start.h"
#include "behaviour/supervisor.h"
#include "runtime/primitives.h"
#include "term/atom.h"
#include "term/layout.h"
#include "term/match.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

namespace baton::behaviour {

namespace {

using term::atom;
namespace atoms = term::atoms;

constexpr baton_term kRestarting = atom("restarting");
constexpr baton_term kRunning = atom("running");
constexpr baton_term kNotFound = atom("not_found");
constexpr baton_term kAlreadyPresent = atom("already_present");

bool is_temporary(const ChildSpec& spec) { return spec.restart == RestartType::kTemporary; }

}  // namespace

OrderedSupervisor::OrderedSupervisor(SupervisorSpec spec) : AnySupervisor(spec.flags) {
  for (ChildSpec& child : spec.children) add(std::move(child));
}

OrderedSupervisor::At OrderedSupervisor::add(ChildSpec spec) {
  children_.push_back(Child{.spec = std::move(spec), .starter = {}, .stoppers = {}});
  const At at = std::prev(children_.end());
  by_id_.emplace(at->spec.id, at);
  return at;
}

void OrderedSupervisor::erase(At at) {
  BATON_CHECK(at->pid == BATON_NO_TERM, "a child goes whose end was not seen");
  if (sequence_) {
    if (sequence_->first == at) ++sequence_->first;
    if (sequence_->cursor == at) ++sequence_->cursor;
  }
  by_id_.erase(at->spec.id);
  children_.erase(at);
}

std::optional<OrderedSupervisor::At> OrderedSupervisor::find(baton_term id_or_pid) {
  if (const auto by_id = by_id_.find(Literal(id_or_pid)); by_id != by_id_.end())
    return by_id->second;
  if (const auto by_pid = by_pid_.find(id_or_pid); by_pid != by_pid_.end()) return by_pid->second;
  return std::nullopt;
}

std::optional<OrderedSupervisor::At> OrderedSupervisor::find_aside(baton_term id) {
  const auto found = std::ranges::find_if(
      aside_, [id = Literal(id)](const Child& child) { return child.spec.id == id; });
  if (found == aside_.end()) return std::nullopt;
  return found;
}

void OrderedSupervisor::place(At at, baton_term after) {
  At next = children_.begin();
  if (term::is_cell(after)) {
    // One that has gone meanwhile, as a temporary child does, leaves the end.
    const auto before = by_id_.find(Literal(term::head(after)));
    next = before != by_id_.end() ? std::next(before->second) : children_.end();
  }
  if (next != at) children_.splice(next, children_, at);
}

// ---- Sequences

void OrderedSupervisor::start_children(Context& context) {
  sequence_ = Sequence{false, children_.begin(), children_.begin()};
  proceed(context);
}

void OrderedSupervisor::stop_children(Context& context) {
  // Those set aside are the last in the order, and so the first to stop.
  for (Child& child : aside_) child.is_aside = false;
  children_.splice(children_.end(), aside_);
  sequence_ = Sequence{true, children_.begin(), children_.end()};
  proceed(context);
}

void OrderedSupervisor::regroup(Context& context, At first) {
  phase_ = Phase::kRegrouping;
  sequence_ = Sequence{true, first, children_.end()};
  proceed(context);
}

void OrderedSupervisor::proceed(Context& context) {
  while (sequence_) {
    const bool goes_on = sequence_->is_stopping ? stop_next(context) : start_next(context);
    if (!goes_on) return;
  }
}

// One step; false: an event has to come first.
bool OrderedSupervisor::stop_next(Context& context) {
  Sequence& sequence = *sequence_;
  if (sequence.cursor == sequence.first) {
    if (phase_ == Phase::kStopping) {
      BATON_CHECK(by_pid_.empty(), "a supervisor ends before its children");
      phase_ = Phase::kEnded;
      sequence_.reset();
    } else {
      sequence.is_stopping = false;
    }
    return true;
  }
  const At at = std::prev(sequence.cursor);
  switch (at->state) {
    case State::kStarting:
    case State::kRunning: begin_stop(context, at); return false;
    case State::kStopping: return false;
    case State::kEnded:
      by_pid_.erase(at->pid);
      at->pid = BATON_NO_TERM;
      break;
    case State::kStopped:
    case State::kRestarting: break;
  }
  at->state = State::kStopped;
  if (is_temporary(at->spec))
    erase(at);
  else
    sequence.cursor = at;
  return true;
}

bool OrderedSupervisor::start_next(Context& context) {
  Sequence& sequence = *sequence_;
  if (sequence.cursor == children_.end()) {
    sequence_.reset();
    phase_ = Phase::kRunning;
    return false;
  }
  const At at = sequence.cursor;
  if (at->state == State::kStarting) return false;
  if (at->state == State::kStopped)
    start(context, at, Purpose::kSequence);
  else
    ++sequence.cursor;
  return true;
}

// ---- Starting

void OrderedSupervisor::start(Context& context, At at, Purpose purpose) {
  at->purpose = purpose;
  const ChildStart start = start_child_process(context, at->spec);
  if (start.pid == BATON_NO_TERM) return start_failed(context, at, start.reason.root());
  at->state = State::kStarting;
  at->pid = start.pid;
  const bool is_new = by_pid_.emplace(at->pid, at).second;
  BATON_CHECK(is_new, "two children are one process");
}

void OrderedSupervisor::started(Context& context, baton_term pid) {
  const auto found = by_pid_.find(pid);
  if (found == by_pid_.end() || found->second->state != State::kStarting) return;
  const At at = found->second;
  at->state = State::kRunning;
  if (at->starter) answer_ok(context, std::exchange(at->starter, {}), pid);
  proceed(context);
}

void OrderedSupervisor::start_failed(Context& context, At at, baton_term reason) {
  at->state = State::kStopped;
  report(context, BATON_LOG_ERROR, at->spec, BATON_NO_TERM, "could not be started", reason);
  switch (at->purpose) {
    case Purpose::kSequence:
      if (phase_ == Phase::kStarting) {
        term::Builder builder;
        const baton_term failed =
            builder.tuple({atom("failed_to_start_child"), at->spec.id.root(), reason});
        return stop(context, builder.tuple({atoms::kShutdown, failed}));
      }
      // Those behind it wait for the next try, which begins with it.
      sequence_.reset();
      phase_ = Phase::kRunning;
      [[fallthrough]];
    case Purpose::kRestart:
      at->state = State::kRestarting;
      return try_again(context, at->spec.id.root());
    case Purpose::kAdded: {
      term::Builder builder;
      const baton_term spec = behaviour::write(at->spec, builder, context.runtime.atoms());
      answer_error(context, at->starter, builder.tuple({reason, spec}));
      return erase(at);
    }
    case Purpose::kAsked:
      answer_error(context, std::exchange(at->starter, {}), reason);
      if (is_temporary(at->spec)) erase(at);
      return;
  }
}

void OrderedSupervisor::ignored(Context& context, At at) {
  at->state = State::kStopped;
  if (at->starter) answer_ok(context, std::exchange(at->starter, {}), atoms::kUndefined);
  if (is_temporary(at->spec))
    erase(at);
  else if (sequence_ && !sequence_->is_stopping && sequence_->cursor == at)
    ++sequence_->cursor;
  proceed(context);
}

// ---- Ending

void OrderedSupervisor::exited(Context& context, baton_term pid, baton_term reason) {
  const auto found = by_pid_.find(pid);
  if (found == by_pid_.end()) return;
  const At at = found->second;
  if (at->is_aside) return aside_ended(context, at);
  if (at->state == State::kRunning && phase_ != Phase::kRunning) {
    at->state = State::kEnded;
    ends_.push_back({pid, Literal(reason)});
    return;
  }
  if (at->state == State::kEnded) return;
  by_pid_.erase(found);
  at->pid = BATON_NO_TERM;
  if (at->state == State::kStopping) return stopped(context, at, reason);
  if (at->state == State::kRunning) return ended(context, at, pid, reason);
  if (reason == atoms::kNormal) return ignored(context, at);
  start_failed(context, at, reason);
  proceed(context);
}

void OrderedSupervisor::ended(Context& context, At at, baton_term pid, baton_term reason) {
  const bool is_abnormal = !is_orderly(reason);
  const RestartType type = at->spec.restart;
  if (is_abnormal || type == RestartType::kPermanent)
    report(context, BATON_LOG_WARNING, at->spec, pid, "ended", reason);
  if (type == RestartType::kPermanent || (type == RestartType::kTransient && is_abnormal))
    return restart(context, at);
  at->state = State::kStopped;
  const bool is_significant = at->spec.significant;
  if (type == RestartType::kTemporary) erase(at);
  shut_down_if_significant(context, is_significant);
}

void OrderedSupervisor::aside_ended(Context& context, At at) {
  by_pid_.erase(at->pid);
  at->pid = BATON_NO_TERM;
  const bool was_asked_to = at->state == State::kStopping;
  at->state = State::kStopped;
  if (at->timer != BATON_NO_TERM)
    runtime::cancel_timer(context, std::exchange(at->timer, BATON_NO_TERM));
  for (Caller caller : std::exchange(at->stoppers, {})) answer(context, caller, atoms::kOk);
  // Else whoever set it aside may put it back, and learns that it has ended.
  if (was_asked_to) aside_.erase(at);
}

void OrderedSupervisor::shut_down_if_significant(Context& context, bool is_significant) {
  if (!is_significant || flags_.auto_shutdown == AutoShutdown::kNever) return;
  if (flags_.auto_shutdown == AutoShutdown::kAllSignificant)
    for (const Child& child : children_)
      if (child.spec.significant && child.state != State::kStopped) return;
  stop(context, atoms::kShutdown);
}

void OrderedSupervisor::restart(Context& context, At at) {
  at->state = State::kStopped;
  if (!may_restart(context, at->spec)) return;
  switch (flags_.strategy) {
    case Strategy::kOneForOne: return start(context, at, Purpose::kRestart);
    case Strategy::kRestForOne: return regroup(context, at);
    case Strategy::kOneForAll: return regroup(context, children_.begin());
    case Strategy::kSimpleOneForOne: break;
  }
  BATON_CHECK(false, "simple_one_for_one has no ordered children");
}

void OrderedSupervisor::retry(Context& context, baton_term id) {
  const auto found = by_id_.find(Literal(id));
  if (found == by_id_.end() || found->second->state != State::kRestarting) return;
  if (phase_ == Phase::kRunning)
    restart(context, found->second);
  else
    retries_.push_back(Literal(id));
}

void OrderedSupervisor::begin_stop(Context& context, At at) {
  at->state = State::kStopping;
  // A child may have taken back its link; a monitor it cannot.
  runtime::monitor(context, at->pid);
  at->timer = ask_to_end(context, at->pid, at->spec.shutdown);
}

void OrderedSupervisor::timed_out(Context& context, baton_term timer, baton_term pid) {
  const auto found = by_pid_.find(pid);
  if (found == by_pid_.end() || found->second->timer != timer) return;
  found->second->timer = BATON_NO_TERM;
  report(context, BATON_LOG_WARNING, found->second->spec, pid, "did not stop in time",
         atoms::kKill);
  kill(context, pid);
}

void OrderedSupervisor::stopped(Context& context, At at, baton_term reason) {
  at->state = State::kStopped;
  if (at->timer != BATON_NO_TERM)
    runtime::cancel_timer(context, std::exchange(at->timer, BATON_NO_TERM));
  if (at->starter) answer_error(context, std::exchange(at->starter, {}), reason);
  for (Caller caller : std::exchange(at->stoppers, {})) answer(context, caller, atoms::kOk);
  if (is_temporary(at->spec)) erase(at);
  proceed(context);
}

// ---- What had to wait

void OrderedSupervisor::catch_up(Context& context) {
  while (phase_ == Phase::kRunning && !ends_.empty()) {
    const End end = std::move(ends_.front());
    ends_.pop_front();
    const auto found = by_pid_.find(end.pid);
    if (found == by_pid_.end() || found->second->state != State::kEnded) continue;
    const At at = found->second;
    by_pid_.erase(found);
    at->pid = BATON_NO_TERM;
    ended(context, at, end.pid, end.reason.root());
  }
  while (phase_ == Phase::kRunning && !retries_.empty()) {
    const Literal id = std::move(retries_.front());
    retries_.pop_front();
    retry(context, id.root());
  }
  // Those that must wait on are put behind; each is looked at once.
  for (std::size_t left = postponed_.size(); phase_ == Phase::kRunning && left > 0; --left) {
    const Postponed postponed = std::move(postponed_.front());
    postponed_.pop_front();
    const runtime::ChainScope scope(context.chain, postponed.is_chained);
    serve(context, postponed.caller, postponed.request.root());
  }
}

void OrderedSupervisor::postpone(Context& context, Caller caller, baton_term request) {
  // Stopping: whoever waits hears of the end.
  if (phase_ == Phase::kStopping || phase_ == Phase::kEnded) return;
  if (postponed_.size() >= kPostponedMax) return answer_error(context, caller, atoms::kSystemLimit);
  postponed_.push_back({caller, Literal(request), context.chain.is_continued()});
}

// ---- Requests

void OrderedSupervisor::serve(Context& context, Caller caller, baton_term request) {
  term::Builder builder;
  if (request == atom("which_children"))
    return answer(context, caller, which_children(context, builder));
  if (request == atom("count_children"))
    return answer(context, caller, count_children(builder, context.runtime.atoms()));
  const auto asks = [request](std::string_view what, std::size_t arity) {
    return term::tagged_tuple(request, atom(what), arity).has_value();
  };
  if (asks("get_childspec", 2))
    return get_childspec(context, caller, (*term::as_tuple(request))[1]);
  const bool is_start = asks("start_child", 2), is_restart = asks("restart_child", 2),
             is_terminate = asks("terminate_child", 2), is_delete = asks("delete_child", 2),
             is_change = asks("change_specs", 3), is_change_one = asks("change_spec", 2),
             is_start_after = asks("start_child", 3), is_set_aside = asks("set_aside", 2),
             is_put_back = asks("put_back", 3), is_end_aside = asks("end_aside", 2);
  if (!is_start && !is_restart && !is_terminate && !is_delete && !is_change && !is_change_one &&
      !is_start_after && !is_set_aside && !is_put_back && !is_end_aside)
    return answer_error(context, caller, Error(Code::kUsage, "no request of a supervisor"));
  if (phase_ != Phase::kRunning) return postpone(context, caller, request);
  if (is_start || is_start_after) return start_child(context, caller, request);
  if (is_restart) return restart_child(context, caller, request);
  if (is_terminate) return terminate_child(context, caller, request);
  if (is_delete) return delete_child(context, caller, request);
  if (is_set_aside) return set_aside(context, caller, request);
  if (is_put_back) return put_back(context, caller, request);
  if (is_end_aside) return end_aside(context, caller, request);
  if (is_change_one) return change_spec(context, caller, request);
  change_specs(context, caller, request);
}

void OrderedSupervisor::start_child(Context& context, Caller caller, baton_term request) {
  const term::AtomTable& table = context.runtime.atoms();
  auto spec = read_child_spec((*term::as_tuple(request))[1], table);
  if (!spec.ok()) return answer_error(context, caller, spec.error());
  if (const auto found = by_id_.find(spec->id); found != by_id_.end()) {
    const Child& present = *found->second;
    if (present.state == State::kStopping) return postpone(context, caller, request);
    if (present.state == State::kStopped) return answer_error(context, caller, kAlreadyPresent);
    const baton_term pid = present.state == State::kRestarting ? kRestarting : present.pid;
    term::Builder builder;
    return answer_error(context, caller, builder.tuple({atoms::kAlreadyStarted, pid}));
  }
  if (children_.size() >= kChildSpecsMax) return answer_error(context, caller, atoms::kSystemLimit);
  const auto checked = check_childspecs(flags_, std::span(&*spec, 1), table);
  if (!checked.ok()) return answer_error(context, caller, checked.error());
  const At at = add(std::move(spec).value());
  if (const auto parts = *term::as_tuple(request); parts.size() == 3) place(at, parts[2]);
  at->starter = caller;
  start(context, at, Purpose::kAdded);
}

void OrderedSupervisor::terminate_child(Context& context, Caller caller, baton_term request) {
  const auto at = find((*term::as_tuple(request))[1]);
  if (!at) return answer_error(context, caller, kNotFound);
  Child& child = **at;
  switch (child.state) {
    case State::kRestarting:
      // The message that would try again finds that nobody waits for it.
      child.state = State::kStopped;
      [[fallthrough]];
    case State::kStopped: return answer(context, caller, atoms::kOk);
    case State::kStarting:
    case State::kRunning: child.stoppers.push_back(caller); return begin_stop(context, *at);
    case State::kStopping: child.stoppers.push_back(caller); return;
    case State::kEnded: return postpone(context, caller, request);
  }
}

void OrderedSupervisor::restart_child(Context& context, Caller caller, baton_term request) {
  const auto at = find((*term::as_tuple(request))[1]);
  if (!at) return answer_error(context, caller, kNotFound);
  switch ((*at)->state) {
    case State::kStopped: (*at)->starter = caller; return start(context, *at, Purpose::kAsked);
    case State::kRestarting: return answer_error(context, caller, kRestarting);
    case State::kStarting:
    case State::kRunning: return answer_error(context, caller, kRunning);
    case State::kStopping:
    case State::kEnded: return postpone(context, caller, request);
  }
}

void OrderedSupervisor::delete_child(Context& context, Caller caller, baton_term request) {
  const auto at = find((*term::as_tuple(request))[1]);
  if (!at) return answer_error(context, caller, kNotFound);
  switch ((*at)->state) {
    case State::kStopped: erase(*at); return answer(context, caller, atoms::kOk);
    case State::kRestarting: return answer_error(context, caller, kRestarting);
    case State::kStarting:
    case State::kRunning: return answer_error(context, caller, kRunning);
    case State::kStopping:
    case State::kEnded: return postpone(context, caller, request);
  }
}

void OrderedSupervisor::change_specs(Context& context, Caller caller, baton_term request) {
  const term::AtomTable& table = context.runtime.atoms();
  const auto parts = *term::as_tuple(request);
  term::Builder builder;
  auto changed = read_supervisor_spec(builder.tuple({parts[1], parts[2]}), table);
  if (!changed.ok()) return answer_error(context, caller, changed.error());
  if (changed->flags.strategy == Strategy::kSimpleOneForOne)
    return answer_error(
        context, caller,
        Error(Code::kUsage, "only a restart makes a supervisor simple_one_for_one"));
  const auto checked = check_childspecs(changed->flags, changed->children, table);
  if (!checked.ok()) return answer_error(context, caller, checked.error());

  std::list<Child> others;
  others.swap(children_);
  for (ChildSpec& spec : changed->children) {
    const auto found = by_id_.find(spec.id);
    if (found == by_id_.end()) {
      add(std::move(spec));
      continue;
    }
    children_.splice(children_.end(), others, found->second);
    found->second->spec = std::move(spec);
  }
  children_.splice(children_.end(), others);
  change_flags(changed->flags);
  answer(context, caller, atoms::kOk);
}

void OrderedSupervisor::change_spec(Context& context, Caller caller, baton_term request) {
  const term::AtomTable& table = context.runtime.atoms();
  auto spec = read_child_spec((*term::as_tuple(request))[1], table);
  if (!spec.ok()) return answer_error(context, caller, spec.error());
  const auto checked = check_childspecs(flags_, std::span(&*spec, 1), table);
  if (!checked.ok()) return answer_error(context, caller, checked.error());
  const auto found = by_id_.find(spec->id);
  if (found == by_id_.end()) return answer_error(context, caller, kNotFound);
  found->second->spec = std::move(spec).value();
  answer(context, caller, atoms::kOk);
}

// ---- Aside

void OrderedSupervisor::set_aside(Context& context, Caller caller, baton_term request) {
  const auto found = by_id_.find(Literal((*term::as_tuple(request))[1]));
  if (found == by_id_.end()) return answer_error(context, caller, kNotFound);
  const At at = found->second;
  switch (at->state) {
    case State::kRestarting: at->state = State::kStopped; break;
    case State::kStopped:
    case State::kRunning: break;
    case State::kStarting:
    case State::kStopping:
    case State::kEnded: return postpone(context, caller, request);
  }
  by_id_.erase(found);
  at->is_aside = true;
  aside_.splice(aside_.end(), children_, at);
  answer_ok(context, caller, at->pid != BATON_NO_TERM ? at->pid : atoms::kUndefined);
}

void OrderedSupervisor::put_back(Context& context, Caller caller, baton_term request) {
  const auto parts = *term::as_tuple(request);
  const auto at = find_aside(parts[1]);
  if (!at || (*at)->state == State::kStopping) return answer_error(context, caller, kNotFound);
  if (by_id_.contains((*at)->spec.id)) return answer_error(context, caller, kAlreadyPresent);
  (*at)->is_aside = false;
  children_.splice(children_.end(), aside_, *at);
  by_id_.emplace((*at)->spec.id, *at);
  place(*at, parts[2]);
  answer_ok(context, caller, (*at)->pid != BATON_NO_TERM ? (*at)->pid : atoms::kUndefined);
}

void OrderedSupervisor::end_aside(Context& context, Caller caller, baton_term request) {
  const auto at = find_aside((*term::as_tuple(request))[1]);
  if (!at) return answer_error(context, caller, kNotFound);
  if ((*at)->state == State::kStopped) {
    aside_.erase(*at);
    return answer(context, caller, atoms::kOk);
  }
  (*at)->stoppers.push_back(caller);
  if ((*at)->state == State::kRunning) begin_stop(context, *at);
}

void OrderedSupervisor::get_childspec(Context& context, Caller caller, baton_term id) {
  const auto at = find(id);
  if (!at) return answer_error(context, caller, kNotFound);
  term::Builder builder;
  answer_ok(context, caller, behaviour::write((*at)->spec, builder, context.runtime.atoms()));
}

baton_term OrderedSupervisor::which_children(const Context& context, term::Builder& builder) const {
  std::vector<baton_term> list;
  list.reserve(children_.size());
  for (const Child& child : children_) {
    const baton_term pid = child.state == State::kRestarting ? kRestarting
                           : child.pid == BATON_NO_TERM      ? atoms::kUndefined
                                                             : child.pid;
    list.push_back(describe_child(context, builder, child.spec, child.spec.id.root(), pid));
  }
  return builder.list(list);
}

baton_term OrderedSupervisor::count_children(term::Builder& builder, term::AtomTable& table) const {
  Counts counts{.specs = children_.size()};
  for (const Child& child : children_) {
    if (child.pid != BATON_NO_TERM) ++counts.active;
    ++(child.spec.type == ChildType::kSupervisor ? counts.supervisors : counts.workers);
  }
  return write(counts, builder, table);
}

}  // namespace baton::behaviour
