// What the versions of mayhem differ in: 1.0.0 counts in text.
#pragma once

#include <baton/baton.h>

#define MAYHEM_VERSION "1.0.0"

namespace mayhem::inline BATON_BUILD {

struct State {
  std::string done = "0";
  std::int64_t hook_ms = 0;
  bool hook_fails = false;
  void count() { done = std::to_string(std::stoll(done) + 1); }
};
BATON_STATE(State, done, hook_ms, hook_fails)

}  // namespace mayhem::inline BATON_BUILD
