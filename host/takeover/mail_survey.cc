#include "takeover/mail_survey.h"

#include "code/behaviour.h"
#include "takeover/drain.h"
#include "takeover/mail_mover.h"

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

  // Mail of a coroutine process stays with it, and with its version.
  void visit(const runtime::Process& process) {
    if (!code::has_state(*process.behaviour)) return;
    for (const auto& [behaviour, mover] : movers_) {
      if (behaviour != process.behaviour->name) continue;
      count(behaviour, mover, process.in_first);
      count(behaviour, mover, process.mailbox.newest());
    }
  }

 private:
  void count(const std::string& behaviour, const MailMover& mover, const runtime::Message* first) {
    ShallowTerm unused;
    for (; first != nullptr; first = first->next) {
      const auto verdict = mover.judge(first->kind, first->root, unused);
      if (verdict.fate == MailMover::Fate::kStuck)
        ++counts_[stuck_key(module_, behaviour, *verdict.form)];
    }
  }

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
  Drain drain(runtime, group, false);
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
  }
  return counts;
}

}  // namespace baton::takeover
