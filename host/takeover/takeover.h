// Takeover: moves the live processes of a group of modules from one version to another, as a
// transaction.
//
//   step      what happens                                            on failure
//   plan      a StateMover per behaviour; room for the list           nothing has happened
//   drain     only this group's processes come to rest                they run on, as they were
//   prepare   new objects beside the old ones, and mail that waits    the new objects are freed; as
//             in its new forms beside the old, on all processors      above
//   commit    fields move, mail is swapped, versions change, current  cannot fail
//             is flipped
//   resume    held mail goes on, to the new version
//
// Each emptied old object stays parked in the WayBack that is the result: rollback moves the fields
// back into it, allocates nothing, and finds dropped fields as they were. Its destructor frees
// them, outside any pause.
//
// Coroutine processes of the group keep their version until they leave it by themselves; so does a
// process whose behaviour the other version no longer has. They are counted in the report.
//
// Threads: any that is no scheduler's, one take-over at a time; it is carried out on a runner
//          (transaction.h) while the caller waits.
// See:     host/README.md, "One upgrade, step by step".
#pragma once

#include "base/result.h"
#include "runtime/runtime.h"
#include "takeover/drain.h"
#include "takeover/mail_swap.h"
#include "takeover/way_back.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace baton::takeover {

struct TakeoverOptions {
  std::chrono::milliseconds budget{5000};  // for drain, prepare and commit together
  bool accepts_loss = false;
  StuckMail stuck_mail = StuckMail::kRefuse;
  StuckPolicy stuck = StuckPolicy::kRefuse;
  std::uint32_t threads = 0;  // for prepare and commit; 0: one per processor
};

class Takeover {
 public:
  explicit Takeover(runtime::Runtime& runtime) : runtime_(runtime) {}

  /// Moves all processes, then calls `flip`, which makes the new versions current and retires the
  /// old ones; nothing may fail in it. kRefused: no state crosses, something of value would be lost
  /// and that was not accepted, or mail that waits has no form there; kTimedOut: a process did not
  /// rest, or the budget ended; kFailed: a migration failed, for the process named. Whatever the
  /// error, all processes go on as they were.
  Result<std::unique_ptr<WayBack>> run(std::vector<Change> changes, const TakeoverOptions& options,
                                       const std::function<void()>& flip);

  /// Undoes it: processes that still live go back to their parked objects, or through a migration
  /// the other way where a hook took part or they were started since. `flip` as above, the other
  /// way round. On an error the way back stays as it is, and so do the processes.
  Result<TakeoverReport> rollback(WayBack& way_back, const TakeoverOptions& options,
                                  const std::function<void()>& flip);

 private:
  runtime::Runtime& runtime_;
};

}  // namespace baton::takeover
