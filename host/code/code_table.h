// CodeTable: which versions of which modules are loaded: per module a current version, at most one
// old one, and at most one staged by a take-over that has not been decided yet.
//
//   status    action         next
//   -         stage          staged   refused while another version is staged or old
//   staged    make_current   current; the current one becomes old
//   staged    take_staged    -        the take-over was aborted: the caller unloads it
//   old       restore        current; the current one becomes old (rollback, to a warm version)
//   old       take_old       -        once it has no lease (purge: the caller unloads it)
//   current   take_current   -        alone, retired and without a lease: the module is gone
//
// Invariants:
//   (1) A module in the table has a current version, or only a staged one (its first).
//   (2) An old version is retired (Version::retire): its processes may live on, it gets no new
//       ones.
// Ownership: owns the versions; a Version* stays valid until it is taken, and while a Snapshot
//            lives none is.
// Threads:   any thread may look up. Changes come from one loader's thread at a time.
#pragma once

#include "base/result.h"
#include "code/version.h"

#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

namespace baton::code {

struct ModuleStatus {
  std::string name;
  Version* current = nullptr;
  Version* old = nullptr;
  Version* staged = nullptr;
};

class CodeTable {
 public:
  CodeTable();
  ~CodeTable();
  CodeTable(const CodeTable&) = delete;
  CodeTable& operator=(const CodeTable&) = delete;

  /// Null if the module is not loaded.
  Version* current(std::string_view module) const;
  std::optional<ModuleStatus> status(std::string_view module) const;

  /// What is loaded, for those who look from outside the loader's thread. While one lives, every
  /// version in it stays where it is, and so do the processes' descriptions: whoever takes one
  /// waits. Short, therefore, and never while waiting.
  class Snapshot {
   public:
    const std::vector<ModuleStatus>& modules() const { return modules_; }

   private:
    friend class CodeTable;
    explicit Snapshot(std::shared_mutex& taking) : lock_(taking) {}
    std::shared_lock<std::shared_mutex> lock_;
    std::vector<ModuleStatus> modules_;
  };
  Snapshot snapshot() const;

  /// Whether a version of that module could be staged. kBusy if something is staged already or an
  /// old version is still loaded; the error names the count of its holders.
  Result<void> check_stage(std::string_view module) const;
  /// Fails as check_stage does.
  Result<Version*> stage(std::unique_ptr<Version> version);
  /// Requires: a staged version.
  void make_current(std::string_view module);
  /// Requires: an old version.
  void restore(std::string_view module);
  /// Null if there is none.
  std::unique_ptr<Version> take_staged(std::string_view module);
  /// Null if there is none or it has leases.
  std::unique_ptr<Version> take_old(std::string_view module);
  /// Removes a module that has only a current version, retired by the caller and without a lease;
  /// else null.
  std::unique_ptr<Version> take_current(std::string_view module);

 private:
  struct Entry {
    std::unique_ptr<Version> current, old, staged;
  };
  Entry& entry(std::string_view module);
  Result<void> check_stage_locked(std::string_view module) const;

  // Held by those who take a version away, before mutex_, and shared by snapshots.
  mutable std::shared_mutex taking_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, Entry, std::less<>> modules_;  // guarded by mutex_
};

}  // namespace baton::code
