// What the versions of mire differ in: 1.1.0 has a code_change that may never return.
#pragma once

#include <baton/baton.h>

#define MIRE_VERSION "1.1.0"

namespace mire::inline BATON_BUILD {

struct State {
  std::int64_t where = 0;
  bool is_new = true;
  static void code_change(State&, const baton::Fields& old, baton::Version) {
    for (volatile std::int64_t deep = old.get<std::int64_t>("where"); deep == 1;) {
    }
  }
};
BATON_STATE(State, where, is_new)
BATON_DISPOSABLE(State, is_new)

}  // namespace mire::inline BATON_BUILD
