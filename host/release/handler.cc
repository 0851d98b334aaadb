#include "release/handler.h"

#include "base/check.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace baton::release {

namespace {

std::string full_name(const std::string& name, const std::string& version) {
  return name + "-" + version;
}

std::string name_of(const bundle::Manifest& manifest) {
  return full_name(manifest.release.name, manifest.release.version);
}

}  // namespace

ReleaseHandler::ReleaseHandler(Parts parts)
    : parts_(std::move(parts)),
      releases_(parts_.store.releases()),
      operations_(
          parts_.clock, {.last_id = parts_.store.last_operation(), .has_thread = parts_.has_thread},
          [this] { look(); }, [this] { after_task(); }) {}

ReleaseHandler::~ReleaseHandler() { shut_down(); }

Upgrade::Parts ReleaseHandler::upgrade_parts() {
  return {parts_.modules, parts_.services, parts_.store, crashes_, parts_.clock, parts_.log};
}

std::string ReleaseHandler::running_name() const {
  if (upgrade_ != nullptr && upgrade_->runs_target()) return upgrade_->to();
  return running_ ? name_of(*running_) : std::string();
}

// ---- Operations

Result<std::shared_ptr<Operation>> ReleaseHandler::begin(std::string kind, std::string target,
                                                         const Reason& reason, Body body) {
  if (reason.why.size() > kWhyBytesMax)
    return Error(Code::kUsage, "a reason of " + std::to_string(reason.why.size()) +
                                   " bytes; give one of at most " + std::to_string(kWhyBytesMax));
  return operations_.begin(
      std::move(kind), std::move(target), reason.who,
      [this, reason, body = std::move(body)](const std::shared_ptr<Operation>& operation) {
        Reason numbered = reason;
        numbered.operation = operation->id;
        Upgrade::Outcome outcome = body(operation, numbered);
        if (outcome && !outcome->ok())
          parts_.log.write(LogLevel::kWarning, operation->kind + " " + operation->target + ": " +
                                                   outcome->error().message());
        return outcome;
      });
}

Result<std::shared_ptr<Operation>> ReleaseHandler::upgrade(const std::string& bundle_file,
                                                           const InstallOptions& options,
                                                           const Reason& reason) {
  return begin(
      "upgrade", bundle_file, reason,
      [this, bundle_file, options](const auto& operation, const Reason& why) -> Upgrade::Outcome {
        const auto release = do_unpack(*operation, bundle_file, why);
        if (!release.ok()) return release.error();
        // By value: the pointer is good until the store changes.
        const std::string name = (*release)->name, version = (*release)->version;
        return do_install(operation, name, version, options, why);
      });
}

Result<std::shared_ptr<Operation>> ReleaseHandler::unpack(const std::string& bundle_file,
                                                          const Reason& reason) {
  return begin("unpack", bundle_file, reason,
               [this, bundle_file](const auto& operation, const Reason& why) -> Upgrade::Outcome {
                 const auto release = do_unpack(*operation, bundle_file, why);
                 if (!release.ok()) return release.error();
                 return Result<void>();
               });
}

Result<std::shared_ptr<Operation>> ReleaseHandler::install(const std::string& name,
                                                           const std::string& version,
                                                           const InstallOptions& options,
                                                           const Reason& reason) {
  return begin("install", full_name(name, version), reason,
               [this, name, version, options](const auto& operation, const Reason& why) {
                 return do_install(operation, name, version, options, why);
               });
}

Result<std::shared_ptr<Operation>> ReleaseHandler::make_permanent(const Reason& reason) {
  return begin("make_permanent", "", reason,
               [this](const auto& operation, const Reason& why) -> Upgrade::Outcome {
                 if (upgrade_ != nullptr) {
                   if (!upgrade_->is_current()) return upgrade_->in_the_way();
                   return upgrade_->make_permanent(operation, why);
                 }
                 if (!running_) return Error(Code::kUsage, "no release runs here");
                 operation->progress("done", running_name() + " is permanent already");
                 return Result<void>();
               });
}

