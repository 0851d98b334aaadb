#include "release/handler.h"

#include "base/check.h"

#include <algorithm>

namespace baton::release {

namespace {

std::string full_name(const std::string& name, const std::string& version) {
  return name + "-" + version;
}

std::string milliseconds(std::uint64_t us) {
  const std::uint64_t hundredths = us / 10;
  std::string fraction = std::to_string(hundredths % 100);
  if (fraction.size() < 2) fraction.insert(0, "0");
  return std::to_string(hundredths / 100) + "." + fraction + " ms";
}

}  // namespace

ReleaseHandler::ReleaseHandler(runtime::Runtime& runtime, ReleaseStore& store, Services& services,
                               Files& files, const Clock& clock, Log& log, std::string host_version)
    : runtime_(runtime),
      store_(store),
      files_(files),
      services_(services),
      clock_(clock),
      log_(log),
      host_version_(std::move(host_version)),
      loader_(runtime, store),
      takeover_(runtime),
      releases_(store.releases()),
      thread_([this] { work(); }) {}

ReleaseHandler::~ReleaseHandler() { shut_down(); }

// ---- The handler's thread

void ReleaseHandler::post(Task task) {
  std::lock_guard lock(mutex_);
  if (is_stopping_) return;
  tasks_.push_back(std::move(task));
  changed_.notify_all();
}

void ReleaseHandler::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return is_stopping_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
    releases_ = store_.releases();
  }
}

