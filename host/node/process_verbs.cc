// What is asked about processes, and of them: ps, tree, info, state, call, cast, suspend, resume,
// stop, kill.
#include "behaviour/sys.h"
#include "node/verbs.h"
#include "runtime/info.h"
#include "runtime/primitives.h"
#include "runtime/watch.h"
#include "term/atom.h"
#include "term/json.h"
#include "term/layout.h"
#include "term/limits.h"
#include "term/text.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <mutex>
#include <vector>

namespace baton::node {

namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr std::int64_t kProcessesListed = 1000;
constexpr std::int64_t kProcessesListedMax = 100'000;
constexpr std::int64_t kTimeoutMsMax = 600'000;
constexpr milliseconds kSystemTimeout{5000};

// Integers that may pass 64 bits, as strings: Boost.JSON, and many who read the answer, would round
// them.
std::string with_long_integers_quoted(std::string_view text) {
  constexpr std::size_t kDigitsMax = 18;  // so many always fit
  std::string quoted;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    if (text[at] == '"') {
      while (text[end] != '"') end += text[end] == '\\' ? 2 : 1;
      quoted += text.substr(at, ++end - at);
    } else if (text[at] == '-' || (text[at] >= '0' && text[at] <= '9')) {
      end = std::min(text.find_first_not_of("0123456789+-.eE", at), text.size());
      const std::string_view number = text.substr(at, end - at);
      const bool is_long =
          number.size() > kDigitsMax && number.find_first_of(".eE") == std::string_view::npos;
      if (is_long) quoted += '"';
      quoted += number;
      if (is_long) quoted += '"';
    } else {
      quoted += text[at];
    }
    at = end;
  }
  return quoted;
}

// A term in both forms: what a person types, and what a script reads.
json::object shown(const Parts& parts, baton_term term) {
  const term::AtomTable& atoms = parts.runtime.atoms();
  json::parse_options deep;
  deep.max_depth = term::kTermDepthMax + 1;
  return {{"term", term::print(term, atoms)},
          {"value", json::parse(with_long_integers_quoted(term::to_json(term, atoms)), {}, deep)}};
}

Result<baton_term> process_argument(const Parts& parts, const json::object& arguments) {
  BATON_ASSIGN(const std::string text, text_argument(arguments, "process"));
  return behaviour::sys::find_process(parts.runtime, text);
}

// One that may be ended or held.
Result<baton_term> subject_argument(const Parts& parts, const json::object& arguments) {
  BATON_ASSIGN(const baton_term pid, process_argument(parts, arguments));
  if (pid == parts.applications.controller())
    return Error(Code::kDenied, term::print(pid, parts.runtime.atoms()) +
                                    " is the host's application controller, without which nothing "
                                    "can be started or stopped; to stop the host send it SIGTERM");
  return pid;
}

// Where a callback of the process has been for long; null: nowhere.
json::value stuck_in(baton_term pid, const std::vector<runtime::LongSchedule>& overdue) {
  for (const runtime::LongSchedule& callback : overdue)
    if (callback.pid == pid) return json::value(callback.whereabouts());
  return nullptr;
}

// What a process answered; an error says which process it was about.
Result<json::value> answer_of(const Parts& parts, const json::object& arguments, baton_term pid,
                              Result<term::Block> answer) {
  if (!answer.ok()) {
    BATON_ASSIGN(const std::string process, text_argument(arguments, "process"));
    const Error error = std::move(answer).error().within("process " + process);
    if (error.code() == Code::kNotFound)
      return Error(Code::kNotFound, error.message() + "; baton ps lists those alive");
    const json::value stuck = stuck_in(pid, parts.runtime.watch().overdue());
    if (stuck.is_null()) return error;
    return Error(error.code(), error.message() + ": it is " + json::value_to<std::string>(stuck) +
                                   "; cure: baton kill");
  }
  return json::value(shown(parts, answer->root()));
}

Result<milliseconds> timeout_argument(const json::object& arguments) {
  BATON_ASSIGN(
      const std::int64_t timeout,
      number_argument(arguments, "timeout_ms", {1, kTimeoutMsMax}, kSystemTimeout.count()));
  return milliseconds(timeout);
}

struct Listed {
  baton_term pid;
  const code::Version* version;
  const baton_behaviour* behaviour;
  std::uint64_t memory;
};

