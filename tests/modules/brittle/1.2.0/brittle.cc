// brittle 1.2.0: its code_change works for a millisecond or more for each process.
#include "../failing.h"

#include <baton/baton.h>

namespace brittle::inline BATON_BUILD {

using namespace baton::literals;

struct State {
  std::int64_t value = 0;
  std::map<std::string, std::int64_t> totals;
  std::string label;
  static void code_change(State& made, const baton::Fields&, baton::Version) {
    // A module may not sleep, so it works for about as long.
    [[maybe_unused]] volatile int spun = 0;
    for (int i = 0; i < 1'000'000; ++i) spun = i;
    made.label = "slow";
  }
};
BATON_STATE(State, value, totals, label)
BATON_DISPOSABLE(State, label)

struct Cell : AnyCell<Cell, State> {};

}  // namespace brittle::inline BATON_BUILD

BATON_ATOMS("peer")
BATON_MODULE("brittle", "1.2.0", brittle::Cell, brittle::Sleeper, brittle::Doomed)
