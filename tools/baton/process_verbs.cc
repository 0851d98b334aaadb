// Verbs about processes: ps, tree, info, state, call, cast, send, suspend, resume, stop, kill.
#include "baton/verbs.h"

#include <boost/json/array.hpp>

namespace baton::cli {

namespace {

namespace json = boost::json;

struct ProcessArguments {
  std::string process, request, module;
  std::int64_t limit = 1000;
  std::int64_t timeout_ms = 5000;
};
using Arguments = std::shared_ptr<ProcessArguments>;

int list_processes(const Session& session, const ProcessArguments& arguments) {
  const auto answer =
      session.client().ask("ps", {{"limit", arguments.limit}, {"module", arguments.module}});
  if (!answer.ok()) return session.output.error(answer.error());
  std::vector<std::vector<std::string>> rows;
  for (const json::value& process : answer->at("processes").as_array())
    rows.push_back(
        {cell(process, "pid"), cell(process, "name"), cell(process, "module"),
         cell(process, "version"), cell(process, "behaviour"), cell(process, "memory"),
         (process.at("abandoned").as_bool() ? "abandoned " : "") + cell(process, "stuck")});
  session.output.table(*answer,
                       {"PID", "NAME", "MODULE", "VERSION", "BEHAVIOUR", "MEMORY", "STUCK"}, rows);
  const auto total = answer->at("total").to_number<std::int64_t>();
  if (total > static_cast<std::int64_t>(rows.size()))
    session.output.note("baton: " + std::to_string(rows.size()) + " of " + std::to_string(total) +
                        " processes shown; see --limit");
  return 0;
}

void add_rows(const json::value& nodes, int depth, std::vector<std::vector<std::string>>& rows) {
  for (const json::value& node : nodes.as_array()) {
    rows.push_back({std::string(static_cast<std::size_t>(depth) * 2, ' ') + cell(node, "id"),
                    cell(node, "pid"), cell(node, "type"), cell(node, "module"),
                    cell(node, "status")});
    add_rows(node.at("children"), depth + 1, rows);
  }
}

int show_tree(const Session& session) {
  const auto answer = session.client().ask("tree", {});
  if (!answer.ok()) return session.output.error(answer.error());
  std::vector<std::vector<std::string>> rows;
  add_rows(*answer, 0, rows);
  session.output.table(*answer, {"ID", "PID", "TYPE", "MODULE", "STATUS"}, rows);
  return 0;
}

// A verb whose answer is one term.
int ask_for_term(const Session& session, const std::string& verb,
                 const ProcessArguments& arguments) {
  json::object request{{"process", arguments.process}, {"timeout_ms", arguments.timeout_ms}};
  if (!arguments.request.empty()) request["request"] = arguments.request;
  const auto answer = session.client().ask(verb, request);
  if (!answer.ok()) return session.output.error(answer.error());
  session.output.line(*answer, cell(*answer, "term"));
  return 0;
}

void add_term_verb(CLI::App& app, Session& session, const Arguments& arguments, const char* name,
                   const char* help, bool has_request) {
  CLI::App* verb = app.add_subcommand(name, help);
  verb->add_option("process", arguments->process, "A registered name, or a pid such as '<0.5.1>'")
      ->required();
  if (has_request)
    verb->add_option("request", arguments->request,
                     "A term in Erlang's text form, such as 1000 or '{play,3}'")
        ->required();
  verb->add_option("--timeout-ms", arguments->timeout_ms, "How long to wait for the answer")
      ->capture_default_str();
  verb->callback([&session, name, arguments] {
    session.run = [&session, name, arguments] { return ask_for_term(session, name, *arguments); };
  });
}

}  // namespace

void add_process_verbs(CLI::App& app, Session& session) {
  auto arguments = std::make_shared<ProcessArguments>();
  CLI::App* ps = app.add_subcommand("ps", "The processes");
  ps->add_option("--module", arguments->module, "Only those of this module");
  ps->add_option("--limit", arguments->limit, "Show so many at most")->capture_default_str();
  ps->callback([&session, arguments] {
    session.run = [&session, arguments] { return list_processes(session, *arguments); };
  });
  app.add_subcommand("tree", "The supervision tree")->callback([&session] {
    session.run = [&session] { return show_tree(session); };
  });
  // `info` is asked of bundles too: a file that is there is one.
  CLI::App* info = app.add_subcommand("info", "What a process, or a bundle's file, is");
  info->add_option("target", arguments->process, "A pid, a registered name, or a .baton file")
      ->required();
  info->callback([&session, arguments] {
    session.run = [&session, arguments] {
      const auto facts = session.files.facts(arguments->process);
      return facts.ok() && facts->has_value() ? show_bundle(session, arguments->process)
                                              : ask_for_term(session, "info", *arguments);
    };
  });
  add_term_verb(app, session, arguments, "state", "A process's state, as a term", false);
  add_term_verb(app, session, arguments, "call", "Ask a process and print its reply", true);
  add_term_verb(app, session, arguments, "cast", "Send a process a cast", true);
  add_term_verb(app, session, arguments, "send", "Send a process a message", true);
  add_term_verb(app, session, arguments, "suspend", "Let a process handle nothing", false);
  add_term_verb(app, session, arguments, "resume", "Let it go on", false);
  add_term_verb(app, session, arguments, "stop", "End a process in order (shutdown)", false);
  add_term_verb(app, session, arguments, "kill", "End a process at once", false);
}

}  // namespace baton::cli
