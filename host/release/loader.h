// Loader: brings modules of the store into the process and takes them out again.
//
// Threads: the release handler's thread, which is the loader's thread of the whole host.
#pragma once

#include "base/result.h"
#include "bundle/manifest.h"
#include "code/library.h"
#include "release/store.h"
#include "runtime/runtime.h"

#include <chrono>
#include <string>

namespace baton::release {

/// What a purge did.
struct PurgeReport {
  std::string module;
  std::string version;
  std::uint64_t killed = 0;  // processes that still ran it
  bool is_unloaded = false;
  std::string pinned_by;  // why it is still mapped, if it is
};

class Loader {
 public:
  Loader(runtime::Runtime& runtime, const ReleaseStore& store) : runtime_(runtime), store_(store) {}

  /// Loads a module of this manifest beside what is there: staged, not current. Its atoms become
  /// known.
  Result<code::Version*> stage(const bundle::Manifest& manifest,
                               const bundle::ManifestModule& module);
  /// Undoes stage.
  void unstage(const std::string& module);
  /// Kills what still runs the module's old version, unloads it, and proves that. kTimedOut: some
  /// process holds on.
  Result<PurgeReport> purge(const std::string& module);
  /// The same for a module that is to be gone altogether.
  Result<PurgeReport> remove(const std::string& module);

 private:
  std::uint64_t kill_all(code::Version& version);
  Result<PurgeReport> unload(std::unique_ptr<code::Version> version, std::uint64_t killed);

  runtime::Runtime& runtime_;
  const ReleaseStore& store_;
};

}  // namespace baton::release
