// Plan: what going from one release to another would do, and why, derived from their manifests
// alone.
//
// Nobody writes upgrade scripts: modules, states, contracts, the supervision tree, listeners and
// configuration are compared, and every step has its reason. The release handler carries out the
// same plan that `baton plan` prints: its changes are what Services is given, one by one.
//
//   module               step
//   only in the target   load
//   only in the source   stop: its processes end with their children, then it is purged
//   same file            keep
//   other file           take over: per behaviour adopt, migrate, or leave to a restart
//
// A way up whose way back no state could go is refused, unless the target says `one_way`. What the
// contract breaks is named, but for messages that are converted; on the way up such a plan is
// carried out only where the target or the operator has said what becomes of mail (MailPolicy).
//
// Threads: pure; value types; any thread.
// Fails:   kRefused with every reason found, not just the first.
#pragma once

#include "base/result.h"
#include "bundle/manifest.h"
#include "description/difference.h"
#include "module/evolution.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace baton::release {

enum class ModuleStep { kLoad, kStop, kKeep, kTakeOver };
const char* module_step_name(ModuleStep step);

struct ModulePlan {
  std::string name;
  std::string from_version;  // empty: not there
  std::string to_version;    // empty: not there
  ModuleStep step = ModuleStep::kKeep;
  module::Evolution evolution;  // of kTakeOver
};

/// What those who know the version before rely on, and the version after does not keep.
struct Break {
  std::string module, behaviour;
  std::string form;                        // "cast say"; empty: the whole behaviour
  std::string text;                        // of form or behaviour; with the cure
  std::optional<std::uint64_t> waiting{};  // such messages that wait now; nothing: not counted

  std::string describe() const;
};

struct Plan {
  std::string from;  // "demo-1.0.0"; empty: nothing runs yet
  std::string to;
  module::Direction direction = module::Direction::kUp;
  std::vector<ModulePlan> modules;           // in the target's order, then those that stop
  std::vector<description::Change> changes;  // of the services, in the order they are carried out
  std::vector<Break> breaks;                 // on the way up
  std::vector<std::string> warnings;         // processes that will be restarted, and the like

  bool has_changes() const;
  /// Whether a process that is taken over could not go back.
  bool is_one_way() const;
  /// Each process or kind of process that has to end or to start anew although what it is for is
  /// in both releases, with the reason.
  std::vector<std::string> restarts() const;
};

/// `from` is null when nothing runs yet.
Result<Plan> make_plan(const bundle::Manifest* from, const bundle::Manifest& to);

}  // namespace baton::release
