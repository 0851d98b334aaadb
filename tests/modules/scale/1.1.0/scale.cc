// scale 1.1.0: counts what was added since apart from the weight. The way up needs no hook; the way
// down has one, as the old version knows the weight only.
#include <baton/baton.h>

namespace scale::inline BATON_BUILD {

struct Add {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Add)

struct State {
  std::int64_t weight = 0;
  std::int64_t added = 0;
  static void code_revert(const State& live, baton::Fields& older, baton::Version) {
    older.put("weight", live.weight + 100 * live.added);
  }
};
BATON_STATE(State, weight, added)

struct Scale : baton::GenServer<Scale, State> {
  using Calls = baton::Messages<Add>;
  void init() {}
  std::int64_t handle_call(const Add&) { return state().weight + 100 * ++state().added; }
};

}  // namespace scale::inline BATON_BUILD

BATON_MODULE("scale", "1.1.0", scale::Scale)
