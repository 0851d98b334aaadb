// cells 1.0.0: a gen_server with a small state, for the take-over benchmark.
#include <baton/baton.h>

namespace cells::inline BATON_BUILD {

struct Incr {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Incr)

struct State {
  std::int64_t n = 0;
  std::int64_t name = 0;
};
BATON_STATE(State, n, name)

struct Cell : baton::GenServer<Cell, State> {
  using Calls = baton::Messages<Incr>;
  /// [N]
  static State init(const std::vector<std::int64_t>& args) { return {args.at(0), args.at(0)}; }
  std::int64_t handle_call(const Incr&) { return ++state().n; }
};

}  // namespace cells::inline BATON_BUILD

BATON_MODULE("cells", "1.0.0", cells::Cell)
