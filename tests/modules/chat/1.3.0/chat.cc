// chat 1.3.0: two messages are no longer taken, score and post, and nothing is said of it.
#include "room.h"

namespace chat::inline BATON_BUILD {

struct Tell {
  std::string who;
  std::string text;
};
BATON_MESSAGE(Tell, who, text)

struct Meet {
  std::int64_t minutes = 0;
};
BATON_MESSAGE(Meet, minutes)

struct Tick {
  std::int64_t n = 0;
};
BATON_MESSAGE(Tick, n)
std::string text_of(const Tick& tick) { return "tick " + std::to_string(tick.n); }

struct Room : AnyRoom<Room> {
  using Calls = baton::Messages<Lines>;
  using Casts = baton::Messages<Tell, Meet, Work, Remind>;
  using Infos = baton::Messages<Tick>;
  using AnyRoom<Room>::handle_call;
  using AnyRoom<Room>::handle_cast;

  void handle_cast(const Tell& tell) { write("tell " + tell.who + ": " + tell.text); }
  void handle_cast(const Meet& meet) { write("meet in " + std::to_string(meet.minutes)); }
  void handle_cast(const Remind& remind) {
    send_after(std::chrono::milliseconds(remind.ms), self(), Tick{remind.n});
  }
  void handle_info(const Tick& tick) { write(text_of(tick)); }
};
struct Guard : AnyGuard<Guard, Tick> {};

}  // namespace chat::inline BATON_BUILD

BATON_MODULE("chat", "1.3.0", chat::Room, chat::Guard)
