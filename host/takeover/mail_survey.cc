#include "takeover/mail_survey.h"

#include "code/behaviour.h"
#include "takeover/drain.h"
#include "takeover/mail_mover.h"
#include "takeover/mail_swap.h"

#include <mutex>
#include <utility>

namespace baton::takeover {

namespace {

class Survey {
 public:
  Survey(const Departure& departure, StuckCounts& counts)
      : module_(departure.from->module_name()), counts_(counts) {
    for (const module::BehaviourChange& behaviour : departure.evolution.behaviours)
      movers_.emplace_back(behaviour.behaviour, MailMover(behaviour.mail_there));
  }

  void visit(const runtime::Process& process) {
    for (const runtime::Message* first : {process.in_first, process.mailbox.newest()})
      for (; first != nullptr; first = first->next) count(process, *first);
  }
  void count(const runtime::Process& process, const runtime::Message& message) {
    // Mail of a coroutine process stays with it, and with its version.
    if (!code::has_state(*process.behaviour)) return;
    ShallowTerm unused;
    for (const auto& [behaviour, mover] : movers_) {
      if (behaviour != process.behaviour->name) continue;
      const auto verdict = mover.judge(message.kind, message.root, unused);
      if (verdict.fate == MailMover::Fate::kStuck)
        ++counts_[stuck_key(module_, behaviour, *verdict.form)];
    }
  }

 private:
  const std::string module_;
  StuckCounts& counts_;
  std::vector<std::pair<std::string, MailMover>> movers_;
};

}  // namespace

std::string stuck_key(const std::string& module, const std::string& behaviour,
                      const std::string& form) {
  return module + ":" + behaviour + ": " + form;
}

Result<StuckCounts> count_stuck_mail(runtime::Runtime& runtime,
                                     const std::vector<Departure>& departures,
                                     std::chrono::milliseconds budget) {
  std::vector<code::Version*> group;
  for (const Departure& departure : departures) group.push_back(departure.from);
  Drain drain(runtime, group, StuckPolicy::kRefuse);
  BATON_TRY(drain.park(runtime::now_ns() +
                       static_cast<std::uint64_t>(std::chrono::nanoseconds(budget).count())));
  StuckCounts counts;
  for (const Departure& departure : departures) {
    Survey survey(departure, counts);
    for (std::uint32_t i = 0; i < code::kShards; ++i) {
      code::Version::Shard& shard = departure.from->shard(i);
      // Processes may be started meanwhile: the lock is for the array.
      std::lock_guard lock(shard.lock);
      for (std::uint32_t index : shard.processes) survey.visit(runtime.table().at(index));
    }
    const auto is_left = [&](const code::Version* version) { return version == departure.from; };
    for (std::uint32_t i = 0; i < runtime.scheduler_count(); ++i)
      runtime.scheduler(i).timers().each([&](const runtime::Timers::Due& due) {
        const runtime::Process* const process = parked_receiver(runtime, due.to, is_left);
        if (process != nullptr) survey.count(*process, *due.message);
      });
  }
  return counts;
}

}  // namespace baton::takeover
