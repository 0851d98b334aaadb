// wreck 1.0.0: dies, and its host with it, in the ways that no host survives.
#include <baton/baton.h>

namespace wreck::inline BATON_BUILD {

struct Fault {};
BATON_MESSAGE(Fault)

struct Abort {};
BATON_MESSAGE(Abort)

struct Overflow {};
BATON_MESSAGE(Overflow)

struct State {
  std::int64_t depth = 0;
};
BATON_STATE(State, depth)

struct Wreck : baton::GenServer<Wreck, State> {
  using Casts = baton::Messages<Fault, Abort, Overflow>;
  void init() {}
  void handle_cast(const Fault&) {
    // An address that no page is ever mapped at, and that the compiler does not know.
    volatile std::uintptr_t address = 8;
    *reinterpret_cast<volatile int*>(address) = 1;
  }
  void handle_cast(const Abort&) { std::abort(); }
  void handle_cast(const Overflow&) { state().depth = deeper(0); }
  /// Ends, but for the stack.
  static std::int64_t deeper(std::int64_t depth) {
    volatile char room[4096];
    room[depth % 4096] = 1;
    return depth > 1'000'000'000 ? depth : deeper(depth + 1) + room[depth % 4096];
  }
};

}  // namespace wreck::inline BATON_BUILD

BATON_MODULE("wreck", "1.0.0", wreck::Wreck)
