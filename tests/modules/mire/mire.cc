// mire: a process whose state is never got out of again, in a hook or in a destructor.
#include "state.h"

#include <baton/baton.h>

namespace mire::inline BATON_BUILD {

using namespace baton::literals;

/// {sink, Where}: 1 in the code_change of 1.1.0, 2 in the destructor of 1.0.0.
struct Sink {
  std::int64_t where = 0;
};
BATON_MESSAGE(Sink, where)

struct Ask {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Ask)

struct Mire : baton::GenServer<Mire, State> {
  using Calls = baton::Messages<Ask>;
  using Casts = baton::Messages<Sink>;
  void init() {}
  std::int64_t handle_call(const Ask&) { return state().where; }
  void handle_cast(const Sink& sink) { state().where = sink.where; }
};

}  // namespace mire::inline BATON_BUILD

BATON_MODULE("mire", MIRE_VERSION, mire::Mire)