Result<std::shared_ptr<Operation>> ReleaseHandler::rollback(const std::string& version,
                                                            const WayBackOptions& options,
                                                            const Reason& reason) {
  return begin("rollback", version, reason,
               [this, version, options](const auto& operation, const Reason& why) {
                 return do_rollback(operation, version, options, why);
               });
}

Result<std::shared_ptr<Operation>> ReleaseHandler::remove(const std::string& name,
                                                          const std::string& version,
                                                          const Reason& reason) {
  return begin("remove", full_name(name, version), reason,
               [this, name, version](const auto&, const Reason& why) -> Upgrade::Outcome {
                 return do_remove(name, version, why);
               });
}

Result<std::shared_ptr<Operation>> ReleaseHandler::purge(const Reason& reason) {
  return begin("purge", "", reason,
               [this](const auto& operation, const Reason&) -> Upgrade::Outcome {
                 return do_purge(*operation);
               });
}

Result<Plan> ReleaseHandler::plan(const std::string& bundle_file) {
  std::optional<Result<Plan>> answer;
  BATON_TRY(operations_.ask([&] {
    answer = [&]() -> Result<Plan> {
      BATON_ASSIGN(const bundle::TrustedKeys keys, parts_.store.keys().load());
      BATON_ASSIGN(const bundle::Bundle bundle,
                   bundle::Bundle::open(parts_.files, bundle_file, keys));
      const bundle::Manifest* from = upgrade_ != nullptr && upgrade_->runs_target()
                                         ? &upgrade_->to_manifest()
                                     : running_ ? &*running_
                                                : nullptr;
      BATON_ASSIGN(Plan plan, make_plan(from, bundle.manifest()));
      if (auto counted = parts_.modules.count_mail(plan); !counted.ok())
        plan.warnings.push_back("mail is not counted: " + counted.error().message());
      return plan;
    }();
  }));
  return *std::move(answer);
}

// ---- Their bodies

Result<const Release*> ReleaseHandler::do_unpack(Operation& operation,
                                                 const std::string& bundle_file,
                                                 const Reason& reason) {
  if (upgrade_ != nullptr) return upgrade_->in_the_way();
  operation.progress("unpack", bundle_file);
  bundle::Acceptance policy;
  policy.now = parts_.clock.wall();
  policy.host_version = parts_.host_version;
  policy.channels = parts_.channels;
  if (running_) policy.product = running_->release.name;
  BATON_ASSIGN(const Release* release, parts_.store.unpack(bundle_file, policy, reason));
  operation.progress("verify", "signed by " + release->key + ", all files as the manifest says");
  return release;
}

Upgrade::Outcome ReleaseHandler::do_install(const std::shared_ptr<Operation>& operation,
                                            const std::string& name, const std::string& version,
                                            const InstallOptions& options, const Reason& reason,
                                            bool is_way_back) {
  const std::string target = full_name(name, version);
  if (upgrade_ != nullptr && upgrade_->can_go_on() && upgrade_->to() == target)
    return upgrade_->install_on(operation);
  if (upgrade_ != nullptr) return upgrade_->in_the_way();
  const Release* release = parts_.store.find(name, version);
  if (release == nullptr) return no_such_release(target);
  if (running_name() == target) {
    operation->progress("plan", target + " runs already");
    return Result<void>();
  }
  auto to = parts_.store.manifest(name, version);
  if (!to.ok()) return std::move(to).error();
  if (auto in_force = parts_.store.check_in_force(*release, *to); !in_force.ok()) {
    if (!is_way_back) return in_force;
    operation->progress("warning", in_force.error().message());
  }
  auto plan = make_plan(running_ ? &*running_ : nullptr, *to);
  if (!plan.ok()) return std::move(plan).error();
  if (const auto restarts = plan->restarts(); options.requires_hot && !restarts.empty())
    return Error(Code::kRefused, "not without a restart: " + restarts.front());
  const auto mail = options.mail.value_or(to->release.mail);
  for (const Break& broken : plan->breaks) {
    if (mail == description::MailPolicy::kRefuse)
      return Error(Code::kRefused,
                   plan->from + " -> " + plan->to + ": " + broken.describe() +
                       "; or say --mail drop or --mail deliver (mail: in the release) for what is "
                       "sent so; baton plan shows all such");
    operation->progress("warning", broken.describe());
  }
  operation->progress(
      "plan", plan->from.empty() ? "first release of this host" : plan->from + " -> " + plan->to);
  for (const std::string& warning : plan->warnings) operation->progress("warning", warning);
  upgrade_ = std::make_unique<Upgrade>(upgrade_parts(), *std::move(plan), running_, *std::move(to),
                                       options, reason);
  return upgrade_->install(operation);
}

