// scale 1.0.0: a weight in grams.
#include <baton/baton.h>

namespace scale::inline BATON_BUILD {

struct Add {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Add)

struct State {
  std::int64_t weight = 0;
};
BATON_STATE(State, weight)

struct Scale : baton::GenServer<Scale, State> {
  using Calls = baton::Messages<Add>;
  void init() {}
  /// One thing of 100 g more.
  std::int64_t handle_call(const Add&) { return state().weight += 100; }
};

}  // namespace scale::inline BATON_BUILD

BATON_MODULE("scale", "1.0.0", scale::Scale)
