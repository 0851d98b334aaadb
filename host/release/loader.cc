#include "release/loader.h"

#include "term/atom.h"

#include <filesystem>
#include <mutex>
#include <thread>

namespace baton::release {

namespace {

// How long processes get to die of a kill: they die at the end of a callback.
constexpr auto kKillTimeout = std::chrono::seconds(5);
constexpr std::uint64_t kBarrierNs = 5'000'000'000;
constexpr auto kLookAgain = std::chrono::milliseconds(1);

bool wait_until_unused(const code::Version& version) {
  const auto deadline = std::chrono::steady_clock::now() + kKillTimeout;
  while (!version.is_unused()) {
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

Result<code::Version*> Loader::stage(const bundle::Manifest& manifest,
                                     const bundle::ManifestModule& module) {
  const Digest digest = manifest.file_of(module).sha256;
  code::LibraryRules rules;
  rules.gate.build_id = module.build_id;
  rules.digest = digest;
  rules.module = module.name;
  rules.version = module.version;
  const std::string path = std::filesystem::absolute(store_.module_file(digest)).string();
  BATON_ASSIGN(auto library, code::Library::open(path, rules, &runtime_.host_table()));
  for (const std::string& atom : library->note().atoms) {
    auto known = runtime_.atoms().intern(atom);
    if (!known.ok()) return std::move(known).error().within("module " + module.name);
  }
  const baton_module* description = library->module();
  return runtime_.code().stage(std::make_unique<code::Version>(description, std::move(library)));
}

void Loader::unstage(const std::string& module) {
  auto version = runtime_.code().take_staged(module);
  if (version == nullptr) return;
  version->retire();
  auto library = version->release_library();
  library->close();
}

std::uint64_t Loader::kill_all(code::Version& version) {
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

Result<PurgeReport> Loader::purge(const std::string& module) {
  const auto status = runtime_.code().status(module);
  if (!status || status->old == nullptr)
    return Error(Code::kNotFound, "module " + module + " has no old version");
  const std::uint64_t killed = kill_all(*status->old);
  if (!wait_until_unused(*status->old)) return still_held(*status->old);
  return unload(runtime_.code().take_old(module), killed);
}

Result<PurgeReport> Loader::remove(const std::string& module) {
  const auto status = runtime_.code().status(module);
  if (!status || status->current == nullptr)
    return Error(Code::kNotFound, "module " + module + " is not loaded");
  status->current->retire();
  const std::uint64_t killed = kill_all(*status->current);
  if (!wait_until_unused(*status->current)) return still_held(*status->current);
  return unload(runtime_.code().take_current(module), killed);
}

Result<PurgeReport> Loader::unload(std::unique_ptr<code::Version> version, std::uint64_t killed) {
  if (version == nullptr) return Error(Code::kBusy, "the version is in use again");
  PurgeReport report{version->module_name(), version->number(), killed, false, {}};
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
  const code::UnloadReport unload = library->close();
  report.is_unloaded = unload.is_unloaded;
  report.pinned_by = unload.pinned_by;
  return report;
}

}  // namespace baton::release
