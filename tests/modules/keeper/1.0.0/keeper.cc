// keeper 1.0.0: one behaviour for each way in which a state becomes one of 1.1.0.
#include <baton/baton.h>

namespace keeper::inline BATON_BUILD {

struct Incr {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Incr)

struct LedgerState {
  std::string total = "0";
};
BATON_STATE(LedgerState, total)

/// Its field's type changes: a hook each way.
struct Ledger : baton::GenServer<Ledger, LedgerState> {
  using Calls = baton::Messages<Incr>;
  void init() {}
  std::int64_t handle_call(const Incr&) {
    const std::int64_t next = std::stoll(state().total) + 1;
    state().total = std::to_string(next);
    return next;
  }
};

struct DiaryState {
  std::int32_t count = 0;
  std::vector<std::int64_t> recent;
  std::map<std::string, std::int64_t> cache;
};
BATON_STATE(DiaryState, count, recent, cache)

/// A number is widened, a field renamed and one dropped: no hook.
struct Diary : baton::GenServer<Diary, DiaryState> {
  using Calls = baton::Messages<Incr>;
  void init() {}
  std::int64_t handle_call(const Incr&) {
    state().recent.push_back(++state().count);
    state().cache["count"] = state().count;
    return state().count;
  }
};

struct SteadyState {
  std::int64_t n = 0;
  std::string name = "steady";
};
BATON_STATE(SteadyState, n, name)

/// Stays as it is: adopted.
struct Steady : baton::GenServer<Steady, SteadyState> {
  using Calls = baton::Messages<Incr>;
  void init() {}
  std::int64_t handle_call(const Incr&) { return state().n += 1; }
};

}  // namespace keeper::inline BATON_BUILD

BATON_MODULE("keeper", "1.0.0", keeper::Ledger, keeper::Diary, keeper::Steady)
