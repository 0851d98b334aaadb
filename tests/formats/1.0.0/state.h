// What the versions of heirloom differ in.
#pragma once

#include <baton/baton.h>

#define HEIRLOOM_VERSION "1.0.0"

namespace heirloom::inline BATON_BUILD {

struct State {
  std::map<std::string, std::int64_t> entries;
  std::int64_t ticks = 0;
  std::int64_t dead = 0;
};
BATON_STATE(State, entries, ticks, dead)

struct DoublerState {
  std::int64_t asked = 0;
};
BATON_STATE(DoublerState, asked)

}  // namespace heirloom::inline BATON_BUILD