Upgrade::Outcome ReleaseHandler::do_rollback(const std::shared_ptr<Operation>& operation,
                                             const std::string& version,
                                             const WayBackOptions& accepted, const Reason& reason) {
  if (upgrade_ != nullptr) {
    if (upgrade_->is_one_way())
      return Error(Code::kRefused, upgrade_->to() + " has no way back: its states do not fit " +
                                       upgrade_->from() + ", as the operation's warnings say");
    if (!upgrade_->has_way_back())
      return Error(Code::kUsage, upgrade_->to() +
                                     " is the first release of this host: there is none to go "
                                     "back to");
    // A name has no dash, so that NAME-VERSION splits one way only.
    const std::string& from = upgrade_->from();
    if (!version.empty() && from.substr(from.find('-') + 1) != version)
      return Error(Code::kUsage, "while " + upgrade_->to() + " is new the way back leads to " +
                                     (from.empty() ? "no release" : from + " only") +
                                     "; say baton rollback without a version");
    return upgrade_->go_back(operation, accepted, reason);
  }
  const auto target = way_back_target(version);
  if (!target.ok()) return target.error();
  InstallOptions options;
  options.accepts_loss = accepted.accepts_loss;
  options.mail = accepted.mail;
  options.stuck = takeover::StuckPolicy::kAbandon;
  options.has_probation = false;
  const std::string name = (*target)->name, to = (*target)->version;
  return do_install(operation, name, to, options, reason, true);
}

Result<const Release*> ReleaseHandler::way_back_target(const std::string& version) const {
  if (!running_) return Error(Code::kUsage, "no release runs here");
  const Release* target = nullptr;
  for (const Release& release : parts_.store.releases())
    if (version.empty() ? release.status == Status::kOld : release.version == version)
      target = &release;
  if (target == nullptr)
    return version.empty()
               ? Error(Code::kNotFound,
                       "there is no old release to go back to; baton release list shows those "
                       "that are here")
               : no_such_release(version);
  const Action last = parts_.store.last_action();
  const bool went_back = last == Action::kFailProbation || last == Action::kNodeCrash;
  if (version.empty() && went_back)
    return Error(Code::kUsage, "the last release was rolled back already, and " + running_name() +
                                   " runs; to leave that for " +
                                   full_name(target->name, target->version) +
                                   ", say so: baton rollback " + target->version);
  return target;
}

Result<void> ReleaseHandler::do_remove(const std::string& name, const std::string& version,
                                       const Reason& reason) {
  const std::string target = full_name(name, version);
  if (upgrade_ != nullptr && (target == upgrade_->to() || target == upgrade_->from()))
    return upgrade_->in_the_way();
  return parts_.store.remove(name, version, reason);
}

Result<void> ReleaseHandler::do_purge(Operation& operation) {
  if (upgrade_ != nullptr) return upgrade_->in_the_way();
  parts_.modules.unload_pinned();
  Result<void> first;
  for (const Modules::Left& left : parts_.modules.left()) {
    auto purged = left.is_old ? parts_.modules.purge(left.module, kPurgePatience)
                              : parts_.modules.remove(left.module, kPurgePatience);
    operation.progress("purge", purged.ok() ? purged->text() : purged.error().message());
    if (!purged.ok() && first.ok()) first = std::move(purged).error();
  }
  return first;
}

