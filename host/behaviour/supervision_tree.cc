#include "behaviour/supervision_tree.h"

#include "term/atom.h"
#include "term/builder.h"
#include "term/layout.h"
#include "term/match.h"
#include "term/text.h"

namespace baton::behaviour {

namespace {

constexpr baton_term kNotFound = term::atom("not_found");
constexpr baton_term kRunning = term::atom("running");
constexpr baton_term kRestarting = term::atom("restarting");

// Why a request was refused; none: it was not.
baton_term reason_in(const term::Block& answer) {
  const auto error = term::tagged_tuple(answer.root(), term::atoms::kError, 2);
  return error ? (*error)[1] : BATON_NO_TERM;
}

// What stands in {ok, Pid | undefined}.
std::optional<baton_term> pid_in(const term::Block& answer) {
  const auto ok = term::tagged_tuple(answer.root(), term::atoms::kOk, 2);
  if (!ok || !term::is_pid((*ok)[1])) return std::nullopt;
  return (*ok)[1];
}

}  // namespace

Result<void> SupervisionTree::start_child(const Path& path, const ChildSpec& spec,
                                          const std::string& after) {
  BATON_ASSIGN(const auto supervisor, pid_of(path));
  if (!supervisor) return {};
  term::Builder builder;
  auto answer = ask(
      *supervisor, builder.tuple({term::atom("start_child"), write(spec, builder, runtime_.atoms()),
                                  after_of(after).root()}));
  if (!answer.ok()) {
    // It may be in its init for ever: then that ends with it.
    if (answer.error().code() == Code::kTimedOut) (void)stop_child(path, spec.id);
    return std::move(answer).error().within(
        "starting child " + term::print(spec.id.root(), runtime_.atoms(), {.bytes = 200}));
  }
  if (reason_in(*answer) == BATON_NO_TERM) return {};
  return refused("starting", spec.id, *answer);
}

Result<void> SupervisionTree::stop_child(const Path& path, const Literal& id) {
  BATON_ASSIGN(const auto supervisor, pid_of(path));
  if (!supervisor) return {};
  BATON_ASSIGN(const term::Block stopped, ask(*supervisor, "terminate_child", id));
  // A temporary child is forgotten as it stops, and one that ended before is no news.
  const baton_term reason = reason_in(stopped);
  if (reason == kNotFound) return {};
  if (reason != BATON_NO_TERM) return refused("stopping", id, stopped);
  BATON_ASSIGN(const term::Block deleted, ask(*supervisor, "delete_child", id));
  const baton_term why = reason_in(deleted);
  if (why != BATON_NO_TERM && why != kNotFound) return refused("deleting", id, deleted);
  return {};
}

Result<std::optional<baton_term>> SupervisionTree::set_aside(const Path& path, const Literal& id) {
  BATON_ASSIGN(const auto supervisor, pid_of(path));
  if (!supervisor) return std::optional<baton_term>();
  BATON_ASSIGN(const term::Block answer, ask(*supervisor, "set_aside", id));
  const baton_term reason = reason_in(answer);
  if (reason != BATON_NO_TERM && reason != kNotFound) return refused("setting aside", id, answer);
  return pid_in(answer);
}

Result<void> SupervisionTree::put_back(const Path& path, const ChildSpec& spec,
                                       const std::string& after) {
  BATON_ASSIGN(const auto supervisor, pid_of(path));
  if (!supervisor) return {};
  term::Builder builder;
  BATON_ASSIGN(const term::Block answer,
               ask(*supervisor, builder.tuple({term::atom("put_back"), spec.id.root(),
                                               after_of(after).root()})));
  const baton_term reason = reason_in(answer);
  if (reason == kNotFound) {
    // By an earlier try that got no further, or not at all.
    BATON_ASSIGN(const term::Block known, ask(*supervisor, "get_childspec", spec.id));
    if (reason_in(known) != BATON_NO_TERM) return start_child(path, spec, after);
  } else if (reason != BATON_NO_TERM) {
    return refused("putting back", spec.id, answer);
  }
  if (pid_in(answer)) return {};
  BATON_ASSIGN(const term::Block started, ask(*supervisor, "restart_child", spec.id));
  const baton_term why = reason_in(started);
  if (why == BATON_NO_TERM || why == kRunning || why == kRestarting) return {};
  return refused("starting", spec.id, started);
}

Result<void> SupervisionTree::end_aside(const Path& path, const Literal& id) {
  BATON_ASSIGN(const auto supervisor, pid_of(path));
  if (!supervisor) return {};
  BATON_ASSIGN(const term::Block answer, ask(*supervisor, "end_aside", id));
  const baton_term reason = reason_in(answer);
  if (reason == BATON_NO_TERM || reason == kNotFound) return {};
  return refused("stopping", id, answer);
}

Result<void> SupervisionTree::change_specs(const Path& path, const SupervisorSpec& specs) {
  BATON_ASSIGN(const auto supervisor, pid_of(path));
  if (!supervisor) return {};
  const Literal args = write(specs, runtime_.atoms());
  const auto parts = *term::as_tuple(args.root());
  term::Builder builder;
  BATON_ASSIGN(const term::Block answer,
               ask(*supervisor, builder.tuple({term::atom("change_specs"), parts[0], parts[1]})));
  if (reason_in(answer) == BATON_NO_TERM) return {};
  return Error(Code::kFailed, "changing the child specs: " +
                                  term::print(answer.root(), runtime_.atoms(), {.bytes = 1000}));
}

Result<void> SupervisionTree::change_spec(const Path& path, const ChildSpec& spec) {
  BATON_ASSIGN(const auto supervisor, pid_of(path));
  if (!supervisor) return {};
  term::Builder builder;
  BATON_ASSIGN(const term::Block answer,
               ask(*supervisor, builder.tuple({term::atom("change_spec"),
                                               write(spec, builder, runtime_.atoms())})));
  const baton_term reason = reason_in(answer);
  // One that has ended for good has no spec to change.
  if (reason == BATON_NO_TERM || reason == kNotFound) return {};
  return refused("changing the spec of", spec.id, answer);
}

Result<std::optional<baton_term>> SupervisionTree::pid_of(const Path& path) {
  std::optional<baton_term> at = top_;
  for (const std::string& id : path) {
    BATON_ASSIGN(const term::Block children, ask(*at, term::atom("which_children")));
    at = std::nullopt;
    for (baton_term entry : term::elements(children.root()))
      if (const auto parts = term::tuple_of(entry, 4);
          parts && (*parts)[0] == term::atom(id) && term::is_pid((*parts)[1]))
        at = (*parts)[1];
    if (!at) break;
  }
  return at;
}

Result<term::Block> SupervisionTree::ask(baton_term supervisor, baton_term request) {
  BATON_ASSIGN(const term::Block block, term::Block::copy_of(request));
  return runtime_.call(supervisor, block, timeout_);
}

Result<term::Block> SupervisionTree::ask(baton_term supervisor, std::string_view what,
                                         const Literal& id) {
  term::Builder builder;
  return ask(supervisor, builder.tuple({term::atom(what), id.root()}));
}

Literal SupervisionTree::after_of(const std::string& after) const {
  if (after.empty()) return Literal(BATON_NIL);
  term::Builder builder;
  return Literal(builder.list({term::atom(after)}));
}

Error SupervisionTree::refused(const std::string& doing, const Literal& id,
                               const term::Block& answer) const {
  return Error(Code::kFailed, doing + " child " +
                                  term::print(id.root(), runtime_.atoms(), {.bytes = 200}) + ": " +
                                  term::print(answer.root(), runtime_.atoms(), {.bytes = 1000}));
}

}  // namespace baton::behaviour
