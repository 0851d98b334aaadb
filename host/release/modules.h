// Modules: the code of a release and the processes that run it, as an upgrade moves them.
//
// The seam between the upgrade, which decides, and what really loads libraries and moves processes
// (release/loaded_modules.h): tests of the upgrade fake it.
//
//   call         done before       afterwards
//   stage                          new versions are loaded beside what runs
//   unstage      stage             they are gone again
//   take_over    stage             processes run the new versions; the way back is kept
//   take_back    take_over         processes run the versions before; the new ones are old
//   watch        stage             samples are counted, until the way back is given up
//   give_up      take_over         the way back is freed
//   purge        give_up or back   the old version of a module is unloaded
//   remove       the same          a module that runs nowhere any more is unloaded
//
// Threads: the release handler's thread.
#pragma once

#include "base/result.h"
#include "bundle/manifest.h"
#include "release/plan.h"
#include "takeover/takeover.h"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace baton::release {

/// What a purge did.
struct PurgeReport {
  std::string module;
  std::string version;
  std::uint64_t killed = 0;  // processes that still ran it
  bool is_unloaded = false;
  std::string pinned_by;  // why it is still mapped, if it is

  std::string text() const {
    return module + " " + version + (is_unloaded ? " is unloaded" : " stays mapped: " + pinned_by);
  }
};

class Modules {
 public:
  virtual ~Modules() = default;

  /// Loads what the plan loads or takes over. On failure nothing is staged.
  virtual Result<void> stage(const Plan& plan, const bundle::Manifest& to) = 0;
  virtual void unstage(const Plan& plan) = 0;
  /// Says of the plan's breaks how many messages of those forms wait now. On failure nothing is
  /// counted.
  virtual Result<void> count_mail(Plan& plan) = 0;
  /// Moves the processes, and makes current what was staged; `at_flip` is called at that moment,
  /// before which no new version runs, and after which no old one does. On failure all is as before
  /// it.
  virtual Result<takeover::TakeoverReport> take_over(const Plan& plan,
                                                     const takeover::TakeoverOptions& options,
                                                     const std::function<void()>& at_flip) = 0;
  /// The way back. On failure all is as before it, so that it can be tried again; kRefused: it
  /// would lose something, which the options do not accept.
  virtual Result<takeover::TakeoverReport> take_back(const Plan& plan,
                                                     const takeover::TakeoverOptions& options) = 0;
  /// Samples are counted from now on.
  virtual void watch() = 0;
  /// Those of the versions that the plan brings; of all its modules if it brings none. A number
  /// that rises (runtime/sample.h).
  virtual std::uint64_t samples(const Plan& plan) const = 0;
  /// Ends the way back, if there is one, and frees what it kept.
  virtual void give_up_way_back() = 0;

  /// Kills what still runs the old version, waits for its end that long, and unloads it. kTimedOut
  /// names who holds on: it can be tried again.
  virtual Result<PurgeReport> purge(const std::string& module,
                                    std::chrono::milliseconds patience) = 0;
  /// The same for a module that is to be gone altogether.
  virtual Result<PurgeReport> remove(const std::string& module,
                                     std::chrono::milliseconds patience) = 0;
  /// Modules with something left to purge or to remove.
  struct Left {
    std::string module;
    bool is_old;  // purge; else remove
  };
  virtual std::vector<Left> left() const = 0;
  /// Whether something of a module that is gone has not returned, a callback, a hook, its init or
  /// its fini, so that its library is still mapped.
  virtual bool has_pinned() const = 0;
  /// Unloads those of them that have returned meanwhile.
  virtual void unload_pinned() = 0;
};

}  // namespace baton::release