// ---- The upgrade that is open

void ReleaseHandler::look() {
  std::vector<std::pair<std::size_t, Result<void>>> checks;
  {
    std::lock_guard lock(mutex_);
    checks.swap(checks_);
    std::ranges::move(std::exchange(new_ends_, {}), std::back_inserter(ends_));
  }
  forget_mended_ends();
  if (upgrade_ == nullptr) {
    purge_what_lingers();
  } else {
    for (const auto& [number, answer] : checks) upgrade_->note_check(number, answer);
    for (const End& end : ends_) upgrade_->note_end(end.text);
    upgrade_->look();
  }
}

void ReleaseHandler::forget_mended_ends() {
  std::erase_if(ends_,
                [this](const End& end) { return !parts_.services.is_missing(end.application); });
}

// An application ended that ends the host by its type: an upgrade that is open and can still be
// undone is undone first, and where that helps the host goes on.
void ReleaseHandler::act_on_ends() {
  if (upgrade_ != nullptr && upgrade_->is_undoing_itself()) return;
  forget_mended_ends();
  if (!ends_.empty()) parts_.end_host(ends_.front().text);
  ends_.clear();
}

void ReleaseHandler::purge_what_lingers() {
  if (parts_.clock.monotonic() < purge_at_) return;
  parts_.modules.unload_pinned();
  for (const Modules::Left& left : parts_.modules.left()) {
    const auto purged = left.is_old ? parts_.modules.purge(left.module, {})
                                    : parts_.modules.remove(left.module, {});
    if (purged.ok())
      parts_.log.write(LogLevel::kInfo, purged->module + " " + purged->version + " is purged");
  }
  purge_at_ = parts_.clock.monotonic() + kPurgeInterval;
}

void ReleaseHandler::after_task() {
  std::vector<Upgrade::Answer> answers;
  std::optional<std::chrono::nanoseconds> next;
  std::optional<UpgradeStatus> status;
  // Ends last: a check may be under way, and nobody is to wait for that.
  std::unique_ptr<HealthWatch> ended;
  if (upgrade_ != nullptr) {
    answers = upgrade_->take_answers();
    if (upgrade_->is_over()) {
      ended = std::move(watch_);
      if (upgrade_->runs_target()) running_ = upgrade_->to_manifest();
      upgrade_.reset();
    }
  }
  if (upgrade_ != nullptr) {
    status = upgrade_->status();
    next = upgrade_->next_look();
    const bool is_watched = upgrade_->is_current() && status->heading == Heading::kNone;
    if (!is_watched) {
      ended = std::move(watch_);
    } else if (watch_ == nullptr) {
      {
        std::lock_guard lock(mutex_);
        checks_.clear();  // of an earlier upgrade
      }
      watch_ =
          HealthWatch::start(upgrade_->to_manifest().release.probation.health, parts_.services,
                             parts_.clock, [this](std::size_t number, const Result<void>& answer) {
                               {
                                 std::lock_guard lock(mutex_);
                                 checks_.emplace_back(number, answer);
                               }
                               operations_.wake();
                             });
      if (watch_ == nullptr) {
        parts_.log.write(LogLevel::kWarning,
                         "the system has no thread for the checks of the probation; it is asked "
                         "again every second");
        const auto again = parts_.clock.monotonic() + kRetryInterval;
        next = next ? std::min(*next, again) : again;
      }
    }
  } else if (parts_.modules.has_pinned() || !parts_.modules.left().empty()) {
    next = std::max(purge_at_, parts_.clock.monotonic());
  }
  operations_.wake_at(next);
  {
    std::lock_guard lock(mutex_);
    releases_ = parts_.store.releases();
    running_copy_ = running_name();
    upgrade_copy_ = std::move(status);
  }
  for (Upgrade::Answer& answer : answers) {
    if (!answer.result.ok())
      parts_.log.write(LogLevel::kWarning, answer.operation->kind + " " + answer.operation->target +
                                               ": " + answer.result.error().message());
    answer.operation->finish(std::move(answer.result));
  }
  act_on_ends();
}

