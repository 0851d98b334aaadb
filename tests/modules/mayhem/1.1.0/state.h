// What the versions of mayhem differ in: 1.1.0 counts in a number, and has a hook each way that is
// as the state wants it.
#pragma once

#include <baton/baton.h>

#define MAYHEM_VERSION "1.1.0"

namespace mayhem::inline BATON_BUILD {

/// Works for so long, or fails.
inline void hook(std::int64_t ms, bool fails) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  while (std::chrono::steady_clock::now() < end) {
  }
  if (fails) throw std::runtime_error("a hook that was told to fail");
}

struct State {
  std::int64_t done = 0;
  std::int64_t hook_ms = 0;
  bool hook_fails = false;
  void count() { ++done; }

  static void code_change(State& made, const baton::Fields& old, baton::Version) {
    hook(old.get<std::int64_t>("hook_ms"), old.get<bool>("hook_fails"));
    made.done = std::stoll(old.get<std::string>("done"));
  }
  static void code_revert(const State& live, baton::Fields& older, baton::Version) {
    hook(live.hook_ms, live.hook_fails);
    older.put("done", std::to_string(live.done));
  }
};
BATON_STATE(State, done, hook_ms, hook_fails)

}  // namespace mayhem::inline BATON_BUILD
