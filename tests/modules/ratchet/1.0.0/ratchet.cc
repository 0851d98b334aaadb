// ratchet 1.0.0: a state that 1.1.0 can take over and cannot give back.
#include <baton/baton.h>

namespace ratchet::inline BATON_BUILD {

struct Total {
  using Reply = std::string;
};
BATON_MESSAGE(Total)

struct State {
  std::string total = "7";
};
BATON_STATE(State, total)

struct Ratchet : baton::GenServer<Ratchet, State> {
  using Calls = baton::Messages<Total>;
  void init() {}
  std::string handle_call(const Total&) { return state().total; }
};

}  // namespace ratchet::inline BATON_BUILD

BATON_MODULE("ratchet", "1.0.0", ratchet::Ratchet)