void ReleaseHandler::note_crash(const std::string& module, const std::string& what) {
  crashes_.note({parts_.clock.monotonic(), module, what});
  operations_.wake();
}

void ReleaseHandler::note_end(const std::string& application, const std::string& reason) {
  {
    std::lock_guard lock(mutex_);
    new_ends_.push_back({application, "application " + application + " ended: " + reason});
  }
  operations_.wake();
}

// ---- Boot, stop, and what is asked by others

Result<void> ReleaseHandler::boot() {
  Result<void> booted;
  BATON_TRY(operations_.ask([&] { booted = do_boot(); }));
  return booted;
}

Result<void> ReleaseHandler::do_boot() {
  if (const std::uint64_t cut = parts_.store.journal().cut(); cut > 0)
    parts_.log.write(LogLevel::kWarning,
                     "the journal ended in a torn record of " + std::to_string(cut) +
                         " bytes, which was cut off: the host died while it wrote it");
  if (auto collected = parts_.store.collect_garbage(); !collected.ok())
    parts_.log.write(LogLevel::kWarning, collected.error().message());
  for (const Release& release : parts_.store.releases())
    if (!release.damage.empty())
      parts_.log.write(LogLevel::kError,
                       full_name(release.name, release.version) + " is damaged: " + release.damage);
  const Release* permanent = parts_.store.permanent();
  if (const Release* current = parts_.store.current()) {
    // It was in probation when the host died: what its processes held in memory is lost.
    parts_.log.write(LogLevel::kError, "the host died while " +
                                           full_name(current->name, current->version) +
                                           " was in probation; the state in memory is lost, and "
                                           "the permanent release is started");
    upgrade_ = Upgrade::found_at_start(
        upgrade_parts(), *current,
        permanent != nullptr ? full_name(permanent->name, permanent->version) : std::string());
    upgrade_->look();
    // A record that finds no room is tried again; the host serves meanwhile.
    if (!upgrade_->is_over())
      parts_.log.write(LogLevel::kError, "not recorded yet: " + upgrade_->status().trouble);
    permanent = parts_.store.permanent();
  }
  if (permanent == nullptr) return {};
  BATON_ASSIGN(bundle::Manifest manifest,
               parts_.store.manifest(permanent->name, permanent->version));
  // A host that must not stop starts all the same.
  if (auto in_force = parts_.store.check_in_force(*permanent, manifest); !in_force.ok())
    parts_.log.write(LogLevel::kError,
                     "started although it should be replaced: " + in_force.error().message());
  BATON_TRY(start(manifest));
  running_ = std::move(manifest);
  parts_.log.write(LogLevel::kInfo, running_name() + " is started");
  return {};
}

// The permanent release starts by the plan of an upgrade from nothing; on failure the host ends.
Result<void> ReleaseHandler::start(const bundle::Manifest& manifest) {
  BATON_ASSIGN(const Plan plan, make_plan(nullptr, manifest));
  BATON_TRY(parts_.modules.stage(plan, manifest));
  BATON_TRY(parts_.modules.take_over(plan, {}, [] {}));
  for (const description::Change& change : plan.changes) BATON_TRY(parts_.services.apply(change));
  for (const description::Change& change : plan.changes) parts_.services.expose(change);
  return {};
}

void ReleaseHandler::shut_down() {
  operations_.stop([this] {
    watch_.reset();
    parts_.services.stop();
    if (upgrade_ != nullptr) upgrade_->stop();
    after_task();
  });
}

std::vector<Release> ReleaseHandler::releases() const {
  std::lock_guard lock(mutex_);
  return releases_;
}

std::string ReleaseHandler::running() const {
  std::lock_guard lock(mutex_);
  return running_copy_;
}

std::optional<UpgradeStatus> ReleaseHandler::upgrade() const {
  std::lock_guard lock(mutex_);
  return upgrade_copy_;
}

}  // namespace baton::release
