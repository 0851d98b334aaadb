// chat 1.3.0: rooms no longer take score, post and tick, and nothing is said of it.
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
  using Casts = baton::Messages<Tell, Meet, Work>;
  using AnyRoom<Room>::handle_call;
  using AnyRoom<Room>::handle_cast;

  void handle_cast(const Tell& tell) { write("tell " + tell.who + ": " + tell.text); }
  void handle_cast(const Meet& meet) { write("meet in " + std::to_string(meet.minutes)); }
};
struct Guard : AnyGuard<Guard, Tick> {};

}  // namespace chat::inline BATON_BUILD

BATON_MODULE("chat", "1.3.0", chat::Room, chat::Guard)
