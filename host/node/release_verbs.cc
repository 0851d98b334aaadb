// What is asked of releases: plan, upgrade, unpack, install, make_permanent, rollback, remove,
// releases, history, operation. Those that change something answer with the operation they began,
// which the client then follows.
#include "base/duration.h"
#include "node/verbs.h"

#include <boost/json/array.hpp>

#include <chrono>
#include <limits>

namespace baton::node {

namespace {

namespace json = boost::json;
using release::InstallOptions;
using release::Operation;

constexpr std::int64_t kWaitMsMax = 20'000;

json::array texts(const std::vector<std::string>& lines) {
  json::array all;
  for (const std::string& line : lines) all.push_back(json::string(line));
  return all;
}

// What a behaviour's messages become where they change.
json::array mail_of(const module::BehaviourChange& behaviour) {
  json::array mail;
  for (const module::MessageChange& change : behaviour.mail_there) {
    if (change.outcome == module::MessageOutcome::kSame) continue;
    json::array fields;
    for (const module::FieldAction& action : change.actions)
      fields.push_back(json::string(action.text));
    mail.push_back(json::object{{"message", change.title()},
                                {"becomes", change.to.name},
                                {"outcome", module::message_outcome_name(change.outcome)},
                                {"fields", std::move(fields)},
                                {"reasons", texts(change.reasons)}});
  }
  return mail;
}

json::array breaks_of(const release::Plan& plan) {
  json::array all;
  for (const release::Break& broken : plan.breaks) {
    json::object shown{{"module", broken.module},
                       {"behaviour", broken.behaviour},
                       {"message", broken.form},
                       {"text", broken.text},
                       {"waiting", nullptr}};
    if (broken.waiting) shown["waiting"] = *broken.waiting;
    all.push_back(std::move(shown));
  }
  return all;
}

json::object plan_of(const release::Plan& plan) {
  json::array modules;
  for (const release::ModulePlan& module : plan.modules) {
    json::array behaviours;
    for (const module::BehaviourChange& behaviour : module.evolution.behaviours) {
      json::array fields;
      for (const module::FieldAction& action : behaviour.there.actions)
        fields.push_back(json::string(action.text));
      behaviours.push_back(json::object{{"behaviour", behaviour.behaviour},
                                        {"outcome", module::outcome_name(behaviour.there.outcome)},
                                        {"fields", std::move(fields)},
                                        {"reasons", texts(behaviour.there.reasons)},
                                        {"mail", mail_of(behaviour)}});
    }
    modules.push_back(json::object{{"module", module.name},
                                   {"from", module.from_version},
                                   {"to", module.to_version},
                                   {"step", release::module_step_name(module.step)},
                                   {"behaviours", std::move(behaviours)}});
  }
  json::array changes;
  for (const description::Change& change : plan.changes)
    changes.push_back(json::object{
        {"part", change.part()}, {"text", change.text()}, {"restarts", change.restarts()}});
  return {{"from", plan.from},
          {"to", plan.to},
          {"direction", plan.direction == module::Direction::kUp ? "up" : "down"},
          {"has_changes", plan.has_changes()},
          {"modules", std::move(modules)},
          {"changes", std::move(changes)},
          {"breaks", breaks_of(plan)},
          {"warnings", texts(plan.warnings)}};
}

json::object operation_of(const Operation& operation, std::size_t first) {
  json::array lines;
  for (const release::ProgressLine& line : operation.lines(first))
    lines.push_back(
        json::object{{"at_ms", line.at_ms}, {"phase", line.phase}, {"text", line.text}});
  json::object shown{{"id", operation.id},
                     {"kind", operation.kind},
                     {"target", operation.target},
                     {"who", operation.who},
                     {"started", operation.started_at},
                     {"elapsed_ms", operation.elapsed_ms()},
                     {"next_line", first + lines.size()},
                     {"lines", std::move(lines)}};
  const auto result = operation.result();
  shown["done"] = result.has_value();
  shown["error"] = nullptr;
  if (result && !result->ok())
    shown["error"] = json::object{{"code", code_name(result->error().code())},
                                  {"message", result->error().message()}};
  shown["take_over"] = nullptr;
  if (const auto report = operation.report())
    shown["take_over"] = json::object{{"migrated", report->migrated},
                                      {"adopted", report->adopted},
                                      {"left_behind", report->left_behind},
                                      {"abandoned", report->abandoned},
                                      {"drain_us", report->drain_us},
                                      {"prepare_us", report->prepare_us},
                                      {"commit_us", report->commit_us},
                                      {"pause_us", report->pause_us},
                                      {"mail_moved", report->mail_moved},
                                      {"mail_dropped", report->mail_dropped},
                                      {"mail_delivered", report->mail_delivered}};
  return shown;
}

Result<json::value> begun(Result<std::shared_ptr<Operation>> operation) {
  if (!operation.ok()) return std::move(operation).error();
  return json::value(operation_of(**operation, 0));
}

// What the operator says of mail that cannot be converted.
Result<std::optional<description::MailPolicy>> mail_argument(const json::object& arguments) {
  using Answer = std::optional<description::MailPolicy>;
  BATON_ASSIGN(const std::string text, text_argument(arguments, "mail", ""));
  if (text.empty()) return Answer();
  if (text == "refuse") return Answer(description::MailPolicy::kRefuse);
  if (text == "drop") return Answer(description::MailPolicy::kDrop);
  if (text == "deliver") return Answer(description::MailPolicy::kDeliver);
  return Error(Code::kUsage, "mail is one of refuse, drop and deliver");
}

// What the operator says of processes whose callback does not return.
Result<takeover::StuckPolicy> stuck_argument(const json::object& arguments) {
  BATON_ASSIGN(const std::string text, text_argument(arguments, "stuck", "refuse"));
  if (text == "refuse") return takeover::StuckPolicy::kRefuse;
  if (text == "leave") return takeover::StuckPolicy::kLeave;
  if (text == "abandon") return takeover::StuckPolicy::kAbandon;
  return Error(Code::kUsage, "stuck is one of refuse, leave and abandon");
}

Result<InstallOptions> install_options(const Parts& parts, const json::object& arguments) {
  InstallOptions options;
  options.budget =
      std::chrono::duration_cast<std::chrono::milliseconds>(parts.config.take_over_budget);
  BATON_ASSIGN(const std::string probation, text_argument(arguments, "probation", ""));
  if (!probation.empty()) {
    auto duration = parse_duration(probation);
    if (!duration.ok()) return std::move(duration).error().within("--probation");
    options.probation = *duration;
  }
  BATON_ASSIGN(const bool stays, flag_argument(arguments, "no_auto_rollback"));
  options.rolls_back_by_itself = !stays;
  BATON_ASSIGN(options.accepts_loss, flag_argument(arguments, "accept_loss"));
  BATON_ASSIGN(options.requires_hot, flag_argument(arguments, "require_hot"));
  BATON_ASSIGN(options.mail, mail_argument(arguments));
  BATON_ASSIGN(options.stuck, stuck_argument(arguments));
  return options;
}

Result<release::Reason> reason_of(const json::object& arguments, const Caller& caller) {
  BATON_ASSIGN(std::string why, text_argument(arguments, "reason", ""));
  return release::Reason{caller.name, std::move(why)};
}

Result<json::value> releases(const Parts& parts) {
  json::array all;
  for (const release::Release& known : parts.handler.releases())
    all.push_back(json::object{{"name", known.name},
                               {"version", known.version},
                               {"status", release::status_name(known.status)},
                               {"sequence", known.sequence},
                               {"digest", known.digest.hex()},
                               {"changed_at", known.changed_at},
                               {"changed_by", known.changed_by},
                               {"why", known.why},
                               {"damage", known.damage}});
  return json::value(std::move(all));
}

// Looks again at this interval whether whoever asked is still to be waited for.
constexpr std::chrono::milliseconds kWaitSlice{100};

Result<json::value> operation(const Parts& parts, const json::object& arguments,
                              const Caller& caller) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  BATON_ASSIGN(const std::int64_t id, number_argument(arguments, "id", {0, kMost}));
  BATON_ASSIGN(const std::int64_t line, number_argument(arguments, "first_line", {0, kMost}, 0));
  BATON_ASSIGN(const std::int64_t wait_ms,
               number_argument(arguments, "wait_ms", {0, kWaitMsMax}, 0));
  const auto known = parts.handler.operation(static_cast<std::uint64_t>(id));
  if (known == nullptr)
    return Error(Code::kNotFound, "there is no operation " + std::to_string(id) + " (the last " +
                                      std::to_string(release::kOperationsKept) + " are kept)");
  const auto first = static_cast<std::size_t>(line);
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
  while (!caller.leaving.stop_requested() && std::chrono::steady_clock::now() < until &&
         !known->is_done() && known->lines(first).empty())
    known->wait(first, kWaitSlice);
  return json::value(operation_of(*known, first));
}

}  // namespace

