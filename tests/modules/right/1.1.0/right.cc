// right 1.1.0: gen_servers that await a call to a process of left before they answer.
#include <baton/baton.h>

namespace right::inline BATON_BUILD {

/// {hop, Depth}: answered with the number of processes it went through.
struct Hop {
  std::int64_t depth = 0;
  using Reply = std::int64_t;
};
BATON_MESSAGE(Hop, depth)

struct State {
  std::optional<baton::Pid> next;
  std::int64_t hops = 0;
  std::int64_t deepest = 0;
};
BATON_STATE(State, next, hops, deepest)
BATON_DISPOSABLE(State, deepest)

struct Right : baton::GenServer<Right, State> {
  using Calls = baton::Messages<Hop>;
  /// [Next], or [] for the end of the chain.
  void init(const std::vector<baton::Pid>& args) {
    if (!args.empty()) state().next = args[0];
  }
  baton::Task<std::int64_t> handle_call(const Hop& hop) {
    ++state().hops;
    state().deepest = std::max(state().deepest, hop.depth);
    if (hop.depth == 0 || !state().next) co_return 1;
    co_return 1 + co_await call(*state().next, Hop{hop.depth - 1});
  }
};

}  // namespace right::inline BATON_BUILD

BATON_MODULE("right", "1.1.0", right::Right)
