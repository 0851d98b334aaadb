#include "runtime/watch.h"

#include "base/check.h"
#include "runtime/callback_witness.h"
#include "runtime/receive.h"
#include "runtime/runtime.h"
#include "runtime/turn.h"

#include <pthread.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <utility>

namespace baton::runtime {

namespace {

// What a claimant writes down of the callback.
LongSchedule facts_of(const Runner& runner, std::uint64_t age_ns) {
  CrashFacts facts;
  CallbackWitness(runner).tell(facts);
  LongSchedule report;
  if (runner.current != nullptr) report.pid = runner.current->self;
  report.module = facts.module.view();
  report.version = facts.version.view();
  report.behaviour = facts.behaviour.view();
  report.callback = facts.callback.view();
  report.message = facts.message.view();
  report.age_ns = age_ns;
  return report;
}

// Whether a signal has ended the process, and only its callback keeps it. An exit under way, in
// terminate, has the time that its supervisor gives it: only kill ends that.
bool is_doomed(const Runner& runner, const Process& process) {
  if (process.has(kKilled)) return true;
  return process.has(kExiting) && runner.ending != process.self;
}

}  // namespace

Watch::Watch(Runtime& runtime, const LongScheduleLimits& limits)
    : runtime_(runtime), limits_(limits), context_(runtime, kWatchId) {}

void Watch::start() {
  if (!can_claim()) return;
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "baton-watch");
    loop();
  });
}

