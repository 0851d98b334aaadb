#include "release/loaded_modules.h"

#include "base/check.h"
#include "runtime/primitives.h"
#include "runtime/watch.h"
#include "takeover/mail_survey.h"
#include "term/atom.h"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <thread>

namespace baton::release {

namespace {

constexpr std::uint64_t kBarrierNs = 5'000'000'000;
// For processes to come to rest, only to be counted.
constexpr std::chrono::milliseconds kSurveyBudget{200};
constexpr auto kLookAgain = std::chrono::milliseconds(1);

// Processes die of a kill at the end of a callback, or without it (runtime/watch.h).
bool wait_until_left(const code::Version& version, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (version.lease_count() != 0) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kLookAgain);
  }
  return true;
}

Error still_held(const code::Version& version) {
  return Error(Code::kTimedOut, "module " + version.module_name() + ": version " +
                                    version.number() + " is still held by " +
                                    std::to_string(version.lease_count()) +
                                    " processes that did not end when killed");
}

}  // namespace

LoadedModules::~LoadedModules() {
  unload_pinned();
  // Their code is still run: they stay for the life of the host.
  for (auto& version : pinned_) static_cast<void>(version.release());
}

void LoadedModules::unload_pinned() {
  for (auto& call : std::exchange(left_calls_, {})) {
    if (call->wait(0))
      close(call->take_library());
    else
      left_calls_.push_back(std::move(call));
  }
  for (auto& version : std::exchange(pinned_, {})) {
    if (version->abandoned() != 0 || version->guests() != 0) {
      pinned_.push_back(std::move(version));
      continue;
    }
    static_cast<void>(unload(std::move(version), 0));
  }
}

Result<void> LoadedModules::stage(const Plan& plan, const bundle::Manifest& to) {
  unload_pinned();
  for (const ModulePlan& module : plan.modules) {
    if (module.step != ModuleStep::kLoad && module.step != ModuleStep::kTakeOver) continue;
    if (auto staged = stage_module(to, *to.module(module.name)); !staged.ok()) {
      unstage(plan);
      return std::move(staged).error().within(module.name + " " + module.to_version);
    }
  }
  return {};
}

void LoadedModules::unstage(const Plan& plan) {
  for (const ModulePlan& module : plan.modules) unstage_module(module.name);
}

Result<void> LoadedModules::stage_module(const bundle::Manifest& manifest,
                                         const bundle::ManifestModule& module) {
  const Digest digest = manifest.file_of(module).sha256;
  code::LibraryRules rules;
  rules.gate.build_id = module.build_id;
  rules.digest = digest;
  rules.module = module.name;
  rules.version = module.version;
  rules.note = module.note;
  const std::string path = std::filesystem::absolute(store_.module_file(digest)).string();
  // All that can fail comes before init: then there is no fini that would have to be waited for.
  BATON_TRY(runtime_.code().check_stage(module.name));
  BATON_ASSIGN(auto library, code::Library::open(path, rules));
  for (const std::string& atom : library->note().atoms) {
    auto known = runtime_.atoms().intern(atom);
    if (!known.ok()) return std::move(known).error();
  }
  BATON_ASSIGN(library, start(std::move(library)));
  const baton_module* description = library->module();
  const auto staged =
      runtime_.code().stage(std::make_unique<code::Version>(description, std::move(library)));
  BATON_CHECK(staged.ok(), "nobody but this thread stages");
  return {};
}

void LoadedModules::unstage_module(const std::string& module) {
  auto version = runtime_.code().take_staged(module);
  if (version == nullptr) return;
  version->retire();
  forms_.forget(*version);
  // A take-over that failed may have let it be known, or left a hook of it.
  if (version->abandoned() != 0 || version->guests() != 0)
    pinned_.push_back(std::move(version));
  else
    close(version->release_library());
}

