#include "runtime/registry.h"

#include <mutex>

namespace baton::runtime {

bool Registry::add(baton_term name, baton_term pid) {
  std::unique_lock lock(mutex_);
  return names_.emplace(name, pid).second;
}

bool Registry::remove(baton_term name, baton_term pid) {
  std::unique_lock lock(mutex_);
  auto found = names_.find(name);
  if (found == names_.end() || found->second != pid) return false;
  names_.erase(found);
  return true;
}

baton_term Registry::whereis(baton_term name) const {
  std::shared_lock lock(mutex_);
  auto found = names_.find(name);
  return found == names_.end() ? BATON_NO_TERM : found->second;
}

std::vector<std::pair<baton_term, baton_term>> Registry::list() const {
  std::shared_lock lock(mutex_);
  return {names_.begin(), names_.end()};
}

}  // namespace baton::runtime
