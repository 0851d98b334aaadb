#include "release/plan.h"

#include "module/note.h"

#include <algorithm>

namespace baton::release {

namespace {

using bundle::Manifest;
using bundle::ManifestModule;
using description::ApplicationDescription;
using description::ChildDescription;
using description::ListenerDescription;
using description::SupervisorDescription;

std::string name_of(const Manifest& manifest) {
  return manifest.release.name + "-" + manifest.release.version;
}

template <class Items, class Key>
auto find_by(const Items& items, const std::string& wanted, Key key) {
  auto found = std::find_if(items.begin(), items.end(),
                            [&](const auto& item) { return key(item) == wanted; });
  return found == items.end() ? nullptr : &*found;
}
const auto kName = [](const auto& item) -> const std::string& { return item.name; };
const auto kId = [](const ChildDescription& child) -> const std::string& { return child.id; };
const auto kKey = [](const description::EnvEntry& entry) -> const std::string& {
  return entry.key;
};

void compare_children(const std::string& where, const SupervisorDescription& from,
                      const SupervisorDescription& to, std::vector<std::string>& changes) {
  if (from.strategy != to.strategy || from.intensity != to.intensity || from.period != to.period ||
      from.auto_shutdown != to.auto_shutdown)
    changes.push_back("supervisor " + where + ": new flags");
  for (const ChildDescription& child : to.children) {
    const std::string path = where + "/" + child.id;
    const ChildDescription* before = find_by(from.children, child.id, kId);
    if (before == nullptr) {
      changes.push_back("child " + path + ": starts");
    } else if (child.type == description::ChildType::kSupervisor &&
               before->type == description::ChildType::kSupervisor) {
      compare_children(path, before->supervisor, child.supervisor, changes);
    } else if (before->module != child.module || before->behaviour != child.behaviour ||
               before->args != child.args || before->name != child.name ||
               before->type != child.type) {
      changes.push_back("child " + path + ": restarts with a changed start");
    } else if (!(*before == child)) {
      changes.push_back("child " + path + ": its spec changes, it runs on");
    }
  }
  for (const ChildDescription& child : from.children)
    if (find_by(to.children, child.id, kId) == nullptr)
      changes.push_back("child " + where + "/" + child.id + ": stops");
}

void compare_applications(const Manifest& from, const Manifest& to, Plan& plan) {
  for (const ApplicationDescription& application : to.release.applications) {
    const ApplicationDescription* before =
        find_by(from.release.applications, application.name, kName);
    if (before == nullptr) {
      plan.tree_changes.push_back("application " + application.name + ": starts");
      continue;
    }
    compare_children(application.name, before->supervisor, application.supervisor,
                     plan.tree_changes);
    for (const description::EnvEntry& entry : application.env) {
      const description::EnvEntry* old = find_by(before->env, entry.key, kKey);
      const std::string what = "application " + application.name + ": " + entry.key;
      if (old == nullptr)
        plan.env_changes.push_back(what + " = " + entry.term + " is new");
      else if (old->term != entry.term)
        plan.env_changes.push_back(what + ": " + old->term + " -> " + entry.term);
    }
    for (const description::EnvEntry& entry : before->env)
      if (find_by(application.env, entry.key, kKey) == nullptr)
        plan.env_changes.push_back("application " + application.name + ": " + entry.key +
                                   " is removed");
  }
  for (const ApplicationDescription& application : from.release.applications)
    if (find_by(to.release.applications, application.name, kName) == nullptr)
      plan.tree_changes.push_back("application " + application.name + ": stops");
}

void compare_listeners(const Manifest& from, const Manifest& to, Plan& plan) {
  for (const ListenerDescription& listener : to.release.listeners) {
    const ListenerDescription* before = find_by(from.release.listeners, listener.name, kName);
    if (before == nullptr)
      plan.listener_changes.push_back("listener " + listener.name + ": opens at " +
                                      listener.address.text());
    else if (!(*before == listener))
      plan.listener_changes.push_back("listener " + listener.name +
                                      (before->address == listener.address
                                           ? ": new limits for new connections"
                                           : ": moves to " + listener.address.text()));
  }
  for (const ListenerDescription& listener : from.release.listeners)
    if (find_by(to.release.listeners, listener.name, kName) == nullptr)
      plan.listener_changes.push_back("listener " + listener.name + ": closes");
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
    const std::string what = "module " + after.name + ", behaviour " + behaviour.behaviour;
    std::string reasons;
    for (const std::string& reason : behaviour.there.reasons)
      reasons += (reasons.empty() ? "" : "; ") + reason;
    if (behaviour.there.outcome == module::Outcome::kImpossible)
      refusals += (refusals.empty() ? "" : "; ") + what + ": " + reasons;
    if (behaviour.there.outcome == module::Outcome::kRestart)
      plan.warnings.push_back(what + ": its processes stay on " + before.version +
                              " until they end or are restarted: " + reasons);
  }
  for (const module::ContractChange& change : module.evolution.contract.breaks)
    plan.warnings.push_back("module " + after.name + ", behaviour " + change.behaviour +
                            ": contract broken: " + change.text);
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

bool Plan::has_changes() const {
  return !tree_changes.empty() || !listener_changes.empty() || !env_changes.empty() ||
         std::any_of(modules.begin(), modules.end(),
                     [](const ModulePlan& module) { return module.step != ModuleStep::kKeep; });
}

bool Plan::has_take_over() const {
  return std::any_of(modules.begin(), modules.end(),
                     [](const ModulePlan& module) { return module.step == ModuleStep::kTakeOver; });
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
  compare_applications(before, to, plan);
  compare_listeners(before, to, plan);
  return plan;
}

}  // namespace baton::release
