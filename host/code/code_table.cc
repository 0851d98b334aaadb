#include "code/code_table.h"

#include "base/check.h"
#include "code/library.h"

#include <mutex>

namespace baton::code {

CodeTable::CodeTable() = default;
CodeTable::~CodeTable() = default;

Version* CodeTable::current(std::string_view module) const {
  std::shared_lock lock(mutex_);
  auto found = modules_.find(module);
  return found == modules_.end() ? nullptr : found->second.current.get();
}

std::optional<ModuleStatus> CodeTable::status(std::string_view module) const {
  std::shared_lock lock(mutex_);
  auto found = modules_.find(module);
  if (found == modules_.end()) return std::nullopt;
  const Entry& entry = found->second;
  return ModuleStatus{found->first, entry.current.get(), entry.old.get(), entry.staged.get()};
}

CodeTable::Snapshot CodeTable::snapshot() const {
  Snapshot snapshot(taking_);
  std::shared_lock lock(mutex_);
  for (const auto& [name, entry] : modules_)
    snapshot.modules_.push_back({name, entry.current.get(), entry.old.get(), entry.staged.get()});
  return snapshot;
}

Result<void> CodeTable::check_stage(std::string_view module) const {
  std::shared_lock lock(mutex_);
  return check_stage_locked(module);
}

Result<void> CodeTable::check_stage_locked(std::string_view module) const {
  const auto found = modules_.find(module);
  if (found == modules_.end()) return {};
  const Entry& entry = found->second;
  if (entry.staged)
    return Error(Code::kBusy, "module " + found->first + ": version " + entry.staged->number() +
                                  " is being taken over already");
  if (entry.old)
    return Error(Code::kBusy, "module " + found->first + ": old version " + entry.old->number() +
                                  " is still loaded, with " +
                                  std::to_string(entry.old->lease_count()) +
                                  " processes; make the release permanent or purge it first");
  return {};
}

Result<Version*> CodeTable::stage(std::unique_ptr<Version> version) {
  std::unique_lock lock(mutex_);
  BATON_TRY(check_stage_locked(version->module_name()));
  Entry& entry = modules_[version->module_name()];
  entry.staged = std::move(version);
  return entry.staged.get();
}

void CodeTable::make_current(std::string_view module) {
  std::unique_lock lock(mutex_);
  Entry& changed = entry(module);
  BATON_CHECK(changed.staged && !changed.old);
  if (changed.current) changed.current->retire();
  changed.old = std::move(changed.current);
  changed.current = std::move(changed.staged);
  BATON_CHECK(!changed.current->is_retired(), "a current version that starts no processes");
}

void CodeTable::restore(std::string_view module) {
  std::unique_lock lock(mutex_);
  Entry& changed = entry(module);
  BATON_CHECK(changed.old && changed.current);
  changed.old->revive();
  changed.current->retire();
  std::swap(changed.old, changed.current);
}

std::unique_ptr<Version> CodeTable::take_staged(std::string_view module) {
  std::scoped_lock lock(taking_, mutex_);
  auto found = modules_.find(module);
  if (found == modules_.end()) return nullptr;
  auto taken = std::move(found->second.staged);
  if (!found->second.current) {
    BATON_CHECK(!found->second.old, "an old version without a current one");
    modules_.erase(found);
  }
  return taken;
}

std::unique_ptr<Version> CodeTable::take_old(std::string_view module) {
  std::scoped_lock lock(taking_, mutex_);
  auto found = modules_.find(module);
  if (found == modules_.end() || !found->second.old || found->second.old->lease_count() != 0)
    return nullptr;
  BATON_CHECK(found->second.old->is_retired(), "an old version may still be given leases");
  return std::move(found->second.old);
}

std::unique_ptr<Version> CodeTable::take_current(std::string_view module) {
  std::scoped_lock lock(taking_, mutex_);
  auto found = modules_.find(module);
  if (found == modules_.end()) return nullptr;
  Entry& entry = found->second;
  if (entry.old || entry.staged || !entry.current || !entry.current->is_retired() ||
      entry.current->lease_count() != 0)
    return nullptr;
  auto taken = std::move(entry.current);
  modules_.erase(found);
  return taken;
}

CodeTable::Entry& CodeTable::entry(std::string_view module) {
  auto found = modules_.find(module);
  BATON_CHECK(found != modules_.end(), module);
  return found->second;
}

}  // namespace baton::code
