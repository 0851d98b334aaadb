// What the versions of mire differ in: 1.0.0 has a destructor that may never return.
#pragma once

#include <baton/baton.h>

#define MIRE_VERSION "1.0.0"

namespace mire::inline BATON_BUILD {

struct State {
  ~State() {
    for (volatile std::int64_t deep = where; deep == 2;) {
    }
  }
  std::int64_t where = 0;
};
BATON_STATE(State, where)

}  // namespace mire::inline BATON_BUILD
