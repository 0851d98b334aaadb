// Ping-pong: the first concurrent program of every Erlang course, as two coroutine processes.
//
//   1> gen_server:call(pingpong, {play, 3}).
//   3
//
// Pong waits, registered as pong. Each game spawns a Ping, which sends {ping, Pid} to pong, awaits
// the atom pong, and does so as often as it was told to; both say what they hear in the log. The
// table is a process too: it takes calls of {play, N} and answers each when its Ping is done, so
// that many can play at once.

#include <baton/baton.h>

namespace pingpong::inline BATON_BUILD {

using namespace baton::literals;

constexpr std::int64_t kRoundsMax = 1'000'000;

struct Ping {
  baton::Pid from;
};
BATON_MESSAGE(Ping, from)

struct Pong {};
BATON_MESSAGE(Pong)

/// A call to the table: {play, Rounds}, answered with the rounds played.
struct Play {
  std::int64_t rounds = 0;
  using Reply = std::variant<std::int64_t, struct Error>;
};
BATON_MESSAGE(Play, rounds)

struct Error {
  std::string reason;
};
BATON_MESSAGE(Error, reason)

/// What a player is started with, and what it reports with when it is done.
struct Game {
  std::int64_t rounds = 0;
  baton::Caller for_whom;
};
BATON_MESSAGE(Game, rounds, for_whom)

struct PongPlayer : baton::Process<PongPlayer> {
  using Infos = baton::Messages<Ping>;

  static baton::Task<> loop(baton::Self self) {
    self.register_name("pong"_atom);
    for (;;) {
      const Ping ping = co_await self.receive<Ping>();
      self.log_debug("pong received ping from ", ping.from);
      self.send(ping.from, Pong{});
    }
  }
};

struct PingPlayer : baton::Process<PingPlayer> {
  using Infos = baton::Messages<Pong>;

  static baton::Task<> loop(baton::Self self, Game game) {
    for (std::int64_t round = 0; round < game.rounds; ++round) {
      self.send("pong"_atom, Ping{self.pid()});
      co_await self.receive<Pong>();
      self.log_debug("ping received pong");
    }
    self.log_info("ping finished after ", game.rounds, " rounds");
    self.reply(game.for_whom, game.rounds);
  }
};

struct Table : baton::Process<Table> {
  using Calls = baton::Messages<Play>;

  static baton::Task<> loop(baton::Self self) {
    self.register_name("pingpong"_atom);
    self.spawn_link<PongPlayer>();
    for (;;) {
      const auto request = co_await self.receive<baton::Request<Play>>();
      const std::int64_t rounds = request.message.rounds;
      if (rounds < 0 || rounds > kRoundsMax) {
        self.reply(request.caller,
                   Error{"expected from 0 to " + std::to_string(kRoundsMax) + " rounds"});
      } else {
        self.spawn<PingPlayer>(Game{rounds, request.caller});
      }
    }
  }
};

}  // namespace pingpong::inline BATON_BUILD

BATON_ATOMS("pingpong")
BATON_MODULE("pingpong", "1.0.0", pingpong::Table, pingpong::PingPlayer, pingpong::PongPlayer)
