// right 1.1.0: gen_servers that await a call to a process of left before they answer.
#include <baton/baton.h>

namespace right::inline BATON_BUILD {

// What a process of this version adds to an answer; each version has its own.
constexpr std::int64_t kWeight = 1000;

/// {hop, Depth}: answered with the weights of the processes that it went through, so that it shows
/// of which versions they were.
struct Hop {
  std::int64_t depth = 0;
  using Reply = std::int64_t;
};
BATON_MESSAGE(Hop, depth)

/// Sent after a hop, to where it led.
struct Done {};
BATON_MESSAGE(Done)

struct State {
  std::optional<baton::Pid> next;
  std::int64_t hops = 0;
  std::int64_t done = 0;
  std::int64_t deepest = 0;
};
BATON_STATE(State, next, hops, done, deepest)
BATON_DISPOSABLE(State, deepest)

struct Right : baton::GenServer<Right, State> {
  using Calls = baton::Messages<Hop>;
  using Casts = baton::Messages<Done>;
  /// [Next], or [] for the end of the chain.
  void init(const std::vector<baton::Pid>& args) {
    if (!args.empty()) state().next = args[0];
  }
  baton::Task<std::int64_t> handle_call(const Hop& hop) {
    ++state().hops;
    state().deepest = std::max(state().deepest, hop.depth);
    if (hop.depth == 0 || !state().next) co_return kWeight;
    const std::int64_t below = co_await call<Hop>(*state().next, hop.depth - 1);
    cast(*state().next, Done{});
    co_return kWeight + below;
  }
  void handle_cast(const Done&) { ++state().done; }
};

}  // namespace right::inline BATON_BUILD

BATON_MODULE("right", "1.1.0", right::Right)
