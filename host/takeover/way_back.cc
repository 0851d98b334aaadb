#include "takeover/way_back.h"

#include "runtime/errand.h"
#include "takeover/state_mover.h"

namespace baton::takeover {

namespace {

// Frees parked objects, and has what that takes.
class Disposal final : public runtime::Errand {
 public:
  Disposal(std::vector<Change> changes, std::vector<std::unique_ptr<const StateMover>> movers,
           std::vector<Route> routes, std::vector<Crossing> crossings)
      : Errand(changes.front().from->module_name(), changes.front().from->number()),
        changes_(std::move(changes)),
        movers_(std::move(movers)),
        routes_(std::move(routes)),
        crossings_(std::move(crossings)) {}

 private:
  void run(runtime::Context& context) override {
    for (const Crossing& crossing : crossings_)
      if (crossing.kind == Crossing::Kind::kMigrates)
        free_state(context, routes_[crossing.route].mover->from(), crossing.old_state);
  }
  void pin() override {
    for (const Change& change : changes_) change.from->pin();
  }
  void unpin(runtime::Context&) override {
    for (const Change& change : changes_) change.from->unpin();
  }

  const std::vector<Change> changes_;
  const std::vector<std::unique_ptr<const StateMover>> movers_;
  const std::vector<Route> routes_;
  const std::vector<Crossing> crossings_;
};

}  // namespace

void free_state(runtime::Context& context, const baton_schema* schema, void* state) {
  // Left or not, what is left of it is the host's.
  static_cast<void>(
      runtime::call_hook(context, nullptr, nullptr, "destructor", [&] { schema->destroy(state); }));
  context.pools.deallocate(state, runtime::Pools::class_of(schema->size));
}

WayBack::~WayBack() {
  if (crossings_.empty()) return;
  runtime::Errand::carry_out(runtime_,
                             std::make_shared<Disposal>(std::move(changes_), std::move(movers_),
                                                        std::move(routes_), std::move(crossings_)),
                             runtime::now_ns() + kFreeNs);
}

}  // namespace baton::takeover
