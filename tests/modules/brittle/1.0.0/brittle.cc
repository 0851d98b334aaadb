// brittle 1.0.0: cells of which one cannot be taken over by 1.1.0, and processes that fail in other
// ways.
#include "../failing.h"

#include <baton/baton.h>

namespace brittle::inline BATON_BUILD {

using namespace baton::literals;

struct State {
  std::int64_t value = 0;
  std::map<std::string, std::int64_t> totals;
};
BATON_STATE(State, value, totals)

struct Cell : AnyCell<Cell, State> {};

}  // namespace brittle::inline BATON_BUILD

BATON_ATOMS("peer")
BATON_MODULE("brittle", "1.0.0", brittle::Cell, brittle::Sleeper, brittle::Doomed)
