#include "runtime/errand.h"

#include "base/check.h"
#include "runtime/runtime.h"
#include "runtime/turn.h"
#include "runtime/watch.h"

#include <chrono>

namespace baton::runtime {

bool Errand::carry_out(Runtime& runtime, const std::shared_ptr<Errand>& errand,
                       std::uint64_t deadline_ns) {
  if (!runtime.runners().lend(errand)) {
    External external(runtime);
    errand->carry_out_here(external.context());
    return true;
  }
  while (!errand->wait(deadline_ns)) {
    if (errand->leave()) return false;
    deadline_ns = now_ns() + kLeaveAgainNs;
  }
  return true;
}

bool Errand::wait(std::uint64_t deadline_ns) {
  std::unique_lock lock(mutex_);
  while (!is_done_) {
    const std::uint64_t now = now_ns();
    if (now >= deadline_ns) return false;
    done_.wait_for(lock, std::chrono::nanoseconds(deadline_ns - now));
  }
  return true;
}

bool Errand::leave() {
  // Until this is released the runner can be done with nothing, and begin nothing else.
  std::lock_guard lock(mutex_);
  if (is_done_ || is_left_) return false;
  const std::uint64_t place = runner_->boundary.place();
  if (!Boundary::is_inside(place)) return false;
  const std::uint64_t now = now_ns();
  if (std::exchange(seen_place_, place) != place) seen_ns_ = now;
  if (now - seen_ns_ < runner_->runtime.watch().limits().stuck_after_ns) return false;
  const Claim claim(runner_->boundary, place);
  if (!claim.is_held()) return false;
  BATON_CHECK(runner_->errand == this, "an errand is left by the runner inside it");
  is_left_ = true;
  pin();
  runner_->boundary.raise(kExiled);
  if (runner_->current != nullptr) {
    left_process_ = runner_->current->self;
    runner_->runtime.runners().lend_process(*runner_);
  }
  return true;
}

void Errand::run_on(Runner& runner) {
  runner.boundary.set_host_code(false);
  runner.errand = this;
  runner.runtime.watch().begin_errand();
  run(runner);
  runner.runtime.watch().end_errand();
  runner.errand = nullptr;
  if (is_left_) unpin(runner);
}

void Errand::finish() {
  std::lock_guard lock(mutex_);
  BATON_CHECK(!is_done_, "an errand is done once");
  is_done_ = true;
  done_.notify_all();
}

bool conclude_hook(Context& context) {
  context.leave_slowly();
  if (context.errand == nullptr || !context.errand->is_left()) return false;
  if (context.current != nullptr)
    context.runtime.runners().give_back_process(static_cast<Runner&>(context));
  context.current = nullptr;
  return true;
}

}  // namespace baton::runtime
