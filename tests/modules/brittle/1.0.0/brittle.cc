// brittle 1.0.0: cells of which one cannot be taken over by 1.1.0, and processes that fail in other
// ways.
#include "../failing.h"

#include <baton/baton.h>

namespace brittle::inline BATON_BUILD {

using namespace baton::literals;

struct Incr {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Incr)

struct State {
  std::int64_t value = 0;
  std::map<std::string, std::int64_t> totals;
};
BATON_STATE(State, value, totals)

struct Cell : baton::GenServer<Cell, State> {
  using Calls = baton::Messages<Incr>;
  /// [N]
  static State init(const std::vector<std::int64_t>& args) {
    State state;
    state.value = args.at(0);
    state.totals = {{"start", args.at(0)}};
    return state;
  }
  std::int64_t handle_call(const Incr&) {
    ++state().totals["incr"];
    return ++state().value;
  }
};

}  // namespace brittle::inline BATON_BUILD

BATON_ATOMS("peer")
BATON_MODULE("brittle", "1.0.0", brittle::Cell, brittle::Sleeper, brittle::Doomed)
