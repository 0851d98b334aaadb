#include "release/upgrade.h"

#include "base/check.h"

#include <algorithm>
#include <utility>

namespace baton::release {

namespace {

using State = UpgradeState;
using takeover::TakeoverReport;

constexpr const char* kStateNames[] = {"planned",  "staged",  "announced", "taken_over",
                                       "served",   "current", "permanent", "returned",
                                       "reverted", "aborted", "undone"};
constexpr const char* kHeadingNames[] = {"forward", "none", "permanent", "back"};

std::string milliseconds(std::uint64_t us) {
  const std::uint64_t hundredths = us / 10;
  std::string fraction = std::to_string(hundredths % 100);
  if (fraction.size() < 2) fraction.insert(0, "0");
  return std::to_string(hundredths / 100) + "." + fraction + " ms";
}

// What became of those that were stuck, and of the mail that waited; empty where nothing changed.
std::string rest_of(const TakeoverReport& report) {
  std::string text;
  const auto add = [&](std::uint64_t count, const char* what) {
    if (count != 0) text += "; " + std::to_string(count) + what;
  };
  add(report.abandoned, " ended with their states, as their callbacks did not return");
  add(report.left_behind, " left on the old version");
  add(report.mail_moved, " messages converted");
  add(report.mail_dropped, " messages dropped");
  add(report.mail_delivered, " messages delivered though they have no form here");
  return text;
}

std::string name_of(const description::ReleaseDescription& release) {
  return release.name + "-" + release.version;
}

takeover::StuckMail stuck_mail(description::MailPolicy policy) {
  switch (policy) {
    case description::MailPolicy::kRefuse: return takeover::StuckMail::kRefuse;
    case description::MailPolicy::kDrop: return takeover::StuckMail::kDrop;
    case description::MailPolicy::kDeliver: return takeover::StuckMail::kDeliver;
  }
  BATON_CHECK(false, "a MailPolicy without a meaning");
  return takeover::StuckMail::kRefuse;
}

bool takes_over(const Plan& plan) {
  return std::any_of(plan.modules.begin(), plan.modules.end(),
                     [](const ModulePlan& module) { return module.step == ModuleStep::kTakeOver; });
}

}  // namespace

const char* upgrade_state_name(UpgradeState state) { return kStateNames[static_cast<int>(state)]; }
const char* heading_name(Heading heading) { return kHeadingNames[static_cast<int>(heading)]; }

// The table of the header.
const Upgrade::Step Upgrade::kSteps[] = {
    {State::kPlanned, Heading::kForward, State::kStaged, &Upgrade::stage, "load"},
    {State::kStaged, Heading::kForward, State::kAnnounced, &Upgrade::announce, "journal"},
    {State::kAnnounced, Heading::kForward, State::kTakenOver, &Upgrade::take_over, "take over"},
    {State::kTakenOver, Heading::kForward, State::kServed, &Upgrade::serve, "services"},
    {State::kServed, Heading::kForward, State::kCurrent, &Upgrade::record_current, "journal"},
    {State::kCurrent, Heading::kPermanent, State::kPermanent, &Upgrade::record_permanent,
     "journal"},
    {State::kPlanned, Heading::kBack, State::kAborted, &Upgrade::do_nothing, "abort"},
    {State::kStaged, Heading::kBack, State::kPlanned, &Upgrade::unstage, "unload"},
    {State::kAnnounced, Heading::kBack, State::kStaged, &Upgrade::withdraw, "journal"},
    {State::kTakenOver, Heading::kBack, State::kReturned, &Upgrade::take_back, "roll back"},
    {State::kServed, Heading::kBack, State::kReturned, &Upgrade::take_back, "roll back"},
    {State::kCurrent, Heading::kBack, State::kReturned, &Upgrade::take_back, "roll back"},
    {State::kReturned, Heading::kBack, State::kReverted, &Upgrade::revert, "services"},
    {State::kReverted, Heading::kBack, State::kUndone, &Upgrade::record_undone, "journal"},
};

Upgrade::Upgrade(const Parts& parts, Plan plan, std::optional<bundle::Manifest> from,
                 bundle::Manifest to, const InstallOptions& options, Reason reason)
    : parts_(parts),
      plan_(std::move(plan)),
      from_(std::move(from)),
      to_(std::move(to)),
      options_(options),
      from_name_(from_ ? name_of(from_->release) : std::string()),
      to_name_(name_of(to_.release)),
      release_name_(to_.release.name),
      version_(to_.release.version),
      reason_(std::move(reason)) {}

std::unique_ptr<Upgrade> Upgrade::found_at_start(const Parts& parts, const Release& died,
                                                 const std::string& from) {
  bundle::Manifest to;
  to.release.name = died.name;
  to.release.version = died.version;
  auto upgrade =
      std::make_unique<Upgrade>(parts, Plan{}, std::nullopt, std::move(to), InstallOptions{},
                                Reason{"baton", "found current at the start of the host"});
  upgrade->from_name_ = from;
  upgrade->state_ = State::kReverted;
  upgrade->heading_ = Heading::kBack;
  upgrade->undone_action_ = Action::kNodeCrash;
  upgrade->was_current_ = true;
  upgrade->retry_at_ = parts.clock.monotonic();
  return upgrade;
}

// ---- The walk

Result<void> Upgrade::walk() {
  for (;;) {
    const Step* step = std::find_if(std::begin(kSteps), std::end(kSteps), [this](const Step& row) {
      return row.state == state_ && row.heading == heading_;
    });
    if (step == std::end(kSteps)) break;
    if (Result<void> done = (this->*step->act)(); !done.ok()) {
      ++tries_;
      Error error = std::move(done).error().within(step->name);
      trouble_ = error.message();
      return error;
    }
    state_ = step->next;
    tries_ = 0;
    trouble_.clear();
    retry_at_.reset();
  }
  if (is_over()) settle();
  return {};
}

void Upgrade::turn(Heading heading) {
  heading_ = heading;
  tries_ = 0;
}

Result<void> Upgrade::stage() {
  for (const ModulePlan& module : plan_.modules)
    if (module.step == ModuleStep::kLoad || module.step == ModuleStep::kTakeOver)
      say("load", module.name + " " + module.to_version);
  return parts_.modules.stage(plan_, to_);
}

Result<void> Upgrade::unstage() {
  parts_.modules.unstage(plan_);
  return {};
}

Result<void> Upgrade::announce() {
  BATON_TRY(parts_.store.keep_room());
  JournalRecord intent;
  intent.set("from", from_name_).set("to", to_name_);
  if (reason_.operation != 0) intent.set("operation", std::to_string(reason_.operation));
  return parts_.store.note("take_over", std::move(intent));
}

// Says how the announced take-over ended. Without it the journal tells no lie: an intent alone
// changes no status.
Result<void> Upgrade::withdraw() {
  JournalRecord outcome;
  outcome.set("from", from_name_).set("to", to_name_).set("outcome", "aborted");
  if (auto noted = parts_.store.note("abort", std::move(outcome), Room::kKept); !noted.ok())
    parts_.log.write(LogLevel::kWarning, noted.error().message());
  return {};
}

Result<void> Upgrade::take_over() {
  takeover::TakeoverOptions how;
  how.budget = options_.budget;
  how.accepts_loss = options_.accepts_loss;
  how.stuck_mail = stuck_mail(options_.mail.value_or(to_.release.mail));
  how.stuck = options_.stuck;
  std::chrono::nanoseconds taken_over{0};
  parts_.modules.watch();
  auto report = parts_.modules.take_over(plan_, how, [&] { taken_over = now(); });
  if (!report.ok()) {
    say("abort", report.error().message());
    return std::move(report).error().within(from_name_ + " -> " + to_name_);
  }
  // From the flip on: a crash right after it counts, and none of the version that is left.
  probation_.emplace(to_.release, options_.probation.value_or(to_.release.probation.duration),
                     taken_over, parts_.modules.samples(plan_));
  if (!takes_over(plan_)) return {};
  if (speaking_to_ != nullptr) speaking_to_->set_report(*report);
  say("take_over",
      std::to_string(report->migrated) + " processes migrated, " + std::to_string(report->adopted) +
          " adopted, pause " + milliseconds(report->pause_us) + " (drain " +
          milliseconds(report->drain_us) + ", prepare " + milliseconds(report->prepare_us) +
          ", commit " + milliseconds(report->commit_us) + ")" + rest_of(*report));
  return {};
}

Result<void> Upgrade::serve() {
  for (; applied_ < plan_.changes.size(); ++applied_) {
    const description::Change& change = plan_.changes[applied_];
    if (auto applied = parts_.services.apply(change); !applied.ok())
      return std::move(applied).error().within(change.text());
  }
  return {};
}

Result<void> Upgrade::record_current() {
  BATON_TRY(parts_.store.change(release_name_, version_, Action::kInstall, reason_, Room::kKept));
  was_current_ = true;
  for (const description::Change& change : plan_.changes) parts_.services.expose(change);
  say("commit", to_name_ + " is current");
  return {};
}

Result<void> Upgrade::record_permanent() {
  BATON_TRY(
      parts_.store.change(release_name_, version_, Action::kMakePermanent, reason_, Room::kKept));
  say("make_permanent", to_name_);
  return {};
}

Result<void> Upgrade::take_back() {
  takeover::TakeoverOptions how;
  how.accepts_loss = way_back_.accepts_loss;
  how.stuck_mail = stuck_mail(way_back_.mail.value_or(to_.release.mail));
  how.stuck = takeover::StuckPolicy::kAbandon;  // the way back waits for nobody
  BATON_ASSIGN(const TakeoverReport report, parts_.modules.take_back(plan_, how));
  if (!takes_over(plan_)) return {};
  if (speaking_to_ != nullptr) speaking_to_->set_report(report);
  say("roll_back", std::to_string(report.migrated) + " processes back, pause " +
                       milliseconds(report.pause_us) + rest_of(report));
  return {};
}

Result<void> Upgrade::revert() {
  for (; applied_ > 0; --applied_) {
    const description::Change& change = plan_.changes[applied_ - 1];
    if (auto reverted = parts_.services.revert(change); !reverted.ok())
      return std::move(reverted).error().within("taking back: " + change.text());
  }
  return parts_.services.start_ended();
}

Result<void> Upgrade::record_undone() {
  if (!was_current_) return withdraw();
  BATON_TRY(parts_.store.change(release_name_, version_, undone_action_, reason_, Room::kKept));
  if (undone_action_ == Action::kFailProbation && !from_name_.empty())
    say("done", from_name_ + " serves again");
  return {};
}

// What remains after the end, and cannot change it.
void Upgrade::settle() {
  parts_.store.give_up_room();
  parts_.modules.give_up_way_back();
  if (state_ == State::kPermanent)
    for (const description::Change& change : plan_.changes) parts_.services.settle(change);
  if (state_ != State::kAborted) purge();
}

void Upgrade::purge() {
  for (const ModulePlan& module : plan_.modules) {
    Result<PurgeReport> purged = PurgeReport{};
    if (module.step == ModuleStep::kTakeOver) {
      purged = parts_.modules.purge(module.name, kPurgePatience);
    } else if (module.step ==
               (state_ == State::kPermanent ? ModuleStep::kStop : ModuleStep::kLoad)) {
      purged = parts_.modules.remove(module.name, kPurgePatience);
    } else {
      continue;
    }
    if (!purged.ok()) {
      say("purge", purged.error().message());
      parts_.log.write(LogLevel::kWarning, purged.error().message());
      continue;
    }
    say("purge", purged->text());
  }
}

// ---- What is asked of it

Upgrade::Outcome Upgrade::install(const std::shared_ptr<Operation>& operation) {
  BATON_CHECK(state_ == State::kPlanned && heading_ == Heading::kForward);
  speaking_to_ = operation;
  if (Result<void> done = walk(); !done.ok()) {
    if (can_go_on() && is_one_way()) {
      waiting_.push_back({operation, std::nullopt});
      try_later(done.error());
      return std::nullopt;
    }
    const bool took_effect = runs_target();
    Error failure = took_effect ? Error(Code::kRolledBack,
                                        done.error().message() + "; " + to_name_ + " was undone")
                                : std::move(done).error();
    // What was taken over this moment goes back whatever it costs.
    turn(Heading::kBack);
    way_back_ = {true, description::MailPolicy::kDrop};
    waiting_.push_back({operation, std::move(failure)});
    go_on();
    return std::nullopt;
  }
  waiting_.push_back({operation, std::nullopt});
  arrive();
  return std::nullopt;
}

Upgrade::Outcome Upgrade::install_on(const std::shared_ptr<Operation>& operation) {
  BATON_CHECK(can_go_on());
  speaking_to_ = operation;
  turn(Heading::kForward);
  waiting_.push_back({operation, std::nullopt});
  go_on();
  return std::nullopt;
}

void Upgrade::arrive() {
  BATON_CHECK(is_current());
  if (options_.has_probation) say("probation", to_name_);
  // After it is said: nobody who reads the times sees a probation that is too short.
  probation_->begin(now());
  if (options_.has_probation) {
    turn(Heading::kNone);
    look();
  } else {
    turn(Heading::kPermanent);
    go_on();
  }
}

Upgrade::Outcome Upgrade::make_permanent(const std::shared_ptr<Operation>& operation,
                                         const Reason& reason) {
  BATON_CHECK(is_current());
  speaking_to_ = operation;
  const Heading before = std::exchange(heading_, Heading::kPermanent);
  const Reason before_reason = std::exchange(reason_, reason);
  if (Result<void> done = walk(); !done.ok()) {
    heading_ = before;
    reason_ = before_reason;
    return done;
  }
  answer_all(nullptr);
  return Result<void>();
}

Upgrade::Outcome Upgrade::go_back(const std::shared_ptr<Operation>& operation,
                                  const WayBackOptions& options, const Reason& reason) {
  BATON_CHECK(has_way_back());
  speaking_to_ = operation;
  const Heading before = heading_;
  turn(Heading::kBack);
  const WayBackOptions before_options = way_back_;
  way_back_.accepts_loss = way_back_.accepts_loss || options.accepts_loss;
  if (options.mail) way_back_.mail = options.mail;
  const Reason before_reason = std::exchange(reason_, reason);
  const State was = state_;
  Result<void> done = walk();
  if (!done.ok() && was == State::kCurrent && is_current()) {
    // Nothing has moved: it goes on as before.
    heading_ = before;
    way_back_ = before_options;
    reason_ = before_reason;
    return Result<void>(std::move(done).error().within("roll back to " + from_name_));
  }
  tell_if_undone(rolled_back("by operator: " + reason.why));
  waiting_.push_back({operation, Result<void>()});
  if (done.ok())
    answer_all(nullptr);
  else
    try_later(done.error());
  return std::nullopt;
}

void Upgrade::go_on() {
  if (!is_over()) {
    if (Result<void> done = walk(); !done.ok()) return try_later(done.error());
    if (heading_ == Heading::kForward) return arrive();
  }
  if (is_over()) answer_all(nullptr);
}

void Upgrade::try_later(const Error& error) {
  const bool is_record = state_ == State::kReverted || heading_ == Heading::kPermanent;
  if (is_record || (tries_ < kTriesMax && error.code() != Code::kRefused)) {
    if (tries_ == 1) say("retry", error.message() + "; it is tried again every second");
    retry_at_ = now() + kRetryInterval;
    return;
  }
  retry_at_.reset();
  if (heading_ == Heading::kForward) return pause(Error(Code::kStuck, in_the_way().message()));
  // One that is current runs on as it is; one that is on its way back is stuck there.
  if (is_current()) turn(Heading::kNone);
  pause(Error(Code::kStuck, to_name_ + " could not be rolled back: " + error.message()));
}

void Upgrade::look() {
  if (is_over()) return;
  speaking_to_ = waiting_.empty() ? nullptr : waiting_.back().operation;
  if (heading_ != Heading::kNone) {
    if (retry_at_ && now() >= *retry_at_) go_on();
    return;
  }
  if (is_decided_) return;
  const auto judgement = probation_->judge(now(), parts_.crashes, parts_.modules.samples(plan_));
  if (judgement) act_on(*judgement);
}

void Upgrade::act_on(const Judgement& judgement) {
  const std::string verdict =
      std::string(verdict_name(judgement.verdict)) + ": " + judgement.evidence;
  const bool is_new = verdict_.substr(0, verdict_.find(':')) != verdict_name(judgement.verdict);
  verdict_ = verdict;
  if (is_new) {
    say("probation", verdict);
    parts_.log.write(judgement.verdict == Verdict::kPassed ? LogLevel::kInfo : LogLevel::kWarning,
                     "probation of " + to_name_ + ": " + verdict);
  }
  switch (judgement.verdict) {
    case Verdict::kPassed:
      reason_ = {"baton", "probation passed: " + judgement.evidence, reason_.operation};
      turn(Heading::kPermanent);
      return go_on();
    case Verdict::kInconclusive:
      if (probation_->rules().when_inconclusive == description::WhenInconclusive::kPause) return;
      break;
    case Verdict::kFailed: break;
  }
  is_decided_ = true;
  if (!options_.rolls_back_by_itself || !has_way_back())
    // Those who wait hear of what the operator decides.
    return say("probation", "no automatic rollback; it is the operator's turn");
  reason_ = {"baton", judgement.evidence, reason_.operation};
  tell_if_undone(rolled_back(judgement.evidence));
  way_back_.accepts_loss = to_.release.probation.accept_loss;
  turn(Heading::kBack);
  go_on();
}

void Upgrade::pause(const Error& why) {
  say("probation", why.message());
  parts_.log.write(LogLevel::kError, why.message());
  const Result<void> result(why);
  answer_all(&result);
}

void Upgrade::answer_all(const Result<void>* result) {
  const bool is_undone = state_ == State::kUndone || state_ == State::kAborted;
  for (Waiting& waiting : waiting_) {
    BATON_CHECK(!is_undone || waiting.if_undone, "nobody said why it was undone");
    answers_.push_back({std::move(waiting.operation), result != nullptr ? *result
                                                      : is_undone ? *std::move(waiting.if_undone)
                                                                  : Result<void>()});
  }
  waiting_.clear();
  speaking_to_ = nullptr;
}

void Upgrade::tell_if_undone(const Error& why) {
  for (Waiting& waiting : waiting_)
    if (!waiting.if_undone) waiting.if_undone = why;
}

Error Upgrade::rolled_back(const std::string& why) const {
  return Error(Code::kRolledBack, to_name_ + " was rolled back: " + why);
}

void Upgrade::stop() {
  if (is_over()) return;
  if (was_current_) {
    if (runs_target()) {
      undone_action_ = Action::kNodeStop;
      reason_ = {"baton", "the host stopped during probation", 0};
    }
    const Result<void> recorded = record_undone();
    if (!recorded.ok()) parts_.log.write(LogLevel::kError, recorded.error().message());
  }
  const Result<void> stopping(Error(Code::kUnreachable, "the host is stopping"));
  answer_all(&stopping);
}

void Upgrade::note_check(std::size_t number, const Result<void>& answer) {
  if (probation_) probation_->note_check(number, answer);
}

void Upgrade::note_end(const std::string& what) {
  if (probation_) probation_->note_end(what);
}

// ---- What it says of itself

bool Upgrade::is_over() const {
  return state_ == State::kPermanent || state_ == State::kAborted || state_ == State::kUndone;
}

bool Upgrade::has_way_back() const {
  return heading_ == Heading::kBack || (is_current() && !from_name_.empty() && !is_one_way());
}

bool Upgrade::is_undoing_itself() const {
  if (is_over() || from_name_.empty() || is_one_way()) return false;
  if (heading_ == Heading::kBack) return retry_at_.has_value();
  return !is_decided_ && options_.rolls_back_by_itself;
}

bool Upgrade::runs_target() const {
  return state_ == State::kTakenOver || state_ == State::kServed || state_ == State::kCurrent ||
         state_ == State::kPermanent;
}

std::optional<std::chrono::nanoseconds> Upgrade::next_look() const {
  if (is_over()) return std::nullopt;
  if (heading_ != Heading::kNone) return retry_at_;
  if (is_decided_) return std::nullopt;
  const auto end = probation_->start() + probation_->duration();
  // Past its end, when it is inconclusive, the samples are looked at once in a while.
  return now() < end ? end : now() + kRetryInterval;
}

UpgradeStatus Upgrade::status() const {
  UpgradeStatus status;
  status.from = from_name_;
  status.to = to_name_;
  status.state = state_;
  status.heading = heading_;
  if (is_current() && probation_) {
    status.elapsed = now() - probation_->start();
    status.duration = probation_->duration();
  }
  status.verdict = verdict_;
  status.trouble = trouble_;
  return status;
}

Error Upgrade::in_the_way() const {
  if (heading_ == Heading::kBack)
    return Error(Code::kBusy, to_name_ + " is on its way back and " + upgrade_state_name(state_) +
                                  (trouble_.empty() ? "" : "; " + trouble_) +
                                  "; try it again with: baton rollback");
  if (can_go_on())
    return Error(Code::kBusy, to_name_ + " is " + upgrade_state_name(state_) +
                                  " and has no way back; " + trouble_ +
                                  "; when that is mended go on with: baton release install " +
                                  release_name_ + " " + version_);
  const std::string state = verdict_.empty() ? "in probation" : "in probation and " + verdict_;
  return Error(Code::kBusy, "release " + to_name_ + " is " + state +
                                "; make it permanent or roll it back first");
}

void Upgrade::say(const std::string& phase, const std::string& text) {
  if (speaking_to_ != nullptr) speaking_to_->progress(phase, text);
}

}  // namespace baton::release
