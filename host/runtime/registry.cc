#include "runtime/registry.h"

#include "base/check.h"
#include "term/atom.h"

#include <mutex>

namespace baton::runtime {

bool Registry::insert(baton_term name, Holder holder) {
  if (name == term::atoms::kUndefined) return false;
  std::unique_lock lock(mutex_);
  return names_.emplace(name, holder).second;
}

bool Registry::reserve(baton_term name, baton_term pid) { return insert(name, {pid, false}); }

bool Registry::add(baton_term name, baton_term pid) { return insert(name, {pid, true}); }

void Registry::publish(baton_term name) {
  std::unique_lock lock(mutex_);
  const auto found = names_.find(name);
  BATON_CHECK(found != names_.end() && !found->second.is_published,
              "a name is reserved before it is published, once");
  found->second.is_published = true;
}

bool Registry::remove(baton_term name, baton_term pid) {
  std::unique_lock lock(mutex_);
  auto found = names_.find(name);
  if (found == names_.end() || found->second.pid != pid) return false;
  names_.erase(found);
  return true;
}

baton_term Registry::whereis(baton_term name) const {
  std::shared_lock lock(mutex_);
  auto found = names_.find(name);
  return found != names_.end() && found->second.is_published ? found->second.pid : BATON_NO_TERM;
}

std::vector<std::pair<baton_term, baton_term>> Registry::list() const {
  std::shared_lock lock(mutex_);
  std::vector<std::pair<baton_term, baton_term>> all;
  all.reserve(names_.size());
  for (const auto& [name, holder] : names_)
    if (holder.is_published) all.emplace_back(name, holder.pid);
  return all;
}

}  // namespace baton::runtime
