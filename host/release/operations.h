// Operations: the thread on which the releases of a host are changed: its queue, who is busy with
// it, and what was done.
//
// Everything that touches the store, the upgrade or the loaded modules is a task of this one
// thread. An operation is a task that somebody asked for and follows by its number. Only one is in
// the queue at a time: another one is refused with kBusy, saying who works on what since when. The
// task may leave its operation open, as an upgrade does for its probation; the thread is free then.
//
// Besides, the thread looks up: at a time that its user sets, or when it is woken.
//
// Ownership: owns the thread, which ends in stop or in the destructor.
// Threads:   any, but wake_at and the tasks: the thread itself.
// Fails:     kBusy; kUnreachable once it is stopping.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "release/operation.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace baton::release {

/// Operations that are remembered after their end.
inline constexpr std::size_t kOperationsKept = 100;

class Operations {
 public:
  using Task = std::function<void()>;
  /// What came of it; nothing: it stays open, and whoever keeps it finishes it.
  using Body = std::function<std::optional<Result<void>>(const std::shared_ptr<Operation>&)>;

  struct Options {
    std::uint64_t last_id = 0;  // of the operations of this root before the host was started
    bool has_thread = true;     // else step runs the tasks, for tests
  };

  /// `look` is what the thread does when it looks up; `after`, what it does after each task, before
  /// an operation is seen to be done.
  Operations(const Clock& clock, Options options, Task look, Task after);
  ~Operations();
  Operations(const Operations&) = delete;
  Operations& operator=(const Operations&) = delete;

  /// Puts an operation into the queue. When it is seen to be done, the next one is taken already.
  Result<std::shared_ptr<Operation>> begin(std::string kind, std::string target, std::string who,
                                           Body body);
  /// Runs a task on the thread and waits for its end. kBusy while an operation runs: it may take
  /// long.
  Result<void> ask(Task task);
  /// Lets the thread look up soon. Cheap, and no more than once however often it is called before.
  void wake();
  /// When to look up next, unless woken before; nothing: only when woken.
  void wake_at(std::optional<std::chrono::nanoseconds> monotonic);
  /// Runs `last` as the last task, after those in the queue, and ends the thread. Nothing is taken
  /// from now on.
  void stop(Task last);

  /// Runs what is due, in place of the thread; false: nothing was.
  bool step();

  std::shared_ptr<Operation> find(std::uint64_t id) const;
  std::vector<std::shared_ptr<Operation>> list() const;
  /// The one whose task runs or is in the queue.
  std::shared_ptr<Operation> busy() const;

 private:
  void work();
  /// What is due now; nothing: look again when changed_, or at look_at_. Requires: mutex_ is held.
  std::optional<Task> next();
  /// Requires: mutex_ is held.
  void forget_oldest();
  Error busy_error(const Operation& operation) const;

  const Clock& clock_;
  const Task look_;
  const Task after_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::deque<Task> tasks_;
  bool is_stopping_ = false;
  bool is_woken_ = false;
  std::optional<std::chrono::nanoseconds> look_at_;
  std::shared_ptr<Operation> busy_;
  std::map<std::uint64_t, std::shared_ptr<Operation>> operations_;
  std::uint64_t last_id_;

  std::thread thread_;
};

}  // namespace baton::release
