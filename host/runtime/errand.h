// Errand: code of modules that is nobody's turn, run for somebody who waits only so long: the hooks
// of a take-over, a module's init and fini, destructors.
//
// It runs on a runner that has nothing else to do, and can be left behind like a callback that does
// not return (watch.h). Its work belongs to it, since whoever waited may be gone when it goes on.
//
//   state     module code    who waits         the runner
//   running   now and then   waits             goes on
//   left      inside         has gone on       comes to know when that code returns, and concludes
//   done      no more        has the result    is a spare
//
// A hook may read the state of a process that a take-over has parked. If it is left in there, that
// state must stay as it is: the process has kUnderHook, the scheduler that runs it next hands it
// over to the runner, and for the watch it is an exile's: signals act, and who ends it abandons it.
//
// Invariants:
//   (1) It is left in module code only, never in between: what the host does with its work is done.
//   (2) A process has kUnderHook from when the errand is left until its hook has returned and
//       nobody else runs it.
// (1) is checked where it is left, (2) where the process is given back.
// Ownership: shared by the runner and whoever waits.
// Threads:   as said per member.
#pragma once

#include "runtime/context.h"

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace baton::runtime {

class Runner;

/// How long one waits before he tries again to leave an errand that is between two hooks.
inline constexpr std::uint64_t kLeaveAgainNs = 1'000'000;

class Errand {
 public:
  /// The module that it is of, where no process says it.
  explicit Errand(std::string module = {}, std::string version = {})
      : module_(std::move(module)), version_(std::move(version)) {}
  virtual ~Errand() = default;
  Errand(const Errand&) = delete;
  Errand& operator=(const Errand&) = delete;

  /// Has it carried out, and waits until it is done: true; or, from the deadline on, until it can
  /// be left. Where there is no runner for it, as in a simulation, it is done here, however long it
  /// takes. Any thread but a runner's.
  static bool carry_out(Runtime& runtime, const std::shared_ptr<Errand>& errand,
                        std::uint64_t deadline_ns);
  /// The same in a context of the caller's thread.
  void carry_out_here(Context& context) { run(context); }

  /// Until it is done: true; or the deadline. Any thread but a runner's.
  bool wait(std::uint64_t deadline_ns);
  /// Goes on without it, if it has been inside one and the same function of a module since the
  /// first of these calls that saw it there, and that was stuck_after (LongScheduleLimits) ago:
  /// what is only slow is waited for. False: not yet, or it is done. Any thread but its runner's.
  bool leave();
  const std::string& module() const { return module_; }
  const std::string& version() const { return version_; }
  /// Its runner's: whether it was left; asked when module code has returned.
  bool is_left() const { return is_left_; }
  /// The process whose state is read where it was left, or none; constant once leave has said true.
  baton_term left_process() const { return left_process_; }

 protected:
  virtual void run(Context& context) = 0;
  /// Whatever it still needs is to stay: called when it is left, by whoever leaves it.
  virtual void pin() {}
  /// Nothing is needed any more. Its runner's, after run.
  virtual void unpin(Context&) {}

 private:
  friend class Runner;
  friend class Runners;

  void run_on(Runner& runner);
  void finish();

  const std::string module_, version_;
  std::mutex mutex_;  // before a claim's
  std::condition_variable done_;
  Runner* runner_ = nullptr;  // constant once it is lent
  // Guarded by mutex_.
  bool is_done_ = false;
  std::uint64_t seen_place_ = 0;  // where leave saw the runner last
  std::uint64_t seen_ns_ = 0;     // and since when

  bool is_left_ = false;                     // written under a claim on the runner
  baton_term left_process_ = BATON_NO_TERM;  // the same
};

/// For call_hook: somebody wants something. True: the errand was left.
bool conclude_hook(Context& context);

/// Calls a function of a module, which a crash report and the watch call `name`, on an errand's
/// runner or a thread outside; with the process whose state it reads, or null, and the version
/// whose code it is, where that is not the process's. False: the errand was left meanwhile: nothing
/// of the process may be touched.
template <class Function>
bool call_hook(Context& context, Process* process, code::Version* code, const char* name,
               Function function) {
  context.current = process;
  context.hook = name;
  context.hook_code = code;
  const std::uint64_t inside = context.boundary.enter();
  function();
  const std::uint8_t wanted = context.boundary.leave(inside);
  context.hook = nullptr;
  context.hook_code = nullptr;  // it may be unloaded before the context's next hook
  if (__builtin_expect(wanted != 0, 0) && conclude_hook(context)) return false;
  context.current = nullptr;
  return true;
}

}  // namespace baton::runtime
