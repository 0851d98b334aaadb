#include "commands.h"

#include <algorithm>

namespace kv::inline BATON_BUILD {
namespace {

constexpr std::string_view kMultiShard = "request_policy:multi_shard";
constexpr std::string_view kSum = "request_policy:multi_shard response_policy:agg_sum";
constexpr std::string_view kShardSum = "request_policy:all_shards response_policy:agg_sum";
constexpr std::string_view kShards = "request_policy:all_shards response_policy:all_succeeded";

// name, arity, function, flags, first key, last key, step, groups, access, tips, summary
constexpr Command kCommands[] = {
    {"get", 2, get, "readonly fast", 1, 1, 1, "@read @string @fast", "RO access", "",
     "The value of a key"},
    {"set", -3, set, "write denyoom", 1, 1, 1, "@write @string @slow",
     "RW access update variable_flags", "", "Gives a key a value"},
    {"mget", -2, mget, "readonly fast", 1, -1, 1, "@read @string @fast", "RO access", kMultiShard,
     "The values of several keys"},
    {"mset", -3, mset, "write denyoom", 1, -1, 2, "@write @string @slow", "OW update",
     "request_policy:multi_shard response_policy:all_succeeded", "Gives several keys their values"},
    {"del", -2, del, "write", 1, -1, 1, "@keyspace @write @slow", "RM delete", kSum,
     "Removes keys"},
    {"exists", -2, exists, "readonly fast", 1, -1, 1, "@keyspace @read @fast", "RO", kSum,
     "How many of the keys there are"},
    {"incr", 2, incr, "write denyoom fast", 1, 1, 1, "@write @string @fast", "RW access update", "",
     "Adds one to a number"},
    {"decr", 2, decr, "write denyoom fast", 1, 1, 1, "@write @string @fast", "RW access update", "",
     "Takes one from a number"},
    {"incrby", 3, incrby, "write denyoom fast", 1, 1, 1, "@write @string @fast", "RW access update",
     "", "Adds to a number"},
    {"append", 3, append, "write denyoom fast", 1, 1, 1, "@write @string @fast", "RW insert", "",
     "Makes a value longer"},
    {"expire", -3, expire, "write fast", 1, 1, 1, "@keyspace @write @fast", "RW update", "",
     "Lets a key live for some seconds"},
    {"ttl", 2, ttl, "readonly fast", 1, 1, 1, "@keyspace @read @fast", "RO access",
     "nondeterministic_output", "How many seconds a key has to live"},
    {"persist", 2, persist, "write fast", 1, 1, 1, "@keyspace @write @fast", "RW update", "",
     "Lets a key live for good"},
    {"type", 2, type, "readonly fast", 1, 1, 1, "@keyspace @read @fast", "RO", "",
     "What a key holds"},
    {"dbsize", 1, dbsize, "readonly fast", 0, 0, 0, "@keyspace @read @fast", "", kShardSum,
     "How many keys there are"},
    {"flushall", -1, flushall, "write", 0, 0, 0, "@keyspace @write @slow @dangerous", "", kShards,
     "Removes every key"},
    {"ping", -1, ping, "fast", 0, 0, 0, "@fast @connection", "", kShards, "Is anyone there?"},
    {"echo", 2, echo, "loading stale fast", 0, 0, 0, "@fast @connection", "", "",
     "Says the same again"},
    {"select", 2, select, "loading stale fast", 0, 0, 0, "@fast @connection", "", "",
     "Chooses the database; there is only 0"},
    {"quit", -1, quit, "noscript loading stale fast no_auth allow_busy", 0, 0, 0,
     "@fast @connection", "", "", "Closes the connection"},
    {"client", -2, client, "", 0, 0, 0, "@slow", "", "", "About this connection"},
    {"config", -2, config, "", 0, 0, 0, "@slow", "", "", "Reads the configuration"},
    {"info", -1, info, "loading stale", 0, 0, 0, "@slow @dangerous", "",
     "nondeterministic_output request_policy:all_shards response_policy:special",
     "Facts and counters of the server"},
    {"command", -1, command, "loading stale", 0, 0, 0, "@slow @connection", "",
     "nondeterministic_output_order", "About the commands"},
};

// The most of a command's name and arguments that an error repeats.
constexpr std::size_t kEchoBytesMax = 128;

void append_unknown_error(Request& request) {
  std::string text = "ERR unknown command '";
  text.append(request.arguments[0].substr(0, kEchoBytesMax))
      .append("', with args beginning with: ");
  std::size_t room = kEchoBytesMax;
  for (std::size_t i = 1; i < request.arguments.size() && room > 0; ++i) {
    const std::string_view word = request.arguments[i].substr(0, room);
    text.append("'").append(word).append("' ");
    room -= std::min(room, word.size() + 3);
  }
  append_error(request.out, text);
}

bool is_arity_right(int arity, int words) { return arity >= 0 ? words == arity : words >= -arity; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

}  // namespace

std::span<const Command> commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  for (const Command& candidate : kCommands) {
    if (equals_ignoring_case(name, candidate.name)) return &candidate;
  }
  return nullptr;
}

void execute(Request& request) {
  const Command* found = find_command(request.arguments[0]);
  const auto words = static_cast<int>(request.arguments.size());
  if (found == nullptr) {
    // What a browser sends first: whoever can make it post here must not reach the store.
    request.is_last = equals_ignoring_case(request.arguments[0], "post") ||
                      equals_ignoring_case(request.arguments[0], "host:");
    if (!request.is_last) append_unknown_error(request);
  } else if (!is_arity_right(found->arity, words)) {
    append_arity_error(request.out, found->name);
  } else {
    ++request.state.commands_total;
    found->run(request);
  }
}

void execute_subcommand(Request& request, std::span<const Subcommand> subcommands) {
  const auto words = static_cast<int>(request.arguments.size());
  for (const Subcommand& candidate : subcommands) {
    const std::size_t bar = candidate.name.find('|');
    if (!equals_ignoring_case(request.arguments[1], candidate.name.substr(bar + 1))) continue;
    if (!is_arity_right(candidate.arity, words)) {
      return append_arity_error(request.out, candidate.name);
    }
    return candidate.run(request);
  }
  std::string container(subcommands[0].name.substr(0, subcommands[0].name.find('|')));
  for (char& c : container) c = static_cast<char>(c - 'a' + 'A');
  std::string text = "ERR unknown subcommand '";
  text.append(request.arguments[1].substr(0, kEchoBytesMax)).append("'. Try ").append(container);
  append_error(request.out, text.append(" HELP."));
}

const std::string& key_at(Request& request, std::size_t index) {
  return request.key.assign(request.arguments[index]);
}

bool integer_at(Request& request, std::size_t index, std::int64_t& value) {
  if (parse_integer(request.arguments[index], value)) return true;
  append_integer_error(request.out);
  return false;
}

void append_integer_error(std::string& out) {
  append_error(out, "ERR value is not an integer or out of range");
}

bool replace_if_too_long(std::string& out, std::size_t from) {
  if (out.size() - from <= kCommandReplyBytesMax) return false;
  out.resize(from);
  out.shrink_to_fit();
  append_error(out, "ERR the reply would be longer than 256 MiB: ask for less");
  return true;
}

void append_arity_error(std::string& out, std::string_view command) {
  std::string text = "ERR wrong number of arguments for '";
  append_error(out, text.append(command).append("' command"));
}

bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
  if (text.size() != lower_case.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (lower(text[i]) != lower_case[i]) return false;
  }
  return true;
}

}  // namespace kv::inline BATON_BUILD
