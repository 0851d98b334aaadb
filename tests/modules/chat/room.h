// room: what all versions of chat share: the state, the messages that no version changes, and what
// a process of either kind does with mail.
//
// Every version writes down what it was told as one line, with its own version's name for it, so
// that a test sees whether anything was lost, and in what form it arrived.
#pragma once

#include <baton/baton.h>

namespace chat::inline BATON_BUILD {

struct Lines {
  using Reply = std::vector<std::string>;
};
BATON_MESSAGE(Lines)

/// Keeps the room busy for so long.
struct Work {
  std::int64_t ms = 0;
};
BATON_MESSAGE(Work, ms)

/// Sends the room a tick after so long.
struct Remind {
  std::int64_t ms = 0;
  std::int64_t n = 0;
};
BATON_MESSAGE(Remind, ms, n)

struct RoomState {
  std::vector<std::string> lines;
};
BATON_STATE(RoomState, lines)

template <class Derived>
struct AnyRoom : baton::GenServer<Derived, RoomState> {
  void init() {}
  std::vector<std::string> handle_call(const Lines&) { return this->state().lines; }
  void handle_cast(const Work& work) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(work.ms);
    while (std::chrono::steady_clock::now() < end) {
    }
  }

 protected:
  std::int64_t write(std::string line) {
    this->state().lines.push_back(std::move(line));
    return static_cast<std::int64_t>(this->state().lines.size());
  }
};

/// A coroutine process that writes down its ticks, which have a text of their own in each version.
template <class Derived, class Tick>
struct AnyGuard : baton::Process<Derived> {
  using Calls = baton::Messages<Lines>;
  using Infos = baton::Messages<Tick>;
  static baton::Task<> loop(baton::Self self) {
    std::vector<std::string> lines;
    for (;;) {
      const auto mail = co_await self.receive<Tick, baton::Request<Lines>>();
      if (const Tick* tick = std::get_if<Tick>(&mail))
        lines.push_back(text_of(*tick));
      else
        self.reply(std::get<1>(mail).caller, lines);
    }
  }
};

}  // namespace chat::inline BATON_BUILD
