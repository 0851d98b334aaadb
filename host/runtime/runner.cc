#include "runtime/runner.h"

#include "base/check.h"
#include "base/crash.h"
#include "runtime/allocations.h"
#include "runtime/callback_witness.h"
#include "runtime/runtime.h"
#include "runtime/turn.h"

#include <pthread.h>

#include <chrono>
#include <system_error>

namespace baton::runtime {

Runner::Runner(Runtime& runtime_of, std::uint32_t id_of) : Context(runtime_of, id_of) {}

Runner::~Runner() {
  if (!thread_.joinable()) return;
  BATON_CHECK(has_ended_, "a runtime ends while a callback of it has not returned");
  thread_.join();
}

bool Runner::start() {
  if (thread_.joinable()) thread_.join();  // it has ended
  has_ended_ = false;
  try {
    thread_ = std::thread([this] {
      const std::string name = "baton-sched-" + std::to_string(id);
      pthread_setname_np(pthread_self(), name.c_str());
      const CallbackWitness witness(*this);
      const CrashStack stack(witness);
      loop();
    });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

void Runner::give_way() {
  gives_way_ = true;
  const sched_param none{};
  // Where that is not allowed it takes its share as before.
  if (thread_.joinable()) pthread_setschedparam(thread_.native_handle(), SCHED_IDLE, &none);
}

void Runner::loop() {
  const CountedThread counted(*this);
  Runners& runners = runtime.runners();
  std::shared_ptr<Errand> given;
  do {
    while (scheduler != nullptr && !runtime.is_stopping())
      if (!scheduler->step()) scheduler->sleep();
    given = runners.errand_of(*this);
    if (given != nullptr) given->run_on(*this);
  } while (runners.wait_as_spare(*this, std::move(given)));
  std::lock_guard lock(runners.mutex_);
  has_ended_ = true;
  if (std::exchange(gives_way_, false)) runners.spares_.push_back(this);
  runners.ended_.notify_all();
}

// ---- Runners

Runners::Runners(Runtime& runtime, std::uint32_t schedulers) : runtime_(runtime) {
  BATON_CHECK(schedulers <= kSchedulersMax);
  for (std::uint32_t id = 0; id < schedulers; ++id) {
    runners_[id] = std::make_unique<Runner>(runtime, id);
  }
  count_.store(schedulers, std::memory_order_release);
}

Runners::~Runners() = default;

void Runners::start() {
  std::lock_guard lock(mutex_);
  for (std::uint32_t id = 0; id < count(); ++id)
    BATON_CHECK(runners_[id]->start(), "the system has no thread for a scheduler");
  has_started_ = true;
}

std::uint32_t Runners::join(std::uint64_t deadline_ns) {
  std::unique_lock lock(mutex_);
  for (Runner* runner : spares_) runner->wake_up_.notify_one();
  const auto running = [this] {
    std::uint32_t number = 0;
    for (std::uint32_t id = 0; id < count(); ++id) number += runners_[id]->has_thread() ? 1 : 0;
    return number;
  };
  while (running() != 0) {
    if (deadline_ns == kNever) {
      ended_.wait(lock);
      continue;
    }
    const std::uint64_t now = now_ns();
    if (now >= deadline_ns) break;
    ended_.wait_for(lock, std::chrono::nanoseconds(deadline_ns - now));
  }
  return running();
}

Runner* Runners::spare() {
  if (!spares_.empty()) {
    Runner* runner = spares_.back();
    spares_.pop_back();
    BATON_CHECK(runner->scheduler == nullptr && runner->lent_to_ == nullptr &&
                    (runner->boundary.summons() & kExiled) == 0,
                "a spare has something to do");
    return runner;
  }
  const std::uint32_t id = count();
  if (id == kRunnersMax) return nullptr;
  runners_[id] = std::make_unique<Runner>(runtime_, id);
  count_.store(id + 1, std::memory_order_release);
  return runners_[id].get();
}

bool Runners::replace(Runner& exile) {
  std::lock_guard lock(mutex_);
  BATON_CHECK(exile.scheduler != nullptr && &exile.scheduler->runner() == &exile,
              "one runner drives a scheduler");
  Runner* runner = spare();
  if (runner == nullptr) return false;
  Scheduler& scheduler = *exile.scheduler;
  runner->scheduler = &scheduler;
  scheduler.set_runner(*runner);
  // In a simulation nobody has a thread.
  const bool is_new = exile.has_thread() && !runner->has_thread();
  if (is_new && !runner->start()) {
    scheduler.set_runner(exile);
    runner->scheduler = nullptr;
    spares_.push_back(runner);
    return false;
  }
  exile.scheduler = nullptr;
  exile.boundary.raise(kExiled);
  runner->wake_up_.notify_one();
  return true;
}

bool Runners::wait_as_spare(Runner& runner, std::shared_ptr<Errand> done) {
  std::unique_lock lock(mutex_);
  if (runner.scheduler == nullptr) {
    runner.boundary.clear(kExiled);
    if (!runner.gives_way_) spares_.push_back(&runner);
  }
  if (done != nullptr) {
    lock.unlock();
    done->finish();
    done = nullptr;
    lock.lock();
  }
  if (runner.gives_way_) return false;
  runner.wake_up_.wait(lock, [&] {
    return runner.scheduler != nullptr || runner.lent_to_ != nullptr || runtime_.is_stopping();
  });
  // Somebody waits for it, stopping or not.
  return !runtime_.is_stopping() || runner.lent_to_ != nullptr;
}

bool Runners::lend(std::shared_ptr<Errand> errand) {
  if (!can_claim()) return false;
  std::lock_guard lock(mutex_);
  // In a simulation nobody has a thread; nor before the start, nor at the end.
  if (!has_started_ || runtime_.is_stopping()) return false;
  Runner* runner = spare();
  if (runner == nullptr) return false;
  errand->runner_ = runner;
  runner->lent_to_ = std::move(errand);
  if (!runner->has_thread() && !runner->start()) {
    runner->lent_to_ = nullptr;
    spares_.push_back(runner);
    return false;
  }
  runner->wake_up_.notify_one();
  return true;
}

std::shared_ptr<Errand> Runners::errand_of(Runner& runner) {
  std::lock_guard lock(mutex_);
  return std::exchange(runner.lent_to_, nullptr);
}

void Runners::lend_process(Runner& runner) {
  Process& process = *runner.current;
  // Whoever sees the mark then finds whose hook it is.
  std::lock_guard lock(mutex_);
  process.set(kUnderHook);
  runner.lent_ = &process;
  runner.owns_running.store(false, std::memory_order_relaxed);
  runner.running.store(process.self, std::memory_order_release);
}

bool Runners::hand_over(Process& process) {
  std::lock_guard lock(mutex_);
  for (std::uint32_t id = 0; id < count(); ++id) {
    if (runners_[id]->lent_ != &process) continue;
    // Behind it, all that the caller and others before it did with the process.
    runners_[id]->owns_running.store(true, std::memory_order_release);
    return true;
  }
  process.clear(kUnderHook);
  return false;
}

void Runners::give_back_process(Runner& runner) {
  Process* process;
  {
    std::lock_guard lock(mutex_);
    process = std::exchange(runner.lent_, nullptr);
    BATON_CHECK(process != nullptr, "no process was lent");
    // Else the scheduler that comes to run it finds that nobody reads its state any more.
    if (!runner.owns_running.load(std::memory_order_relaxed)) process = nullptr;
  }
  if (process != nullptr) give_back(runner, *process);
  runner.running.store(BATON_NO_TERM, std::memory_order_relaxed);
  runner.owns_running.store(true, std::memory_order_relaxed);
}

void Runners::pass_exiles() {
  for (std::uint32_t id = 0; id < count(); ++id)
    if ((runners_[id]->boundary.summons() & kExiled) != 0) runners_[id]->boundary.wait_for_claim();
}

void Runners::hurry(Scheduler& scheduler, Summons why) {
  // Under the mutex, so that no hand-over comes between: a runner that takes over afterwards
  // follows the epoch before its first turn.
  std::lock_guard lock(mutex_);
  scheduler.runner().boundary.raise(why);
}

}  // namespace baton::runtime
