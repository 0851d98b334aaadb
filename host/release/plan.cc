#include "release/plan.h"

#include "module/note.h"

#include <algorithm>

namespace baton::release {

namespace {

using bundle::Manifest;
using bundle::ManifestModule;

std::string name_of(const Manifest& manifest) {
  return manifest.release.name + "-" + manifest.release.version;
}

std::string reasons_of(const module::StateChange& change) {
  std::string reasons;
  for (const std::string& reason : change.reasons)
    reasons += (reasons.empty() ? "" : "; ") + reason;
  return reasons;
}

// Of a behaviour whose outcome is a restart.
std::string restart_of(const ModulePlan& module, const module::BehaviourChange& behaviour) {
  return "module " + module.name + ", behaviour " + behaviour.behaviour +
         ": its processes stay on " + module.from_version +
         " until they end or are restarted: " + reasons_of(behaviour.there);
}

bool is_one_way(const module::BehaviourChange& behaviour) {
  return behaviour.there.outcome == module::Outcome::kMigrate &&
         behaviour.back.outcome == module::Outcome::kImpossible;
}

bool is_about(const module::MessageChange& mail, const module::ContractChange& change) {
  return mail.from.kind == change.kind && mail.from.name == change.message;
}

// Whether all that is sent in the forms that the change is about is understood all the same.
bool is_converted(const module::Evolution& evolution, const module::ContractChange& change) {
  const module::BehaviourChange* const behaviour = evolution.behaviour(change.behaviour);
  if (change.is_reply || change.message.empty() || behaviour == nullptr) return false;
  bool is_known = false;
  for (const module::MessageChange& mail : behaviour->mail_there) {
    if (!is_about(mail, change)) continue;
    if (mail.outcome == module::MessageOutcome::kImpossible) return false;
    is_known = true;
  }
  return is_known;
}

std::string form_of(const module::ContractChange& change) {
  return std::string(module::message_kind_name(change.kind)) + " " + change.message;
}

Break break_of(const ModulePlan& module, const module::ContractChange& change) {
  Break broken{module.name, change.behaviour, {}, change.text};
  if (change.message.empty()) return broken;
  broken.form = form_of(change);
  const module::BehaviourChange* const behaviour = module.evolution.behaviour(change.behaviour);
  if (change.is_reply || behaviour == nullptr) return broken;
  for (const module::MessageChange& mail : behaviour->mail_there)
    if (is_about(mail, change) && mail.outcome == module::MessageOutcome::kImpossible)
      for (const std::string& reason : mail.reasons) broken.text += "; " + reason;
  return broken;
}

// A form that breaks in several ways is one break.
bool is_of_last_break(const Plan& plan, const std::string& module,
                      const module::ContractChange& change) {
  return !plan.breaks.empty() && !change.message.empty() && plan.breaks.back().module == module &&
         plan.breaks.back().behaviour == change.behaviour &&
         plan.breaks.back().form == form_of(change);
}

void refuse(const ModulePlan& module, const module::BehaviourChange& behaviour,
            const std::string& why, std::string& refusals) {
  refusals += (refusals.empty() ? "" : "; ") + ("module " + module.name + ", behaviour ") +
              behaviour.behaviour + ": " + why;
}

Result<void> compare_module(const Manifest& from, const ManifestModule& before, const Manifest& to,
                            const ManifestModule& after, Plan& plan, std::string& refusals) {
  ModulePlan module{after.name, before.version, after.version, ModuleStep::kTakeOver, {}};
  if (from.file_of(before).sha256 == to.file_of(after).sha256) {
    module.step = ModuleStep::kKeep;
    plan.modules.push_back(std::move(module));
    return {};
  }
  BATON_ASSIGN(const module::ModuleNote old_note,
               module::ModuleNote::parse(before.note, before.name + " " + before.version));
  BATON_ASSIGN(const module::ModuleNote new_note,
               module::ModuleNote::parse(after.note, after.name + " " + after.version));
  module.evolution = module::compare(old_note, new_note, plan.direction);
  for (const module::BehaviourChange& behaviour : module.evolution.behaviours) {
    if (behaviour.there.outcome == module::Outcome::kImpossible)
      refuse(module, behaviour, reasons_of(behaviour.there), refusals);
    if (is_one_way(behaviour)) {
      const std::string why =
          "no way back to " + module.from_version + ": " + reasons_of(behaviour.back);
      // An older release cannot have said it; an operator who goes down wants that above all.
      if (to.release.one_way || plan.direction == module::Direction::kDown)
        plan.warnings.push_back("module " + module.name + ", behaviour " + behaviour.behaviour +
                                ": " + why);
      else
        refuse(module, behaviour,
               why + "; or say one_way: true in the release, if it shall never be rolled back",
               refusals);
    }
    if (behaviour.there.outcome == module::Outcome::kRestart)
      plan.warnings.push_back(restart_of(module, behaviour));
  }
  for (const module::ContractChange& change : module.evolution.contract.breaks) {
    if (is_converted(module.evolution, change)) continue;
    if (is_of_last_break(plan, module.name, change)) {
      plan.breaks.back().text += "; " + change.text;
      continue;
    }
    Break broken = break_of(module, change);
    // An operator who goes down wants that above all; mail that really waits is asked about then.
    if (plan.direction == module::Direction::kDown)
      plan.warnings.push_back(broken.describe());
    else
      plan.breaks.push_back(std::move(broken));
  }
  plan.modules.push_back(std::move(module));
  return {};
}

}  // namespace

const char* module_step_name(ModuleStep step) {
  switch (step) {
    case ModuleStep::kLoad: return "load";
    case ModuleStep::kStop: return "stop";
    case ModuleStep::kKeep: return "keep";
    case ModuleStep::kTakeOver: return "take_over";
  }
  return "";
}

std::string Break::describe() const {
  std::string all = "module " + module + ", behaviour " + behaviour + ": contract broken: " + text;
  if (waiting) all += " (" + std::to_string(*waiting) + " such messages wait now)";
  return all;
}

bool Plan::has_changes() const {
  return !changes.empty() ||
         std::any_of(modules.begin(), modules.end(),
                     [](const ModulePlan& module) { return module.step != ModuleStep::kKeep; });
}

bool Plan::is_one_way() const {
  for (const ModulePlan& module : modules)
    if (std::any_of(module.evolution.behaviours.begin(), module.evolution.behaviours.end(),
                    release::is_one_way))
      return true;
  return false;
}

std::vector<std::string> Plan::restarts() const {
  std::vector<std::string> all;
  for (const ModulePlan& module : modules)
    for (const module::BehaviourChange& behaviour : module.evolution.behaviours)
      if (behaviour.there.outcome == module::Outcome::kRestart)
        all.push_back(restart_of(module, behaviour));
  for (const description::Change& change : changes)
    if (change.restarts()) all.push_back(change.text());
  return all;
}

Result<Plan> make_plan(const Manifest* from, const Manifest& to) {
  Plan plan;
  plan.to = name_of(to);
  const Manifest nothing;
  if (from != nullptr) plan.from = name_of(*from);
  const Manifest& before = from != nullptr ? *from : nothing;
  plan.direction = before.release.sequence <= to.release.sequence ? module::Direction::kUp
                                                                  : module::Direction::kDown;
  if (from != nullptr && before.release.name != to.release.name)
    return Error(Code::kRefused, plan.to + " is another product than " + plan.from +
                                     ", which runs here; give it a host of its own");
  const auto& accepted = to.release.upgrade_from;
  if (from != nullptr && plan.direction == module::Direction::kUp && !accepted.empty() &&
      std::find(accepted.begin(), accepted.end(), before.release.version) == accepted.end())
    return Error(Code::kRefused, plan.to + " does not upgrade from " + before.release.version +
                                     "; see upgrade_from in its description");
  std::string refusals;
  for (const ManifestModule& module : to.modules) {
    const ManifestModule* old = before.module(module.name);
    if (old == nullptr) {
      plan.modules.push_back({module.name, "", module.version, ModuleStep::kLoad, {}});
      continue;
    }
    BATON_TRY(compare_module(before, *old, to, module, plan, refusals));
  }
  for (const ManifestModule& module : before.modules)
    if (to.module(module.name) == nullptr)
      plan.modules.push_back({module.name, module.version, "", ModuleStep::kStop, {}});
  if (!refusals.empty())
    return Error(Code::kRefused, plan.from + " -> " + plan.to + ": " + refusals);
  auto changes = description::difference(before.release, to.release);
  if (!changes.ok()) return std::move(changes).error().within(plan.from + " -> " + plan.to);
  plan.changes = std::move(changes).value();
  return plan;
}

}  // namespace baton::release
