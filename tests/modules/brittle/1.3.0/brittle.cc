// brittle 1.3.0: takes over without a hook; what it adds is of value, and it cannot count the loss
// of all of it. Giving it up takes half a second where the value is 13.
#include "../failing.h"

#include <baton/baton.h>

namespace brittle::inline BATON_BUILD {

using namespace baton::literals;

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
  static void discard(State& live, baton::Version) noexcept {
    // A module may not sleep.
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
    while (live.value == 13 && std::chrono::steady_clock::now() < end) {
    }
    live.label.clear();
  }
};
BATON_STATE(State, value, totals, label)

struct Cell : AnyCell<Cell, State> {
  using Calls = baton::Messages<Incr, Label, Kind, Unknown>;
  using AnyCell<Cell, State>::handle_call;
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

}  // namespace brittle::inline BATON_BUILD

BATON_ATOMS("peer")
BATON_MODULE("brittle", "1.3.0", brittle::Cell, brittle::Sleeper, brittle::Doomed)
