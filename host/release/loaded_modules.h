// LoadedModules: Modules over the real thing: the store's files, loaded into this process and taken
// out again, and the take-over of what runs them.
//
// Ownership: owns the way back of the take-over that is not permanent yet; borrows the rest.
// Threads:   the release handler's thread, which is the loader's thread of the whole host.
#pragma once

#include "code/library.h"
#include "release/library_call.h"
#include "release/modules.h"
#include "release/store.h"
#include "runtime/runtime.h"
#include "takeover/known_forms.h"

#include <memory>
#include <string>

namespace baton::release {

class LoadedModules final : public Modules {
 public:
  LoadedModules(runtime::Runtime& runtime, const ReleaseStore& store)
      : runtime_(runtime), store_(store), forms_(runtime), takeover_(runtime) {}
  ~LoadedModules() override;

  Result<void> stage(const Plan& plan, const bundle::Manifest& to) override;
  void unstage(const Plan& plan) override;
  Result<void> count_mail(Plan& plan) override;
  Result<takeover::TakeoverReport> take_over(const Plan& plan,
                                             const takeover::TakeoverOptions& options,
                                             const std::function<void()>& at_flip) override;
  Result<takeover::TakeoverReport> take_back(const Plan& plan,
                                             const takeover::TakeoverOptions& options) override;
  void watch() override { runtime_.attend(runtime::Attention::kSampling, true); }
  std::uint64_t samples(const Plan& plan) const override;
  void give_up_way_back() override {
    runtime_.attend(runtime::Attention::kSampling, false);
    way_back_.reset();
  }
  Result<PurgeReport> purge(const std::string& module, std::chrono::milliseconds patience) override;
  Result<PurgeReport> remove(const std::string& module,
                             std::chrono::milliseconds patience) override;
  std::vector<Left> left() const override;
  bool has_pinned() const override { return !pinned_.empty() || !left_calls_.empty(); }
  void unload_pinned() override;

 private:
  Result<void> stage_module(const bundle::Manifest& manifest, const bundle::ManifestModule& module);
  void unstage_module(const std::string& module);
  std::uint64_t kill_all(code::Version& version);
  /// Of a library: its init. kTimedOut: it has not returned, and the library stays until it does.
  Result<std::unique_ptr<code::Library>> start(std::unique_ptr<code::Library> library);
  /// Its fini, and then out with it.
  code::UnloadReport close(std::unique_ptr<code::Library> library);
  Result<PurgeReport> unload(std::unique_ptr<code::Version> version, std::uint64_t killed);

  runtime::Runtime& runtime_;
  const ReleaseStore& store_;
  takeover::KnownForms forms_;
  takeover::Takeover takeover_;
  std::unique_ptr<takeover::WayBack> way_back_;  // null if nothing was taken over
  // Versions that nobody runs any more but callbacks that do not return, of processes that are
  // dead, and hooks. Each is unloaded by the first unload_pinned after the last of them has.
  std::vector<std::unique_ptr<code::Version>> pinned_;
  // Inits and finis that have not returned.
  std::vector<std::shared_ptr<LibraryCall>> left_calls_;
};

}  // namespace baton::release
