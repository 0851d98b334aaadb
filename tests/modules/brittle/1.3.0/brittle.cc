// brittle 1.3.0: takes over without a hook; what it adds is of value, and it cannot count the loss
// of all of it.
#include <baton/baton.h>

namespace brittle::inline BATON_BUILD {

using namespace baton::literals;

struct Incr {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Incr)

struct Label {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Label)

/// {kind, N}
struct Kind {
  std::int64_t n = 0;
  using Reply = std::int64_t;
};
BATON_MESSAGE(Kind, n)

struct Unknown {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Unknown)

struct State {
  std::int64_t value = 0;
  std::map<std::string, std::int64_t> totals;
  std::string label;
  static baton::Loss loss(const State& live, baton::Version) {
    if (live.label == "uncountable") throw std::runtime_error("the labels cannot be counted");
    if (live.label.starts_with("kind")) return {2, "things of " + live.label};
    return {live.label.empty() ? 0u : 1u, "labels"};
  }
};
BATON_STATE(State, value, totals, label)

struct Cell : baton::GenServer<Cell, State> {
  using Calls = baton::Messages<Incr, Label, Kind, Unknown>;
  /// [N]
  static State init(const std::vector<std::int64_t>& args) {
    State state;
    state.value = args.at(0);
    state.totals = {{"start", args.at(0)}};
    return state;
  }
  std::int64_t handle_call(const Incr&) {
    ++state().totals["incr"];
    return ++state().value;
  }
  std::int64_t handle_call(const Label&) {
    state().label = "dear";
    return 1;
  }
  std::int64_t handle_call(const Kind& kind) {
    state().label = "kind " + std::to_string(kind.n);
    return 1;
  }
  std::int64_t handle_call(const Unknown&) {
    state().label = "uncountable";
    return 1;
  }
};

struct Nap {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Nap)

struct Hush {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Hush)

struct Wake {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Wake)

struct SleeperState {
  std::vector<baton::Caller> sleeping;
};
BATON_STATE(SleeperState, sleeping)

/// Awaits a reply that comes when the peer is woken. [1]: it is the peer; [0]: it naps.
struct Sleeper : baton::GenServer<Sleeper, SleeperState> {
  using Calls = baton::Messages<Nap, Hush, Wake>;
  void init(const std::vector<std::int64_t>& args) {
    if (args.at(0) == 1) register_name("peer"_atom);
  }
  baton::Task<std::int64_t> handle_call(const Nap&) {
    co_return co_await call_for<Hush>(baton::kInfinity, "peer"_atom);
  }
  baton::NoReply handle_call(const Hush&) {
    state().sleeping.push_back(caller());
    return {};
  }
  std::int64_t handle_call(const Wake&) {
    for (const baton::Caller& sleeper : state().sleeping) reply(sleeper, std::int64_t{7});
    state().sleeping.clear();
    return 1;
  }
};

/// Its init fails.
struct Doomed : baton::GenServer<Doomed, SleeperState> {
  void init() { throw std::runtime_error("no luck today"); }
};

}  // namespace brittle::inline BATON_BUILD

BATON_ATOMS("peer")
BATON_MODULE("brittle", "1.3.0", brittle::Cell, brittle::Sleeper, brittle::Doomed)
