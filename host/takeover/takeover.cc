#include "takeover/takeover.h"

#include "base/check.h"
#include "takeover/drain.h"
#include "takeover/migration.h"

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

// The transaction, the same up, down and back.
Result<void> transact(runtime::Runtime& runtime, Migration& migration,
                      const std::vector<Change>& changes, const TakeoverOptions& options,
                      const std::function<void()>& flip) {
  BATON_TRY(migration.plan());
  TakeoverReport& report = migration.report();
  const std::uint64_t start = runtime::now_ns();
  const std::uint64_t deadline =
      start + static_cast<std::uint64_t>(std::chrono::nanoseconds(options.budget).count());
  Drain drain(runtime, versions_left(changes));
  BATON_TRY(drain.park(deadline));
  report.drain_us = microseconds_since(start);

  const std::uint64_t parked = runtime::now_ns();
  migration.gather();
  BATON_TRY(migration.prepare(options, deadline));
  report.prepare_us = microseconds_since(parked);

  const std::uint64_t prepared = runtime::now_ns();
  for (const Change& change : changes) drain.join(change.to);
  migration.commit(options, flip);
  report.commit_us = microseconds_since(prepared);
  drain.release();
  report.pause_us = microseconds_since(start);
  return {};
}

}  // namespace

WayBack::~WayBack() {
  runtime::External external(runtime_);
  for (const Parked& parked : parked_) {
    const baton_schema* schema = parked.mover->from();
    schema->destroy(parked.object);
    external.context().pools.deallocate(parked.object, runtime::Pools::class_of(schema->size));
  }
}

Result<std::unique_ptr<WayBack>> Takeover::run(std::vector<Change> changes,
                                               const TakeoverOptions& options,
                                               const std::function<void()>& flip) {
  Migration migration(runtime_, changes);
  BATON_TRY(transact(runtime_, migration, changes, options, flip));
  std::unique_ptr<WayBack> way_back(new WayBack(runtime_));
  way_back->parked_.reserve(migration.items().size());
  for (const Migration::Item& item : migration.items()) {
    if (item.mover == nullptr) continue;
    // The process runs again: only its slot's address is used here, which never changes.
    way_back->parked_.push_back({runtime_.table().index_of(*item.process), item.generation,
                                 item.mover, item.old_state, item.made});
  }
  way_back->movers_ = migration.take_movers();
  way_back->changes_ = std::move(changes);
  way_back->report_ = migration.report();
  return way_back;
}

Result<TakeoverReport> Takeover::rollback(WayBack& way_back, const TakeoverOptions& options,
                                          const std::function<void()>& flip) {
  std::vector<Change> changes;
  for (const Change& change : way_back.changes_)
    changes.push_back({change.to, change.from,
                       change.direction == bundle::Direction::kUp ? bundle::Direction::kDown
                                                                  : bundle::Direction::kUp});
  Migration migration(runtime_, changes);
  for (const WayBack::Parked& parked : way_back.parked_)
    if (parked.mover->is_reversible())
      migration.offer(parked.process, parked.generation,
                      {parked.mover, parked.object, parked.successor});
  BATON_TRY(transact(runtime_, migration, changes, options, flip));

  // The objects of the version that was left: emptied, and of no use any more. Parked objects that were returned to
  // are live states again.
  runtime::External external(runtime_);
  boost::unordered_flat_set<void*> returned;
  for (const Migration::Item& item : migration.items()) {
    if (item.mover == nullptr) continue;
    if (item.is_return) returned.insert(item.made);
    const baton_schema* schema = item.is_return ? item.mover->to() : item.mover->from();
    schema->destroy(item.old_state);
    external.context().pools.deallocate(item.old_state, runtime::Pools::class_of(schema->size));
  }
  std::erase_if(way_back.parked_, [&](const WayBack::Parked& parked) {
    return returned.contains(parked.object);
  });
  return migration.report();
}

}  // namespace baton::takeover