void ReleaseHandler::shut_down() {
  {
    std::lock_guard lock(mutex_);
    if (is_stopping_) return;
  }
  post([this] {
    end_probation();
    services_.stop();
    if (trial_ && trial_->has_from) {
      // Not permanent: the next start boots the release before.
      const auto& release = trial_->to.release;
      auto changed = store_.change(release.name, release.version, Action::kNodeStop,
                                   {"baton", "the host stopped during probation"});
      if (!changed.ok()) log_.write(LogLevel::kError, changed.error().message());
    }
    trial_.reset();
  });
  {
    std::lock_guard lock(mutex_);
    is_stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

std::uint64_t ReleaseHandler::next_id() { return ++ids_; }

Result<std::shared_ptr<Operation>> ReleaseHandler::begin(std::string kind, std::string target,
                                                         const Reason& reason, bool in_probation,
                                                         Body body) {
  std::unique_lock lock(mutex_);
  if (is_stopping_) return Error(Code::kUnreachable, "the host is stopping");
  if (busy_with_) {
    const std::string id = std::to_string(busy_with_->id);
    const std::string object = busy_with_->target.empty() ? "" : " " + busy_with_->target;
    return Error(Code::kBusy, "operation " + id + " (" + busy_with_->kind + object + " by " +
                                  busy_with_->who + ", since " + busy_with_->started_at +
                                  ") is under way; await its end with: baton operation " + id);
  }
  if (probation_ && !in_probation)
    return Error(Code::kBusy, "release " + probation_release_ +
                                  " is in probation; make it permanent or roll it back first");
  auto operation = std::make_shared<Operation>(next_id(), std::move(kind), std::move(target),
                                               reason.who, format_time(clock_.wall()));
  busy_with_ = operation;
  operations_.emplace(operation->id, operation);
  if (operations_.size() > kOperationsKept) operations_.erase(operations_.begin());
  lock.unlock();
  post([this, operation, body = std::move(body)] {
    Result<void> result = body(*operation);
    {
      std::lock_guard guard(mutex_);
      busy_with_ = nullptr;
      releases_ = store_.releases();
    }
    if (!result.ok()) {
      log_.write(LogLevel::kWarning,
                 operation->kind + " " + operation->target + ": " + result.error().message());
      operation->finish(std::move(result));
      return;
    }
    // An upgrade in probation is not over: the verdict finishes it.
    if (!trial_ || trial_->operation != operation) operation->finish({});
  });
  return operation;
}

// ---- Operations

Result<std::shared_ptr<Operation>> ReleaseHandler::upgrade(const std::string& bundle_file,
                                                           const InstallOptions& options,
                                                           const Reason& reason) {
  return begin("upgrade", bundle_file, reason, false,
               [this, bundle_file, options, reason](Operation& operation) -> Result<void> {
                 BATON_ASSIGN(const std::string version, do_unpack(operation, bundle_file, reason));
                 const std::size_t at = version.find('/');
                 return do_install(operation, version.substr(0, at), version.substr(at + 1),
                                   options, reason, true);
               });
}

Result<std::shared_ptr<Operation>> ReleaseHandler::unpack(const std::string& bundle_file,
                                                          const Reason& reason) {
  return begin("unpack", bundle_file, reason, false,
               [this, bundle_file, reason](Operation& operation) -> Result<void> {
                 BATON_TRY(do_unpack(operation, bundle_file, reason));
                 return {};
               });
}

Result<std::shared_ptr<Operation>> ReleaseHandler::install(const std::string& name,
                                                           const std::string& version,
                                                           const InstallOptions& options,
                                                           const Reason& reason) {
  return begin("install", full_name(name, version), reason, false,
               [this, name, version, options, reason](Operation& operation) {
                 return do_install(operation, name, version, options, reason, true);
               });
}

Result<std::shared_ptr<Operation>> ReleaseHandler::make_permanent(const Reason& reason) {
  return begin("make_permanent", "", reason, true, [this, reason](Operation& operation) {
    return do_make_permanent(operation, reason);
  });
}

Result<std::shared_ptr<Operation>> ReleaseHandler::rollback(const std::string& version,
                                                            bool accepts_loss,
                                                            const Reason& reason) {
  return begin(
      "rollback", version, reason, true,
      [this, version, accepts_loss, reason](Operation& operation) -> Result<void> {
        if (trial_ && trial_->has_from &&
            (version.empty() || version == trial_->from.release.version))
          return do_rollback(operation, "by operator: " + reason.why, accepts_loss, reason);
        if (trial_)
          return Error(Code::kUsage, "during probation the way back leads to " +
                                         (trial_->has_from ? trial_->from.release.version
                                                           : std::string("nothing")) +
                                         " only");
        const Release* target = nullptr;
        for (const Release& release : store_.releases())
          if (version.empty() ? release.status == Status::kOld : release.version == version)
            target = &release;
        if (target == nullptr)
          return version.empty() ? Error(Code::kNotFound,
                                         "there is no old release to go back to; baton release "
                                         "list shows those that are here")
                                 : no_such_release(version);
        InstallOptions options;
        options.accepts_loss = accepts_loss;
        const std::string name = target->name, to = target->version;
        BATON_TRY(do_install(operation, name, to, options, reason, false));
        return do_make_permanent(operation, reason);
      });
}

Result<std::shared_ptr<Operation>> ReleaseHandler::remove(const std::string& name,
                                                          const std::string& version,
                                                          const Reason& reason) {
  return begin(
      "remove", full_name(name, version), reason, true,
      [this, name, version, reason](Operation&) { return store_.remove(name, version, reason); });
}

Result<Plan> ReleaseHandler::plan(const std::string& bundle_file) {
  // On the handler's thread, as the store belongs to it.
  auto promise = std::make_shared<std::promise<Result<Plan>>>();
  auto answer = promise->get_future();
  post([this, bundle_file, promise] {
    promise->set_value([&]() -> Result<Plan> {
      BATON_ASSIGN(const bundle::TrustedKeys keys, store_.keys().load());
      BATON_ASSIGN(const bundle::Bundle bundle, bundle::Bundle::open(files_, bundle_file, keys));
      const Release* running = store_.running();
      if (running == nullptr) return make_plan(nullptr, bundle.manifest());
      BATON_ASSIGN(const bundle::Manifest from, store_.manifest(running->name, running->version));
      return make_plan(&from, bundle.manifest());
    }());
  });
  return answer.get();
}

// ---- Steps

Result<std::string> ReleaseHandler::do_unpack(Operation& operation, const std::string& bundle_file,
                                              const Reason& reason) {
  operation.progress("unpack", bundle_file);
  bundle::Acceptance policy;
  policy.now = clock_.wall();
  policy.host_version = host_version_;
  if (const Release* running = store_.running()) policy.product = running->name;
  BATON_ASSIGN(const Release* release, store_.unpack(bundle_file, policy, reason));
  operation.progress("verify", "signed by " + release->key + ", all files as the manifest says");
  return release->name + "/" + release->version;
}

Result<void> ReleaseHandler::do_install(Operation& operation, const std::string& name,
                                        const std::string& version, const InstallOptions& options,
                                        const Reason& reason, bool with_probation) {
  const Release* target = store_.find(name, version);
  if (target == nullptr) return no_such_release(full_name(name, version));
  const Release* running = store_.running();
  if (running == target) {
    operation.progress("plan", full_name(name, version) + " runs already");
    return {};
  }
  BATON_ASSIGN(const bundle::Manifest to, store_.manifest(name, version));
  bundle::Manifest from;
  if (running != nullptr) {
    BATON_ASSIGN(from, store_.manifest(running->name, running->version));
  }
  BATON_ASSIGN(const Plan plan, make_plan(running != nullptr ? &from : nullptr, to));
  if (const auto restarts = plan.restarts(); options.requires_hot && !restarts.empty())
    return Error(Code::kRefused, "not without a restart: " + restarts.front());
  operation.progress(
      "plan", plan.from.empty() ? "first release of this host" : plan.from + " -> " + plan.to);
  for (const std::string& warning : plan.warnings) operation.progress("warning", warning);

  BATON_TRY(do_take_over(operation, plan, from, to, options, reason));
  if (with_probation) {
    std::shared_ptr<Operation> shared;
    {
      std::lock_guard lock(mutex_);
      shared = operations_.at(operation.id);
    }
    begin_probation(to.release, options, std::move(shared));
  }
  return {};
}

Result<void> ReleaseHandler::stage_modules(Operation& operation, const Plan& plan,
                                           const bundle::Manifest& to) {
  for (const ModulePlan& module : plan.modules) {
    if (module.step != ModuleStep::kLoad && module.step != ModuleStep::kTakeOver) continue;
    operation.progress("load", module.name + " " + module.to_version);
    auto staged = loader_.stage(to, *to.module(module.name));
    if (!staged.ok()) {
      unstage_modules(plan);
      return std::move(staged).error().within("load " + module.name + " " + module.to_version);
    }
  }
  return {};
}

void ReleaseHandler::unstage_modules(const Plan& plan) {
  for (const ModulePlan& module : plan.modules) loader_.unstage(module.name);
}

Result<void> ReleaseHandler::do_take_over(Operation& operation, const Plan& plan,
                                          const bundle::Manifest& from, const bundle::Manifest& to,
                                          const InstallOptions& options, const Reason& reason) {
  BATON_TRY(stage_modules(operation, plan, to));
  Trial trial;
  trial.number = ++trials_;
  trial.plan = plan;
  trial.from = from;
  trial.to = to;
  trial.has_from = !plan.from.empty();
  trial.rolls_back_by_itself = options.rolls_back_by_itself;

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
  };
  if (changes.empty()) {
    flip();
  } else {
    JournalRecord intent;
    intent.set("from", plan.from).set("to", plan.to);
    if (auto noted = store_.note("take_over", intent); !noted.ok()) {
      unstage_modules(plan);
      return std::move(noted).error().within("journal");
    }
    takeover::TakeoverOptions how;
    how.budget = options.budget;
    how.accepts_loss = options.accepts_loss;
    auto way_back = takeover_.run(std::move(changes), how, flip);
    if (!way_back.ok()) {
      unstage_modules(plan);
      operation.progress("abort", way_back.error().message());
      return std::move(way_back).error().within("take over " + plan.from + " -> " + plan.to);
    }
    const takeover::TakeoverReport& report = (*way_back)->report();
    operation.set_report(report);
    operation.progress("take_over", std::to_string(report.migrated) + " processes migrated, " +
                                        std::to_string(report.adopted) + " adopted, pause " +
                                        milliseconds(report.pause_us) + " (drain " +
                                        milliseconds(report.drain_us) + ", prepare " +
                                        milliseconds(report.prepare_us) + ", commit " +
                                        milliseconds(report.commit_us) + ")");
    trial.way_back = std::move(way_back).value();
  }
  trial_ = std::move(trial);

  const auto undo = [&](Error error) -> Error {
    const Result<void> undone = undo_take_over(operation, true);
    purge_modules(operation, plan, true);
    trial_.reset();
    if (!undone.ok())
      return Error(Code::kStuck,
                   error.message() + "; undoing it failed too: " + undone.error().message());
    return error;
  };
  if (auto services = apply(plan.changes); !services.ok())
    return undo(std::move(services).error().within("services"));
  if (auto changed = store_.change(to.release.name, to.release.version, Action::kInstall, reason);
      !changed.ok()) {
    if (auto back = revert(plan.changes, plan.changes.size()); !back.ok())
      log_.write(LogLevel::kError, back.error().message());
    return undo(std::move(changed).error().within("journal"));
  }
  for (const description::Change& change : plan.changes) services_.expose(change);
  operation.progress("commit", plan.to + " is current");
  return {};
}

Result<void> ReleaseHandler::apply(const std::vector<description::Change>& changes) {
  for (std::size_t i = 0; i < changes.size(); ++i) {
    auto applied = services_.apply(changes[i]);
    if (applied.ok()) continue;
    Error error = std::move(applied).error().within(changes[i].text());
    if (auto back = revert(changes, i); !back.ok())
      return Error(Code::kStuck,
                   error.message() + "; and changing back failed: " + back.error().message());
    return error;
  }
  return {};
}

// The first so many; goes on past failures, and tells all of them.
Result<void> ReleaseHandler::revert(const std::vector<description::Change>& changes,
                                    std::size_t count) {
  std::string trouble;
  for (std::size_t i = count; i-- > 0;)
    if (auto back = services_.revert(changes[i]); !back.ok())
      trouble += (trouble.empty() ? "" : "; ") + changes[i].text() + ": " + back.error().message();
  if (trouble.empty()) return {};
  return Error(Code::kStuck, trouble);
}

// Processes and modules go back; services and the journal are the caller's.
Result<void> ReleaseHandler::undo_take_over(Operation& operation, bool accepts_loss) {
  const Plan& plan = trial_->plan;
  const auto flip = [&] {
    for (const ModulePlan& module : plan.modules)
      if (module.step == ModuleStep::kTakeOver) runtime_.code().restore(module.name);
  };
  if (trial_->way_back == nullptr) return {};
  takeover::TakeoverOptions how;
  how.accepts_loss = accepts_loss;
  auto report = takeover_.rollback(*trial_->way_back, how, flip);
  if (!report.ok()) return std::move(report).error();
  operation.set_report(*report);
  operation.progress("roll_back", std::to_string(report->migrated) + " processes back, pause " +
                                      milliseconds(report->pause_us));
  trial_->way_back.reset();
  return {};
}

Result<void> ReleaseHandler::do_rollback(Operation& operation, const std::string& why,
                                         bool accepts_loss, const Reason& reason) {
  BATON_CHECK(trial_ && trial_->has_from);
  const auto from = trial_->from.release, to = trial_->to.release;
  auto undone = undo_take_over(operation, accepts_loss);
  if (!undone.ok()) return std::move(undone).error().within("roll back to " + from.version);
  end_probation();
  // Back to the old tree; what that cannot undo must not keep the processes from serving.
  std::string trouble;
  if (auto services = revert(trial_->plan.changes, trial_->plan.changes.size()); !services.ok())
    trouble = services.error().message();
  if (auto changed = store_.change(to.name, to.version, Action::kFailProbation, {reason.who, why});
      !changed.ok())
    trouble += (trouble.empty() ? "" : "; ") + changed.error().message();
  purge_modules(operation, trial_->plan, true);
  auto waiting = trial_->operation;
  trial_.reset();
  log_.write(LogLevel::kWarning,
             "rolled back " + full_name(to.name, to.version) + " to " + from.version + ": " + why);
  operation.progress("done", full_name(from.name, from.version) + " serves again");
  if (waiting != nullptr && waiting.get() != &operation)
    waiting->finish(
        Error(Code::kRolledBack, full_name(to.name, to.version) + " was rolled back: " + why));
  if (!trouble.empty()) return Error(Code::kStuck, trouble);
  return {};
}

Result<void> ReleaseHandler::do_make_permanent(Operation& operation, const Reason& reason) {
  if (!trial_) {
    const Release* permanent = store_.permanent();
    if (permanent == nullptr) return Error(Code::kUsage, "no release runs here");
    operation.progress("done",
                       full_name(permanent->name, permanent->version) + " is permanent already");
    return {};
  }
  const auto& release = trial_->to.release;
  BATON_TRY(store_.change(release.name, release.version, Action::kMakePermanent, reason));
  end_probation();
  operation.progress("make_permanent", full_name(release.name, release.version));
  trial_->way_back.reset();
  for (const description::Change& change : trial_->plan.changes) services_.settle(change);
  purge_modules(operation, trial_->plan, false);
  auto waiting = trial_->operation;
  trial_.reset();
  if (waiting != nullptr && waiting.get() != &operation) waiting->finish({});
  return {};
}

void ReleaseHandler::purge_modules(Operation& operation, const Plan& plan, bool after_rollback) {
  for (const ModulePlan& module : plan.modules) {
    Result<PurgeReport> purged = PurgeReport{};
    if (module.step == ModuleStep::kTakeOver) {
      purged = loader_.purge(module.name);
    } else if (module.step == (after_rollback ? ModuleStep::kLoad : ModuleStep::kStop)) {
      purged = loader_.remove(module.name);
    } else {
      continue;
    }
    if (!purged.ok()) {
      operation.progress("purge", purged.error().message());
      log_.write(LogLevel::kWarning, purged.error().message());
      continue;
    }
    operation.progress("purge", purged->module + " " + purged->version +
                                    (purged->is_unloaded ? " is unloaded"
                                                         : " stays mapped: " + purged->pinned_by));
  }
}

// ---- Probation

void ReleaseHandler::begin_probation(const description::ReleaseDescription& release,
                                     const InstallOptions& options,
                                     std::shared_ptr<Operation> operation) {
  description::ProbationDescription rules = release.probation;
  if (options.probation) rules.duration = *options.probation;
  operation->progress("probation", full_name(release.name, release.version));
  trial_->operation = std::move(operation);
  const std::uint64_t number = trial_->number;
  std::lock_guard lock(mutex_);
  probation_release_ = full_name(release.name, release.version);
  probation_modules_.clear();
  for (const description::ModuleReference& module : release.modules)
    probation_modules_.push_back(module.name);
  probation_ = std::make_unique<Probation>(
      rules, services_, [this, number](Verdict verdict, const std::string& evidence) {
        post([this, number, verdict, evidence] { act_on_verdict(number, verdict, evidence); });
      });
}

void ReleaseHandler::act_on_verdict(std::uint64_t number, Verdict verdict,
                                    const std::string& evidence) {
  if (!trial_ || trial_->number != number) return;  // decided otherwise meanwhile
  const auto operation = trial_->operation;
  const std::string release = full_name(trial_->to.release.name, trial_->to.release.version);
  log_.write(verdict == Verdict::kPassed ? LogLevel::kInfo : LogLevel::kWarning,
             "probation of " + release + ": " + evidence);
  switch (verdict) {
    case Verdict::kPassed: {
      operation->progress("probation", "passed: " + evidence);
      auto result = do_make_permanent(*operation, {"baton", "probation passed: " + evidence});
      operation->finish(std::move(result));
      return;
    }
    case Verdict::kInconclusive:
      operation->progress("probation", "inconclusive: " + evidence);
      if (trial_->to.release.probation.when_inconclusive == description::WhenInconclusive::kPause)
        return;
      [[fallthrough]];
    case Verdict::kFailed: {
      operation->progress("probation", "failed: " + evidence);
      if (!trial_->rolls_back_by_itself || !trial_->has_from) {
        operation->progress("probation", "no automatic rollback; it is the operator's turn");
        end_probation();
        return;
      }
      auto result = do_rollback(*operation, evidence, true, {"baton", evidence});
      if (result.ok())
        operation->finish(Error(Code::kRolledBack, release + " was rolled back: " + evidence));
      else
        operation->finish(Error(Code::kStuck, result.error().message()));
      return;
    }
  }
}

void ReleaseHandler::end_probation() {
  std::unique_ptr<Probation> ended;
  {
    std::lock_guard lock(mutex_);
    ended = std::move(probation_);
  }
  // Joined without the lock: its threads may be about to post a verdict.
}

void ReleaseHandler::note_crash(const std::string& module, const std::string& what) {
  std::lock_guard lock(mutex_);
  if (!probation_) return;
  if (std::find(probation_modules_.begin(), probation_modules_.end(), module) ==
      probation_modules_.end())
    return;
  probation_->note_crash(what);
}

// ---- Boot, and what is asked by others

Result<void> ReleaseHandler::boot() {
  auto promise = std::make_shared<std::promise<Result<void>>>();
  auto answer = promise->get_future();
  post([this, promise] {
    promise->set_value([&]() -> Result<void> {
      BATON_TRY(store_.collect_garbage());
      if (const Release* current = store_.current()) {
        // It was in probation when the host died: what its processes held in memory is lost.
        log_.write(LogLevel::kError, "the host died while " +
                                         full_name(current->name, current->version) +
                                         " was in probation; the state in memory is lost, and the "
                                         "permanent release is started");
        const std::string name = current->name, version = current->version;
        BATON_TRY(store_.change(name, version, Action::kNodeCrash,
                                {"baton", "found current at the start of the host"}));
      }
      const Release* permanent = store_.permanent();
      if (permanent == nullptr) return {};
      BATON_ASSIGN(const bundle::Manifest manifest,
                   store_.manifest(permanent->name, permanent->version));
      for (const bundle::ManifestModule& module : manifest.modules) {
        BATON_TRY(loader_.stage(manifest, module));
        runtime_.code().make_current(module.name);
      }
      BATON_ASSIGN(const auto changes, description::difference({}, manifest.release));
      BATON_TRY(apply(changes));
      for (const description::Change& change : changes) services_.expose(change);
      log_.write(LogLevel::kInfo, full_name(permanent->name, permanent->version) + " is started");
      return {};
    }());
  });
  return answer.get();
}

std::vector<Release> ReleaseHandler::releases() const {
  std::lock_guard lock(mutex_);
  return releases_;
}

std::optional<ProbationStatus> ReleaseHandler::probation() const {
  std::lock_guard lock(mutex_);
  if (!probation_) return std::nullopt;
  using Milliseconds = std::chrono::duration<double, std::milli>;
  return ProbationStatus{probation_release_, Milliseconds(probation_->elapsed()).count(),
                         Milliseconds(probation_->rules().duration).count()};
}

std::shared_ptr<Operation> ReleaseHandler::operation(std::uint64_t id) const {
  std::lock_guard lock(mutex_);
  const auto found = operations_.find(id);
  return found == operations_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Operation>> ReleaseHandler::operations() const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Operation>> all;
  for (const auto& [id, operation] : operations_) all.push_back(operation);
  return all;
}

}  // namespace baton::release
