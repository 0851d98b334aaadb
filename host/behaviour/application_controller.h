// ApplicationController: the process that is the parent of all applications' top supervisors.
//
//   request (a call)   answers
//   {start, Index}     {ok, Pid} when the whole tree has started | {error, Reason}
//   {stop, Index}      ok when the tree has stopped | {error, not_running}
//   anything else      {error, Text}; so is one of these that Applications does not ask for now, as
//                      the table says: anybody may send the controller anything
//
// What it starts it finds in the table it shares with Applications (application.h), where it also
// says which supervisor runs. The end of one that nobody asked to end it reports to the table's
// owner.
//
// Ownership: shares the table; the process lives as long as the runtime. If it ends before, which
//            only a module's kill can bring about, that is told to the table's owner: nobody could
//            start or stop an application any more.
// Threads:   a process; the table is guarded by its mutex.
#pragma once

#include "base/check.h"
#include "behaviour/application.h"
#include "runtime/runtime.h"

#include <baton/abi.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

namespace baton::behaviour {

/// Which application a process belongs to is 16 bits; those of one release are bounded below that,
/// and names are kept.
inline constexpr std::size_t kApplicationNamesMax = 60'000;

struct ApplicationTable {
  enum class Wanted { kNothing, kStart, kStop };
  struct Entry {
    ApplicationSpec spec;
    Literal tree;                           // the args of its top supervisor
    baton_term supervisor = BATON_NO_TERM;  // while it is running
    baton_term aside = BATON_NO_TERM;       // while it is set aside, the same
    Wanted wanted = Wanted::kNothing;       // what the controller is asked for
  };

  // Constant after construction.
  std::function<void(const Ended&)> ended;
  std::function<void()> controller_ended;

  mutable std::shared_mutex mutex;
  std::vector<Entry> entries;  // guarded by mutex; the index of an application, less 1, for ever
  std::vector<std::uint16_t> running;  // guarded by mutex; in the order they started

  /// Requires: an index that was given out; mutex is held.
  Entry& entry(std::uint16_t index) {
    BATON_CHECK(index >= 1 && index <= entries.size(), "an application that was never heard of");
    return entries[index - 1u];
  }
  /// Whether this is asked for; that it was is forgotten.
  bool take_wanted(std::int64_t index, Wanted wanted);
};

/// Starts the controller: its pid. kBusy: as External::borrow.
Result<baton_term> spawn_application_controller(runtime::Runtime& runtime,
                                                std::shared_ptr<ApplicationTable> table);

}  // namespace baton::behaviour
