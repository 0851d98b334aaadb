// Upgrade: one change from the release that runs to another, from its plan to its end.
//
// The state says how far it is; the heading, where it is going. The table is walked one step at a
// time, and a step either is done whole or has not happened:
//
//   state        heading     step           what is done                          next
//   planned      forward     stage          new versions are loaded beside        staged
//   staged       forward     announce       journal: intent, and room is kept     announced
//   announced    forward     take over      processes move; watched from here     taken_over
//   taken_over   forward     serve          the plan's changes, one by one        served
//   served       forward     record         journal: current; new is exposed      current
//   current      permanent   make_permanent journal: permanent                    permanent
//   permanent    -           settle         what was set aside ends, old versions are purged
//
//   planned      back        -                                                    aborted
//   staged       back        unstage        new versions are unloaded             planned
//   announced    back        withdraw       journal: aborted                      staged
//   taken_over   back        take back      processes return                      returned
//   served       back        take back      the same                              returned
//   current      back        take back      the same                              returned
//   returned     back        revert         the changes done, in reverse          reverted
//   reverted     back        record         journal: failed or aborted            undone
//   undone       -           settle         new versions are purged
//
// A failure of a step forward turns the heading back, but for one that has no way back
// (`one_way`) once it is taken over: that goes on forward. Of the steps back, `record` is tried
// again for ever; the others, and those of one that can only go forward, some times by themselves
// and then whenever an operator asks; until then both versions stay loaded and every process is on
// one of them. A release that is current has no
// heading while it is in probation: its verdict gives it one, or an operator does; where such a
// step cannot be done, nothing has changed and it goes on as before.
//
// This is the only state of an upgrade: guards ask it, status shows it, and the journal says what a
// host that dies would have to know: until `current` is followed by `permanent`, it boots the
// release before.
//
// Ownership: owned by the release handler; borrows its parts.
// Threads:   the release handler's.
// See: release/plan.h, release/modules.h, release/services.h, release/probation.h.
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "release/crash_log.h"
#include "release/modules.h"
#include "release/operation.h"
#include "release/plan.h"
#include "release/probation.h"
#include "release/services.h"
#include "release/store.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace baton::release {

/// Between two tries of a step back, or of the record that makes a release permanent.
inline constexpr std::chrono::seconds kRetryInterval{1};
/// Tries of a step back that the host makes by itself; later ones are an operator's.
inline constexpr int kTriesMax = 5;
/// How long processes that are killed by a purge get to end.
inline constexpr std::chrono::milliseconds kPurgePatience{5000};

struct InstallOptions {
  std::optional<std::chrono::nanoseconds> probation;  // else what the release says
  bool has_probation = true;                          // false: permanent at once
  bool rolls_back_by_itself = true;
  bool accepts_loss = false;
  takeover::StuckPolicy stuck = takeover::StuckPolicy::kRefuse;
  bool requires_hot = false;  // refuse if any process would have to be restarted
  std::optional<description::MailPolicy> mail{};  // else what the release says
  std::chrono::milliseconds budget{5000};
};

struct WayBackOptions {
  bool accepts_loss = false;
  std::optional<description::MailPolicy> mail{};  // else what the release that is left says
};

enum class UpgradeState {
  kPlanned,
  kStaged,
  kAnnounced,
  kTakenOver,
  kServed,
  kCurrent,
  kPermanent,
  kReturned,
  kReverted,
  kAborted,
  kUndone,
};
const char* upgrade_state_name(UpgradeState state);

enum class Heading { kForward, kNone, kPermanent, kBack };
const char* heading_name(Heading heading);

struct UpgradeStatus {
  std::string from;  // NAME-VERSION; empty: nothing ran before
  std::string to;
  UpgradeState state = UpgradeState::kPlanned;
  Heading heading = Heading::kForward;
  std::chrono::nanoseconds elapsed{0};   // of the probation; 0 before it
  std::chrono::nanoseconds duration{0};  // of the probation
  std::string verdict;                   // "failed: ...", once there is one
  std::string trouble;  // why the next step could not be done; empty: it was not tried
};

class Upgrade {
 public:
  struct Parts {
    Modules& modules;
    Services& services;
    ReleaseStore& store;
    const CrashLog& crashes;
    const Clock& clock;
    Log& log;
  };

  /// `from` is empty where nothing runs yet.
  Upgrade(const Parts& parts, Plan plan, std::optional<bundle::Manifest> from, bundle::Manifest to,
          const InstallOptions& options, Reason reason);
  /// One that was current when the host died: only its end is left to be recorded.
  static std::unique_ptr<Upgrade> found_at_start(const Parts& parts, const Release& died,
                                                 const std::string& from);
  Upgrade(const Upgrade&) = delete;
  Upgrade& operator=(const Upgrade&) = delete;

  // Each says what came of it for the operation that asked; nothing: it goes on, and the operation
  // is answered by a later look. What is answered is in force, or has not happened.
  using Outcome = std::optional<Result<void>>;

