// chat 1.0.0: what the versions after it change the messages of.
#include "room.h"

namespace chat::inline BATON_BUILD {

struct Say {
  std::string who;
  std::string text;
};
BATON_MESSAGE(Say, who, text)

struct Post {
  std::string text;
  using Reply = std::int64_t;
};
BATON_MESSAGE(Post, text)

struct Tick {
  std::int64_t n = 0;
};
BATON_MESSAGE(Tick, n)
std::string text_of(const Tick& tick) { return "tick " + std::to_string(tick.n); }

struct Score {
  float value = 0;
};
BATON_MESSAGE(Score, value)

struct Meet {
  std::string at;  // "19:30"
};
BATON_MESSAGE(Meet, at)

struct Room : AnyRoom<Room> {
  using Calls = baton::Messages<Lines, Post>;
  using Casts = baton::Messages<Say, Score, Meet, Work, Remind>;
  using Infos = baton::Messages<Tick>;
  using AnyRoom<Room>::handle_call;
  using AnyRoom<Room>::handle_cast;

  std::int64_t handle_call(const Post& post) { return write("post " + post.text); }
  void handle_cast(const Say& say) { write("say " + say.who + ": " + say.text); }
  void handle_cast(const Score& score) { write("score " + std::to_string(score.value)); }
  void handle_cast(const Meet& meet) { write("meet at " + meet.at); }
  void handle_cast(const Remind& remind) {
    send_after(std::chrono::milliseconds(remind.ms), self(), Tick{remind.n});
  }
  void handle_info(const Tick& tick) { write(text_of(tick)); }
};
struct Guard : AnyGuard<Guard, Tick> {};

}  // namespace chat::inline BATON_BUILD

BATON_MODULE("chat", "1.0.0", chat::Room, chat::Guard)