void add_release_verbs(Verbs& verbs, const Parts& parts) {
  verbs["plan"] = [parts](const json::object& arguments, const Caller&) -> Result<json::value> {
    BATON_ASSIGN(const std::string file, text_argument(arguments, "bundle"));
    BATON_ASSIGN(const release::Plan plan, parts.handler.plan(file));
    return json::value(plan_of(plan));
  };
  verbs["upgrade"] = [parts](const json::object& arguments,
                             const Caller& caller) -> Result<json::value> {
    BATON_ASSIGN(const std::string file, text_argument(arguments, "bundle"));
    BATON_ASSIGN(const InstallOptions options, install_options(parts, arguments));
    BATON_ASSIGN(const release::Reason reason, reason_of(arguments, caller));
    return begun(parts.handler.upgrade(file, options, reason));
  };
  verbs["unpack"] = [parts](const json::object& arguments,
                            const Caller& caller) -> Result<json::value> {
    BATON_ASSIGN(const std::string file, text_argument(arguments, "bundle"));
    BATON_ASSIGN(const release::Reason reason, reason_of(arguments, caller));
    return begun(parts.handler.unpack(file, reason));
  };
  verbs["install"] = [parts](const json::object& arguments,
                             const Caller& caller) -> Result<json::value> {
    BATON_ASSIGN(const std::string name, text_argument(arguments, "name"));
    BATON_ASSIGN(const std::string version, text_argument(arguments, "version"));
    BATON_ASSIGN(const InstallOptions options, install_options(parts, arguments));
    BATON_ASSIGN(const release::Reason reason, reason_of(arguments, caller));
    return begun(parts.handler.install(name, version, options, reason));
  };
  verbs["make_permanent"] = [parts](const json::object& arguments,
                                    const Caller& caller) -> Result<json::value> {
    BATON_ASSIGN(const release::Reason reason, reason_of(arguments, caller));
    return begun(parts.handler.make_permanent(reason));
  };
  verbs["rollback"] = [parts](const json::object& arguments,
                              const Caller& caller) -> Result<json::value> {
    BATON_ASSIGN(const std::string version, text_argument(arguments, "version", ""));
    release::WayBackOptions options;
    BATON_ASSIGN(options.accepts_loss, flag_argument(arguments, "accept_loss"));
    BATON_ASSIGN(options.mail, mail_argument(arguments));
    BATON_ASSIGN(const release::Reason reason, reason_of(arguments, caller));
    return begun(parts.handler.rollback(version, options, reason));
  };
  verbs["remove"] = [parts](const json::object& arguments,
                            const Caller& caller) -> Result<json::value> {
    BATON_ASSIGN(const std::string name, text_argument(arguments, "name"));
    BATON_ASSIGN(const std::string version, text_argument(arguments, "version"));
    BATON_ASSIGN(const release::Reason reason, reason_of(arguments, caller));
    return begun(parts.handler.remove(name, version, reason));
  };
  verbs["purge"] = [parts](const json::object& arguments,
                           const Caller& caller) -> Result<json::value> {
    BATON_ASSIGN(const release::Reason reason, reason_of(arguments, caller));
    return begun(parts.handler.purge(reason));
  };
  verbs["releases"] = [parts](const json::object&, const Caller&) { return releases(parts); };
  verbs["operation"] = [parts](const json::object& arguments, const Caller& caller) {
    return operation(parts, arguments, caller);
  };
  verbs["operations"] = [parts](const json::object&, const Caller&) -> Result<json::value> {
    json::array all;
    for (const auto& known : parts.handler.operations()) all.push_back(operation_of(*known, 0));
    return json::value(std::move(all));
  };
}

}  // namespace baton::node
