#include "takeover/drain.h"

#include "base/check.h"

#include <algorithm>
#include <mutex>

namespace baton::takeover {

namespace {
constexpr std::size_t kNamedMax = 5;
// To release there is no way but forward: a scheduler that does not come by in this time is stuck
// in a callback, and takes up what was held for it when it returns.
constexpr std::uint64_t kReleaseNs = 5'000'000'000;
}  // namespace

Drain::Drain(runtime::Runtime& runtime, std::vector<code::Version*> group, StuckPolicy policy)
    : runtime_(runtime), group_(std::move(group)), policy_(policy) {}

Drain::~Drain() { release(); }

Result<void> Drain::park(std::uint64_t deadline_ns) {
  BATON_CHECK(is_released_, "what is parked is not parked once more");
  is_released_ = false;
  // Draining is announced before any phase changes: what is sent from then on is looked at for
  // marks.
  runtime_.attend(runtime::Attention::kDraining, true);
  set_phase(code::Phase::kDraining);
  auto rested = come_to_rest(deadline_ns);
  if (!rested.ok()) release();
  return rested;
}

Result<void> Drain::come_to_rest(std::uint64_t deadline_ns) {
  bool has_passed = runtime_.barrier(deadline_ns);
  while (has_passed && runtime::now_ns() < deadline_ns) {
    if (!is_at_rest()) {
      runtime_.pause();
      continue;
    }
    // A call from outside may have been taken up between the look and the phase, and a callback may
    // have lost its scheduler: look again behind a barrier.
    set_phase(code::Phase::kParked);
    has_passed = runtime_.barrier(deadline_ns);
    if (has_passed && is_at_rest()) return {};
    set_phase(code::Phase::kDraining);
    // What was put aside while they were parked may be just what the chain waits for: a barrier
    // brings it back.
    has_passed = has_passed && runtime_.barrier(deadline_ns);
  }
  return Error(Code::kTimedOut, "the processes did not come to rest in time: " + who_is_busy());
}

bool Drain::is_at_rest() {
  left_behind_.clear();
  bool is_free = true;
  std::uint64_t frames = 0;
  for (const auto& exile : stuck()) {
    const baton_term pid = exile.callback.pid;
    // A barrier takes the scheduler from a callback that is only slow, too: that is waited for. Nor
    // is it an error if the callback is just returning.
    const bool is_stuck = exile.callback.age_ns >= runtime_.watch().limits().stuck_after_ns;
    if (is_stuck && policy_ == StuckPolicy::kLeave && runtime_.watch().leave_behind(pid)) {
      left_behind_.push_back(pid);
      frames += exile.is_frame ? 1 : 0;
      continue;
    }
    if (is_stuck && policy_ == StuckPolicy::kAbandon && runtime_.watch().abandon(pid)) ++abandoned_;
    is_free = false;
  }
  return is_free && runtime::is_at_rest(runtime_, group_, frames);
}

std::vector<runtime::Watch::Exile> Drain::stuck() const {
  auto exiles = runtime_.watch().exiles();
  std::erase_if(exiles, [&](const auto& exile) {
    return !exile.is_drained || exile.is_abandoned ||
           std::find(group_.begin(), group_.end(), exile.version) == group_.end();
  });
  return exiles;
}

void Drain::join(code::Version* version) {
  BATON_CHECK(!is_released_, "a version joins those that are parked");
  version->phase().store(code::Phase::kParked, std::memory_order_release);
  group_.push_back(version);
}

void Drain::release() {
  if (is_released_) return;
  is_released_ = true;
  set_phase(code::Phase::kOpen);
  runtime_.attend(runtime::Attention::kDraining, false);
  runtime_.scheduling_point();
  // Behind it all that was put aside is in the run queues again.
  runtime_.barrier(runtime::now_ns() + kReleaseNs);
}

void Drain::set_phase(code::Phase phase) {
  for (code::Version* version : group_) {
    runtime_.scheduling_point();
    version->phase().store(phase, std::memory_order_release);
  }
  runtime_.scheduling_point();
}

std::string Drain::who_is_busy() const {
  std::string text;
  std::size_t named = 0, busy = 0;
  const auto add = [&](baton_term pid, const std::string& what) {
    ++busy;
    if (named == kNamedMax) return;
    ++named;
    text += (text.empty() ? "" : ", ") + std::string("<0.") +
            std::to_string(runtime::pid_index(pid)) + "." +
            std::to_string(runtime::pid_generation(pid)) + "> " + what;
  };
  for (const auto& exile : stuck()) {
    ++busy;
    if (named == kNamedMax) continue;
    ++named;
    text += (text.empty() ? "" : ", ") + exile.callback.text();
  }
  for (std::uint32_t i = 0; i < runtime_.scheduler_count(); ++i) {
    const baton_term pid = runtime_.scheduler(i).runner().running.load(std::memory_order_relaxed);
    if (pid != BATON_NO_TERM && runtime_.scheduler(i).is_behind()) add(pid, "is inside a callback");
  }
  for (code::Version* version : group_) {
    for (std::uint32_t i = 0; i < code::kShards; ++i) {
      auto& shard = version->shard(i);
      std::lock_guard lock(shard.lock);
      for (std::uint32_t index : shard.processes) {
        const runtime::Process& process = runtime_.table().at(index);
        if (process.has(runtime::kAwaiting) && process.has(runtime::kIsServer))
          add(process.self,
              "(" + version->module_name() + ":" + process.behaviour->name + ") waits for a reply");
      }
    }
  }
  if (busy > named) text += ", and " + std::to_string(busy - named) + " more";
  return text.empty() ? "nobody can be named" : text;
}

}  // namespace baton::takeover
