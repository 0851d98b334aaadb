// What all versions of brittle have: cells, whose states are each version's own, processes that
// nap, and one whose init fails.
#pragma once

#include <baton/baton.h>

namespace brittle::inline BATON_BUILD {

using namespace baton::literals;

struct Incr {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Incr)

/// Of a state with a value and totals.
template <class Derived, class State>
struct AnyCell : baton::GenServer<Derived, State> {
  using Calls = baton::Messages<Incr>;
  /// [N]
  static State init(const std::vector<std::int64_t>& args) {
    State state;
    state.value = args.at(0);
    state.totals = {{"start", args.at(0)}};
    return state;
  }
  std::int64_t handle_call(const Incr&) {
    ++this->state().totals["incr"];
    return ++this->state().value;
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
