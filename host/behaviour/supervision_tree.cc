#include "behaviour/supervision_tree.h"

#include "term/atom.h"
#include "term/builder.h"
#include "term/layout.h"
#include "term/match.h"
#include "term/text.h"

#include <algorithm>
#include <optional>
#include <ranges>
#include <utility>

namespace baton::behaviour {

namespace {

using std::chrono::milliseconds;
using Kind = TreeChange::Kind;

std::string text_of(const Literal& literal, const term::AtomTable& atoms) {
  return term::print(literal.root(), atoms, {.bytes = 200});
}

bool is_supervisor(const ChildSpec& spec) {
  return spec.module == kHostModule && spec.behaviour == kSupervisorName;
}

const ChildSpec* find(const SupervisorSpec& tree, const Literal& id) {
  for (const ChildSpec& spec : tree.children)
    if (spec.id == id) return &spec;
  return nullptr;
}

// The tree below a supervisor's spec, which check_childspecs has read before.
SupervisorSpec below(const ChildSpec& spec, const term::AtomTable& atoms) {
  auto tree = read_supervisor_spec(spec.args.root(), atoms);
  BATON_CHECK(tree.ok(), "the args of a declared supervisor do not read");
  return std::move(tree).value();
}

bool is_simple(const SupervisorSpec& tree) {
  return tree.flags.strategy == Strategy::kSimpleOneForOne;
}

// Why a child of both trees has to be started anew; nothing: it need not.
std::optional<std::string> why_anew(const ChildSpec& old, const ChildSpec& now,
                                    const term::AtomTable& atoms) {
  if (old.module != now.module) return "its module changed";
  if (old.behaviour != now.behaviour) return "its behaviour changed";
  if (old.name != now.name) return "its registered name changed";
  if (old.type != now.type) return "its type changed";
  if (!is_supervisor(now)) {
    if (old.args != now.args) return "its args changed";
    return std::nullopt;
  }
  if (is_simple(below(old, atoms)) != is_simple(below(now, atoms)))
    return "its strategy changed from or to simple_one_for_one";
  return std::nullopt;
}

std::string why_kept(const ChildSpec& old, const ChildSpec& now) {
  std::string what;
  const auto add = [&](bool is_changed, const char* name) {
    if (is_changed) what += (what.empty() ? "" : ", ") + std::string(name);
  };
  add(old.restart != now.restart, "restart");
  add(!(old.shutdown == now.shutdown), "shutdown");
  add(old.significant != now.significant, "significant");
  return what;
}

std::vector<Literal> order_of_common(const SupervisorSpec& tree, const SupervisorSpec& other) {
  std::vector<Literal> ids;
  for (const ChildSpec& spec : tree.children)
    if (find(other, spec.id) != nullptr) ids.push_back(spec.id);
  return ids;
}

void compare(const SupervisorSpec& running, const SupervisorSpec& wanted,
             const term::AtomTable& atoms, const std::vector<std::string>& path,
             std::vector<TreeChange>& changes) {
  const auto add = [&](Kind kind, const ChildSpec* spec, std::string why) {
    TreeChange change{kind, path, std::move(why)};
    if (spec != nullptr) change.path.push_back(text_of(spec->id, atoms));
    changes.push_back(std::move(change));
  };
  if (is_simple(running) || is_simple(wanted)) {
    if (running == wanted) return;
    add(Kind::kFlags, nullptr,
        is_simple(running) != is_simple(wanted)
            ? "its strategy changed from or to simple_one_for_one: the application has to restart"
            : "its template or flags changed; children that run keep what they were started with");
    return;
  }
  for (const ChildSpec& old : running.children | std::views::reverse)
    if (find(wanted, old.id) == nullptr) add(Kind::kStop, &old, "it is no longer declared");
  if (!(running.flags == wanted.flags)) add(Kind::kFlags, nullptr, "its flags changed");
  if (order_of_common(running, wanted) != order_of_common(wanted, running))
    add(Kind::kOrder, nullptr, "the order of its children changed");
  for (const ChildSpec& now : wanted.children) {
    const ChildSpec* old = find(running, now.id);
    if (old == nullptr) {
      add(Kind::kStart, &now, "it is new");
      continue;
    }
    if (auto why = why_anew(*old, now, atoms)) {
      add(Kind::kRestart, &now, *why);
      continue;
    }
    if (const std::string kept = why_kept(*old, now); !kept.empty())
      add(Kind::kKeep, &now, kept + " changed, which counts from now on");
    if (!is_supervisor(now)) continue;
    std::vector<std::string> deeper = path;
    deeper.push_back(text_of(now.id, atoms));
    compare(below(*old, atoms), below(now, atoms), atoms, deeper, changes);
  }
}

// ---- Applying

class Change {
 public:
  Change(runtime::Runtime& runtime, milliseconds timeout) : runtime_(runtime), timeout_(timeout) {}

