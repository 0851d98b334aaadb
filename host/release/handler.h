// ReleaseHandler: installs, upgrades, rolls back and makes permanent the releases of one host.
//
// An upgrade, step by step; what is in the journal decides what a host that dies at any point
// boots:
//   step            effect                                             if it fails
//   unpack          the bundle is verified and in the store            nothing has happened
//   plan            what will be done, from the manifests              nothing has happened
//   load            new versions beside the old ones                   they are unloaded again
//   take over       the group transaction (takeover/); current flips   all processes go on on the
//                                                                      old release
//   services        tree, listeners and configuration follow           the take-over is undone
//   record          the release is current in the journal              the take-over is undone
//   probation       it is watched; the old versions stay warm          rolled back by itself
//   make permanent  in the journal, then the old versions are purged   it stays in probation
//
// One operation at a time: another is refused with kBusy, saying who works on what since when.
// During probation only rollback, make_permanent and their kin are taken. All of it runs on the
// handler's own thread, which is the loader's thread of the host. A verdict of the probation is
// acted on there too.
//
// Ownership: owns its thread and the probation; borrows the rest.
// Threads:   the public functions: any thread but a scheduler's.
// Fails:     as Operation::result says; the codes are those of base/result.h.
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "release/loader.h"
#include "release/operation.h"
#include "release/plan.h"
#include "release/probation.h"
#include "release/services.h"
#include "release/store.h"
#include "takeover/takeover.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace baton::release {

/// Operations that are remembered after their end.
inline constexpr std::size_t kOperationsKept = 100;

struct InstallOptions {
  std::optional<std::chrono::nanoseconds> probation;  // else what the release says
  bool rolls_back_by_itself = true;
  bool accepts_loss = false;
  bool requires_hot = false;  // refuse if any process would have to be restarted
  std::chrono::milliseconds budget{5000};
};

struct ProbationStatus {
  std::string release;
  double elapsed_ms;
  double duration_ms;
};

class ReleaseHandler {
 public:
  ReleaseHandler(runtime::Runtime& runtime, ReleaseStore& store, Services& services, Files& files,
                 const Clock& clock, Log& log, std::string host_version);
  ~ReleaseHandler();
  ReleaseHandler(const ReleaseHandler&) = delete;
  ReleaseHandler& operator=(const ReleaseHandler&) = delete;

  /// Starts the permanent release, if there is one. Call once, before anything else.
  Result<void> boot();
  /// Stops what runs. Nothing is taken afterwards.
  void shut_down();

  // These check what can be checked at once, begin the operation and return it.
  Result<std::shared_ptr<Operation>> upgrade(const std::string& bundle_file,
                                             const InstallOptions& options, const Reason& reason);
  Result<std::shared_ptr<Operation>> unpack(const std::string& bundle_file, const Reason& reason);
  Result<std::shared_ptr<Operation>> install(const std::string& name, const std::string& version,
                                             const InstallOptions& options, const Reason& reason);
  Result<std::shared_ptr<Operation>> make_permanent(const Reason& reason);
  /// To the release before: during probation by the warm versions, else to `version` (empty: the
  /// newest old one) by a take-over without probation.
  Result<std::shared_ptr<Operation>> rollback(const std::string& version, bool accepts_loss,
                                              const Reason& reason);
  Result<std::shared_ptr<Operation>> remove(const std::string& name, const std::string& version,
                                            const Reason& reason);

  /// What an upgrade to this bundle would do.
  Result<Plan> plan(const std::string& bundle_file);
  std::vector<Release> releases() const;
  std::optional<ProbationStatus> probation() const;
  std::shared_ptr<Operation> operation(std::uint64_t id) const;
  std::vector<std::shared_ptr<Operation>> operations() const;

  /// From the runtime's observer: a process of this module crashed.
  void note_crash(const std::string& module, const std::string& what);

 private:
  using Task = std::function<void()>;
  using Body = std::function<Result<void>(Operation&)>;

  Result<std::shared_ptr<Operation>> begin(std::string kind, std::string target,
                                           const Reason& reason, bool in_probation, Body body);
  void post(Task task);
  void work();
  std::uint64_t next_id();

  // On the handler's thread.
  Result<std::string> do_unpack(Operation& operation, const std::string& bundle_file,
                                const Reason& reason);
  Result<void> do_install(Operation& operation, const std::string& name, const std::string& version,
                          const InstallOptions& options, const Reason& reason, bool with_probation);
  Result<void> do_take_over(Operation& operation, const Plan& plan, const bundle::Manifest& from,
                            const bundle::Manifest& to, const InstallOptions& options,
                            const Reason& reason);
  Result<void> apply(const std::vector<description::Change>& changes);
  Result<void> revert(const std::vector<description::Change>& changes, std::size_t count);
  Result<void> stage_modules(Operation& operation, const Plan& plan, const bundle::Manifest& to);
  void unstage_modules(const Plan& plan);
  Result<void> do_rollback(Operation& operation, const std::string& why, bool accepts_loss,
                           const Reason& reason);
  Result<void> undo_take_over(Operation& operation, bool accepts_loss);
  Result<void> do_make_permanent(Operation& operation, const Reason& reason);
  void purge_modules(Operation& operation, const Plan& plan, bool after_rollback);
  void begin_probation(const description::ReleaseDescription& release,
                       const InstallOptions& options, std::shared_ptr<Operation> operation);
  void act_on_verdict(std::uint64_t trial, Verdict verdict, const std::string& evidence);
  void end_probation();

  runtime::Runtime& runtime_;
  ReleaseStore& store_;
  Files& files_;
  Services& services_;
  const Clock& clock_;
  Log& log_;
  const std::string host_version_;
  Loader loader_;
  takeover::Takeover takeover_;

  // A release that is current and not yet permanent, and the way back from it.
  struct Trial {
    std::uint64_t number = 0;
    Plan plan;
    bundle::Manifest from;  // of the release before; has_from says whether there was one
    bundle::Manifest to;
    bool has_from = false;
    bool rolls_back_by_itself = true;
    std::unique_ptr<takeover::WayBack> way_back;  // null if no module was taken over
    std::shared_ptr<Operation> operation;         // the one that waits for the outcome; may be null
  };
  std::optional<Trial> trial_;  // the handler's thread only
  std::uint64_t trials_ = 0;    // the handler's thread only

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::deque<Task> tasks_;
  bool is_stopping_ = false;
  std::shared_ptr<Operation> busy_with_;
  std::map<std::uint64_t, std::shared_ptr<Operation>> operations_;
  std::uint64_t ids_ = 0;
  std::unique_ptr<Probation> probation_;
  std::string probation_release_;
  std::vector<std::string> probation_modules_;
  std::vector<Release> releases_;  // a copy for readers

  std::thread thread_;
};

}  // namespace baton::release
