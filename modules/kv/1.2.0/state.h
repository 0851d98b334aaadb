// State: all that the kv server holds: the entries, and what each connection has sent so far.
//
// It is moved to the next version field by field, so its types are plain values and what a callback
// needs only while it runs is not here. When keys expire stands in a map beside the entries.
//
// Up to 1.1.0 a value was a string. Here it may be a list as well, so the entries are of another
// type and a take-over copies every one of them (migration.h).
//
// Invariants:
//   (1) Every key in expiries is in entries.
// Ownership: the gen_server's; one callback at a time.
#pragma once

#include "list.h"
#include "resp.h"

#include <baton/state.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <variant>

namespace kv::inline BATON_BUILD {

using Value = std::variant<std::string, List>;

struct Connection {
  std::int64_t id = 0;  // counted from 1
  std::string name;     // what CLIENT SETNAME said
  Input input;

  bool operator==(const Connection&) const = default;
};
BATON_STATE(Connection, id, name, input)

struct State {
  std::unordered_map<std::string, Value> entries;
  std::unordered_map<std::string, std::int64_t> expiries;  // in ms of the host's clock
  std::unordered_map<baton::Port, Connection> connections;
  std::int64_t connections_total = 0;
  std::int64_t commands_total = 0;
  std::int64_t expired_total = 0;
  baton::Ref sweep_timer;          // set while any key has an expiry
  std::uint64_t sweep_bucket = 0;  // of expiries: where the next sweep begins

  static void code_change(State& made, const baton::Fields& old, baton::Version from);
  static void code_revert(const State& live, baton::Fields& older, baton::Version to);
  // On the way down the lists are lost, and before 1.1 the keys that have an expiry: there they
  // would never expire.
  static baton::Loss loss(const State& live, baton::Version to);
  static void discard(State& live, baton::Version to) noexcept;
};
BATON_STATE(State, entries, expiries, connections, connections_total, commands_total, expired_total,
            sweep_timer, sweep_bucket)
// What is lost with the expiries, loss counts.
BATON_DISPOSABLE(State, expiries, expired_total, sweep_timer, sweep_bucket)

}  // namespace kv::inline BATON_BUILD
