// Transaction: one take-over, the same up, down and back: park, gather, prepare, commit, release.
//
// It is carried out on a runner, for one who waits no longer than the budget and what is then under
// way takes. A hook that has not returned by then is left (runtime/errand.h): the take-over has
// failed, the processes are released, and the one whose state the hook reads waits for it.
//
//   stage       over the budget
//   preparing   threads inside a hook are left, and it fails
//   committing  it is waited for: there is no way but forward
//   decided     what is left to do is freeing; a destructor that does not return is left as well
//
// Invariants:
//   (1) Only in `preparing` is a thread left whose hook reads a process's state.
//   (2) What is left behind needs the new versions' code, and from the decision on the old ones':
//       they are pinned meanwhile.
// Both are checked where it is left, and where the last of what was left is out.
// Ownership: shared by whoever waits, its runner and its crew.
// Threads:   carry_out and what it hands out: the one who waits; run: the runner.
#pragma once

#include "takeover/drain.h"
#include "takeover/migration.h"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace baton::takeover {

class Transaction final : public runtime::Errand,
                          public Crew::Keeper,
                          public std::enable_shared_from_this<Transaction> {
 public:
  Transaction(runtime::Runtime& runtime, std::vector<Change> changes,
              const TakeoverOptions& options, std::function<void()> flip);

  /// Before carry_out: to plan it, and to offer it a way back. After its success: to take the new
  /// way back, and the report.
  Migration& migration() { return migration_; }
  /// Done after a success, when the processes run again.
  void set_afterwards(std::function<void(runtime::Context&)> afterwards) {
    afterwards_ = std::move(afterwards);
  }
  /// Errors as Takeover::run.
  Result<void> carry_out();

 private:
  enum class Stage : std::uint8_t { kPreparing, kCommitting, kDecided };

  void run(runtime::Context& context) override;
  void pin() override;
  void unpin(runtime::Context& context) override;

  Result<void> transact(runtime::Context& context);
  /// Of the one who waits: leaves what is over its time. True: the runner too, which has the rest.
  bool leave_stuck();
  Error left_error() const;

  runtime::Runtime& runtime_;
  const std::vector<Change> changes_;
  const TakeoverOptions options_;
  const std::function<void()> flip_;
  std::function<void(runtime::Context&)> afterwards_;
  Migration migration_;
  Drain drain_;
  std::atomic<std::uint64_t> deadline_ns_{0};
  std::atomic<Stage> stage_{Stage::kPreparing};
  std::optional<Result<void>> outcome_;  // written before kDecided
  // The one who waits.
  std::vector<baton_term> left_;  // processes that wait for a hook

  std::uint64_t decided_ns_ = 0;  // when it saw that; 0: not yet

  std::mutex mutex_;
  // Guarded by mutex_.
  std::uint32_t left_inside_ = 0;       // threads
  std::vector<code::Version*> pinned_;  // until the last of them is out
};

}  // namespace baton::takeover