void Watch::stop() {
  {
    std::lock_guard lock(mutex_);
    is_stopping_ = true;
    wake_up_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Watch::wake_up() {
  std::lock_guard lock(mutex_);
  is_asleep_.store(false, std::memory_order_seq_cst);
  wake_up_.notify_all();
}

bool Watch::is_quiet() const {
  // Counted before its thread looks whether we sleep: one of the two sees the other.
  if (errands_.load(std::memory_order_seq_cst) != 0) return false;
  if (!runtime_.wakeup().are_all_idle()) return false;
  for (std::uint32_t id = 0; id < runtime_.runners().count(); ++id)
    if (Boundary::is_inside(runtime_.runners().at(id).boundary.place())) return false;
  return true;
}

void Watch::loop() {
  std::unique_lock lock(mutex_);
  std::uint32_t quiet = 0;
  std::uint64_t last = now_ns();
  while (!is_stopping_) {
    quiet = is_quiet() ? quiet + 1 : 0;
    if (quiet > kQuietTicks) {
      // Whoever wakes up clears its idle bit and then looks whether we sleep: one of the two sees
      // the other.
      is_asleep_.store(true, std::memory_order_seq_cst);
      if (is_quiet()) wake_up_.wait(lock, [this] { return is_stopping_ || !is_asleep_.load(); });
      is_asleep_.store(false, std::memory_order_seq_cst);
      quiet = 0;
      last = now_ns();
    }
    wake_up_.wait_for(lock, std::chrono::nanoseconds(kTickNs), [this] { return is_stopping_; });
    const std::uint64_t now = now_ns();
    lock.unlock();
    tick(std::min(now - last, 2 * kTickNs));
    lock.lock();
    last = now;
  }
}

void Watch::tick(std::uint64_t passed_ns) {
  std::lock_guard lock(mutex_);
  for (std::uint32_t id = 0; id < runtime_.runners().count(); ++id)
    look_at(runtime_.runners().at(id), seen_[id], passed_ns);
  for (std::uint32_t i = 0; i < runtime_.scheduler_count(); ++i) {
    Scheduler& scheduler = runtime_.scheduler(i);
    const std::uint64_t looks = scheduler.looks();
    if (std::exchange(looks_[i], looks) == looks && !runtime_.wakeup().is_idle(i))
      runtime_.runners().hurry(scheduler, kLook);
  }
}

void Watch::look_at(Runner& runner, Seen& seen, std::uint64_t passed_ns) {
  const std::uint64_t place = runner.boundary.place();
  if (place != seen.place || !Boundary::is_inside(place)) {
    if (seen.report) tell(seen, LongSchedule::What::kReturned);
    seen = Seen();
    seen.place = place;
    return;
  }
  seen.age_ns += passed_ns;
  if (seen.report) seen.report->age_ns = seen.age_ns;
  if ((runner.boundary.summons() & kExiled) != 0) return look_at_exile(runner, seen);

  const bool is_reportable = !seen.report && seen.age_ns >= limits_.long_schedule_ns;
  const bool is_stuck =
      seen.age_ns >= (is_hurried_.load(std::memory_order_relaxed) ? limits_.long_schedule_ns
                                                                  : limits_.stuck_after_ns);
  const bool is_wanted = runtime_.wakeup().is_anyone_idle();
  if (!is_reportable && !is_stuck && !is_wanted) return;
  bool is_handed_over = false, has_tried = false;
  {
    const Claim claim(runner.boundary, place);
    if (!claim.is_held()) return;
    if (is_reportable) seen.report = facts_of(runner, seen.age_ns);
    // One that carries out an errand has no scheduler; who waits for it leaves it in time.
    if (is_wanted && runner.scheduler != nullptr) runner.scheduler->share();
    if (is_stuck && runner.scheduler != nullptr) {
      has_tried = true;
      is_handed_over = runtime_.runners().replace(runner);
    }
  }
  if (is_reportable) tell(seen, LongSchedule::What::kLong);
  if (is_handed_over && seen.report) tell(seen, LongSchedule::What::kStuck);
  // Tried again at every look, said once.
  if (has_tried && !is_handed_over && seen.report && !std::exchange(seen.has_no_thread, true))
    tell(seen, LongSchedule::What::kNoThread);
}

void Watch::look_at_exile(Runner& runner, Seen& seen) {
  const Process* process = runtime_.find(runner.running.load(std::memory_order_relaxed));
  if (process == nullptr || process->has(kAbandoned)) return;
  if (!runner.owns_running.load(std::memory_order_acquire)) return;
  if (!process->mailbox.has_new_mail() && !process->has(kExiting)) return;
  {
    const Claim claim(runner.boundary, seen.place);
    if (!claim.is_held()) return;
    Process& inside = *runner.current;
    if (inside.has(kAbandoned)) return;
    act_on_arrivals(context_, inside);
    if (!is_doomed(runner, inside) || seen.age_ns < limits_.kill_after_ns) return;
    if (!seen.report) seen.report = facts_of(runner, seen.age_ns);
    end_process(runner);
  }
  tell(seen, LongSchedule::What::kAbandoned);
}

void Watch::end_process(Runner& runner) {
  const LongSchedule& callback = *seen_[runner.id].report;
  BATON_CHECK((runner.boundary.summons() & kExiled) != 0, "only an exile's process is abandoned");
  // Whose code it is inside, which in a hook is not always the process's.
  code::Version& version = runner.hook != nullptr && runner.hook_code != nullptr
                               ? *runner.hook_code
                               : *runner.current->version.load(std::memory_order_relaxed);
  abandon_process(context_, runner);
  runner.give_way();
  std::uint32_t all = 0, of_version = 0;
  for (std::uint32_t id = 0; id < runtime_.runners().count(); ++id) {
    const Runner& other = runtime_.runners().at(id);
    const Process* process = runtime_.find(other.running.load(std::memory_order_relaxed));
    if (process == nullptr || !process->has(kAbandoned)) continue;
    ++all;
    const auto& report = seen_[id].report;
    if (report && report->module == callback.module && report->version == callback.version)
      ++of_version;
  }
  if (all >= limits_.abandoned_max || of_version >= limits_.abandoned_max_version) version.bar();
}

void Watch::tell(Seen& seen, LongSchedule::What what) {
  seen.report->what = what;
  runtime_.observer().long_schedule(*seen.report);
}

std::vector<LongSchedule> Watch::overdue() const {
  std::vector<LongSchedule> all;
  std::lock_guard lock(mutex_);
  for (const Seen& seen : seen_)
    if (seen.report) all.push_back(*seen.report);
  return all;
}

std::vector<Watch::Exile> Watch::exiles() const {
  std::vector<Exile> all;
  std::lock_guard lock(mutex_);
  for (std::uint32_t id = 0; id < runtime_.runners().count(); ++id) {
    const Runner& runner = runtime_.runners().at(id);
    if ((runner.boundary.summons() & kExiled) == 0) continue;
    const Process* process = runtime_.find(runner.running.load(std::memory_order_acquire));
    const code::Version* version =
        process != nullptr ? process->version.load(std::memory_order_acquire) : nullptr;
    if (version == nullptr) continue;  // it has concluded, and is about to be a spare
    Exile exile{.callback = {},
                .version = version,
                .is_drained = process->has(kIsServer),
                .is_frame = process->has(kAwaiting),
                .is_abandoned = process->has(kAbandoned)};
    if (seen_[id].report)
      exile.callback = *seen_[id].report;
    else
      exile.callback.pid = process->self;
    all.push_back(std::move(exile));
  }
  return all;
}

Runner* Watch::exile_of(baton_term pid) {
  for (std::uint32_t id = 0; id < runtime_.runners().count(); ++id) {
    Runner& runner = runtime_.runners().at(id);
    if ((runner.boundary.summons() & kExiled) != 0 &&
        runner.running.load(std::memory_order_acquire) == pid)
      return runner.owns_running.load(std::memory_order_acquire) ? &runner : nullptr;
  }
  return nullptr;
}

bool Watch::abandon(baton_term pid) {
  std::lock_guard lock(mutex_);
  Runner* const runner = exile_of(pid);
  if (runner == nullptr) return false;
  Seen& seen = seen_[runner->id];
  {
    const Claim claim(runner->boundary, seen.place);
    if (!claim.is_held() || runner->current == nullptr || runner->current->has(kAbandoned))
      return false;
    if (!seen.report) seen.report = facts_of(*runner, seen.age_ns);
    end_process(*runner);
  }
  tell(seen, LongSchedule::What::kAbandoned);
  return true;
}

bool Watch::leave_behind(baton_term pid) {
  std::lock_guard lock(mutex_);
  Runner* const runner = exile_of(pid);
  if (runner == nullptr) return false;
  const Claim claim(runner->boundary, seen_[runner->id].place);
  if (!claim.is_held() || runner->current == nullptr || runner->current->has(kAbandoned))
    return false;
  cut_chain(context_, *runner);
  return true;
}

}  // namespace baton::runtime
