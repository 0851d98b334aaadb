#include "takeover/migration.h"

#include <algorithm>
#include <thread>

#include "base/check.h"

namespace baton::takeover {

namespace {

constexpr std::size_t kChunkItems = 1024;
// How many are prepared between two looks at the clock: a hook may be slow.
constexpr std::size_t kTimedItems = 16;
// How far ahead of the work the slots and the states are fetched.
constexpr std::size_t kSlotAhead = 16;
constexpr std::size_t kStateAhead = 8;
constexpr const char* kOtherLosses = "other things";

std::string name_of(const runtime::Process& process) {
  const code::Version& version = *process.version.load(std::memory_order_acquire);
  return "process <0." + std::to_string(runtime::pid_index(process.self)) + "." +
         std::to_string(runtime::pid_generation(process.self)) + "> (" + version.module_name() +
         ":" + process.behaviour->name + ")";
}

void prefetch_ahead(const std::vector<Migration::Item>& items, std::size_t i, bool also_made) {
  if (i + kSlotAhead < items.size()) __builtin_prefetch(items[i + kSlotAhead].process, 1);
  if (i + kStateAhead >= items.size()) return;
  const auto fetch = [](const void* object) {
    __builtin_prefetch(object, 1);
    __builtin_prefetch(static_cast<const char*>(object) + 64, 1);
  };
  fetch(items[i + kStateAhead].old_state);
  if (also_made) fetch(items[i + kStateAhead].made);
}

}  // namespace

Migration::Migration(runtime::Runtime& runtime, std::vector<Change> changes)
    : runtime_(runtime), changes_(std::move(changes)) {}

Migration::~Migration() {
  if (is_committed_) return;
  runtime::External external(runtime_);
  for (Item& item : items_) {
    if (item.made == nullptr || item.is_return) continue;
    const baton_schema* schema = item.mover->to();
    schema->destroy(item.made);
    external.context().pools.deallocate(item.made, runtime::Pools::class_of(schema->size));
  }
}

Result<void> Migration::plan() {
  for (const Change& change : changes_) {
    for (std::uint32_t i = 0; i < change.from->behaviour_count(); ++i) {
      const baton_behaviour* from = change.from->behaviour_at(i);
      if (from->kind != BATON_GEN_SERVER) continue;
      const baton_behaviour* to = change.to->behaviour(from->name);
      if (to == nullptr || to->kind != from->kind) continue;  // left behind
      BATON_ASSIGN(StateMover mover,
                   StateMover::between(change.from->module_name() + ":" + from->name, from->state,
                                       change.from->number().c_str(), to->state,
                                       change.to->number().c_str(), change.direction));
      movers_.push_back(std::make_unique<const StateMover>(std::move(mover)));
      routes_.push_back({from, to, movers_.back()->adopts() ? nullptr : movers_.back().get(),
                         change.to});
    }
  }
  return {};
}

void Migration::offer(std::uint32_t process, std::uint32_t generation, Return parked) {
  offers_.emplace(process, Offer{generation, parked});
}

const Migration::Route* Migration::route_of(const runtime::Process& process) const {
  for (const Route& route : routes_)
    if (route.from == process.behaviour) return &route;
  return nullptr;
}

void Migration::gather() {
  std::size_t count = 0;
  for (const Change& change : changes_) count += change.from->lease_count();
  items_.reserve(count + count / 16);
  for (const Change& change : changes_) {
    for (std::uint32_t i = 0; i < code::kShards; ++i) {
      auto& shard = change.from->shard(i);
      // Processes may be started meanwhile (their init waits): the lock is for the array.
      std::lock_guard lock(shard.lock);
      const auto& processes = shard.processes;
      for (std::size_t at = 0; at < processes.size(); ++at) {
        if (at + kSlotAhead < processes.size())
          __builtin_prefetch(&runtime_.table().at(processes[at + kSlotAhead]));
        runtime::Process& process = runtime_.table().at(processes[at]);
        const Route* route = route_of(process);
        if (route == nullptr) {
          ++report_.left_behind;
          continue;
        }
        Item item{.process = &process,
                  .generation = runtime::pid_generation(process.self),
                  .to = route->to,
                  .mover = route->mover,
                  .old_state = process.state,
                  .made = nullptr,
                  .is_return = false,
                  .loser = route->mover};
        if (item.old_state == nullptr) item.mover = nullptr;
        item.mover == nullptr ? ++report_.adopted : ++report_.migrated;
        if (!offers_.empty() && item.mover != nullptr) {
          const auto found = offers_.find(processes[at]);
          if (found != offers_.end() &&
              found->second.generation == runtime::pid_generation(process.self) &&
              found->second.parked.successor == process.state) {
            item.mover = found->second.parked.mover;
            item.made = found->second.parked.object;
            item.is_return = true;
          }
        }
        items_.push_back(item);
      }
    }
  }
}

template <class Work>
void Migration::in_parallel(std::uint32_t threads, Work work) {
  const std::size_t chunks = (items_.size() + kChunkItems - 1) / kChunkItems;
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  threads = static_cast<std::uint32_t>(std::min<std::size_t>(threads, chunks));
  std::atomic<std::size_t> next{0};
  const auto take_chunks = [&] {
    runtime::External external(runtime_);
    for (std::size_t chunk; (chunk = next.fetch_add(1)) < chunks;)
      work(chunk * kChunkItems, std::min(items_.size(), (chunk + 1) * kChunkItems),
           external.context());
  };
  std::vector<std::thread> others;
  for (std::uint32_t i = 1; i < threads; ++i) others.emplace_back(take_chunks);
  take_chunks();
  for (std::thread& other : others) other.join();
}

Result<void> Migration::prepare(const TakeoverOptions& options, std::uint64_t deadline_ns) {
  in_parallel(options.threads, [&](std::size_t begin, std::size_t end, runtime::Context& context) {
    for (; begin < end && !has_failed_.load(std::memory_order_relaxed); begin += kTimedItems) {
      if (runtime::now_ns() > deadline_ns) return fail_late(options);
      prepare_chunk(begin, std::min(end, begin + kTimedItems), context, options);
    }
  });
  // The last of them may have come too late.
  if (!has_failed_ && runtime::now_ns() > deadline_ns) fail_late(options);
  if (has_failed_) return Error(failure_code_, failure_);
  if (has_losses_ && !options.accepts_loss)
    return Error(Code::kRefused,
                 "going down would lose " + describe_losses() + "; --accept-loss gives them up");
  return {};
}

void Migration::prepare_chunk(std::size_t begin, std::size_t end, runtime::Context& context,
                              const TakeoverOptions& options) {
  for (std::size_t i = begin; i < end; ++i) {
    prefetch_ahead(items_, i, false);
    Item& item = items_[i];
    if (item.mover == nullptr) continue;
    context.error.length = 0;
    if (!options.accepts_loss && item.loser->may_lose()) {
      if (!count_loss(item, context.error))
        return fail(*item.process, std::string(context.error.text, context.error.length));
      // Once something would be lost it is only counted to the end.
      if (has_losses_.load(std::memory_order_relaxed)) continue;
    }
    if (item.is_return) {
      if (!item.mover->check_restore(item.made, item.old_state))
        return fail(*item.process, "a value no longer fits the version it came from");
      continue;
    }
    if (!prepare_item(item, context))
      return fail(*item.process, std::string(context.error.text, context.error.length));
  }
}

bool Migration::prepare_item(Item& item, runtime::Context& context) {
  const std::uint32_t size = item.mover->to()->size;
  void* raw = context.pools.allocate(size);
  if (!item.mover->make(item.old_state, raw, &context.error)) {
    context.pools.deallocate(raw, runtime::Pools::class_of(size));
    return false;
  }
  item.made = raw;
  return true;
}

bool Migration::count_loss(const Item& item, baton_error& error) {
  const std::uint64_t count = item.loser->loss(item.old_state, &error);
  if (count == 0) return true;
  if (count == StateMover::kUncountable) return false;
  has_losses_.store(true, std::memory_order_relaxed);
  std::string what(error.text, error.length);
  std::lock_guard lock(mutex_);
  // A module may make up a kind for every process.
  if (lost_.size() >= kLossKindsMax && !lost_.contains(what)) what = kOtherLosses;
  lost_[std::move(what)] += count;
  return true;
}

std::string Migration::describe_losses() const {
  std::string text;
  std::size_t left = lost_.size();
  for (const auto& [what, count] : lost_) {
    if (!text.empty()) text += left == 1 ? " and " : ", ";
    text += std::to_string(count) + " of " + what;
    --left;
  }
  return text;
}

void Migration::fail(const runtime::Process& process, const std::string& why) {
  std::lock_guard lock(mutex_);
  if (has_failed_.exchange(true)) return;
  failure_code_ = Code::kFailed;
  failure_ = name_of(process) + ": " + why;
}

void Migration::fail_late(const TakeoverOptions& options) {
  std::lock_guard lock(mutex_);
  if (has_failed_.exchange(true)) return;
  failure_code_ = Code::kTimedOut;
  failure_ = "the take-over's budget of " + std::to_string(options.budget.count()) +
             " ms ended before the states of " + std::to_string(items_.size()) +
             " processes were prepared; cure: a larger budget or a faster code_change";
}

void Migration::commit(const TakeoverOptions& options, const std::function<void()>& flip) {
  is_committed_ = true;
  in_parallel(options.threads, [&](std::size_t begin, std::size_t end, runtime::Context&) {
    for (std::size_t i = begin; i < end; ++i) {
      prefetch_ahead(items_, i, true);
      Item& item = items_[i];
      if (item.mover != nullptr) {
        if (options.accepts_loss) item.loser->discard(item.old_state);
        if (item.is_return)
          item.mover->restore(item.made, item.old_state);
        else
          item.mover->commit(item.old_state, item.made);
        item.process->state = item.made;
      }
      item.process->behaviour = item.to;
    }
  });
  flip();
  for (const Change& change : changes_) reindex(change);
}

// Moves the index and the leases. Requires: `from` is retired, so that nothing comes in any more.
void Migration::reindex(const Change& change) {
  for (std::uint32_t i = 0; i < code::kShards; ++i) {
    auto& from = change.from->shard(i);
    auto& to = change.to->shard(i);
    std::lock_guard from_lock(from.lock);
    std::lock_guard to_lock(to.lock);
    std::vector<std::uint32_t> staying;
    std::uint64_t moved = 0;
    for (std::uint32_t index : from.processes) {
      runtime::Process& process = runtime_.table().at(index);
      // Started after gather: it has no state yet, and only changes its code.
      if (const Route* route = route_of(process)) process.behaviour = route->to;
      const bool goes = change.to->owns(process.behaviour);
      auto& target = goes ? to.processes : staying;
      process.position = static_cast<std::uint32_t>(target.size());
      target.push_back(index);
      if (!goes) continue;
      process.version.store(change.to, std::memory_order_release);
      ++moved;
    }
    from.processes = std::move(staying);
    to.acquired.store(to.acquired.load(std::memory_order_relaxed) + moved,
                      std::memory_order_release);
    from.released.store(from.released.load(std::memory_order_relaxed) + moved,
                        std::memory_order_release);
  }
}

}  // namespace baton::takeover
