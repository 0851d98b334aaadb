#include "takeover/migration.h"

#include "base/check.h"
#include "base/pages.h"
#include "base/processors.h"
#include "code/behaviour.h"
#include "term/layout.h"

#include <algorithm>

namespace baton::takeover {

namespace {

constexpr std::size_t kChunkCrossings = 1024;
// How many are prepared between two looks at the clock: a hook may be slow.
constexpr std::size_t kTimedCrossings = 16;
// How far ahead of the work the slots and the states are fetched.
constexpr std::size_t kSlotAhead = 16;
constexpr std::size_t kStateAhead = 8;
// However many cores there are: runners stay for callbacks that do not return.
constexpr std::size_t kThreadsMax = 8;
constexpr const char* kOtherLosses = "other things";

std::size_t chunks_of(std::size_t crossings) {
  return (crossings + kChunkCrossings - 1) / kChunkCrossings;
}

std::string name_of(const runtime::Process& process) {
  const code::Version& version = *process.version.load(std::memory_order_acquire);
  return "process <0." + std::to_string(runtime::pid_index(process.self)) + "." +
         std::to_string(runtime::pid_generation(process.self)) + "> (" + version.module_name() +
         ":" + process.behaviour->name + ")";
}

}  // namespace

Migration::Migration(runtime::Runtime& runtime, std::vector<Change> changes,
                     const TakeoverOptions& options)
    : runtime_(runtime), changes_(std::move(changes)), options_(options) {}

void Migration::drop_heirs() {
  if (!has_heirs_.exchange(false)) return;
  for (const Change& change : changes_)
    for (std::uint32_t i = 0; i < code::kShards; ++i) change.from->shard(i).set_heir(nullptr);
}

void Migration::abort(runtime::Context& own) {
  BATON_CHECK(!is_committed_);
  drop_heirs();
  settle_mail(own);
  for (Crossing& crossing : crossings_) {
    if (crossing.kind != Crossing::Kind::kMigrates || crossing.made == nullptr) continue;
    free_state(own, mover_of(crossing).to(), std::exchange(crossing.made, nullptr));
  }
}

Result<void> Migration::plan() {
  for (const Change& change : changes_) {
    for (std::uint32_t i = 0; i < change.from->behaviour_count(); ++i) {
      const baton_behaviour* from = change.from->behaviour_at(i);
      if (!code::has_state(*from)) continue;
      const baton_behaviour* to = change.to->behaviour(from->name);
      if (to == nullptr || !code::has_state(*to)) continue;  // left behind
      const module::BehaviourChange* planned = change.evolution.behaviour(from->name);
      BATON_CHECK(planned != nullptr, "a behaviour that the plan does not know");
      BATON_ASSIGN(
          StateMover mover,
          StateMover::of(planned->there, change.from->module_name() + ":" + from->name,
                         {from->state, change.from->number()}, {to->state, change.to->number()}));
      discards_ = discards_ || mover.discards();
      movers_.push_back(std::make_unique<const StateMover>(std::move(mover)));
      routes_.push_back(
          {from, to, change.to, movers_.back()->adopts() ? nullptr : movers_.back().get()});
      auto mail_mover = std::make_unique<const MailMover>(
          planned->mail_there,
          MailMover::hooks_of(*change.from, *change.to, change.evolution.direction, from->name));
      if (mail_mover->is_idle()) mail_mover.reset();
      moves_mail_ = moves_mail_ || mail_mover != nullptr;
      mail_movers_.push_back(std::move(mail_mover));
    }
  }
  returns_.assign(routes_.size(), nullptr);
  return {};
}

void Migration::offer(const WayBack& way_back) {
  offer_ = &way_back;
  for (std::size_t i = 0; i < routes_.size(); ++i)
    for (const Route& route : way_back.routes_)
      if (route.from == routes_[i].to && route.to == routes_[i].from && route.mover != nullptr &&
          route.mover->is_reversible() && routes_[i].mover->is_reversible())
        returns_[i] = route.mover;
  offered_.reserve(way_back.crossings_.size());
  for (std::uint32_t i = 0; i < way_back.crossings_.size(); ++i)
    offered_.emplace(way_back.crossings_[i].process, i);
}

void Migration::reserve(const std::shared_ptr<Crew::Keeper>& keeper) {
  std::size_t count = 0;
  for (const Change& change : changes_) {
    count += change.from->lease_count();
    for (std::uint32_t i = 0; i < code::kShards; ++i)
      change.from->shard(i).set_heir(&change.to->shard(i));
  }
  has_heirs_ = true;
  // Some more: others may be started until all are parked.
  crossings_.reserve(count + count / 16);
  populate(crossings_.data(), crossings_.capacity() * sizeof(Crossing));
  std::size_t threads = options_.threads;
  if (threads == 0) threads = usable_processors();
  crew_.hire(runtime_, std::min({threads, chunks_of(count), kThreadsMax}), keeper);
}

const Route* Migration::route_of(const runtime::Process& process) const {
  if (std::find(left_behind_.begin(), left_behind_.end(), process.self) != left_behind_.end())
    return nullptr;
  for (const Route& route : routes_)
    if (route.from == process.behaviour) return &route;
  return nullptr;
}

const StateMover& Migration::mover_of(const Crossing& crossing) const {
  return crossing.kind == Crossing::Kind::kReturns ? *returns_[crossing.route]
                                                   : *routes_[crossing.route].mover;
}

void Migration::gather(const std::vector<baton_term>& left_behind) {
  left_behind_ = left_behind;
  for (const Change& change : changes_)
    for (std::uint32_t i = 0; i < code::kShards; ++i) gather(change, i);
}

void Migration::gather(const Change& change, std::uint32_t shard_index) {
  BATON_CHECK(change.from->phase().load(std::memory_order_acquire) == code::Phase::kParked,
              "what is not parked is nobody's to move");
  code::Version::Shard& shard = change.from->shard(shard_index);
  // Processes may be started meanwhile (their init waits): the lock is for the array.
  std::lock_guard lock(shard.lock);
  const auto& processes = shard.processes;
  const std::size_t before = crossings_.size();
  for (std::size_t at = 0; at < processes.size(); ++at) {
    if (at + kSlotAhead < processes.size())
      __builtin_prefetch(&runtime_.table().at(processes[at + kSlotAhead]));
    runtime::Process& process = runtime_.table().at(processes[at]);
    if (const Route* route = route_of(process))
      crossings_.push_back(crossing_of(process, *route));
    else
      ++report_.left_behind;
  }
  const std::size_t count = crossings_.size() - before;
  for (std::size_t i = before; i < crossings_.size(); ++i)
    ++(crossings_[i].kind == Crossing::Kind::kAdopts ? report_.adopted : report_.migrated);
  shares_.push_back({.change = &change,
                     .shard = shard_index,
                     .count = count,
                     .is_all = count == processes.size(),
                     .acquired = shard.acquired.load(std::memory_order_relaxed),
                     .released = shard.released.load(std::memory_order_relaxed)});
}

Crossing Migration::crossing_of(runtime::Process& process, const Route& route) const {
  // A frame would go on in the old version's code with the new version's state.
  BATON_CHECK(!process.has(runtime::kAwaiting), "a process was parked inside a callback");
  Crossing crossing{
      .process = runtime_.table().index_of(process),
      .generation = process.generation.load(std::memory_order_relaxed),
      .old_state = process.state,
      .made = nullptr,
      .route = static_cast<std::uint32_t>(&route - routes_.data()),
      .kind = Crossing::Kind::kAdopts,
  };
  if (route.mover == nullptr || crossing.old_state == nullptr) return crossing;
  crossing.kind = Crossing::Kind::kMigrates;
  if (returns_[crossing.route] == nullptr) return crossing;
  const auto found = offered_.find(crossing.process);
  if (found == offered_.end()) return crossing;
  const Crossing& earlier = offer_->crossings_[found->second];
  if (earlier.generation != crossing.generation || earlier.made != crossing.old_state)
    return crossing;
  crossing.kind = Crossing::Kind::kReturns;
  crossing.made = earlier.old_state;
  return crossing;
}

template <auto kWork>
void Migration::in_parallel(runtime::Context& own) {
  next_chunk_.store(0, std::memory_order_relaxed);
  const auto take_chunks = [](void* raw, runtime::Context& context, std::size_t thread) {
    auto& self = *static_cast<Migration*>(raw);
    const std::size_t chunks = chunks_of(self.crossings_.size());
    for (std::size_t chunk; (chunk = self.next_chunk_.fetch_add(1)) < chunks;)
      (self.*kWork)(chunk * kChunkCrossings,
                    std::min(self.crossings_.size(), (chunk + 1) * kChunkCrossings), context,
                    thread);
  };
  crew_.run(own, take_chunks, this);
}

// Requires: `end` is that of the chunk that this thread has taken, as others write to theirs.
void Migration::prefetch_ahead(std::size_t i, std::size_t end, bool slots) const {
  if (slots && i + kSlotAhead < end) {
    const auto* slot =
        reinterpret_cast<const char*>(&runtime_.table().at(crossings_[i + kSlotAhead].process));
    __builtin_prefetch(slot, 1);
    __builtin_prefetch(slot + 64, 1);
  }
  if (i + kStateAhead >= end) return;
  const Crossing& ahead = crossings_[i + kStateAhead];
  __builtin_prefetch(ahead.old_state, 1);
  __builtin_prefetch(ahead.made, 1);
}

Result<void> Migration::prepare(runtime::Context& own, std::uint64_t deadline_ns) {
  deadline_ns_ = deadline_ns;
  mail_.resize(crew_.size());
  in_parallel<&Migration::prepare_chunk>(own);
  if (moves_mail_ && !has_failed_) prepare_timers(own);
  // The last of them may have come too late.
  if (!has_failed_ && runtime::now_ns() > deadline_ns) fail_late();
  if (has_failed_) return failure();
  if (has_losses_ && !options_.accepts_loss)
    return Error(Code::kRefused,
                 "going down would lose " + describe(lost_) + "; --accept-loss gives them up");
  MailCount mail;
  for (const MovedMail& part : mail_) mail.add(part.count);
  if (!mail.stuck.empty())
    return Error(Code::kRefused,
                 "messages that wait cannot be converted: " + describe(mail.stuck) +
                     "; cure: let their receivers handle them first, or say --mail drop or "
                     "--mail deliver");
  report_.mail_moved = mail.moved;
  report_.mail_dropped = mail.dropped;
  report_.mail_delivered = mail.delivered;
  if (discards_ && options_.accepts_loss) {
    in_parallel<&Migration::discard_chunk>(own);
    if (has_failed_) return failure();
  }
  return {};
}

Error Migration::failure() {
  // Whoever waits may be writing it down just now.
  std::lock_guard lock(mutex_);
  return Error(failure_code_, failure_);
}

void Migration::prepare_chunk(std::size_t begin, std::size_t end, runtime::Context& context,
                              std::size_t thread) {
  for (std::size_t i = begin; i < end; ++i) {
    if (has_failed_.load(std::memory_order_relaxed)) return;
    if (i % kTimedCrossings == 0 && runtime::now_ns() > deadline_ns_) return fail_late();
    prefetch_ahead(i, end, moves_mail_);
    if (!prepare(crossings_[i], context)) return;
    if (moves_mail_ && !prepare_mail(crossings_[i], context, thread)) return;
  }
}

bool Migration::prepare_mail(const Crossing& crossing, runtime::Context& context,
                             std::size_t thread) {
  const MailMover* const mover = mail_movers_[crossing.route].get();
  if (mover == nullptr) return true;
  runtime::Process& process = runtime_.table().at(crossing.process);
  if (process.in_first == nullptr && !process.mailbox.has_new_mail()) return true;
  MovedMail& mail = mail_[thread];
  MailSwap& swap = mail.swaps.emplace_back(process);
  const auto is_late = [&] { return runtime::now_ns() > deadline_ns_; };
  if (!swap.prepare(context, *mover, options_.stuck_mail, is_late, mail.count)) {
    fail_late();
    return false;
  }
  if (swap.is_empty()) mail.swaps.pop_back();
  return true;
}

// Their timers may fire or be cancelled meanwhile: what such a message was made into is freed then,
// and the message itself is a late one.
void Migration::prepare_timers(runtime::Context& own) {
  // For hooks, which are not called under the timers' lock.
  struct Copy {
    runtime::Timers* timers;
    baton_term ref;
    runtime::Message* message;
    const MailMover* mover;
  };
  std::vector<Copy> copies;
  for (std::uint32_t i = 0; i < runtime_.scheduler_count(); ++i) {
    runtime::Timers& timers = runtime_.scheduler(i).timers();
    timers.each([&](const runtime::Timers::Due& due) {
      const Route* const route = route_to(due.to);
      if (route == nullptr) return;
      const MailMover* const mover = mail_movers_[route - routes_.data()].get();
      if (mover == nullptr) return;
      if (mover->has_hooks())
        copies.push_back({&timers, due.ref, copy_message(own, *due.message), mover});
      else
        prepare_timer(own, timers, due.ref, *due.message, *mover);
    });
  }
  bool is_in_time = true;
  for (const Copy& copy : copies) {
    is_in_time = is_in_time && runtime::now_ns() <= deadline_ns_;
    if (is_in_time) prepare_timer(own, *copy.timers, copy.ref, *copy.message, *copy.mover);
    own.release(copy.message);
  }
  if (!is_in_time) fail_late();
}

void Migration::prepare_timer(runtime::Context& own, runtime::Timers& timers, baton_term ref,
                              const runtime::Message& message, const MailMover& mover) {
  const MovedMessage moved =
      move_message(own, nullptr, mover, message, options_.stuck_mail, mail_.front().count);
  if (moved.step != MovedMessage::Step::kSwap) return;
  if (moved.made != nullptr && moved.made->words != 0) moved.made->word[0] = ref;
  timers_.push_back({&timers, ref, moved.made, moved.made == nullptr});
}

const Route* Migration::route_to(baton_term receiver) const {
  const auto crosses = [&](const code::Version* version) {
    return std::any_of(changes_.begin(), changes_.end(),
                       [&](const Change& change) { return change.from == version; });
  };
  const runtime::Process* const process = parked_receiver(runtime_, receiver, crosses);
  return process != nullptr ? route_of(*process) : nullptr;
}

void Migration::settle_mail(runtime::Context& own) {
  for (MovedMail& mail : mail_)
    for (MailSwap& swap : mail.swaps) swap.settle(own);
  for (TimerSwap& swap : timers_)
    if (swap.message != nullptr) own.release(swap.message);
  mail_.clear();
  timers_.clear();
}

bool Migration::prepare(Crossing& crossing, runtime::Context& context) {
  if (crossing.kind == Crossing::Kind::kAdopts) return true;
  context.error.length = 0;
  if (!options_.accepts_loss && routes_[crossing.route].mover->may_lose()) {
    if (!count_loss(crossing, context)) return fail(crossing, context.error_said());
    // Once something would be lost it is only counted to the end.
    if (has_losses_.load(std::memory_order_relaxed)) return true;
  }
  if (crossing.kind == Crossing::Kind::kReturns)
    return mover_of(crossing).check_restore(crossing.made, crossing.old_state) ||
           fail(crossing, "a value no longer fits the version it came from");
  return make(crossing, context) || fail(crossing, context.error_said());
}

bool Migration::make(Crossing& crossing, runtime::Context& context) {
  const StateMover& mover = mover_of(crossing);
  const std::uint32_t size = mover.to()->size;
  void* raw = context.pools.allocate(size);
  bool is_made = false;
  const bool is_ours = runtime::call_hook(
      context, &runtime_.table().at(crossing.process),
      mover.is_hook_of_left() ? nullptr : routes_[crossing.route].to_version, mover.hook_name(),
      [&] { is_made = mover.make(crossing.old_state, raw, &context.error); });
  if (is_ours && is_made)
    crossing.made = raw;
  else if (is_made)
    free_state(context, mover.to(), raw);
  else
    context.pools.deallocate(raw, runtime::Pools::class_of(size));
  return is_ours && is_made;
}

// A return loses what a migration the other way would: the mover of the route says it for both.
bool Migration::count_loss(const Crossing& crossing, runtime::Context& context) {
  std::uint64_t count = 0;
  const StateMover& mover = *routes_[crossing.route].mover;
  if (!runtime::call_hook(context, &runtime_.table().at(crossing.process), nullptr, "loss",
                          [&] { count = mover.loss(crossing.old_state, &context.error); }))
    return false;
  if (count == 0) return true;
  if (count == StateMover::kUncountable) return false;
  has_losses_.store(true, std::memory_order_relaxed);
  std::string what(context.error_said());
  std::lock_guard lock(mutex_);
  // A module may make up a kind for every process.
  if (lost_.size() >= kLossKindsMax && !lost_.contains(what)) what = kOtherLosses;
  lost_[std::move(what)] += count;
  return true;
}

std::string Migration::describe(const std::map<std::string, std::uint64_t>& counts) {
  std::string text;
  std::size_t left = counts.size();
  for (const auto& [what, count] : counts) {
    if (!text.empty()) text += left == 1 ? " and " : ", ";
    text += std::to_string(count) + " of " + what;
    --left;
  }
  return text;
}

bool Migration::fail(const Crossing& crossing, std::string_view why) {
  std::lock_guard lock(mutex_);
  if (has_failed_.exchange(true)) return false;
  failure_code_ = Code::kFailed;
  failure_ = name_of(runtime_.table().at(crossing.process)) + ": ";
  failure_ += why;
  return false;
}

void Migration::fail_late() {
  std::lock_guard lock(mutex_);
  if (has_failed_.exchange(true)) return;
  failure_code_ = Code::kTimedOut;
  failure_ = "the take-over's budget of " + std::to_string(options_.budget.count()) +
             " ms ended before the states of " + std::to_string(crossings_.size()) +
             " processes were prepared; cure: a larger budget or a faster code_change";
  if (const std::uint64_t discarded = discarded_; discarded != 0)
    failure_ += "; " + std::to_string(discarded) +
                " of them have given up already what the accepted loss gives up";
}

void Migration::discard_chunk(std::size_t begin, std::size_t end, runtime::Context& context,
                              std::size_t) {
  for (std::size_t i = begin; i < end; ++i) {
    if (has_failed_.load(std::memory_order_relaxed)) return;
    if (i % kTimedCrossings == 0 && runtime::now_ns() > deadline_ns_) return fail_late();
    const Crossing& crossing = crossings_[i];
    if (crossing.kind == Crossing::Kind::kAdopts) continue;
    const StateMover& mover = *routes_[crossing.route].mover;
    if (!mover.discards()) continue;
    // One that is left may go on with it, so it counts.
    discarded_.fetch_add(1, std::memory_order_relaxed);
    if (!runtime::call_hook(context, &runtime_.table().at(crossing.process), nullptr, "discard",
                            [&] { mover.discard(crossing.old_state); }))
      return;
  }
}

void Migration::commit_chunk(std::size_t begin, std::size_t end, runtime::Context&, std::size_t) {
  for (std::size_t i = begin; i < end; ++i) {
    prefetch_ahead(i, end, true);
    const Crossing& crossing = crossings_[i];
    const Route& route = routes_[crossing.route];
    runtime::Process& process = runtime_.table().at(crossing.process);
    if (crossing.kind != Crossing::Kind::kAdopts) {
      const StateMover& mover = mover_of(crossing);
      if (crossing.kind == Crossing::Kind::kReturns)
        mover.restore(crossing.made, crossing.old_state);
      else
        mover.commit(crossing.old_state, crossing.made);
      process.state = crossing.made;
    }
    process.behaviour = route.to;
    process.version.store(route.to_version, std::memory_order_release);
  }
}

void Migration::commit(runtime::Context& own, const std::function<void()>& flip) {
  BATON_CHECK(!is_committed_, "a migration is committed once");
  is_committed_ = true;
  in_parallel<&Migration::commit_chunk>(own);
  for (MovedMail& mail : mail_)
    for (MailSwap& swap : mail.swaps) swap.commit();
  for (TimerSwap& swap : timers_) {
    bool is_found;
    swap.message = swap.is_dropped ? swap.timers->cancel(swap.ref, is_found)
                                   : swap.timers->exchange(swap.ref, swap.message);
  }
  flip();
  for (const Share& share : shares_) reindex(share);
  drop_heirs();
}

// Moves the index and the leases. Requires: the version left is retired, so that nothing comes in
// any more.
void Migration::reindex(const Share& share) {
  auto& from = share.change->from->shard(share.shard);
  auto& to = share.change->to->shard(share.shard);
  std::lock_guard from_lock(from.lock);
  std::lock_guard to_lock(to.lock);
  const bool is_unchanged = from.acquired.load(std::memory_order_relaxed) == share.acquired &&
                            from.released.load(std::memory_order_relaxed) == share.released;
  std::uint64_t moved = share.count;
  if (is_unchanged && share.is_all && to.processes.empty())
    to.processes.swap(from.processes);  // every position stays what it is
  else
    moved = reindex_each(*share.change, from, to);
  to.acquired.store(to.acquired.load(std::memory_order_relaxed) + moved, std::memory_order_release);
  from.released.store(from.released.load(std::memory_order_relaxed) + moved,
                      std::memory_order_release);
}

std::uint64_t Migration::reindex_each(const Change& change, code::Version::Shard& from,
                                      code::Version::Shard& to) {
  std::uint32_t stay = 0;
  std::uint64_t moved = 0;
  for (std::uint32_t index : from.processes) {
    runtime::Process& process = runtime_.table().at(index);
    // Started after gather: it has no state yet, and only changes its code.
    if (const Route* route = route_of(process)) process.behaviour = route->to;
    const bool goes = change.to->owns(process.behaviour);
    if (!goes) {
      process.position = stay;
      from.processes[stay++] = index;
      continue;
    }
    BATON_CHECK(to.processes.size() < to.processes.capacity(), "no room was made for a process");
    process.position = static_cast<std::uint32_t>(to.processes.size());
    to.processes.push_back(index);
    process.version.store(change.to, std::memory_order_release);
    ++moved;
  }
  from.processes.resize(stay);
  return moved;
}

void Migration::move_into(WayBack& way_back) {
  way_back.changes_ = changes_;
  way_back.movers_ = std::move(movers_);
  way_back.routes_ = std::move(routes_);
  if (report_.migrated != 0) way_back.crossings_ = std::move(crossings_);
  way_back.report_ = report_;
}

}  // namespace baton::takeover
