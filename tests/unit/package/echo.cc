// Echo: the smallest gen_server, built outside of the project.
#include <baton/baton.h>

namespace echo::inline BATON_BUILD {

struct State {};
BATON_STATE(State)

struct Echo : baton::GenServer<Echo, State> {
  using Calls = baton::Messages<baton::Term>;
  baton::Term handle_call(const baton::Term& anything) { return anything; }
};

}  // namespace echo::inline BATON_BUILD

BATON_MODULE("echo", "2.1.0", echo::Echo)
