// left 1.0.0: gen_servers that await a call to a process of right before they answer.
#include <baton/baton.h>

namespace left::inline BATON_BUILD {

/// {hop, Depth}: answered with the number of processes it went through.
struct Hop {
  std::int64_t depth = 0;
  using Reply = std::int64_t;
};
BATON_MESSAGE(Hop, depth)

struct State {
  std::optional<baton::Pid> next;
  std::int64_t hops = 0;
};
BATON_STATE(State, next, hops)

struct Left : baton::GenServer<Left, State> {
  using Calls = baton::Messages<Hop>;
  /// [Next], or [] for the end of the chain.
  void init(const std::vector<baton::Pid>& args) {
    if (!args.empty()) state().next = args[0];
  }
  baton::Task<std::int64_t> handle_call(const Hop& hop) {
    ++state().hops;
    if (hop.depth == 0 || !state().next) co_return 1;
    co_return 1 + co_await call(*state().next, Hop{hop.depth - 1});
  }
};

}  // namespace left::inline BATON_BUILD

BATON_MODULE("left", "1.0.0", left::Left)
