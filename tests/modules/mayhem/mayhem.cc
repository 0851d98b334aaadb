// mayhem: does the wrong that it is told to, for tools/chaos.
#include "state.h"

#include <baton/baton.h>

namespace mayhem::inline BATON_BUILD {

using namespace baton::literals;

struct Crash {};
BATON_MESSAGE(Crash)

/// The host dies of it.
struct Fault {};
BATON_MESSAGE(Fault)

/// It never returns.
struct Endless {};
BATON_MESSAGE(Endless)

/// {hook, Ms, Fails}: what the hooks of take-overs do from here on.
struct Hook {
  std::int64_t ms = 0;
  bool fails = false;
};
BATON_MESSAGE(Hook, ms, fails)

/// {echo, Term}
struct Echo {
  baton::TermValue what;
  using Reply = baton::TermValue;
};
BATON_MESSAGE(Echo, what)

struct Mayhem : baton::GenServer<Mayhem, State> {
  using Calls = baton::Messages<Echo>;
  using Casts = baton::Messages<Crash, Endless, Fault, Hook>;
  void init() { register_name("mayhem"_atom); }
  baton::TermValue handle_call(const Echo& echo) {
    state().count();
    return echo.what;
  }
  void handle_cast(const Crash&) { throw std::runtime_error("a crash that was asked for"); }
  void handle_cast(const Endless&) {
    for (volatile bool goes_on = true; goes_on;) {
    }
  }
  void handle_cast(const Fault&) {
    // An address that no page is ever mapped at, and that the compiler does not know.
    volatile std::uintptr_t address = 8;
    *reinterpret_cast<volatile int*>(address) = 1;
  }
  void handle_cast(const Hook& hook) {
    state().count();
    state().hook_ms = hook.ms;
    state().hook_fails = hook.fails;
  }
};

}  // namespace mayhem::inline BATON_BUILD

BATON_MODULE("mayhem", MAYHEM_VERSION, mayhem::Mayhem)
