// What going down from this version means.
#include "expiry.h"
#include "state.h"

namespace kv::inline BATON_BUILD {
namespace {

constexpr baton::Version kFirstWithExpiries{1, 1, 0};

}  // namespace

baton::Loss State::loss(const State& live, baton::Version to) {
  // Those whose time is up are counted too: until they are removed they must not come back.
  return {to < kFirstWithExpiries ? live.expiries.size() : 0, "keys with an expiry"};
}

void State::discard(State& live, baton::Version to) noexcept {
  if (to < kFirstWithExpiries) erase_expiring(live);
}

}  // namespace kv::inline BATON_BUILD
