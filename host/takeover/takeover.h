// Takeover: moves the live processes of a group of modules from one version to another, as a transaction.
//
//   step      what happens                                            on failure
//   plan      a StateMover per behaviour                              nothing has happened
//   drain     only this group's processes come to rest                they run on, as they were
//   prepare   new objects beside the old ones, on all processors      the new objects are freed; as above
//   commit    fields move, versions change, current is flipped        cannot fail
//   resume    held mail goes on, to the new version
// Each emptied old object stays parked in the WayBack that is the result: rollback moves the fields back into it,
// allocates nothing, and finds dropped fields as they were. forget() frees them, outside any pause.
//
// Coroutine processes of the group keep their version until they leave it by themselves; so does a process whose
// behaviour the other version no longer has. They are counted in the report.
//
// Threads: the take-over's own thread, one take-over at a time; no scheduler's.
// See: architecture of host/README.md.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "bundle/schema.h"
#include "runtime/runtime.h"
#include "takeover/state_mover.h"

namespace baton::takeover {

/// `from` is the current version of its module, `to` the one that takes over; both are loaded.
struct Change {
  code::Version* from;
  code::Version* to;
  bundle::Direction direction;  // kUp: `to` is the newer version
};

struct TakeoverOptions {
  std::chrono::milliseconds budget{5000};  // for drain, prepare and commit together
  bool accepts_loss = false;
  std::uint32_t threads = 0;  // for prepare and commit; 0: one per processor
};

/// What a take-over did, in numbers. Durations in microseconds.
struct TakeoverReport {
  std::uint64_t migrated = 0;
  std::uint64_t adopted = 0;
  std::uint64_t left_behind = 0;  // coroutine processes and processes without a successor
  std::uint64_t drain_us = 0;
  std::uint64_t prepare_us = 0;
  std::uint64_t commit_us = 0;
  std::uint64_t pause_us = 0;  // from the start of the drain until all run again
};

/// The way back of one committed take-over: the parked objects, and what they belong to. The destructor frees
/// them, as make-permanent wants; that is outside any pause, on the thread that calls it.
class WayBack {
 public:
  ~WayBack();
  WayBack(const WayBack&) = delete;
  WayBack& operator=(const WayBack&) = delete;

  const TakeoverReport& report() const { return report_; }

 private:
  friend class Takeover;
  struct Parked {
    std::uint32_t process;  // slot index
    std::uint32_t generation;
    const StateMover* mover;
    void* object;
    void* successor;  // the state it became
  };
  explicit WayBack(runtime::Runtime& runtime) : runtime_(runtime) {}

  runtime::Runtime& runtime_;
  std::vector<Change> changes_;
  std::vector<std::unique_ptr<const StateMover>> movers_;
  std::vector<Parked> parked_;
  TakeoverReport report_;
};

class Takeover {
 public:
  explicit Takeover(runtime::Runtime& runtime) : runtime_(runtime) {}

  /// Moves all processes, then calls `flip`, which makes the new versions current and retires the old ones;
  /// nothing may fail in it. kRefused: no state crosses, or something of value would be lost and that was not
  /// accepted; kTimedOut: a process did not rest, or the budget ended; kFailed: a migration failed, for the process
  /// named. Whatever the error, all processes go on as they were.
  Result<std::unique_ptr<WayBack>> run(std::vector<Change> changes, const TakeoverOptions& options,
                                       const std::function<void()>& flip);

  /// Undoes it: processes that still live go back to their parked objects, or through a migration the other way where a
  /// hook took part or they were started since. `flip` as above, the other way round. On an error the way back
  /// stays as it is, and so do the processes.
  Result<TakeoverReport> rollback(WayBack& way_back, const TakeoverOptions& options,
                                  const std::function<void()>& flip);

 private:
  runtime::Runtime& runtime_;
};

}  // namespace baton::takeover