// Requires: a snapshot that the version is in, or that it is the host's own.
void list_version(const Parts& parts, code::Version& version, std::size_t limit,
                  std::uint64_t& total, std::vector<Listed>& all) {
  for (std::uint32_t i = 0; i < code::kShards; ++i) {
    auto& shard = version.shard(i);
    std::lock_guard lock(shard.lock);
    total += shard.processes.size();
    for (std::uint32_t index : shard.processes) {
      if (all.size() >= limit) break;
      const runtime::Process& process = parts.runtime.table().at(index);
      all.push_back({process.self, &version, process.behaviour, runtime::memory_of(process)});
    }
  }
}

Result<json::value> ps(const Parts& parts, const json::object& arguments) {
  BATON_ASSIGN(const std::int64_t limit,
               number_argument(arguments, "limit", {0, kProcessesListedMax}, kProcessesListed));
  BATON_ASSIGN(const std::string wanted, text_argument(arguments, "module", ""));
  const term::AtomTable& atoms = parts.runtime.atoms();
  const code::CodeTable::Snapshot snapshot = parts.runtime.code().snapshot();
  std::uint64_t total = 0;
  std::vector<Listed> listed;
  // Under the shards' locks nothing is to be allocated.
  listed.reserve(static_cast<std::size_t>(limit));
  for (const code::ModuleStatus& module : snapshot.modules()) {
    if (!wanted.empty() && module.name != wanted) continue;
    for (code::Version* version : {module.current, module.old})
      if (version != nullptr)
        list_version(parts, *version, static_cast<std::size_t>(limit), total, listed);
  }
  if (wanted.empty() || wanted == parts.runtime.builtin().module_name())
    list_version(parts, parts.runtime.builtin(), static_cast<std::size_t>(limit), total, listed);

  const std::vector<runtime::LongSchedule> overdue = parts.runtime.watch().overdue();
  const std::vector<runtime::Watch::Exile> exiles = parts.runtime.watch().exiles();
  boost::unordered_flat_map<baton_term, baton_term> name_of;
  for (const auto& [name, pid] : parts.runtime.registry().list()) name_of.emplace(pid, name);
  json::array all;
  all.reserve(listed.size());
  for (const Listed& process : listed) {
    const auto name = name_of.find(process.pid);
    all.push_back(
        json::object{{"pid", term::print(process.pid, atoms)},
                     {"name", name != name_of.end() ? json::value(term::print(name->second, atoms))
                                                    : json::value()},
                     {"module", process.version->module_name()},
                     {"version", process.version->number()},
                     {"behaviour", process.behaviour->name},
                     {"memory", process.memory},
                     {"abandoned", false},
                     {"stuck", stuck_in(process.pid, overdue)}});
  }
  // Those that are dead to everybody, while a callback of theirs has not returned.
  for (const runtime::Watch::Exile& exile : exiles) {
    const runtime::LongSchedule& callback = exile.callback;
    if (!exile.is_abandoned || (!wanted.empty() && callback.module != wanted)) continue;
    all.push_back(json::object{{"pid", term::print(callback.pid, atoms)},
                               {"name", nullptr},
                               {"module", callback.module},
                               {"version", callback.version},
                               {"behaviour", callback.behaviour},
                               {"memory", nullptr},
                               {"abandoned", true},
                               {"stuck", callback.whereabouts()}});
  }
  return json::value(json::object{{"total", total}, {"processes", std::move(all)}});
}

json::object tree_node(const Parts& parts, const behaviour::sys::TreeNode& node) {
  json::array children;
  for (const auto& child : node.children) children.push_back(tree_node(parts, child));
  return {
      {"id", node.id},
      {"pid", node.pid != BATON_NO_TERM ? json::value(term::print(node.pid, parts.runtime.atoms()))
                                        : json::value(nullptr)},
      {"status", node.status},
      {"type", node.is_supervisor ? "supervisor" : "worker"},
      {"module", node.module},
      {"child_count", node.child_count},
      {"children", std::move(children)}};
}

Result<json::value> tree(const Parts& parts, const Caller& caller) {
  json::array applications;
  for (const auto& node : behaviour::sys::tree(parts.runtime, parts.applications,
                                               behaviour::sys::kTimeout, caller.leaving))
    applications.push_back(tree_node(parts, node));
  return json::value(std::move(applications));
}

