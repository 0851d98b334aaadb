// expects: baton: Calls lists a message for which there is no public handle_call
// expects: baton: a gen_server object lives for one callback only: put its members into its State
// expects: baton: describe the State of this gen_server with BATON_STATE
// expects: baton: the message of a handler that returns a Task must own what it holds
// expects: baton: a Task must be a member of a gen_server or take a baton::Self.*add the parameter
// expects: baton: what is received must own what it holds
// expects: baton: this type has no term form; describe it with BATON_MESSAGE
// expects: baton: init takes one argument at most
#include <baton/gen_server.h>

namespace sample {

struct Get {};
BATON_MESSAGE(Get)
struct State {};
BATON_STATE(State)
struct Plain {};

struct Handlerless : baton::GenServer<Handlerless, State> {
  using Calls = baton::Messages<Get>;
};
struct WithMember : baton::GenServer<WithMember, State> {
  int lost = 0;
};
struct Undescribed : baton::GenServer<Undescribed, Plain> {};
struct Borrower : baton::GenServer<Borrower, State> {
  using Calls = baton::Messages<baton::Term>;
  baton::Task<int> handle_call(const baton::Term&) { co_return 1; }
};
baton::Task<int> ownerless(int n) { co_return n; }
struct Receiver : baton::Process<Receiver> {
  static baton::Task<> loop(baton::Self self) { co_await self.receive<std::string_view>(); }
};
struct Sender : baton::GenServer<Sender, State> {
  void init() { send(self(), Plain{}); }
};
struct Demanding : baton::GenServer<Demanding, State> {
  void init(int, int) {}
};

baton_behaviour tables[] = {
    Handlerless::behaviour(), WithMember::behaviour(), Undescribed::behaviour(),
    Borrower::behaviour(),    Receiver::behaviour(),   Sender::behaviour(),
    Demanding::behaviour(),
};

}  // namespace sample
