// keeper 1.1.0: one behaviour for each way in which a state of 1.0.0 becomes one of it, and back.
#include <baton/baton.h>

namespace keeper::inline BATON_BUILD {

struct Incr {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Incr)

/// {add, N}
struct Add {
  std::int64_t n = 0;
  using Reply = std::int64_t;
};
BATON_MESSAGE(Add, n)

struct LedgerState {
  std::int64_t total = 0;
  static void code_change(LedgerState& made, const baton::Fields& old, baton::Version from) {
    if (from >= "1.1.0") throw std::runtime_error("only from below 1.1.0");
    made.total = std::stoll(old.get<std::string>("total"));
  }
  static void code_revert(const LedgerState& live, baton::Fields& older, baton::Version to) {
    if (to >= "1.1.0") throw std::runtime_error("only to below 1.1.0");
    older.put("total", std::to_string(live.total));
  }
};
BATON_STATE(LedgerState, total)

struct Ledger : baton::GenServer<Ledger, LedgerState> {
  using Calls = baton::Messages<Incr>;
  void init() {}
  std::int64_t handle_call(const Incr&) { return ++state().total; }
};

struct DiaryState {
  std::int64_t count = 0;
  std::vector<std::int64_t> history;
};
BATON_STATE(DiaryState, count, history)
BATON_RENAMED(DiaryState, history, recent)
BATON_DROPPED(DiaryState, cache)

struct Diary : baton::GenServer<Diary, DiaryState> {
  using Calls = baton::Messages<Incr, Add>;
  void init() {}
  std::int64_t handle_call(const Incr&) {
    state().history.push_back(++state().count);
    return state().count;
  }
  std::int64_t handle_call(const Add& add) { return state().count += add.n; }
};

struct SteadyState {
  std::int64_t n = 0;
  std::string name = "steady";
};
BATON_STATE(SteadyState, n, name)

struct Steady : baton::GenServer<Steady, SteadyState> {
  using Calls = baton::Messages<Incr>;
  void init() {}
  /// By ten, so that the version that answers shows.
  std::int64_t handle_call(const Incr&) { return state().n += 10; }
};

}  // namespace keeper::inline BATON_BUILD

BATON_MODULE("keeper", "1.1.0", keeper::Ledger, keeper::Diary, keeper::Steady)
