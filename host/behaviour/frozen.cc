#include "behaviour/frozen.h"

#include "behaviour/survey.h"
#include "behaviour/sys.h"
#include "term/atom.h"
#include "term/layout.h"
#include "term/match.h"
#include "term/text.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <limits>
#include <string>

namespace baton::behaviour {

namespace {

// A supervisor may start a child between being found and being suspended: then there is one more
// round. Suspended ones start nothing, so that each generation takes one.
constexpr int kRoundsMax = 8;

std::vector<baton_term> application_of(runtime::Runtime& runtime, baton_term pid) {
  const runtime::Process* process = runtime.find(pid);
  if (process == nullptr) return {};
  const std::uint16_t application = process->application.load(std::memory_order_relaxed);
  std::vector<baton_term> pids =
      sys::processes(runtime, 0, std::numeric_limits<std::size_t>::max()).pids;
  std::erase_if(pids, [&](baton_term other) {
    const runtime::Process* found = runtime.find(other);
    return found == nullptr || found->application.load(std::memory_order_relaxed) != application;
  });
  return pids;
}

struct Member {
  baton_term parent = BATON_NO_TERM;
  std::vector<baton_term> names;
};
using Members = boost::unordered_flat_map<baton_term, Member>;

Members look(runtime::Runtime& runtime, baton_term top, std::chrono::milliseconds timeout) {
  Members members;
  const auto pids = application_of(runtime, top);
  for (const SurveyAnswer& answer : survey(runtime, pids, runtime::kInfo, timeout)) {
    if (answer.is_dead || !answer.value) continue;
    Member& member = members[answer.pid];
    const baton_term info = answer.value.root();
    member.parent = term::map_value(info, term::atom("parent")).value_or(BATON_NO_TERM);
    for (baton_term name :
         term::elements(term::map_value(info, term::atom("registered_name")).value_or(BATON_NIL)))
      member.names.push_back(name);
  }
  return members;
}

bool is_below(const Members& members, baton_term pid, baton_term top) {
  // No cycles: a parent is older than its child.
  while (pid != top) {
    const auto found = members.find(pid);
    if (found == members.end()) return false;
    pid = found->second.parent;
  }
  return true;
}

}  // namespace

Frozen freeze(runtime::Runtime& runtime, baton_term top, std::chrono::milliseconds timeout) {
  Frozen frozen;
  boost::unordered_flat_set<baton_term> known;
  for (int round = 0; round < kRoundsMax; ++round) {
    const Members members = look(runtime, top, timeout);
    std::vector<baton_term> more;
    // The top one is told even if it does not answer.
    if (known.insert(top).second) more.push_back(top);
    frozen.names.clear();
    for (const auto& [pid, member] : members) {
      if (!is_below(members, pid, top)) continue;
      for (baton_term name : member.names) frozen.names.emplace_back(name, pid);
      if (known.insert(pid).second) more.push_back(pid);
    }
    if (more.empty()) break;
    survey(runtime, more, runtime::kSuspend, timeout);
    frozen.pids.insert(frozen.pids.end(), more.begin(), more.end());
  }
  for (const auto& [name, pid] : frozen.names) runtime.registry().remove(name, pid);
  return frozen;
}

Result<void> thaw(runtime::Runtime& runtime, const Frozen& frozen,
                  std::chrono::milliseconds timeout) {
  std::string taken;
  const auto is_alive = [&](baton_term pid) {
    runtime::Process* process = runtime.find(pid);
    return process != nullptr && process->mailbox.is_open(runtime::pid_generation(pid));
  };
  for (const auto& [name, pid] : frozen.names) {
    if (!is_alive(pid)) continue;
    if (!runtime.registry().add(name, pid) && runtime.registry().whereis(name) != pid)
      taken += (taken.empty() ? "" : ", ") + term::print(name, runtime.atoms());
    // It may have ended just before it was registered, when it took back its names.
    else if (!is_alive(pid))
      runtime.registry().remove(name, pid);
  }
  survey(runtime, frozen.pids, runtime::kResume, timeout);
  if (taken.empty()) return {};
  return Error(Code::kFailed, "others have registered " + taken + " meanwhile");
}

}  // namespace baton::behaviour
