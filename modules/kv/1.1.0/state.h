// State: all that the kv server holds: the entries, and what each connection has sent so far.
//
// It is moved to the next version field by field, so its types are plain values and what a callback
// needs only while it runs is not here. When keys expire stands in a map beside the entries, not in
// them: so the entries have the type they have in 1.0.0, and any number of them moves at once.
//
// Invariants:
//   (1) Every key in expiries is in entries.
// Ownership: the gen_server's; one callback at a time.
#pragma once

#include "resp.h"

#include <baton/state.h>

#include <cstdint>
#include <string>
#include <unordered_map>

namespace kv::inline BATON_BUILD {

struct Connection {
  std::int64_t id = 0;  // counted from 1
  std::string name;     // what CLIENT SETNAME said
  Input input;

  bool operator==(const Connection&) const = default;
};
BATON_STATE(Connection, id, name, input)

struct State {
  std::unordered_map<std::string, std::string> entries;
  std::unordered_map<std::string, std::int64_t> expiries;  // in ms of the host's clock
  std::unordered_map<baton::Port, Connection> connections;
  std::int64_t connections_total = 0;
  std::int64_t commands_total = 0;
  std::int64_t expired_total = 0;
  baton::Ref sweep_timer;          // set while any key has an expiry
  std::uint64_t sweep_bucket = 0;  // of expiries: where the next sweep begins

  // On the way down to a version without expiries, the keys that have one: there they would never
  // expire.
  static baton::Loss loss(const State& live, baton::Version to);
  static void discard(State& live, baton::Version to) noexcept;
};
BATON_STATE(State, entries, expiries, connections, connections_total, commands_total, expired_total,
            sweep_timer, sweep_bucket)
// What is lost with the expiries, loss counts.
BATON_DISPOSABLE(State, expiries, expired_total, sweep_timer, sweep_bucket)

}  // namespace kv::inline BATON_BUILD