Result<std::unique_ptr<code::Library>> LoadedModules::start(
    std::unique_ptr<code::Library> library) {
  const std::string path = library->path();
  auto call = std::make_shared<LibraryCall>(std::move(library), &runtime_.host_table());
  if (!runtime::Errand::carry_out(runtime_, call, runtime::now_ns() + kLibraryCallNs)) {
    left_calls_.push_back(std::move(call));
    return Error(Code::kTimedOut,
                 path + ": its init has not returned within " +
                     std::to_string(kLibraryCallNs / 1'000'000'000) +
                     " s; the file stays loaded until it does; cure: an init that ends");
  }
  if (!call->result().ok()) {
    close(call->take_library());
    return call->result().error();
  }
  return call->take_library();
}

code::UnloadReport LoadedModules::close(std::unique_ptr<code::Library> library) {
  auto call = std::make_shared<LibraryCall>(std::move(library), nullptr);
  if (runtime::Errand::carry_out(runtime_, call, runtime::now_ns() + kLibraryCallNs))
    return call->take_library()->close();
  left_calls_.push_back(std::move(call));
  return {false, "its fini, which has not returned"};
}

Result<void> LoadedModules::count_mail(Plan& plan) {
  std::vector<takeover::Departure> departures;
  for (const ModulePlan& module : plan.modules) {
    const auto status = runtime_.code().status(module.name);
    const bool is_broken =
        std::any_of(plan.breaks.begin(), plan.breaks.end(),
                    [&](const Break& broken) { return broken.module == module.name; });
    if (is_broken && status && status->current != nullptr)
      departures.push_back({status->current, module.evolution});
  }
  if (departures.empty()) return {};
  BATON_ASSIGN(const takeover::StuckCounts counts,
               takeover::count_stuck_mail(runtime_, departures, kSurveyBudget));
  for (Break& broken : plan.breaks) {
    if (broken.form.empty()) continue;
    const auto found =
        counts.find(takeover::stuck_key(broken.module, broken.behaviour, broken.form));
    broken.waiting = found == counts.end() ? 0 : found->second;
  }
  return {};
}

Result<takeover::TakeoverReport> LoadedModules::take_over(const Plan& plan,
                                                          const takeover::TakeoverOptions& options,
                                                          const std::function<void()>& at_flip) {
  std::vector<takeover::Change> changes;
  for (const ModulePlan& module : plan.modules) {
    if (module.step != ModuleStep::kTakeOver) continue;
    const auto status = runtime_.code().status(module.name);
    changes.push_back({status->current, status->staged, module.evolution});
  }
  const auto flip = [&] {
    for (const ModulePlan& module : plan.modules)
      if (module.step == ModuleStep::kLoad || module.step == ModuleStep::kTakeOver)
        runtime_.code().make_current(module.name);
    at_flip();
  };
  BATON_CHECK(way_back_ == nullptr, "one take-over at a time, till it is permanent or undone");
  if (changes.empty()) {
    flip();
    return takeover::TakeoverReport{};
  }
  // Also if it fails: the host has seen both versions.
  forms_.learn(changes);
  BATON_ASSIGN(way_back_, takeover_.run(std::move(changes), options, flip));
  return way_back_->report();
}

Result<takeover::TakeoverReport> LoadedModules::take_back(
    const Plan& plan, const takeover::TakeoverOptions& options) {
  if (way_back_ == nullptr) return takeover::TakeoverReport{};
  const auto flip = [&] {
    for (const ModulePlan& module : plan.modules)
      if (module.step == ModuleStep::kTakeOver) runtime_.code().restore(module.name);
  };
  BATON_ASSIGN(const auto report, takeover_.rollback(*way_back_, options, flip));
  way_back_.reset();
  return report;
}

std::uint64_t LoadedModules::samples(const Plan& plan) const {
  const auto is_new = [](const ModulePlan& module) {
    return module.step == ModuleStep::kLoad || module.step == ModuleStep::kTakeOver;
  };
  const bool brings_any = std::ranges::any_of(plan.modules, is_new);
  std::uint64_t sum = 0;
  for (const ModulePlan& module : plan.modules) {
    if (module.step == ModuleStep::kStop || (brings_any && !is_new(module))) continue;
    const auto status = runtime_.code().status(module.name);
    if (status && status->current != nullptr) sum += status->current->samples();
  }
  return sum;
}

std::uint64_t LoadedModules::kill_all(code::Version& version) {
  std::vector<baton_term> pids;
  for (std::uint32_t i = 0; i < code::kShards; ++i) {
    auto& shard = version.shard(i);
    std::lock_guard lock(shard.lock);
    for (std::uint32_t index : shard.processes) pids.push_back(runtime_.table().at(index).self);
  }
  runtime::External external(runtime_);
  for (baton_term pid : pids) {
    runtime::Message* reason = external.context().allocate(1);
    reason->root = term::atoms::kKill;
    runtime::exit_signal(external.context(), pid, reason);
  }
  return pids.size();
}

Result<PurgeReport> LoadedModules::purge(const std::string& module,
                                         std::chrono::milliseconds patience) {
  const auto status = runtime_.code().status(module);
  if (!status || status->old == nullptr)
    return Error(Code::kNotFound, "module " + module + " has no old version");
  const std::uint64_t killed = kill_all(*status->old);
  if (!wait_until_left(*status->old, patience)) return still_held(*status->old);
  return unload(runtime_.code().take_old(module), killed);
}

Result<PurgeReport> LoadedModules::remove(const std::string& module,
                                          std::chrono::milliseconds patience) {
  const auto status = runtime_.code().status(module);
  if (!status || status->current == nullptr)
    return Error(Code::kNotFound, "module " + module + " is not loaded");
  status->current->retire();
  const std::uint64_t killed = kill_all(*status->current);
  if (!wait_until_left(*status->current, patience)) return still_held(*status->current);
  return unload(runtime_.code().take_current(module), killed);
}

std::vector<Modules::Left> LoadedModules::left() const {
  std::vector<Left> all;
  const code::CodeTable::Snapshot snapshot = runtime_.code().snapshot();
  for (const code::ModuleStatus& module : snapshot.modules()) {
    if (module.old != nullptr) all.push_back({module.name, true});
    if (module.current != nullptr && module.current->is_retired())
      all.push_back({module.name, false});
  }
  return all;
}

Result<PurgeReport> LoadedModules::unload(std::unique_ptr<code::Version> version,
                                          std::uint64_t killed) {
  if (version == nullptr) return Error(Code::kBusy, "the version is in use again");
  PurgeReport report{version->module_name(), version->number(), killed, false, {}};
  forms_.forget(*version);
  if (version->abandoned() != 0 || version->guests() != 0) {
    report.pinned_by = std::to_string(version->abandoned()) + " callbacks or hooks and " +
                       std::to_string(version->guests()) +
                       " hooks of messages that have not returned";
    for (const auto& exile : runtime_.watch().exiles())
      if (exile.version == version.get()) report.pinned_by += "; " + exile.callback.text();
    pinned_.push_back(std::move(version));
    return report;
  }
  auto library = version->release_library();
  // A callback may have looked this version up before it was retired, and not yet found that out.
  const bool has_passed = runtime_.barrier(runtime::now_ns() + kBarrierNs);
  if (!has_passed) {
    report.pinned_by = "a callback that does not return";
    // Neither the description nor the code may go under it: both stay for the life of the host.
    static_cast<void>(version.release());
    static_cast<void>(library.release());
    return report;
  }
  version.reset();
  const code::UnloadReport unload = close(std::move(library));
  report.is_unloaded = unload.is_unloaded;
  report.pinned_by = unload.pinned_by;
  return report;
}

}  // namespace baton::release
