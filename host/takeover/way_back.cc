#include "takeover/way_back.h"

namespace baton::takeover {

void free_state(runtime::Context& context, const baton_schema* schema, void* state) {
  schema->destroy(state);
  context.pools.deallocate(state, runtime::Pools::class_of(schema->size));
}

WayBack::~WayBack() {
  runtime::External external(runtime_);
  for (const Crossing& crossing : crossings_)
    if (crossing.kind == Crossing::Kind::kMigrates)
      free_state(external.context(), routes_[crossing.route].mover->from(), crossing.old_state);
}

}  // namespace baton::takeover
