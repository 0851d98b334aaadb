// Runner: a thread that runs processes, and the context that it lends to their callbacks.
//
// It drives a scheduler, step by step. When a callback does not return, its scheduler goes on with
// another runner (watch.h), and this one is exiled: it stays inside the callback. When that returns
// it concludes what it began, as a thread outside would, and is a spare that may drive again.
//
//   state     scheduler   thread
//   spare     none        waits
//   driving   one         steps it
//   exiled    none        inside a callback, or concluding it
//   lent      none        carries out an errand (errand.h); exiled when it is left in there
//   ended     none        none: its callback's process was abandoned, and then that returned
//
// Invariants:
//   (1) A scheduler is driven by one runner, but between steps of a simulation, where runners have
//       no threads, and who steps is the test.
//   (2) An exile gets no scheduler before its callback has returned and it has concluded.
// Checked where a scheduler changes hands and a spare is taken (runner.cc).
// Ownership: the Runtime's Runners own them; they live as long as it does.
// Threads:   as said per member.
#pragma once

#include "runtime/context.h"
#include "runtime/errand.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

namespace baton::runtime {

class Runner final : public Context {
 public:
  Runner(Runtime& runtime_of, std::uint32_t id_of);
  ~Runner();

  /// False: the system has no thread for it. Requires: a scheduler or an errand, and no thread.
  bool start();
  /// Its callback's process is dead to everybody: from now on it gets only what processor time
  /// nobody else wants. Requires: a claim on it.
  void give_way();

 private:
  friend class Runners;

  void loop();
  bool has_thread() const { return thread_.joinable() && !has_ended_; }

  std::thread thread_;
  std::condition_variable wake_up_;  // of a spare; with Runners::mutex_
  std::shared_ptr<Errand> lent_to_;  // guarded by Runners::mutex_
  Process* lent_ = nullptr;          // what a hook left in there reads; guarded by Runners::mutex_
  bool has_ended_ = false;           // guarded by Runners::mutex_
  // Not every user may raise a thread again that was once lowered, so it ends when its callback has
  // returned. Written under a claim.
  bool gives_way_ = false;
};

/// All runners of a runtime, by id: those of the schedulers first, then those that came as spares.
class Runners {
 public:
  Runners(Runtime& runtime, std::uint32_t schedulers);
  ~Runners();
  Runners(const Runners&) = delete;
  Runners& operator=(const Runners&) = delete;

  /// Starts the threads of the schedulers' runners.
  void start();
  /// Waits for the threads to end, which they do when the runtime stops and no callback is under
  /// way, until the deadline. The number of those that did not end.
  std::uint32_t join(std::uint64_t deadline_ns);

  std::uint32_t count() const { return count_.load(std::memory_order_acquire); }
  Runner& at(std::uint32_t id) { return *runners_[id]; }

  /// Gives the scheduler of `exile` to a spare, or to a new runner. False: there is none, or no
  /// thread for it. Requires: a claim on `exile`.
  bool replace(Runner& exile);

  /// Has a spare or a new runner carry it out. False: nobody does, since there is none, or no
  /// thread for it, or the system has not what leaving it takes. Any thread.
  bool lend(std::shared_ptr<Errand> errand);
  /// The runner's hook was left: it gets the process whose state that reads, which nobody runs now.
  /// Requires: a claim on it; the process is parked.
  void lend_process(Runner& runner);
  /// A scheduler has come to run a process under a hook. True: it is the hook's runner's now.
  /// False: the hook has returned, and the process is as any other. Requires: it is the caller's.
  bool hand_over(Process& process);
  /// The hook has returned. Requires: the runner's thread; lend_process.
  void give_back_process(Runner& runner);

  /// Waits for the host calls of exiles that are under way.
  void pass_exiles();

  /// Ends the turn that the scheduler's runner is in, for kEpoch or kLook.
  void hurry(Scheduler& scheduler, Summons why);

 private:
  friend class Runner;

  /// Null: there are kRunnersMax. Requires, as all that touches spares: mutex_ is held.
  Runner* spare();
  std::shared_ptr<Errand> errand_of(Runner& runner);
  /// For an exile that has concluded, or after an errand: waits until it gets a scheduler or an
  /// errand. False: the runtime stops.
  bool wait_as_spare(Runner& runner, std::shared_ptr<Errand> done);
  void wake_spares();

  Runtime& runtime_;
  std::mutex mutex_;  // a claim's is taken before it, never after
  std::array<std::unique_ptr<Runner>, kRunnersMax> runners_;  // grows under mutex_
  std::atomic<std::uint32_t> count_{0};
  std::vector<Runner*> spares_;  // guarded by mutex_
  bool has_started_ = false;     // guarded by mutex_
  std::condition_variable ended_;
};

}  // namespace baton::runtime
