// Registry: the registered names of processes, atom to pid.
//
// Invariants:
//   (1) A name has one pid. A process unregisters its names when it exits, so a name found may
//       belong to a process that has just died; sending to it is then sending to a dead pid.
// Threads: any thread.
#pragma once

#include <baton/abi.h>

#include <boost/unordered/unordered_flat_map.hpp>

#include <shared_mutex>
#include <utility>
#include <vector>

namespace baton::runtime {

class Registry {
 public:
  /// False: the name is taken.
  bool add(baton_term name, baton_term pid);
  /// False: there is no such name, or it is not that pid's.
  bool remove(baton_term name, baton_term pid);
  /// The pid, or 0.
  baton_term whereis(baton_term name) const;
  /// All of them, in no particular order.
  std::vector<std::pair<baton_term, baton_term>> list() const;

 private:
  mutable std::shared_mutex mutex_;
  boost::unordered_flat_map<baton_term, baton_term> names_;  // guarded by mutex_
};

}  // namespace baton::runtime
