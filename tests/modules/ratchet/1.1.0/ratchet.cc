// ratchet 1.1.0: its field's type changes, with a hook for the way up and none for the way down.
#include <baton/baton.h>

namespace ratchet::inline BATON_BUILD {

struct Total {
  using Reply = std::string;
};
BATON_MESSAGE(Total)

struct State {
  std::int64_t total = 7;
  static void code_change(State& made, const baton::Fields& old, baton::Version) {
    made.total = std::stoll(old.get<std::string>("total"));
  }
};
BATON_STATE(State, total)

struct Ratchet : baton::GenServer<Ratchet, State> {
  using Calls = baton::Messages<Total>;
  void init() {}
  std::string handle_call(const Total&) { return std::to_string(state().total); }
};

}  // namespace ratchet::inline BATON_BUILD

BATON_MODULE("ratchet", "1.1.0", ratchet::Ratchet)
