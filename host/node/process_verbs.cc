// What is asked about processes, and of them: ps, tree, info, state, call, cast, suspend, resume,
// stop, kill.
#include "behaviour/sys.h"
#include "node/verbs.h"
#include "runtime/primitives.h"
#include "term/atom.h"
#include "term/json.h"
#include "term/layout.h"
#include "term/text.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <mutex>

namespace baton::node {

namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr std::int64_t kProcessesListedMax = 1000;
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
  return {{"term", term::print(term, atoms)},
          {"value", json::parse(with_long_integers_quoted(term::to_json(term, atoms)))}};
}

Result<baton_term> process_argument(const Parts& parts, const json::object& arguments) {
  BATON_ASSIGN(const std::string text, text_argument(arguments, "process"));
  return behaviour::sys::find_process(parts.runtime, text);
}

// What a process answered; an error says which process it was about.
Result<json::value> answer_of(const Parts& parts, const json::object& arguments,
                              Result<term::Block> answer) {
  if (!answer.ok()) {
    const Error error =
        std::move(answer).error().within("process " + text_argument(arguments, "process", ""));
    if (error.code() != Code::kNotFound) return error;
    return Error(Code::kNotFound, error.message() + "; baton ps lists those alive");
  }
  return json::value(shown(parts, answer->root()));
}

milliseconds timeout_argument(const json::object& arguments) {
  return milliseconds(number_argument(arguments, "timeout_ms", kSystemTimeout.count()));
}

void list_version(const Parts& parts, code::Version& version, std::int64_t limit,
                  std::uint64_t& total, json::array& all) {
  for (std::uint32_t i = 0; i < code::kShards; ++i) {
    auto& shard = version.shard(i);
    std::lock_guard lock(shard.lock);
    total += shard.processes.size();
    for (std::uint32_t index : shard.processes) {
      if (static_cast<std::int64_t>(all.size()) >= limit) break;
      const runtime::Process& process = parts.runtime.table().at(index);
      all.push_back(json::object{{"pid", term::print(process.self, parts.runtime.atoms())},
                                 {"module", version.module_name()},
                                 {"version", version.number()},
                                 {"behaviour", process.behaviour->name}});
    }
  }
}

Result<json::value> ps(const Parts& parts, const json::object& arguments) {
  const std::int64_t limit = number_argument(arguments, "limit", kProcessesListedMax);
  const std::string wanted = text_argument(arguments, "module", "");
  std::uint64_t total = 0;
  json::array all;
  for (const code::ModuleStatus& module : parts.runtime.code().list()) {
    if (!wanted.empty() && module.name != wanted) continue;
    for (code::Version* version : {module.current, module.old})
      if (version != nullptr) list_version(parts, *version, limit, total, all);
  }
  if (wanted.empty() || wanted == parts.runtime.builtin().module_name())
    list_version(parts, parts.runtime.builtin(), limit, total, all);
  const auto names = parts.runtime.registry().list();
  for (json::value& row : all) {
    row.as_object()["name"] = nullptr;
    for (const auto& [name, pid] : names)
      if (term::print(pid, parts.runtime.atoms()) == row.at("pid").as_string())
        row.as_object()["name"] = term::print(name, parts.runtime.atoms());
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

Result<json::value> tree(const Parts& parts) {
  json::array applications;
  for (const auto& node : behaviour::sys::tree(parts.runtime, parts.applications))
    applications.push_back(tree_node(parts, node));
  return json::value(std::move(applications));
}

Result<json::value> system(const Parts& parts, const json::object& arguments,
                           runtime::SystemRequest request) {
  BATON_ASSIGN(const baton_term pid, process_argument(parts, arguments));
  return answer_of(parts, arguments,
                   parts.runtime.system(pid, request, timeout_argument(arguments)));
}

Result<json::value> call(const Parts& parts, const json::object& arguments) {
  BATON_ASSIGN(const baton_term pid, process_argument(parts, arguments));
  BATON_ASSIGN(const std::string text, text_argument(arguments, "request"));
  auto request = term::parse(text, parts.runtime.atoms());
  if (!request.ok()) return std::move(request).error().within("request");
  return answer_of(parts, arguments,
                   parts.runtime.call(pid, *request, timeout_argument(arguments)));
}

Result<json::value> cast(const Parts& parts, const json::object& arguments, std::uint8_t kind) {
  BATON_ASSIGN(const baton_term pid, process_argument(parts, arguments));
  BATON_ASSIGN(const std::string text, text_argument(arguments, "request"));
  auto request = term::parse(text, parts.runtime.atoms());
  if (!request.ok()) return std::move(request).error().within("request");
  runtime::External external(parts.runtime);
  runtime::send(external.context(), pid,
                runtime::message_of(external.context(), request->root(), kind, 1));
  return json::value{{"term", "ok"}};
}

Result<json::value> end(const Parts& parts, const json::object& arguments, baton_term reason) {
  BATON_ASSIGN(const baton_term pid, process_argument(parts, arguments));
  runtime::External external(parts.runtime);
  runtime::Message* signal = external.context().allocate(1);
  signal->root = reason;
  runtime::exit_signal(external.context(), pid, signal);
  return json::value{{"term", "ok"}};
}

}  // namespace

void add_process_verbs(Verbs& verbs, const Parts& parts) {
  verbs["ps"] = [parts](const json::object& arguments, const Caller&) {
    return ps(parts, arguments);
  };
  verbs["tree"] = [parts](const json::object&, const Caller&) { return tree(parts); };
  verbs["call"] = [parts](const json::object& arguments, const Caller&) {
    return call(parts, arguments);
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
    verbs[name] = [parts, request = request](const json::object& arguments, const Caller&) {
      return system(parts, arguments, request);
    };
  verbs["stop"] = [parts](const json::object& arguments, const Caller&) {
    return end(parts, arguments, term::atoms::kShutdown);
  };
  verbs["kill"] = [parts](const json::object& arguments, const Caller&) {
    return end(parts, arguments, term::atoms::kKill);
  };
}

}  // namespace baton::node
