// What the host itself is asked: status, modules, log_level, version.
#include "base/version.h"
#include "node/verbs.h"
#include "runtime/watch.h"

#include <boost/json/array.hpp>
#include <unistd.h>

#include <fstream>

namespace baton::node {

namespace {

namespace json = boost::json;

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t process_count(const Parts& parts) {
  std::uint64_t count = parts.runtime.builtin().lease_count();
  const code::CodeTable::Snapshot snapshot = parts.runtime.code().snapshot();
  for (const code::ModuleStatus& module : snapshot.modules())
    for (const code::Version* version : {module.current, module.old, module.staged})
      if (version != nullptr) count += version->lease_count();
  return count;
}

json::array listeners(const Parts& parts) {
  json::array all;
  for (const net::ListenerStatus& listener : parts.net.list()) {
    const net::Statistics& statistics = listener.statistics;
    all.push_back(
        json::object{{"name", listener.description.name},
                     {"protocol", description::protocol_name(listener.description.protocol)},
                     {"address", listener.address.text()},
                     {"open", statistics.open},
                     {"accepted", statistics.accepted},
                     {"refused", statistics.refused},
                     {"deferred", statistics.deferred},
                     {"errors", statistics.errors},
                     {"timeouts", statistics.timeouts},
                     {"shed", statistics.shed},
                     {"memory_refused", statistics.memory},
                     {"memory_bytes", listener.memory_bytes},
                     {"http_requests", statistics.http_requests},
                     {"http_5xx", statistics.http_responses[4]}});
  }
  return all;
}

Result<json::value> status(const Parts& parts) {
  json::object status{{"version", kVersion},
                      {"pid", static_cast<std::int64_t>(getpid())},
                      {"root", parts.config.root},
                      {"schedulers", parts.runtime.scheduler_count()},
                      {"processes", process_count(parts)},
                      {"memory_bytes", resident_bytes()},
                      {"crashes", parts.observer.crashes()},
                      {"log_lines_lost", parts.log.lost()}};
  status["release"] = nullptr;
  const std::string running = parts.handler.running();
  for (const release::Release& known : parts.handler.releases())
    if (known.name + "-" + known.version == running)
      status["release"] = json::object{{"name", known.name},
                                       {"version", known.version},
                                       {"status", release::status_name(known.status)}};
  status["probation"] = nullptr;
  status["upgrade"] = nullptr;
  if (const auto upgrade = parts.handler.upgrade()) {
    using Milliseconds = std::chrono::duration<double, std::milli>;
    status["upgrade"] = json::object{{"from", upgrade->from},
                                     {"to", upgrade->to},
                                     {"state", release::upgrade_state_name(upgrade->state)},
                                     {"heading", release::heading_name(upgrade->heading)},
                                     {"verdict", upgrade->verdict},
                                     {"trouble", upgrade->trouble}};
    if (upgrade->state == release::UpgradeState::kCurrent)
      status["probation"] = json::object{{"release", upgrade->to},
                                         {"elapsed_ms", Milliseconds(upgrade->elapsed).count()},
                                         {"duration_ms", Milliseconds(upgrade->duration).count()}};
  }
  json::array applications;
  for (const auto& application : parts.applications.list())
    applications.push_back(
        json::object{{"name", application.name},
                     {"type", description::application_type_name(application.type)}});
  status["applications"] = std::move(applications);
  status["listeners"] = listeners(parts);
  return json::value(std::move(status));
}

// Callbacks of a version that do not return; they are taken out of the list.
json::array stuck_in(const std::string& module, const std::string& version,
                     std::vector<runtime::LongSchedule>& overdue) {
  json::array all;
  std::erase_if(overdue, [&](const runtime::LongSchedule& callback) {
    if (callback.module != module || callback.version != version) return false;
    all.emplace_back(callback.whereabouts());
    return true;
  });
  return all;
}

json::object version_of(const code::Version& version, const char* status,
                        std::vector<runtime::LongSchedule>& overdue) {
  return {{"module", version.module_name()},
          {"version", version.number()},
          {"status", status},
          {"build", version.module()->build},
          {"processes", version.lease_count()},
          {"stuck", stuck_in(version.module_name(), version.number(), overdue)}};
}

Result<json::value> modules(const Parts& parts) {
  json::array all;
  std::vector<runtime::LongSchedule> overdue = parts.runtime.watch().overdue();
  const code::CodeTable::Snapshot snapshot = parts.runtime.code().snapshot();
  for (const code::ModuleStatus& module : snapshot.modules()) {
    if (module.current != nullptr) all.push_back(version_of(*module.current, "current", overdue));
    if (module.old != nullptr) all.push_back(version_of(*module.old, "old", overdue));
    if (module.staged != nullptr) all.push_back(version_of(*module.staged, "loading", overdue));
  }
  // What nobody runs any more but these.
  while (!overdue.empty()) {
    const std::string module = overdue.front().module, version = overdue.front().version;
    all.push_back(json::object{{"module", module},
                               {"version", version},
                               {"status", "pinned"},
                               {"build", ""},
                               {"processes", 0},
                               {"stuck", stuck_in(module, version, overdue)}});
  }
  return json::value(std::move(all));
}

Result<json::value> crashes(const Parts& parts) {
  BATON_ASSIGN(const std::vector<Crash> crashes, parts.crashes.list());
  json::array all;
  for (const Crash& crash : crashes) {
    json::object shown{{"file", crash.file}, {"trouble", crash.trouble}};
    for (const auto& [key, value] : crash.facts) shown[key] = value;
    shown["frames"] = json::array(crash.frames.begin(), crash.frames.end());
    all.push_back(std::move(shown));
  }
  return json::value(std::move(all));
}

Result<json::value> log_level(const Parts& parts, const json::object& arguments) {
  BATON_ASSIGN(const std::string name, text_argument(arguments, "level", ""));
  if (!name.empty()) {
    const auto level = parse_log_level(name);
    if (!level)
      return Error(
          Code::kUsage,
          "expected one of trace, debug, info, warning, error, critical, got \"" + name + "\"");
    parts.log.set_level(*level);
  }
  return json::value{{"level", log_level_name(parts.log.level())}};
}

}  // namespace

void add_host_verbs(Verbs& verbs, const Parts& parts) {
  verbs["status"] = [parts](const json::object&, const Caller&) { return status(parts); };
  verbs["modules"] = [parts](const json::object&, const Caller&) { return modules(parts); };
  verbs["crashes"] = [parts](const json::object&, const Caller&) { return crashes(parts); };
  verbs["log_level"] = [parts](const json::object& arguments, const Caller&) {
    return log_level(parts, arguments);
  };
  verbs["version"] = [](const json::object&, const Caller&) -> Result<json::value> {
    return json::value{{"version", kVersion}};
  };
}

}  // namespace baton::node
