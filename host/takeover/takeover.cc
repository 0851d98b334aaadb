#include "takeover/takeover.h"

#include "takeover/transaction.h"

#include <boost/unordered/unordered_flat_set.hpp>

namespace baton::takeover {

Result<std::unique_ptr<WayBack>> Takeover::run(std::vector<Change> changes,
                                               const TakeoverOptions& options,
                                               const std::function<void()>& flip) {
  auto transaction = std::make_shared<Transaction>(runtime_, std::move(changes), options, flip);
  BATON_TRY(transaction->migration().plan());
  BATON_TRY(transaction->carry_out());
  std::unique_ptr<WayBack> way_back(new WayBack(runtime_));
  transaction->migration().move_into(*way_back);
  return way_back;
}

Result<TakeoverReport> Takeover::rollback(WayBack& way_back, const TakeoverOptions& options,
                                          const std::function<void()>& flip) {
  std::vector<Change> changes;
  for (const Change& change : way_back.changes_)
    changes.push_back({change.to, change.from, change.evolution.inverse()});
  auto transaction = std::make_shared<Transaction>(runtime_, std::move(changes), options, flip);
  Migration& migration = transaction->migration();
  BATON_TRY(migration.plan());
  migration.offer(way_back);
  // The objects of the version that was left: emptied, and of no use any more.
  transaction->set_afterwards([&migration](runtime::Context& context) {
    for (const Crossing& crossing : migration.crossings())
      if (crossing.kind != Crossing::Kind::kAdopts)
        free_state(context, migration.routes()[crossing.route].from->state, crossing.old_state);
  });
  BATON_TRY(transaction->carry_out());

  // Parked objects that were returned to are live states again.
  boost::unordered_flat_set<const void*> returned;
  for (const Crossing& crossing : migration.crossings())
    if (crossing.kind == Crossing::Kind::kReturns) returned.insert(crossing.made);
  std::erase_if(way_back.crossings_,
                [&](const Crossing& crossing) { return returned.contains(crossing.old_state); });
  return migration.report();
}

}  // namespace baton::takeover
