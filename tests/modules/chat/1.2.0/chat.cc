// chat 1.2.0: a message has another name and fewer members.
#include "room.h"

namespace chat::inline BATON_BUILD {

struct Tell {
  std::string who;
  std::string text;
};
BATON_MESSAGE(Tell, who, text)
BATON_RENAMED_MESSAGE(Tell, say)
BATON_DROPPED(Tell, lang)

struct Post {
  std::int64_t weight = 1;
  std::string text;
  using Reply = std::int64_t;
};
BATON_MESSAGE(Post, weight, text)

struct Tick {
  std::int64_t n = 0;
};
BATON_MESSAGE(Tick, n)
BATON_DROPPED(Tick, note)

struct Score {
  double value = 0;
};
BATON_MESSAGE(Score, value)

struct Room : AnyRoom<Room> {
  using Calls = baton::Messages<Lines, Post>;
  using Casts = baton::Messages<Tell, Score, Work, Remind>;
  using Infos = baton::Messages<Tick>;
  using AnyRoom<Room>::handle_call;
  using AnyRoom<Room>::handle_cast;

  std::int64_t handle_call(const Post& post) {
    return write("post " + post.text + " x" + std::to_string(post.weight));
  }
  void handle_cast(const Tell& tell) { write("tell " + tell.who + ": " + tell.text); }
  void handle_cast(const Score& score) { write("score " + std::to_string(score.value)); }
  void handle_cast(const Remind& remind) {
    send_after(std::chrono::milliseconds(remind.ms), self(), Tick{remind.n});
  }
  void handle_info(const Tick& tick) { write("tick " + std::to_string(tick.n)); }
};

}  // namespace chat::inline BATON_BUILD

BATON_MODULE("chat", "1.2.0", chat::Room)
