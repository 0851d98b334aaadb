// brittle 1.4.0: its code_change works for half a second where the value is 13, and for a while
// where it is 14.
#include "../failing.h"

#include <baton/baton.h>

namespace brittle::inline BATON_BUILD {

using namespace baton::literals;

struct State {
  std::int64_t value = 0;
  std::map<std::string, std::int64_t> totals;
  std::string label;
  static void code_change(State& made, const baton::Fields& old, baton::Version) {
    // A module may not sleep.
    const auto value = old.get<std::int64_t>("value");
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(value == 13   ? 500
                                                                     : value == 14 ? 30
                                                                                   : 0);
    while (std::chrono::steady_clock::now() < end) {
    }
    made.label = "patient";
  }
};
BATON_STATE(State, value, totals, label)
BATON_DISPOSABLE(State, label)

struct Cell : AnyCell<Cell, State> {};

}  // namespace brittle::inline BATON_BUILD

BATON_ATOMS("peer")
BATON_MODULE("brittle", "1.4.0", brittle::Cell, brittle::Sleeper, brittle::Doomed)
