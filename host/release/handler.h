// ReleaseHandler: installs, upgrades, rolls back and makes permanent the releases of one host.
//
// OTP's verbs, thin: each says whether it may begin, and hands what has to be done to the upgrade
// (release/upgrade.h) or the store. At most one upgrade is open: from its begin until it is
// permanent or undone; until then another is refused with kBusy, by the upgrade's own state.
//
//   verb             no upgrade is open                    one is open
//   unpack           the store takes the bundle in         refused
//   install          begins one                            refused
//   upgrade          unpack, then install                  refused
//   make_permanent   nothing to do                         its end, if it is current
//   rollback         to an old release, no probation       the way back
//   remove           the store forgets the release         the same, if it does not run
//   purge            what lingers of modules that ran      refused
//
// What runs is what the last upgrade that is over has left, or what the open one says.
//
// Ownership: owns the operations, and with them the thread, and the upgrade; borrows the rest.
// Threads:   the public functions: any thread but a scheduler's, note_crash and note_end: any.
//            What they see of the upgrade and the store is a copy, made before an operation is seen
//            to be done.
// Fails:     as Operation::result says; the codes are those of base/result.h.
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "release/crash_log.h"
#include "release/health_watch.h"
#include "release/modules.h"
#include "release/operations.h"
#include "release/plan.h"
#include "release/services.h"
#include "release/store.h"
#include "release/upgrade.h"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace baton::release {

/// Purges of what lingers that the host makes by itself are this far apart.
inline constexpr std::chrono::seconds kPurgeInterval{5};

class ReleaseHandler {
 public:
  struct Parts {
    Modules& modules;
    Services& services;
    ReleaseStore& store;
    Files& files;
    const Clock& clock;
    Log& log;
    std::string host_version;
    std::vector<std::string> channels;  // that bundles are taken of; empty: any
    /// Called on the handler's thread when the host has to end, and why: it must not wait.
    std::function<void(const std::string& why)> end_host;
    bool has_thread = true;  // see Operations
  };

  explicit ReleaseHandler(Parts parts);
  ~ReleaseHandler();
  ReleaseHandler(const ReleaseHandler&) = delete;
  ReleaseHandler& operator=(const ReleaseHandler&) = delete;

  /// Starts the permanent release, if there is one. Call once, before anything else.
  Result<void> boot();
  /// Stops what runs. Nothing is taken afterwards.
  void shut_down();

  // These begin an operation and return it.
  Result<std::shared_ptr<Operation>> upgrade(const std::string& bundle_file,
                                             const InstallOptions& options, const Reason& reason);
  Result<std::shared_ptr<Operation>> unpack(const std::string& bundle_file, const Reason& reason);
  Result<std::shared_ptr<Operation>> install(const std::string& name, const std::string& version,
                                             const InstallOptions& options, const Reason& reason);
  Result<std::shared_ptr<Operation>> make_permanent(const Reason& reason);
  /// To the release before: while an upgrade is open by its warm versions, else to `version` by a
  /// take-over without probation. An empty version is the newest old one, unless the last change
  /// was a way back already: going on from there has to name where to.
  Result<std::shared_ptr<Operation>> rollback(const std::string& version,
                                              const WayBackOptions& options, const Reason& reason);
  Result<std::shared_ptr<Operation>> remove(const std::string& name, const std::string& version,
                                            const Reason& reason);
  /// Unloads what lingers of modules that ran, killing what still runs it.
  Result<std::shared_ptr<Operation>> purge(const Reason& reason);

  /// What an upgrade to this bundle would do. kBusy while an operation runs.
  Result<Plan> plan(const std::string& bundle_file);
  std::vector<Release> releases() const;
  /// NAME-VERSION of what the processes run; empty: nothing.
  std::string running() const;
  /// The one that is open.
  std::optional<UpgradeStatus> upgrade() const;
  std::shared_ptr<Operation> operation(std::uint64_t id) const { return operations_.find(id); }
  std::vector<std::shared_ptr<Operation>> operations() const { return operations_.list(); }

  /// A process of this module crashed.
  void note_crash(const std::string& module, const std::string& what);
  /// An application ended that ends the host by its type. An open upgrade is undone first; where
  /// there is none, or that fails, Parts::end_host is called.
  void note_end(const std::string& application, const std::string& reason);

  /// Without a thread of its own: runs what is due. See Operations::step.
  bool step() { return operations_.step(); }

 private:
  using Body = std::function<Upgrade::Outcome(const std::shared_ptr<Operation>&, const Reason&)>;

  /// Of an application that ends the host by its type. It says nothing any more once the
  /// application runs again, or is no part of what runs: a rollback has seen to that.
  struct End {
    std::string application;
    std::string text;
  };

  Result<std::shared_ptr<Operation>> begin(std::string kind, std::string target,
                                           const Reason& reason, Body body);

  // On the handler's thread.
  Result<void> do_boot();
  Result<void> start(const bundle::Manifest& manifest);
  Result<const Release*> do_unpack(Operation& operation, const std::string& bundle_file,
                                   const Reason& reason);
  /// Also a way back to an old release: what is not in force any more is warned of there.
  Upgrade::Outcome do_install(const std::shared_ptr<Operation>& operation, const std::string& name,
                              const std::string& version, const InstallOptions& options,
                              const Reason& reason, bool is_way_back = false);
  Upgrade::Outcome do_rollback(const std::shared_ptr<Operation>& operation,
                               const std::string& version, const WayBackOptions& options,
                               const Reason& reason);
  Result<const Release*> way_back_target(const std::string& version) const;
  Result<void> do_purge(Operation& operation);
  Result<void> do_remove(const std::string& name, const std::string& version, const Reason& reason);
  void look();
  /// Drops the ends of what runs again.
  void forget_mended_ends();
  void act_on_ends();
  void purge_what_lingers();
  /// What follows from the state of the upgrade: who watches it, what runs, who is told, and
  /// whether the host goes on.
  void after_task();
  Upgrade::Parts upgrade_parts();
  std::string running_name() const;

  Parts parts_;
  CrashLog crashes_;

  // The handler's thread only.
  std::optional<bundle::Manifest> running_;  // as the last upgrade that is over has left it
  std::unique_ptr<Upgrade> upgrade_;         // the one that is open
  std::unique_ptr<HealthWatch> watch_;       // while it is current and not decided
  std::vector<End> ends_;                    // of applications, which nobody has acted on yet
  std::chrono::nanoseconds purge_at_{0};

  mutable std::mutex mutex_;
  // Guarded by mutex_: copies for readers, and news from other threads.
  std::vector<Release> releases_;
  std::string running_copy_;
  std::optional<UpgradeStatus> upgrade_copy_;
  std::vector<std::pair<std::size_t, Result<void>>> checks_;
  std::vector<End> new_ends_;

  Operations operations_;  // last: its thread uses all of the above
};

}  // namespace baton::release
