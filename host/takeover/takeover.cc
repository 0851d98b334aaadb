#include "takeover/takeover.h"

#include "takeover/drain.h"
#include "takeover/migration.h"

#include <boost/unordered/unordered_flat_set.hpp>

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
  migration.reserve();
  TakeoverReport& report = migration.report();
  const std::uint64_t start = runtime::now_ns();
  const std::uint64_t deadline =
      start + static_cast<std::uint64_t>(std::chrono::nanoseconds(options.budget).count());
  Drain drain(runtime, versions_left(changes), options.abandons_stuck);
  BATON_TRY(drain.park(deadline));
  report.drain_us = microseconds_since(start);

  const std::uint64_t parked = runtime::now_ns();
  migration.gather();
  runtime.scheduling_point();
  BATON_TRY(migration.prepare(deadline));
  runtime.scheduling_point();
  report.prepare_us = microseconds_since(parked);

  const std::uint64_t prepared = runtime::now_ns();
  for (const Change& change : changes) drain.join(change.to);
  migration.commit(flip);
  runtime.scheduling_point();
  report.commit_us = microseconds_since(prepared);
  drain.release();
  report.pause_us = microseconds_since(start);
  migration.settle_mail();
  return {};
}

}  // namespace

Result<std::unique_ptr<WayBack>> Takeover::run(std::vector<Change> changes,
                                               const TakeoverOptions& options,
                                               const std::function<void()>& flip) {
  Migration migration(runtime_, changes, options);
  BATON_TRY(migration.plan());
  BATON_TRY(transact(runtime_, migration, changes, options, flip));
  std::unique_ptr<WayBack> way_back(new WayBack(runtime_));
  migration.move_into(*way_back);
  return way_back;
}

Result<TakeoverReport> Takeover::rollback(WayBack& way_back, const TakeoverOptions& options,
                                          const std::function<void()>& flip) {
  std::vector<Change> changes;
  for (const Change& change : way_back.changes_)
    changes.push_back({change.to, change.from, change.evolution.inverse()});
  Migration migration(runtime_, changes, options);
  BATON_TRY(migration.plan());
  migration.offer(way_back);
  BATON_TRY(transact(runtime_, migration, changes, options, flip));

  // The objects of the version that was left: emptied, and of no use any more. Parked objects that
  // were returned to are live states again.
  boost::unordered_flat_set<const void*> returned;
  for (const Crossing& crossing : migration.crossings()) {
    if (crossing.kind == Crossing::Kind::kAdopts) continue;
    if (crossing.kind == Crossing::Kind::kReturns) returned.insert(crossing.made);
    free_state(migration.context(), migration.routes()[crossing.route].from->state,
               crossing.old_state);
  }
  std::erase_if(way_back.crossings_,
                [&](const Crossing& crossing) { return returned.contains(crossing.old_state); });
  return migration.report();
}

}  // namespace baton::takeover
