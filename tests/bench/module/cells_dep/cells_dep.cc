// cells_depN: a small module that is replaced together with cells, for the take-over benchmark. One
// source makes all of them, in both versions: CELLS_DEP_NAME and CELLS_DEP_VERSION come from
// tests/bench/CMakeLists.txt.
#include <baton/baton.h>

namespace cells_dep::inline BATON_BUILD {

struct GetVersion {
  using Reply = std::string;
};
BATON_MESSAGE(GetVersion)

struct State {
  std::int64_t asked = 0;
};
BATON_STATE(State, asked)

struct Dependent : baton::GenServer<Dependent, State> {
  using Calls = baton::Messages<GetVersion>;
  std::string handle_call(const GetVersion&) {
    ++state().asked;
    return CELLS_DEP_VERSION;
  }
};

}  // namespace cells_dep::inline BATON_BUILD

BATON_MODULE(CELLS_DEP_NAME, CELLS_DEP_VERSION, cells_dep::Dependent)
