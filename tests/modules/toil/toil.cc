// toil: callbacks that take long, or for ever, and processes that tell what that costs
// others.
#include "version.h"

#include <baton/baton.h>

namespace toil::inline BATON_BUILD {

using namespace baton::literals;
using std::chrono::milliseconds;

/// Keeps a processor busy for about so long.
inline void spin(std::int64_t ms) {
  const auto end = std::chrono::steady_clock::now() + milliseconds(ms);
  while (std::chrono::steady_clock::now() < end) {
  }
}

/// {work, Ms}
struct Work {
  std::int64_t ms = 0;
  using Reply = std::int64_t;
};
BATON_MESSAGE(Work, ms)

struct Endless {};
BATON_MESSAGE(Endless)

struct Nothing {};
BATON_MESSAGE(Nothing)

struct HandState {
  std::int64_t handled = 0;
};
BATON_STATE(HandState, handled)

/// Does as it is told.
struct Hand : baton::GenServer<Hand, HandState> {
  using Calls = baton::Messages<Work>;
  using Casts = baton::Messages<Work, Endless>;
  using Infos = baton::Messages<Nothing>;
  void init() {}
  std::int64_t handle_call(const Work& work) {
    spin(work.ms);
    return work.ms;
  }
  void handle_cast(const Work& work) { spin(work.ms); }
  void handle_cast(const Endless&) {
    for (volatile int forever = 1; forever != 0;) {
    }
  }
  void handle_info(const Nothing&) { ++state().handled; }
};

/// Sends itself a number of messages that say nothing, then handles them slowly: [N, Ms of each].
struct Flood {
  std::int64_t count = 0;
  std::int64_t ms = 0;
};
BATON_MESSAGE(Flood, count, ms)

struct MailState {
  std::int64_t ms = 0;
  std::int64_t handled = 0;
};
BATON_STATE(MailState, ms, handled)

struct Letter {};
BATON_MESSAGE(Letter)

struct Mailbox : baton::GenServer<Mailbox, MailState> {
  using Casts = baton::Messages<Flood, Letter>;
  void init() {}
  void handle_cast(const Flood& flood) {
    state().ms = flood.ms;
    for (std::int64_t i = 0; i < flood.count; ++i) cast(self(), Letter{});
  }
  void handle_cast(const Letter&) {
    if (state().ms > 0) spin(state().ms);
    ++state().handled;
  }
};

/// A coroutine process that works when it is told to: a take-over leaves it to its version.
struct Laborer : baton::Process<Laborer> {
  static baton::Task<> loop(baton::Self self) {
    for (;;) {
      const Work work = co_await self.receive<Work>();
      spin(work.ms);
    }
  }
};

struct LongestGap {
  using Reply = std::int64_t;
};
BATON_MESSAGE(LongestGap)

struct Tick {};
BATON_MESSAGE(Tick)

struct TickerState {
  std::int64_t longest_ms = 0;
  std::int64_t last_ms = 0;
};
BATON_STATE(TickerState, longest_ms, last_ms)

/// A timer every 10 ms. longest_gap: how long it waited for one at most, in milliseconds, since it
/// was last asked.
struct Ticker : baton::GenServer<Ticker, TickerState> {
  using Calls = baton::Messages<LongestGap>;
  using Infos = baton::Messages<Tick>;
  static std::int64_t now_ms() {
    return std::chrono::duration_cast<milliseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  void init() {
    state().last_ms = now_ms();
    send_interval(milliseconds(10), self(), Tick{});
  }
  void handle_info(const Tick&) { note(); }
  std::int64_t handle_call(const LongestGap&) {
    note();
    return std::exchange(state().longest_ms, 0);
  }
  void note() {
    const std::int64_t now = now_ms();
    state().longest_ms = std::max(state().longest_ms, now - state().last_ms);
    state().last_ms = now;
  }
};

/// {share, N, Ms}: N processes that work for Ms each; answered when all have ended.
struct Share {
  std::int64_t count = 0;
  std::int64_t ms = 0;
  using Reply = std::int64_t;
};
BATON_MESSAGE(Share, count, ms)

/// Works for so long, and ends.
struct Mate : baton::Process<Mate> {
  static baton::Task<> loop(baton::Self, std::int64_t ms) {
    spin(ms);
    co_return;
  }
};

struct TeamState {
  std::int64_t left = 0;
  std::optional<baton::Caller> asked;
};
BATON_STATE(TeamState, left, asked)

struct Team : baton::GenServer<Team, TeamState> {
  using Calls = baton::Messages<Share>;
  void init() {}
  baton::NoReply handle_call(const Share& share) {
    state().asked = caller();
    state().left = share.count;
    for (std::int64_t i = 0; i < share.count; ++i) spawn_monitor<Mate>(share.ms);
    return {};
  }
  void handle_down(baton::Pid, baton::Ref, baton::Term) {
    if (--state().left == 0) reply(*state().asked, std::int64_t{1});
  }
};

}  // namespace toil::inline BATON_BUILD

BATON_MODULE("toil", TOIL_VERSION, toil::Hand, toil::Mailbox, toil::Laborer, toil::Ticker,
             toil::Mate, toil::Team)
