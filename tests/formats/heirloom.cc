// heirloom: some of everything that modules do. 1.0.0 is built by an earlier SDK, 1.1.0 by today's.
#include "state.h"

#include <baton/baton.h>

namespace heirloom::inline BATON_BUILD {

using namespace baton::literals;
using std::chrono::milliseconds;

/// {put, Key, N}
struct Put {
  std::string key;
  std::int64_t n = 0;
};
BATON_MESSAGE(Put, key, n)

struct Fail {};
BATON_MESSAGE(Fail)

struct Start {};
BATON_MESSAGE(Start)

struct Sum {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Sum)

/// {twice, N}: asks the other one.
struct Twice {
  std::int64_t n = 0;
  using Reply = std::int64_t;
};
BATON_MESSAGE(Twice, n)

struct Dead {
  using Reply = std::int64_t;
};
BATON_MESSAGE(Dead)

struct Tick {};
BATON_MESSAGE(Tick)

/// Ends when it is told a number, which it takes for its reason to.
struct Guest : baton::Process<Guest> {
  static baton::Task<> loop(baton::Self self) {
    const Put put = co_await self.receive<Put>();
    if (put.n != 1) throw std::runtime_error("a number other than 1");
  }
};

struct Chest : baton::GenServer<Chest, State> {
  using Calls = baton::Messages<Sum, Twice, Dead>;
  using Casts = baton::Messages<Put, Fail, Start>;
  using Infos = baton::Messages<Tick>;
  void init() {
    register_name("chest"_atom);
    send_after(milliseconds(10), self(), Tick{});
  }
  std::int64_t handle_call(const Sum&) {
    std::int64_t sum = 0;
    for (const auto& [key, n] : state().entries) sum += n;
    return sum;
  }
  baton::Task<std::int64_t> handle_call(const Twice& twice) {
    const Twice asked{twice.n};
    co_return co_await call("doubler"_atom, asked);
  }
  std::int64_t handle_call(const Dead&) { return state().dead; }
  void handle_cast(const Put& put) { state().entries[put.key] += put.n; }
  void handle_cast(const Fail&) { throw std::runtime_error("told to fail"); }
  void handle_cast(const Start&) {
    const baton::Pid guest = spawn_monitor<Guest>().first;
    send(guest, Put{"", 1});
  }
  void handle_info(const Tick&) {
    ++state().ticks;
    send_after(milliseconds(10), self(), Tick{});
  }
  void handle_down(baton::Pid, baton::Ref, baton::Term) { ++state().dead; }
};

struct Doubler : baton::GenServer<Doubler, DoublerState> {
  using Calls = baton::Messages<Twice>;
  void init() { register_name("doubler"_atom); }
  std::int64_t handle_call(const Twice& twice) {
    ++state().asked;
    return 2 * twice.n;
  }
};

}  // namespace heirloom::inline BATON_BUILD

BATON_MODULE("heirloom", HEIRLOOM_VERSION, heirloom::Chest, heirloom::Doubler, heirloom::Guest)