  /// Goes forward until the release is current (and permanent, if it has no probation), or back.
  Outcome install(const std::shared_ptr<Operation>& operation);
  /// Requires: can_go_on().
  Outcome install_on(const std::shared_ptr<Operation>& operation);
  /// Requires: is_current().
  Outcome make_permanent(const std::shared_ptr<Operation>& operation, const Reason& reason);
  /// Requires: has_way_back().
  Outcome go_back(const std::shared_ptr<Operation>& operation, const WayBackOptions& options,
                  const Reason& reason);
  /// Judges it, and tries again what could not be done. Answers the operation that waits.
  void look();
  /// When to look next; nothing: only when something happens.
  std::optional<std::chrono::nanoseconds> next_look() const;
  /// The host stops in order: it is recorded that this was no failure.
  void stop();

  /// Operations that are over, to be finished when others can see what they did.
  struct Answer {
    std::shared_ptr<Operation> operation;
    Result<void> result;
  };
  std::vector<Answer> take_answers() { return std::exchange(answers_, {}); }

  void note_check(std::size_t number, const Result<void>& answer);
  /// What ends the host if it ends has ended.
  void note_end(const std::string& what);

  UpgradeState state() const { return state_; }
  bool is_over() const;
  bool is_current() const { return state_ == UpgradeState::kCurrent; }
  /// Whether there is a release before that no state leads back to: the release said so.
  bool is_one_way() const { return !from_name_.empty() && plan_.is_one_way(); }
  /// Whether it is taken over, could not go further, and has no way back.
  bool can_go_on() const { return runs_target() && heading_ == Heading::kForward; }
  /// Whether go_back leads anywhere: it is on its way back, be it to nothing, or current, and there
  /// was a release before.
  bool has_way_back() const;
  /// Whether it goes back by itself, or would if something spoke against the release.
  bool is_undoing_itself() const;
  /// Whether its processes run the new release.
  bool runs_target() const;
  const Plan& plan() const { return plan_; }
  const std::string& from() const { return from_name_; }
  const std::string& to() const { return to_name_; }
  const std::optional<bundle::Manifest>& from_manifest() const { return from_; }
  const bundle::Manifest& to_manifest() const { return to_; }
  UpgradeStatus status() const;
  /// kBusy: what has to happen to this one before another can begin.
  Error in_the_way() const;

 private:
  struct Step {
    UpgradeState state;
    Heading heading;
    UpgradeState next;
    Result<void> (Upgrade::*act)();
    const char* name;
  };
  static const Step kSteps[];

  void turn(Heading heading);
  /// Walks the table until there is no step for where it is heading, or one fails.
  Result<void> walk();
  // The steps, by their names in the table.
  Result<void> stage();
  Result<void> announce();
  Result<void> take_over();
  Result<void> serve();
  Result<void> record_current();
  Result<void> record_permanent();
  Result<void> do_nothing() { return {}; }
  Result<void> unstage();
  Result<void> withdraw();
  Result<void> take_back();
  Result<void> revert();
  Result<void> record_undone();
  void settle();
  void purge();

  /// Who waits for the end, and what he hears if that is `undone` or `aborted` (nothing: that is
  /// decided when it turns back); if it is `permanent`, all is well.
  struct Waiting {
    std::shared_ptr<Operation> operation;
    std::optional<Result<void>> if_undone;
  };
  /// Goes on where it is heading; answers those who wait if that was the end, and else plans
  /// another try.
  void go_on();
  /// It is current: its probation begins, or it becomes permanent at once.
  void arrive();
  void act_on(const Judgement& judgement);
  /// The next step failed: plans another try, or leaves it to the operator.
  void try_later(const Error& error);
  /// It is the operator's turn: those who wait are told why.
  void pause(const Error& why);
  void answer_all(const Result<void>* result);
  void tell_if_undone(const Error& why);
  Error rolled_back(const std::string& why) const;
  void say(const std::string& phase, const std::string& text);
  std::chrono::nanoseconds now() const { return parts_.clock.monotonic(); }

  // Constant after construction.
  const Parts parts_;
  const Plan plan_;
  const std::optional<bundle::Manifest> from_;
  const bundle::Manifest to_;
  const InstallOptions options_;
  std::string from_name_, to_name_;     // NAME-VERSION
  std::string release_name_, version_;  // of `to`

  UpgradeState state_ = UpgradeState::kPlanned;
  Heading heading_ = Heading::kForward;
  Reason reason_;            // of what it is heading for
  WayBackOptions way_back_;  // what it may cost
  Action undone_action_ = Action::kFailProbation;
  bool was_current_ = false;  // the journal says so
  std::size_t applied_ = 0;   // changes of the plan that are in force
  std::optional<Probation> probation_;
  std::string verdict_;
  bool is_decided_ = false;  // the verdict stands, and it is the operator's turn
  std::string trouble_;      // of the last try of the next step
  int tries_ = 0;            // of that step
  std::optional<std::chrono::nanoseconds> retry_at_;
  std::vector<Waiting> waiting_;
  std::vector<Answer> answers_;
  std::shared_ptr<Operation> speaking_to_;  // who hears what is done now; null: nobody
};

}  // namespace baton::release
