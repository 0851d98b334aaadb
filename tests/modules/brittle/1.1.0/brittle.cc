// brittle 1.1.0: its code_change throws for one process, the one whose value is 777.
#include "../failing.h"

#include <baton/baton.h>

namespace brittle::inline BATON_BUILD {

using namespace baton::literals;

struct State {
  std::int64_t value = 0;
  std::map<std::string, std::int64_t> totals;
  std::string label;
  static void code_change(State& made, const baton::Fields& old, baton::Version) {
    const auto value = old.get<std::int64_t>("value");
    if (value == 777) throw std::runtime_error("no label for 777");
    made.label = std::to_string(value);
  }
};
BATON_STATE(State, value, totals, label)
BATON_DISPOSABLE(State, label)

struct Cell : AnyCell<Cell, State> {};

}  // namespace brittle::inline BATON_BUILD

BATON_ATOMS("peer")
BATON_MODULE("brittle", "1.1.0", brittle::Cell, brittle::Sleeper, brittle::Doomed)
