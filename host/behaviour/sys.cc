#include "behaviour/sys.h"

#include "behaviour/survey.h"
#include "term/atom.h"
#include "term/layout.h"
#include "term/match.h"
#include "term/text.h"

#include <utility>

namespace baton::behaviour::sys {

namespace {

constexpr const char* kListsThemAll = "; baton ps lists those alive";

bool is_alive(runtime::Runtime& runtime, baton_term pid) {
  runtime::Process* process = runtime.find(pid);
  return process != nullptr && process->mailbox.is_open(runtime::pid_generation(pid));
}

Result<void> order(runtime::Runtime& runtime, baton_term pid, runtime::SystemRequest request,
                   Timeout timeout, baton_term argument = BATON_NO_TERM) {
  BATON_TRY(runtime.system(pid, request, timeout, argument));
  return {};
}

}  // namespace

Result<baton_term> find_process(runtime::Runtime& runtime, std::string_view text) {
  if (const baton_term pid = runtime.registry().whereis(term::atom(text)); pid != BATON_NO_TERM)
    return pid;
  if (text.starts_with("<")) {
    // A pid has no atoms: what is read here adds none.
    BATON_ASSIGN(const term::Block parsed,
                 term::parse(text, runtime.atoms(), term::AtomShare::kRequests));
    if (term::is_pid(parsed.root())) {
      if (is_alive(runtime, parsed.root())) return parsed.root();
      return Error(Code::kNotFound, "no such process " + std::string(text) + kListsThemAll);
    }
  }
  return Error(Code::kNotFound, "no such process " + std::string(text) +
                                    ": expected a registered name or a pid such as <0.5.1>" +
                                    kListsThemAll);
}

Result<void> suspend(runtime::Runtime& runtime, baton_term pid, Timeout timeout) {
  return order(runtime, pid, runtime::kSuspend, timeout);
}
Result<void> resume(runtime::Runtime& runtime, baton_term pid, Timeout timeout) {
  return order(runtime, pid, runtime::kResume, timeout);
}
Result<term::Block> get_state(runtime::Runtime& runtime, baton_term pid, Timeout timeout) {
  return runtime.system(pid, runtime::kGetState, timeout);
}
Result<term::Block> get_status(runtime::Runtime& runtime, baton_term pid, Timeout timeout) {
  return runtime.system(pid, runtime::kInfo, timeout);
}
Result<void> terminate(runtime::Runtime& runtime, baton_term pid, baton_term reason,
                       Timeout timeout) {
  return order(runtime, pid, runtime::kTerminate, timeout, reason);
}

// ---- Lists

Page processes(runtime::Runtime& runtime, std::uint32_t after, std::size_t max) {
  Page page;
  runtime::ProcessTable& table = runtime.table();
  const std::uint32_t used = table.used();
  for (std::uint32_t index = after + 1; index < used; ++index) {
    if (page.pids.size() == max) {
      page.next = index - 1;
      return page;
    }
    // A slot of which the version is set is alive, or was a moment ago.
    const runtime::Process& process = table.at(index);
    const std::uint32_t generation = process.generation.load(std::memory_order_acquire);
    if (process.version.load(std::memory_order_acquire) == nullptr) continue;
    page.pids.push_back(term::make_pid(index, generation));
  }
  return page;
}

std::vector<ProcessReport> report(runtime::Runtime& runtime, std::span<const baton_term> pids,
                                  Timeout timeout) {
  std::vector<ProcessReport> reports;
  reports.reserve(pids.size());
  for (SurveyAnswer& answer : survey(runtime, pids, runtime::kInfo, timeout))
    if (!answer.is_dead) reports.push_back({answer.pid, std::move(answer.value)});
  return reports;
}

namespace {

class TreeWalk {
 public:
  TreeWalk(runtime::Runtime& runtime, Timeout timeout, std::stop_token stop)
      : runtime_(runtime), deadline_(Clock::now() + timeout), stop_(std::move(stop)) {}

  void visit(TreeNode& node, std::size_t depth = 0) {
    const auto left = std::chrono::ceil<Timeout>(deadline_ - Clock::now());
    auto request = term::Block::copy_of(term::atom("which_children"));
    auto children = left.count() > 0 && depth < kTreeDepthMax
                        ? runtime_.call(node.pid, *request, left, stop_)
                        : Result<term::Block>(Error(Code::kTimedOut, "not asked"));
    if (!children.ok() || !term::list_length(children->root())) {
      node.status = "does not answer";
      return;
    }
    for (baton_term entry : term::elements(children->root())) {
      if (node.child_count++ >= kTreeChildrenMax) continue;
      if (const auto parts = term::tuple_of(entry, 4)) node.children.push_back(child_of(*parts));
    }
    for (TreeNode& child : node.children)
      if (child.is_supervisor && child.pid != BATON_NO_TERM) visit(child, depth + 1);
  }

 private:
  // {Id, Pid, Type, [Module]}
  TreeNode child_of(term::TupleView parts) const {
    TreeNode child;
    child.id = text(parts[0]);
    if (term::is_pid(parts[1])) child.pid = parts[1];
    child.status = term::is_pid(parts[1])                 ? "running"
                   : parts[1] == term::atom("restarting") ? "restarting"
                                                          : "stopped";
    child.is_supervisor = parts[2] == term::atom("supervisor");
    if (term::is_cell(parts[3])) child.module = text(term::head(parts[3]));
    return child;
  }
  std::string text(baton_term t) const { return term::print(t, runtime_.atoms(), {.bytes = 500}); }

  using Clock = std::chrono::steady_clock;
  runtime::Runtime& runtime_;
  const Clock::time_point deadline_;
  const std::stop_token stop_;
};

}  // namespace

std::vector<TreeNode> tree(runtime::Runtime& runtime, const Applications& applications,
                           Timeout timeout, std::stop_token stop) {
  TreeWalk walk(runtime, timeout, std::move(stop));
  std::vector<TreeNode> tops;
  for (const ApplicationStatus& application : applications.list()) {
    TreeNode top;
    top.id = application.name;
    top.pid = application.supervisor;
    top.status = "running";
    top.is_supervisor = true;
    top.module = kHostModule;
    walk.visit(top);
    tops.push_back(std::move(top));
  }
  return tops;
}

}  // namespace baton::behaviour::sys
