// chat 1.2.0: a message has another name and fewer members, and one another type, by its hooks.
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
std::string text_of(const Tick& tick) { return "tick " + std::to_string(tick.n); }

struct Score {
  double value = 0;
};
BATON_MESSAGE(Score, value)

/// Of the values that its hooks do not take, each is wrong in its own way.
struct Meet {
  std::int64_t minutes = 0;  // since midnight

  static void message_change(Meet& made, const baton::OtherForm& old, baton::Version) {
    const std::string at = old.get<std::string>("at");
    if (at == "slow") wait(std::chrono::milliseconds(500));
    if (at == "never") wait(std::chrono::hours(24));
    if (at.size() != 5 || at[2] != ':') throw std::invalid_argument(at + " is no time");
    made.minutes = number(at[0], at[1]) * 60 + number(at[3], at[4]);
  }
  static void message_revert(const Meet& meet, baton::OtherForm& older, baton::Version) {
    if (meet.minutes < 0) throw std::out_of_range("before midnight");
    if (meet.minutes >= 1440) return older.put("at", meet.minutes);  // of the wrong type
    const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    older.put("at", two(meet.minutes / 60) + ":" + two(meet.minutes % 60));
  }

 private:
  static std::int64_t number(char tens, char ones) { return (tens - '0') * 10 + (ones - '0'); }
  static void wait(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
    }
  }
};
BATON_MESSAGE(Meet, minutes)
BATON_DROPPED(Meet, at)

struct Room : AnyRoom<Room> {
  using Calls = baton::Messages<Lines, Post>;
  using Casts = baton::Messages<Tell, Score, Meet, Work, Remind>;
  using Infos = baton::Messages<Tick>;
  using AnyRoom<Room>::handle_call;
  using AnyRoom<Room>::handle_cast;

  std::int64_t handle_call(const Post& post) {
    return write("post " + post.text + " x" + std::to_string(post.weight));
  }
  void handle_cast(const Tell& tell) { write("tell " + tell.who + ": " + tell.text); }
  void handle_cast(const Score& score) { write("score " + std::to_string(score.value)); }
  void handle_cast(const Meet& meet) { write("meet in " + std::to_string(meet.minutes)); }
  void handle_cast(const Remind& remind) {
    send_after(std::chrono::milliseconds(remind.ms), self(), Tick{remind.n});
  }
  void handle_info(const Tick& tick) { write(text_of(tick)); }
};
struct Guard : AnyGuard<Guard, Tick> {};

}  // namespace chat::inline BATON_BUILD

BATON_MODULE("chat", "1.2.0", chat::Room, chat::Guard)
