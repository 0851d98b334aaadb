// Registry: the registered names of processes, atom to pid.
//
// Invariants:
//   (1) A name has one pid. A process unregisters its name when it exits, so a name found may
//       belong to a process that has just died; sending to it is then sending to a dead pid.
//   (2) A name that is reserved is taken, but nobody finds it until it is published: then its
//       process takes mail.
// (1) holds by the map, (2) is checked in publish.
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
  /// False: the name is taken, or is `undefined`, which stands for none.
  bool reserve(baton_term name, baton_term pid);
  /// Requires: the name is reserved, and not yet published.
  void publish(baton_term name);
  /// Both at once.
  bool add(baton_term name, baton_term pid);
  /// False: there is no such name, or it is not that pid's.
  bool remove(baton_term name, baton_term pid);
  /// The pid, or BATON_NO_TERM.
  baton_term whereis(baton_term name) const;
  /// All of them, in no particular order.
  std::vector<std::pair<baton_term, baton_term>> list() const;

 private:
  struct Holder {
    baton_term pid;
    bool is_published;
  };
  bool insert(baton_term name, Holder holder);

  mutable std::shared_mutex mutex_;
  boost::unordered_flat_map<baton_term, Holder> names_;  // guarded by mutex_
};

}  // namespace baton::runtime
