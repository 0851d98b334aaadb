// crowd: starts the cells of the take-over benchmark, and is then the client of one of them.
//
// It calls the cell, waits for a millisecond, and calls again, and knows how long the longest call
// took; a call of longest_call tells, and begins anew. It is the same program in both releases.
#include <baton/baton.h>

namespace crowd::inline BATON_BUILD {

using namespace baton::literals;

/// Starts `count` children of the supervisor cells_sup, each with its number as argument.
struct Start {
  std::int64_t count = 0;
  using Reply = std::int64_t;
};
BATON_MESSAGE(Start, count)

/// Answered in nanoseconds.
struct LongestCall {
  using Reply = std::int64_t;
};
BATON_MESSAGE(LongestCall)

struct Tick {};
BATON_MESSAGE(Tick)

// What is asked of others.
struct StartChild {
  std::vector<std::int64_t> args;
  using Reply = std::tuple<baton::Atom, baton::Pid>;
};
BATON_MESSAGE(StartChild, args)

struct Incr {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Incr)

struct State {
  baton::Pid cell;
  std::int64_t longest_ns = 0;
};
BATON_STATE(State, cell, longest_ns)

struct Crowd : baton::GenServer<Crowd, State> {
  using Calls = baton::Messages<Start, LongestCall>;
  using Infos = baton::Messages<Tick>;

  baton::Task<std::int64_t> handle_call(const Start& start) {
    for (std::int64_t i = 0; i < start.count; ++i) {
      const StartChild child{{i}};
      const auto [ok, cell] = co_await call("cells_sup"_atom, child);
      if (i == 0) state().cell = cell;
    }
    if (state().cell) send(pid(), Tick{});
    co_return start.count;
  }
  std::int64_t handle_call(const LongestCall&) { return std::exchange(state().longest_ns, 0); }

  baton::Task<> handle_info(const Tick&) {
    const std::chrono::nanoseconds asked = now();
    co_await call_for<Incr>(baton::kInfinity, state().cell);
    state().longest_ns = std::max(state().longest_ns, std::int64_t{(now() - asked).count()});
    send_after(baton::milliseconds(1), pid(), Tick{});
  }
};

}  // namespace crowd::inline BATON_BUILD

BATON_MODULE("crowd", "1.0.0", crowd::Crowd)
