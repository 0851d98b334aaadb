#include "behaviour/simple_supervisor.h"

#include "base/check.h"
#include "behaviour/child_start.h"
#include "runtime/primitives.h"
#include "term/atom.h"
#include "term/layout.h"
#include "term/match.h"

#include <utility>

namespace baton::behaviour {

namespace {

using term::atom;
namespace atoms = term::atoms;

constexpr baton_term kSimpleOneForOne = atom("simple_one_for_one");
constexpr baton_term kNotFound = atom("not_found");

// When all stop, their links tell of their ends. One that took its link back is found by this look.
constexpr std::uint64_t kLookNs = 1'000'000'000;

}  // namespace

SimpleSupervisor::SimpleSupervisor(SupervisorSpec spec)
    : AnySupervisor(spec.flags), spec_(std::move(spec.children.front())) {}

void SimpleSupervisor::start_children(Context&) { phase_ = Phase::kRunning; }

// ---- Starting

void SimpleSupervisor::start_child(Context& context, Caller caller, baton_term extra) {
  if (!term::list_length(extra))
    return answer_error(context, caller,
                        Error(Code::kUsage, "start_child: expected a list of more args"));
  const ChildStart start = start_child_process(context, spec_, extra);
  if (start.pid == BATON_NO_TERM) return answer_error(context, caller, start.reason.root());
  Busy busy{.starter = caller, .stoppers = {}, .extra = {}};
  if (spec_.restart != RestartType::kTemporary && !term::is_nil(extra)) {
    auto kept = Extra::copy_of(extra);
    if (kept.ok()) busy.extra = std::move(kept).value();
  }
  const bool is_new = busy_.emplace(start.pid, std::move(busy)).second;
  BATON_CHECK(is_new, "two children are one process");
}

void SimpleSupervisor::started(Context& context, baton_term pid) {
  const auto found = busy_.find(pid);
  if (found == busy_.end() || found->second.is_stopping) return;
  if (found->second.starter) answer_ok(context, found->second.starter, pid);
  const bool is_new = children_.emplace(pid, std::move(found->second.extra)).second;
  BATON_CHECK(is_new, "a child that was starting runs already");
  busy_.erase(found);
}

// ---- Ending

void SimpleSupervisor::exited(Context& context, baton_term pid, baton_term reason) {
  if (const auto running = children_.find(pid); running != children_.end()) {
    Extra extra = std::move(running->second);
    children_.erase(running);
    if (phase_ == Phase::kRunning) ended(context, pid, std::move(extra), reason);
  } else if (const auto found = busy_.find(pid); found != busy_.end()) {
    Busy busy = std::move(found->second);
    busy_.erase(found);
    no_longer_busy(context, std::move(busy), pid, reason);
  }
  end_if_empty();
}

// It ended while it was starting, or because it was asked to.
void SimpleSupervisor::no_longer_busy(Context& context, Busy busy, baton_term pid,
                                      baton_term reason) {
  if (busy.timer != BATON_NO_TERM) runtime::cancel_timer(context, busy.timer);
  for (Caller caller : busy.stoppers) answer(context, caller, atoms::kOk);
  if (busy.is_stopping || reason != atoms::kNormal) {
    if (busy.starter) answer_error(context, busy.starter, reason);
  } else if (busy.starter) {
    answer_ok(context, busy.starter, atoms::kUndefined);
  }
  const bool has_failed = !busy.is_stopping && reason != atoms::kNormal;
  if (!has_failed || phase_ != Phase::kRunning) return;
  report(context, BATON_LOG_ERROR, spec_, pid, "could not be started", reason);
  if (!busy.is_restart) return;
  const bool is_new = restarting_.emplace(pid, std::move(busy.extra)).second;
  BATON_CHECK(is_new, "a child is tried again twice at once");
  try_again(context, pid);
}

void SimpleSupervisor::ended(Context& context, baton_term pid, Extra extra, baton_term reason) {
  const bool is_abnormal = !is_orderly(reason);
  if (is_abnormal || spec_.restart == RestartType::kPermanent)
    report(context, BATON_LOG_WARNING, spec_, pid, "ended", reason);
  if (spec_.restart == RestartType::kPermanent ||
      (spec_.restart == RestartType::kTransient && is_abnormal))
    return restart(context, pid, std::move(extra));
  if (!spec_.significant || flags_.auto_shutdown == AutoShutdown::kNever) return;
  if (flags_.auto_shutdown == AutoShutdown::kAllSignificant && has_children()) return;
  stop(context, atoms::kShutdown);
}

void SimpleSupervisor::restart(Context& context, baton_term pid, Extra extra) {
  if (!may_restart(context, spec_)) return;
  const ChildStart start = start_child_process(context, spec_, extra ? extra.root() : BATON_NIL);
  if (start.pid == BATON_NO_TERM) {
    report(context, BATON_LOG_ERROR, spec_, BATON_NO_TERM, "could not be started",
           start.reason.root());
    restarting_.emplace(pid, std::move(extra));
    return try_again(context, pid);
  }
  Busy busy{.is_restart = true, .starter = {}, .stoppers = {}, .extra = std::move(extra)};
  const bool is_new = busy_.emplace(start.pid, std::move(busy)).second;
  BATON_CHECK(is_new, "two children are one process");
}

void SimpleSupervisor::retry(Context& context, baton_term pid) {
  const auto found = restarting_.find(pid);
  if (found == restarting_.end()) return;
  Extra extra = std::move(found->second);
  restarting_.erase(found);
  restart(context, pid, std::move(extra));
}

// ---- Stopping

void SimpleSupervisor::stop_children(Context& context) {
  restarting_.clear();
  Shutdown once = spec_.shutdown;
  // One timer is enough for all.
  if (once.kind == Shutdown::Kind::kTimeout) once.kind = Shutdown::Kind::kInfinity;
  for (const auto& [pid, extra] : children_) ask_to_end(context, pid, once);
  for (auto& [pid, busy] : busy_) {
    if (busy.is_stopping) continue;
    busy.is_stopping = true;
    ask_to_end(context, pid, once);
  }
  end_if_empty();
  if (phase_ == Phase::kEnded) return;
  const bool has_timeout = spec_.shutdown.kind == Shutdown::Kind::kTimeout;
  timer_ = runtime::send_after(
      context, has_timeout ? static_cast<std::uint64_t>(spec_.shutdown.timeout.count()) : kLookNs,
      context.self, context.allocate(1));
}

void SimpleSupervisor::timed_out(Context& context, baton_term timer, baton_term pid) {
  if (timer == timer_) {
    const bool is_over = spec_.shutdown.kind == Shutdown::Kind::kTimeout;
    const auto press = [&](baton_term left) {
      runtime::monitor(context, left);
      if (is_over) kill(context, left);
    };
    for (const auto& [left, extra] : children_) press(left);
    for (const auto& [left, busy] : busy_) press(left);
    return;
  }
  const auto found = busy_.find(pid);
  if (found == busy_.end() || found->second.timer != timer) return;
  found->second.timer = BATON_NO_TERM;
  report(context, BATON_LOG_WARNING, spec_, pid, "did not stop in time", atoms::kKill);
  kill(context, pid);
}

void SimpleSupervisor::end_if_empty() {
  if (phase_ == Phase::kStopping && !has_children()) phase_ = Phase::kEnded;
}

void SimpleSupervisor::terminate_child(Context& context, Caller caller, baton_term pid) {
  if (!term::is_pid(pid)) return answer_error(context, caller, kSimpleOneForOne);
  if (restarting_.erase(pid) != 0) return answer(context, caller, atoms::kOk);
  auto found = busy_.find(pid);
  if (found == busy_.end()) {
    const auto running = children_.find(pid);
    if (running == children_.end()) return answer_error(context, caller, kNotFound);
    children_.erase(running);
    found = busy_.emplace(pid, Busy{.starter = {}, .stoppers = {}, .extra = {}}).first;
  }
  Busy& busy = found->second;
  busy.stoppers.push_back(caller);
  if (busy.is_stopping) return;
  busy.is_stopping = true;
  runtime::monitor(context, pid);
  busy.timer = ask_to_end(context, pid, spec_.shutdown);
}

// ---- Requests

void SimpleSupervisor::serve(Context& context, Caller caller, baton_term request) {
  term::Builder builder;
  if (request == atom("which_children"))
    return answer(context, caller, which_children(context, builder));
  if (request == atom("count_children"))
    return answer(context, caller, count_children(builder, context.runtime.atoms()));
  const auto tuple = term::as_tuple(request);
  const baton_term what = tuple && !tuple->empty() ? (*tuple)[0] : BATON_NO_TERM;
  const baton_term argument = tuple && tuple->size() >= 2 ? (*tuple)[1] : BATON_NO_TERM;
  const bool is_pair = tuple && tuple->size() == 2;
  if (is_pair && what == atom("get_childspec")) return get_childspec(context, caller, argument);
  if (is_pair && (what == atom("restart_child") || what == atom("delete_child")))
    return answer_error(context, caller, kSimpleOneForOne);
  const bool is_start = is_pair && what == atom("start_child");
  const bool is_terminate = is_pair && what == atom("terminate_child");
  const bool is_change = tuple && tuple->size() == 3 && what == atom("change_specs");
  if (!is_start && !is_terminate && !is_change)
    return answer_error(context, caller, Error(Code::kUsage, "no request of a supervisor"));
  if (phase_ != Phase::kRunning) return;  // stopping: whoever waits hears of the end
  if (is_start) return start_child(context, caller, argument);
  if (is_terminate) return terminate_child(context, caller, argument);
  change_specs(context, caller, request);
}

void SimpleSupervisor::change_specs(Context& context, Caller caller, baton_term request) {
  const term::AtomTable& table = context.runtime.atoms();
  const auto parts = *term::as_tuple(request);
  term::Builder builder;
  auto changed = read_supervisor_spec(builder.tuple({parts[1], parts[2]}), table);
  if (!changed.ok()) return answer_error(context, caller, changed.error());
  if (changed->flags.strategy != Strategy::kSimpleOneForOne)
    return answer_error(context, caller,
                        Error(Code::kUsage, "only a restart changes simple_one_for_one"));
  const auto checked = check_childspecs(changed->flags, changed->children, table);
  if (!checked.ok()) return answer_error(context, caller, checked.error());
  spec_ = std::move(changed->children.front());
  change_flags(changed->flags);
  answer(context, caller, atoms::kOk);
}

void SimpleSupervisor::get_childspec(Context& context, Caller caller, baton_term pid) {
  const bool is_known = children_.contains(pid) || busy_.contains(pid) ||
                        restarting_.contains(pid) || Literal(pid) == spec_.id;
  if (!is_known) return answer_error(context, caller, kNotFound);
  term::Builder builder;
  answer_ok(context, caller, behaviour::write(spec_, builder, context.runtime.atoms()));
}

baton_term SimpleSupervisor::which_children(const Context& context, term::Builder& builder) const {
  std::vector<baton_term> list;
  list.reserve(children_.size() + busy_.size() + restarting_.size());
  const auto add = [&](baton_term pid) {
    list.push_back(describe_child(context, builder, spec_, atoms::kUndefined, pid));
  };
  for (const auto& [pid, extra] : children_) add(pid);
  for (const auto& [pid, busy] : busy_) add(pid);
  for (std::size_t i = 0; i < restarting_.size(); ++i) add(atom("restarting"));
  return builder.list(list);
}

baton_term SimpleSupervisor::count_children(term::Builder& builder, term::AtomTable& table) const {
  Counts counts{.specs = 1, .active = children_.size() + busy_.size()};
  const std::size_t all = counts.active + restarting_.size();
  (spec_.type == ChildType::kSupervisor ? counts.supervisors : counts.workers) = all;
  return write(counts, builder, table);
}

}  // namespace baton::behaviour