Result<json::value> system(const Parts& parts, const json::object& arguments, const Caller& caller,
                           runtime::SystemRequest request) {
  BATON_ASSIGN(const baton_term pid, request == runtime::kSuspend
                                         ? subject_argument(parts, arguments)
                                         : process_argument(parts, arguments));
  BATON_ASSIGN(const milliseconds timeout, timeout_argument(arguments));
  return answer_of(parts, arguments, pid,
                   parts.runtime.system(pid, request, timeout, BATON_NO_TERM, caller.leaving));
}

// What is to be sent to a process. Its new atoms are remembered, as it may be asked to show them.
Result<term::Block> request_argument(const Parts& parts, const json::object& arguments) {
  BATON_ASSIGN(const std::string text, text_argument(arguments, "request"));
  auto request = term::parse(text, parts.runtime.atoms(), term::AtomShare::kRequests);
  if (!request.ok()) return std::move(request).error().within("request");
  return request;
}

Result<json::value> call(const Parts& parts, const json::object& arguments, const Caller& caller) {
  BATON_ASSIGN(const baton_term pid, process_argument(parts, arguments));
  BATON_ASSIGN(const milliseconds timeout, timeout_argument(arguments));
  BATON_ASSIGN(const term::Block request, request_argument(parts, arguments));
  return answer_of(parts, arguments, pid,
                   parts.runtime.call(pid, request, timeout, caller.leaving));
}

Result<json::value> cast(const Parts& parts, const json::object& arguments, std::uint8_t kind) {
  BATON_ASSIGN(const baton_term pid, process_argument(parts, arguments));
  BATON_ASSIGN(const term::Block request, request_argument(parts, arguments));
  BATON_ASSIGN(runtime::External external, runtime::External::borrow(parts.runtime));
  runtime::send(external.context(), pid,
                runtime::message_of(external.context(), request.root(), kind, 1));
  return json::value{{"term", "ok"}};
}

// As sys:terminate does, so that a supervisor and a process that traps exits end as well.
Result<json::value> stop(const Parts& parts, const json::object& arguments, const Caller& caller) {
  BATON_ASSIGN(const baton_term pid, subject_argument(parts, arguments));
  BATON_ASSIGN(const milliseconds timeout, timeout_argument(arguments));
  return answer_of(parts, arguments, pid,
                   parts.runtime.system(pid, runtime::kTerminate, timeout, term::atoms::kShutdown,
                                        caller.leaving));
}

Result<json::value> kill(const Parts& parts, const json::object& arguments) {
  BATON_ASSIGN(const baton_term pid, subject_argument(parts, arguments));
  BATON_ASSIGN(runtime::External external, runtime::External::borrow(parts.runtime));
  runtime::Message* signal = external.context().allocate(1);
  signal->root = term::atoms::kKill;
  runtime::exit_signal(external.context(), pid, signal);
  return json::value{{"term", "ok"}};
}

}  // namespace

void add_process_verbs(Verbs& verbs, const Parts& parts) {
  verbs["ps"] = [parts](const json::object& arguments, const Caller&) {
    return ps(parts, arguments);
  };
  verbs["tree"] = [parts](const json::object&, const Caller& caller) {
    return tree(parts, caller);
  };
  verbs["call"] = [parts](const json::object& arguments, const Caller& caller) {
    return call(parts, arguments, caller);
  };
  verbs["cast"] = [parts](const json::object& arguments, const Caller&) {
    return cast(parts, arguments, BATON_CAST);
  };
  verbs["send"] = [parts](const json::object& arguments, const Caller&) {
    return cast(parts, arguments, BATON_MESSAGE);
  };
  const std::pair<const char*, runtime::SystemRequest> requests[] = {{"info", runtime::kInfo},
                                                                     {"state", runtime::kGetState},
                                                                     {"suspend", runtime::kSuspend},
                                                                     {"resume", runtime::kResume}};
  for (const auto& [name, request] : requests)
    verbs[name] = [parts, request = request](const json::object& arguments, const Caller& caller) {
      return system(parts, arguments, caller, request);
    };
  verbs["stop"] = [parts](const json::object& arguments, const Caller& caller) {
    return stop(parts, arguments, caller);
  };
  verbs["kill"] = [parts](const json::object& arguments, const Caller&) {
    return kill(parts, arguments);
  };
}

}  // namespace baton::node
