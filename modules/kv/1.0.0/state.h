// State: all that the kv server holds: the entries, and what each connection has sent so far.
//
// It is moved to the next version field by field, so its types are plain values and what a callback
// needs only while it runs is not here.
//
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
  std::unordered_map<baton::Port, Connection> connections;
  std::int64_t connections_total = 0;
  std::int64_t commands_total = 0;
};
BATON_STATE(State, entries, connections, connections_total, commands_total)

}  // namespace kv::inline BATON_BUILD
