// parent 1.1.0: starts a child of the same module in each call, and awaits a call to it.
#include <baton/baton.h>

namespace parent::inline BATON_BUILD {

struct Get {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Get)

/// {ask, N}: answered with what a child that was started with N says.
struct Ask {
  std::int64_t n = 0;
  using Reply = std::int64_t;
};
BATON_MESSAGE(Ask, n)

struct ChildState {
  std::int64_t n = 0;
  std::string version;
};
BATON_STATE(ChildState, n, version)
BATON_DISPOSABLE(ChildState, version)

struct Child : baton::GenServer<Child, ChildState> {
  using Calls = baton::Messages<Get>;
  void init(const std::int64_t& n) { state().n = n; }
  std::int64_t handle_call(const Get&) {
    stop();
    return state().n;
  }
};

struct State {
  std::int64_t children = 0;
  std::int64_t last = 0;
};
BATON_STATE(State, children, last)
BATON_DISPOSABLE(State, last)

struct Parent : baton::GenServer<Parent, State> {
  using Calls = baton::Messages<Ask>;
  void init() {}
  baton::Task<std::int64_t> handle_call(const Ask& ask) {
    ++state().children;
    state().last = ask.n;
    co_return co_await call<Get>(spawn<Child>(ask.n));
  }
};

}  // namespace parent::inline BATON_BUILD

BATON_MODULE("parent", "1.1.0", parent::Parent, parent::Child)
