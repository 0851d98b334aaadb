// Verbs about the host: status, modules, crash list, log-level, config check, version.
#include "base/version.h"
#include "baton/verbs.h"
#include "node/config.h"

#include <boost/json/array.hpp>

namespace baton::cli {

namespace {

namespace json = boost::json;

int show_status(const Session& session) {
  const auto status = session.client().ask("status", {});
  if (!status.ok()) return session.output.error(status.error());
  const json::value& release = status->at("release");
  std::vector<std::pair<std::string, std::string>> facts{
      {"release", release.is_null() ? "none; deploy one with baton upgrade BUNDLE"
                                    : cell(release, "name") + " " + cell(release, "version") +
                                          " (" + cell(release, "status") + ")"},
      {"host", cell(*status, "version") + ", pid " + cell(*status, "pid") + ", root " +
                   cell(*status, "root")},
      {"processes", cell(*status, "processes")},
      {"crashes", cell(*status, "crashes")},
      {"memory",
       std::to_string(status->at("memory_bytes").to_number<std::uint64_t>() >> 20) + " MiB"}};
  if (!status->at("probation").is_null())
    facts.insert(facts.begin() + 1,
                 {"probation", duration_cell(status->at("probation").at("elapsed_ms")) + " of " +
                                   duration_cell(status->at("probation").at("duration_ms"))});
  if (const json::value& upgrade = status->at("upgrade"); !upgrade.is_null())
    for (const char* what : {"trouble", "verdict"})
      if (const std::string text = cell(upgrade, what); !text.empty())
        facts.insert(facts.begin() + 1, {what, text});
  for (const json::value& listener : status->at("listeners").as_array())
    facts.emplace_back("listener " + cell(listener, "name"),
                       cell(listener, "protocol") + " at " + cell(listener, "address") + ", " +
                           cell(listener, "open") + " connections");
  session.output.facts(*status, facts);
  return 0;
}

int show_modules(const Session& session) {
  const auto modules = session.client().ask("modules", {});
  if (!modules.ok()) return session.output.error(modules.error());
  std::vector<std::vector<std::string>> rows;
  for (const json::value& module : modules->as_array()) {
    const json::array& stuck = module.at("stuck").as_array();
    std::string inside = stuck.empty() ? "-" : cell(stuck.front());
    if (stuck.size() > 1) inside += ", and " + std::to_string(stuck.size() - 1) + " more";
    rows.push_back({cell(module, "module"), cell(module, "version"), cell(module, "status"),
                    cell(module, "processes"), cell(module, "build"), inside});
  }
  session.output.table(*modules, {"MODULE", "VERSION", "STATUS", "PROCESSES", "BUILD", "STUCK"},
                       rows);
  return 0;
}

int list_crashes(const Session& session) {
  const auto crashes = session.client().ask("crashes", {});
  if (!crashes.ok()) return session.output.error(crashes.error());
  std::vector<std::vector<std::string>> rows;
  for (const json::value& crash : crashes->as_array()) {
    const json::array& frames = crash.at("frames").as_array();
    const std::string trouble = cell(crash, "trouble");
    rows.push_back({cell(crash, "at"), cell(crash, "signal"), cell(crash, "module"),
                    cell(crash, "version"), cell(crash, "process"), cell(crash, "callback"),
                    cell(crash, "message"),
                    !trouble.empty()  ? cell(crash, "file") + ": " + trouble
                    : !frames.empty() ? cell(frames.front())
                                      : "-"});
  }
  session.output.table(
      *crashes, {"AT", "SIGNAL", "MODULE", "VERSION", "PROCESS", "CALLBACK", "MESSAGE", "FRAME"},
      rows);
  return 0;
}

int log_level(const Session& session, const std::string& level) {
  json::object request;
  if (!level.empty()) request["level"] = level;
  const auto answer = session.client().ask("log_level", request);
  if (!answer.ok()) return session.output.error(answer.error());
  session.output.line(*answer, cell(*answer, "level"));
  return 0;
}

int check_config(const Session& session, const std::string& file) {
  const auto config = node::read_config(session.files, file);
  if (!config.ok()) return session.output.error(config.error());
  session.output.line({{"file", file}, {"root", config->root}}, file + ": valid");
  return 0;
}

int show_version(const Session& session) {
  session.output.line({{"version", kVersion}}, std::string("baton ") + kVersion);
  return 0;
}

}  // namespace

void add_host_verbs(CLI::App& app, Session& session) {
  app.add_subcommand("status", "What runs, and how it fares")->callback([&session] {
    session.run = [&session] { return show_status(session); };
  });
  app.add_subcommand(
         "modules",
         "The loaded modules: current, old, who runs them, and callbacks that do not return")
      ->callback([&session] { session.run = [&session] { return show_modules(session); }; });
  CLI::App* crash = app.add_subcommand("crash", "The signals that hosts of this root died of");
  crash->require_subcommand(1);
  crash
      ->add_subcommand("list",
                       "Whose code it was, in which callback and for which message; the newest "
                       "first. With -o json all frames, for addr2line")
      ->callback([&session] { session.run = [&session] { return list_crashes(session); }; });
  auto level = std::make_shared<std::string>();
  CLI::App* log = app.add_subcommand("log-level", "Show or set the host's log level");
  log->add_option("level", *level, "trace, debug, info, warning, error or critical");
  log->callback([&session, level] {
    session.run = [&session, level] { return log_level(session, *level); };
  });
  auto file = std::make_shared<std::string>();
  CLI::App* config = app.add_subcommand("config", "The configuration of a host");
  config->require_subcommand(1);
  CLI::App* check = config->add_subcommand("check", "Check a batond.yaml, without a host");
  check->add_option("file", *file, "The configuration's file")->required();
  check->callback([&session, file] {
    session.run = [&session, file] { return check_config(session, *file); };
  });
  app.add_subcommand("version", "This command's version")->callback([&session] {
    session.run = [&session] { return show_version(session); };
  });
}

}  // namespace baton::cli
