// Verbs that change what a host runs: plan, upgrade, rollback, purge, release list, unpack,
// install, make-permanent, remove, operation.
#include "baton/verbs.h"

#include <boost/json/array.hpp>

#include <filesystem>

namespace baton::cli {

namespace {

namespace json = boost::json;

constexpr int kPlanHasChanges = 20;  // with --detailed-exitcode

struct ReleaseArguments {
  std::string bundle, name, version, probation, reason, mail, stuck;
  bool no_auto_rollback = false;
  bool accept_loss = false;
  bool require_hot = false;
  bool detach = false;
  bool detailed_exitcode = false;
  std::int64_t operation = 0;
};

json::object request_of(const ReleaseArguments& arguments) {
  json::object request{{"reason", arguments.reason},
                       {"no_auto_rollback", arguments.no_auto_rollback},
                       {"accept_loss", arguments.accept_loss},
                       {"require_hot", arguments.require_hot}};
  // The host reads the file: its path must mean the same to both.
  if (!arguments.bundle.empty())
    request["bundle"] = std::filesystem::absolute(arguments.bundle).string();
  if (!arguments.name.empty()) request["name"] = arguments.name;
  if (!arguments.version.empty()) request["version"] = arguments.version;
  if (!arguments.probation.empty()) request["probation"] = arguments.probation;
  if (!arguments.mail.empty()) request["mail"] = arguments.mail;
  if (!arguments.stuck.empty()) request["stuck"] = arguments.stuck;
  return request;
}

int show_outcome(const Session& session, const Result<json::value>& outcome) {
  if (!outcome.ok()) return session.output.error(outcome.error());
  const json::object& operation = outcome->as_object();
  std::string text = cell(*outcome, "kind") + " " + cell(*outcome, "target") + ": done";
  if (const json::object* report = operation.at("take_over").if_object())
    text += ", longest pause of a process at most " +
            std::to_string(report->at("pause_us").to_number<double>() / 1000) + " ms";
  session.output.line(*outcome, text);
  return 0;
}

int follow(const Session& session, std::int64_t id) {
  return show_outcome(session, session.client().follow(id, [&](const json::object& line) {
    session.output.progress(line);
  }));
}

// Begins the operation and, unless it is to go on by itself, follows it to its end.
int operate(const Session& session, const std::string& verb, const ReleaseArguments& arguments) {
  const auto begun = session.client().ask(verb, request_of(arguments));
  if (!begun.ok()) return session.output.error(begun.error());
  const auto id = begun->at("id").to_number<std::int64_t>();
  if (arguments.detach) {
    session.output.line(*begun, "operation " + std::to_string(id) +
                                    " goes on; follow it with: baton operation " +
                                    std::to_string(id));
    return 0;
  }
  return follow(session, id);
}

int show_plan(const Session& session, const ReleaseArguments& arguments) {
  const auto plan = session.client().ask("plan", request_of(arguments));
  if (!plan.ok()) return session.output.error(plan.error());
  const bool has_changes = plan->at("has_changes").as_bool();
  std::vector<std::vector<std::string>> rows;
  for (const json::value& module : plan->at("modules").as_array()) {
    const std::string versions = cell(module, "from") + " -> " + cell(module, "to");
    rows.push_back({"module " + cell(module, "module"), cell(module, "step"), versions});
    for (const json::value& behaviour : module.at("behaviours").as_array()) {
      rows.push_back({"  " + cell(behaviour, "behaviour"), cell(behaviour, "outcome"), ""});
      for (const json::value& field : behaviour.at("fields").as_array())
        rows.push_back({"", "", cell(field)});
      for (const json::value& reason : behaviour.at("reasons").as_array())
        rows.push_back({"", "", cell(reason)});
      for (const json::value& mail : behaviour.at("mail").as_array()) {
        rows.push_back({"    " + cell(mail, "message"), cell(mail, "outcome"), ""});
        for (const json::value& field : mail.at("fields").as_array())
          rows.push_back({"", "", cell(field)});
        for (const json::value& reason : mail.at("reasons").as_array())
          rows.push_back({"", "", cell(reason)});
      }
    }
  }
  for (const json::value& change : plan->at("changes").as_array())
    rows.push_back({cell(change, "part"), change.at("restarts").as_bool() ? "restart" : "change",
                    cell(change, "text")});
  for (const json::value& broken : plan->at("breaks").as_array()) {
    std::string text = cell(broken, "module") + ":" + cell(broken, "behaviour") + ": " +
                       cell(broken, "text") + "; refused without --mail drop or --mail deliver";
    if (broken.at("waiting").is_number())
      text += ", " + cell(broken, "waiting") + " such messages wait now";
    rows.push_back({"contract", "break", text});
  }
  for (const json::value& line : plan->at("warnings").as_array())
    rows.push_back({"warning", "", cell(line)});
  session.output.table(*plan, {"PART", "STEP", "WHAT"}, rows);
  return arguments.detailed_exitcode && has_changes ? kPlanHasChanges : 0;
}

int list_releases(const Session& session) {
  const auto releases = session.client().ask("releases", {});
  if (!releases.ok()) return session.output.error(releases.error());
  std::vector<std::vector<std::string>> rows;
  for (const json::value& release : releases->as_array())
    rows.push_back({cell(release, "name"), cell(release, "version"), cell(release, "status"),
                    cell(release, "changed_at"), cell(release, "changed_by"),
                    cell(release, "why")});
  session.output.table(*releases, {"NAME", "VERSION", "STATUS", "SINCE", "BY", "WHY"}, rows);
  return 0;
}

using Arguments = std::shared_ptr<ReleaseArguments>;

void add_mail_option(CLI::App* verb, const Arguments& arguments) {
  verb->add_option("--mail", arguments->mail,
                   "What becomes of messages that the other version has no form for, and whether "
                   "a broken contract is accepted: refuse, drop or deliver them "
                   "(default: what the release says, else refuse)")
      ->check(CLI::IsMember({"refuse", "drop", "deliver"}));
}

void add_install_options(CLI::App* verb, const Arguments& arguments) {
  verb->add_option("--probation", arguments->probation,
                   "How long to watch it before it is permanent, such as 30s; 0s: not at all");
  verb->add_flag("--no-auto-rollback", arguments->no_auto_rollback,
                 "Leave a release that fails its probation to the operator");
  verb->add_flag("--require-hot", arguments->require_hot,
                 "Refuse if any process would have to be restarted");
  verb->add_flag("--accept-loss", arguments->accept_loss,
                 "Give up data that going down would lose");
  verb->add_option("--stuck", arguments->stuck,
                   "What becomes of a process whose callback does not return: refuse the upgrade "
                   "when its time is over, leave the process to the code that it runs, or abandon "
                   "it, for its supervisor to start another (default: refuse; a rollback abandons)")
      ->check(CLI::IsMember({"refuse", "leave", "abandon"}));
  add_mail_option(verb, arguments);
}

void add_common_options(CLI::App* verb, const Arguments& arguments) {
  verb->add_option("--reason", arguments->reason, "Why, for the journal");
  verb->add_flag("--detach", arguments->detach, "Do not wait for the end");
}

void runs(CLI::App* verb, Session& session, const char* name, const Arguments& arguments) {
  add_common_options(verb, arguments);
  verb->callback([&session, name, arguments] {
    session.run = [&session, name, arguments] { return operate(session, name, *arguments); };
  });
}

}  // namespace

void add_release_verbs(CLI::App& app, Session& session) {
  auto arguments = std::make_shared<ReleaseArguments>();

  CLI::App* plan = app.add_subcommand("plan", "What an upgrade to a bundle would do, and why");
  plan->add_option("bundle", arguments->bundle, "The bundle's file")->required();
  plan->add_flag("--detailed-exitcode", arguments->detailed_exitcode,
                 "Exit with 20 when there are changes");
  plan->callback([&session, arguments] {
    session.run = [&session, arguments] { return show_plan(session, *arguments); };
  });

  CLI::App* upgrade = app.add_subcommand(
      "upgrade", "Unpack, verify, plan, take over, watch, and make permanent or roll back");
  upgrade->add_option("bundle", arguments->bundle, "The bundle's file")->required();
  add_install_options(upgrade, arguments);
  upgrade->footer(
      "While the release is in probation the one before stays warm. A crash rate or a failed "
      "health check\n"
      "above what the release allows rolls it back (exit 7). This command may be interrupted: the "
      "host goes on.\n"
      "Examples:\n"
      "  baton plan shop-1.1.0.baton                        first see what it would do\n"
      "  baton upgrade shop-1.1.0.baton --probation 10m     watch it for ten minutes\n"
      "  baton upgrade shop-1.1.0.baton --detach            do not wait; baton status tells how it "
      "fares\n"
      "  baton release make-permanent                       end the probation now; or: baton "
      "rollback");
  runs(upgrade, session, "upgrade", arguments);

  CLI::App* rollback = app.add_subcommand("rollback", "Go back to the release before, at once");
  rollback->add_option("version", arguments->version, "Which (default: the one before)");
  rollback->add_flag("--accept-loss", arguments->accept_loss, "Give up data that would be lost");
  add_mail_option(rollback, arguments);
  runs(rollback, session, "rollback", arguments);
  rollback->footer(
      "During probation this takes milliseconds, as the versions before are still loaded. Where "
      "the version before\n"
      "cannot hold all the data it is refused with a count (exit 6), unless --accept-loss is "
      "given.\n"
      "Examples:\n"
      "  baton rollback --reason \"orders time out\"\n"
      "  baton rollback 1.0.0 --accept-loss");

  CLI::App* release = app.add_subcommand("release", "The single steps, and what is here");
  release->require_subcommand(1);
  release->add_subcommand("list", "The releases of this host")->callback([&session] {
    session.run = [&session] { return list_releases(session); };
  });
  CLI::App* unpack = release->add_subcommand("unpack", "Verify a bundle and take it in");
  unpack->add_option("bundle", arguments->bundle, "The bundle's file")->required();
  runs(unpack, session, "unpack", arguments);
  CLI::App* install = release->add_subcommand("install", "Take over to an unpacked release");
  install->add_option("name", arguments->name, "The release's name")->required();
  install->add_option("version", arguments->version, "Its version")->required();
  add_install_options(install, arguments);
  runs(install, session, "install", arguments);
  runs(release->add_subcommand("make-permanent", "Boot the current release from now on"), session,
       "make_permanent", arguments);
  CLI::App* remove = release->add_subcommand("remove", "Forget an unpacked or old release");
  remove->add_option("name", arguments->name, "The release's name")->required();
  remove->add_option("version", arguments->version, "Its version")->required();
  runs(remove, session, "remove", arguments);

  CLI::App* purge = app.add_subcommand("purge", "Unload old versions of modules that linger");
  runs(purge, session, "purge", arguments);
  purge->footer(
      "The host tries it by itself every few seconds; baton modules shows what is old and how many "
      "processes hold it.\n"
      "Processes that still run an old version are killed. One whose callback does not return "
      "holds "
      "on (exit 10).");

  CLI::App* operation = app.add_subcommand("operation", "Follow an operation to its end");
  operation->add_option("id", arguments->operation, "Its number, as --detach or status 9 told it")
      ->required();
  operation->callback([&session, arguments] {
    session.run = [&session, arguments] { return follow(session, arguments->operation); };
  });
}

}  // namespace baton::cli