  Result<void> apply(baton_term supervisor, const SupervisorSpec& running,
                     const SupervisorSpec& wanted);

 private:
  Result<void> stop(baton_term supervisor, const ChildSpec& spec, bool is_gone);
  Result<void> change_specs(baton_term supervisor, const SupervisorSpec& wanted);
  Result<void> start(baton_term supervisor, const ChildSpec& spec);
  Result<baton_term> pid_of(baton_term supervisor, const ChildSpec& spec);
  Result<term::Block> ask(baton_term supervisor, baton_term request);
  Result<term::Block> ask(baton_term supervisor, std::string_view what, const ChildSpec& spec);
  Error refused(const std::string& doing, const ChildSpec& spec, const term::Block& answer);
  const term::AtomTable& atoms() const { return runtime_.atoms(); }

  runtime::Runtime& runtime_;
  milliseconds timeout_;
};

baton_term reason_in(const term::Block& answer) {
  const auto error = term::tagged_tuple(answer.root(), term::atoms::kError, 2);
  return error ? (*error)[1] : BATON_NO_TERM;
}

Result<void> Change::apply(baton_term supervisor, const SupervisorSpec& running,
                           const SupervisorSpec& wanted) {
  if (is_simple(running) != is_simple(wanted))
    return Error(Code::kUsage,
                 "a strategy changed from or to simple_one_for_one: restart the application");
  if (is_simple(wanted)) return change_specs(supervisor, wanted);
  std::vector<Literal> anew;
  for (const ChildSpec& old : running.children | std::views::reverse) {
    const ChildSpec* now = find(wanted, old.id);
    const bool is_gone = now == nullptr;
    if (!is_gone && !why_anew(old, *now, atoms())) continue;
    if (!is_gone) anew.push_back(old.id);
    BATON_TRY(stop(supervisor, old, is_gone));
  }
  BATON_TRY(change_specs(supervisor, wanted));
  for (const ChildSpec& now : wanted.children) {
    const ChildSpec* old = find(running, now.id);
    if (old == nullptr || std::ranges::find(anew, now.id) != anew.end()) {
      BATON_TRY(start(supervisor, now));
      continue;
    }
    if (!is_supervisor(now) || old->args == now.args) continue;
    BATON_ASSIGN(const baton_term nested, pid_of(supervisor, now));
    auto changed = apply(nested, below(*old, atoms()), below(now, atoms()));
    if (!changed.ok()) return Error(changed.error()).within("child " + text_of(now.id, atoms()));
  }
  return {};
}

Result<void> Change::stop(baton_term supervisor, const ChildSpec& spec, bool is_gone) {
  constexpr baton_term kNotFound = term::atom("not_found");
  BATON_ASSIGN(const term::Block stopped, ask(supervisor, "terminate_child", spec));
  // A temporary child is forgotten as it stops, and one that ended before is no news.
  const baton_term reason = reason_in(stopped);
  if (reason == kNotFound) return {};
  if (reason != BATON_NO_TERM) return refused("stopping", spec, stopped);
  if (!is_gone) return {};
  BATON_ASSIGN(const term::Block deleted, ask(supervisor, "delete_child", spec));
  const baton_term why = reason_in(deleted);
  if (why != BATON_NO_TERM && why != kNotFound) return refused("deleting", spec, deleted);
  return {};
}

Result<void> Change::change_specs(baton_term supervisor, const SupervisorSpec& wanted) {
  const Literal args = write(wanted, runtime_.atoms());
  const auto parts = *term::as_tuple(args.root());
  term::Builder builder;
  BATON_ASSIGN(const term::Block answer,
               ask(supervisor, builder.tuple({term::atom("change_specs"), parts[0], parts[1]})));
  if (reason_in(answer) == BATON_NO_TERM) return {};
  return Error(Code::kFailed,
               "changing the child specs: " + term::print(answer.root(), atoms(), {.bytes = 1000}));
}

Result<void> Change::start(baton_term supervisor, const ChildSpec& spec) {
  BATON_ASSIGN(const term::Block answer, ask(supervisor, "restart_child", spec));
  const baton_term reason = reason_in(answer);
  if (reason == BATON_NO_TERM || reason == term::atom("running")) return {};
  return refused("starting", spec, answer);
}

Result<baton_term> Change::pid_of(baton_term supervisor, const ChildSpec& spec) {
  BATON_ASSIGN(const term::Block children, ask(supervisor, term::atom("which_children")));
  for (baton_term entry : term::elements(children.root())) {
    const auto parts = term::tuple_of(entry, 4);
    if (parts && Literal((*parts)[0]) == spec.id && term::is_pid((*parts)[1])) return (*parts)[1];
  }
  return Error(Code::kFailed, "child " + text_of(spec.id, atoms()) + " is not running");
}

Result<term::Block> Change::ask(baton_term supervisor, baton_term request) {
  BATON_ASSIGN(const term::Block block, term::Block::copy_of(request));
  return runtime_.call(supervisor, block, timeout_);
}

Result<term::Block> Change::ask(baton_term supervisor, std::string_view what,
                                const ChildSpec& spec) {
  term::Builder builder;
  return ask(supervisor, builder.tuple({term::atom(what), spec.id.root()}));
}

Error Change::refused(const std::string& doing, const ChildSpec& spec, const term::Block& answer) {
  return Error(Code::kFailed, doing + " child " + text_of(spec.id, atoms()) + ": " +
                                  term::print(answer.root(), atoms(), {.bytes = 1000}));
}

}  // namespace

std::string TreeChange::text() const {
  constexpr std::string_view kVerbs[] = {"start", "stop", "restart", "keep", "change", "reorder"};
  std::string where;
  for (const std::string& id : path) where += (where.empty() ? "" : "/") + id;
  const bool is_child = kind != Kind::kFlags && kind != Kind::kOrder;
  const std::string what = is_child       ? " child " + where
                           : path.empty() ? " the top supervisor"
                                          : " supervisor " + where;
  return std::string(kVerbs[static_cast<std::size_t>(kind)]) + what + ": " + why;
}

std::vector<TreeChange> difference(const SupervisorSpec& running, const SupervisorSpec& wanted,
                                   const term::AtomTable& atoms) {
  std::vector<TreeChange> changes;
  compare(running, wanted, atoms, {}, changes);
  return changes;
}

Result<void> change_tree(runtime::Runtime& runtime, baton_term supervisor,
                         const SupervisorSpec& running, const SupervisorSpec& wanted,
                         milliseconds timeout_each) {
  BATON_TRY(check_childspecs(wanted.flags, wanted.children, runtime.atoms()));
  return Change(runtime, timeout_each).apply(supervisor, running, wanted);
}

}  // namespace baton::behaviour
