#include "takeover/transaction.h"

#include "base/check.h"
#include "runtime/primitives.h"

namespace baton::takeover {

namespace {

std::uint64_t microseconds_since(std::uint64_t start_ns) {
  return (runtime::now_ns() - start_ns) / 1000;
}

std::vector<code::Version*> versions_left(const std::vector<Change>& changes) {
  std::vector<code::Version*> versions;
  for (const Change& change : changes) versions.push_back(change.from);
  return versions;
}

}  // namespace

Transaction::Transaction(runtime::Runtime& runtime, std::vector<Change> changes,
                         const TakeoverOptions& options, std::function<void()> flip)
    : runtime_(runtime),
      changes_(std::move(changes)),
      options_(options),
      flip_(std::move(flip)),
      migration_(runtime, changes_, options),
      drain_(runtime, versions_left(changes_), options.stuck) {}

// ---- The one who waits

Result<void> Transaction::carry_out() {
  if (!runtime_.runners().lend(shared_from_this())) {
    runtime::External external(runtime_);
    carry_out_here(external.context());
    return *outcome_;
  }
  std::uint64_t until = runtime::now_ns() + static_cast<std::uint64_t>(
                                                std::chrono::nanoseconds(options_.budget).count());
  bool has_left_all = false;
  while (!has_left_all && !wait(until)) {
    has_left_all = leave_stuck();
    until = runtime::now_ns() + runtime::kLeaveAgainNs;
  }
  const bool is_undecided = has_left_all && stage_ == Stage::kPreparing;
  if (is_undecided) {
    migration_.crew().dismiss();
    migration_.drop_heirs();
    drain_.release();
  }
  if (left_.empty() && !is_undecided) return *outcome_;
  // So that a scheduler comes by, and hands them over.
  runtime::External external(runtime_);
  for (baton_term pid : left_)
    runtime::send(external.context(), pid, external.context().allocate(0, runtime::kWakeSignal));
  return left_error();
}

bool Transaction::leave_stuck() {
  const std::uint64_t now = runtime::now_ns();
  switch (stage_.load(std::memory_order_acquire)) {
    case Stage::kPreparing:
      if (now < deadline_ns_.load(std::memory_order_relaxed)) return false;
      migration_.fail_late();
      // Until the last of them is out of the states that it reads nobody may run.
      if (!migration_.crew().leave_stuck(left_) || !leave()) return false;
      if (left_process() != BATON_NO_TERM) left_.push_back(left_process());
      return true;
    case Stage::kCommitting: return false;
    case Stage::kDecided:
      if (decided_ns_ == 0) decided_ns_ = now;
      if (now - decided_ns_ <= kFreeNs || !leave()) return false;
      BATON_CHECK(left_process() == BATON_NO_TERM, "what is freed is no process's state");
      return true;
  }
  return false;
}

Error Transaction::left_error() const {
  std::string names;
  for (baton_term pid : left_)
    names += (names.empty() ? "<0." : ", <0.") + std::to_string(runtime::pid_index(pid)) + "." +
             std::to_string(runtime::pid_generation(pid)) + ">";
  const std::string budget =
      "the take-over's budget of " + std::to_string(options_.budget.count()) + " ms ended inside ";
  // Mail that a timer holds is converted for no process.
  if (names.empty())
    return Error(Code::kTimedOut, budget +
                                      "a hook that converts what a timer is to send; cure: a "
                                      "message_change that ends");
  return Error(Code::kTimedOut,
               budget + "a hook that reads the state of " + names +
                   ": its process waits until that returns; cure: kill the process, or a "
                   "code_change that ends");
}

void Transaction::pin() {
  std::lock_guard lock(mutex_);
  if (left_inside_++ != 0) return;
  const bool is_decided = stage_ == Stage::kDecided;
  for (const Change& change : changes_) {
    pinned_.push_back(change.to);
    if (is_decided) pinned_.push_back(change.from);
  }
  for (code::Version* version : pinned_) version->pin();
}

void Transaction::unpin(runtime::Context&) {
  std::lock_guard lock(mutex_);
  BATON_CHECK(left_inside_ != 0, "nothing was left");
  if (--left_inside_ != 0) return;
  for (code::Version* version : std::exchange(pinned_, {})) version->unpin();
}

// ---- The runner

void Transaction::run(runtime::Context& context) {
  Result<void> outcome = transact(context);
  if (is_left()) {
    // Whoever waited has released the processes, and said how it ended.
    migration_.abort(context);
    return;
  }
  const bool is_done = outcome.ok();
  outcome_ = std::move(outcome);
  stage_.store(Stage::kDecided, std::memory_order_release);
  migration_.crew().dismiss();
  if (!is_done) return migration_.abort(context);
  migration_.settle_mail(context);
  if (afterwards_) afterwards_(context);
}

Result<void> Transaction::transact(runtime::Context& context) {
  migration_.reserve(shared_from_this());
  TakeoverReport& report = migration_.report();
  const std::uint64_t start = runtime::now_ns();
  const std::uint64_t deadline =
      start + static_cast<std::uint64_t>(std::chrono::nanoseconds(options_.budget).count());
  deadline_ns_.store(deadline, std::memory_order_relaxed);
  BATON_TRY(drain_.park(deadline));
  report.drain_us = microseconds_since(start);
  report.abandoned = drain_.abandoned();

  const std::uint64_t parked = runtime::now_ns();
  migration_.gather(drain_.left_behind());
  runtime_.scheduling_point();
  if (auto prepared = migration_.prepare(context, deadline); !prepared.ok()) {
    if (!is_left()) drain_.release();
    return prepared;
  }
  runtime_.scheduling_point();
  report.prepare_us = microseconds_since(parked);

  stage_.store(Stage::kCommitting, std::memory_order_release);
  const std::uint64_t prepared = runtime::now_ns();
  for (const Change& change : changes_) drain_.join(change.to);
  migration_.commit(context, flip_);
  runtime_.scheduling_point();
  report.commit_us = microseconds_since(prepared);
  drain_.release();
  report.pause_us = microseconds_since(start);
  return {};
}

}  // namespace baton::takeover
