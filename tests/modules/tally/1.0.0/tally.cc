// tally 1.0.0: gen_servers with a map of ten entries, for take-overs by the thousand.
#include <baton/baton.h>

namespace tally::inline BATON_BUILD {

struct Size {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Size)

struct State {
  std::map<std::string, std::int64_t> entries;
};
BATON_STATE(State, entries)

struct Tally : baton::GenServer<Tally, State> {
  using Calls = baton::Messages<Size>;
  /// [N]
  void init(const std::vector<std::int64_t>& args) {
    for (int i = 0; i < 10; ++i)
      state().entries["an entry with a name that is not short " + std::to_string(i)] =
          args.at(0) + i;
  }
  std::int64_t handle_call(const Size&) {
    return static_cast<std::int64_t>(state().entries.size());
  }
};

}  // namespace tally::inline BATON_BUILD

BATON_MODULE("tally", "1.0.0", tally::Tally)
