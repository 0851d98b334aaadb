// Commands: what a client may ask for, and the table that says how each is called.
//
// A command is a function that changes the state and appends its reply. The table gives its name,
// how many words it takes, and what clients want to know about it; execute checks the call against
// it. Replies are Redis 7's.
//
// Threads: as the state they work on.
// Fails:   never; what the client did wrong is the reply.
#pragma once

#include "resp.h"
#include "state.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace kv::inline BATON_BUILD {

/// The longest reply of one command: MGET can name one large value many times.
constexpr std::size_t kCommandReplyBytesMax = 256 << 20;

/// One command under way.
struct Request {
  State& state;
  Connection& connection;
  Arguments arguments;
  std::string& key;  // scratch: look-ups need a std::string, and this one keeps its memory
  std::string& out;
  std::int64_t now_ms;        // of the clock that nobody sets
  std::int64_t (*unix_ms)();  // the wall clock, for those who name a date
  bool is_last = false;       // close the connection once the reply is sent
};

struct Command {
  std::string_view name;
  int arity;  // words with the name; negative: at least so many
  void (*run)(Request&);
  std::string_view flags;  // words apart by blanks, as COMMAND INFO shows them
  int first_key;           // its place among the words; 0: no keys
  int last_key;            // negative: counted from the end
  int key_step;
  std::string_view groups;  // the ACL's
  std::string_view access;  // what it does with its keys
  std::string_view tips;    // for clients that spread commands over several servers
  std::string_view summary;
};

/// A command of two words, such as "client|id".
struct Subcommand {
  std::string_view name;  // both words, with '|' between them
  int arity;              // as a command's
  void (*run)(Request&);
};

/// All commands, the most used first.
std::span<const Command> commands();
/// The command of this name in any case, or null.
const Command* find_command(std::string_view name);
/// Checks the call and runs it. Requires: at least one argument.
void execute(Request& request);

/// Runs the one of these that the second word names. Requires: at least two arguments.
void execute_subcommand(Request& request, std::span<const Subcommand> subcommands);

/// Puts the word into request.key and returns it.
const std::string& key_at(Request& request, std::size_t index);
/// Reads an integer; false after an error was replied.
bool integer_at(Request& request, std::size_t index, std::int64_t& value);
void append_integer_error(std::string& out);
/// The reply to a call for another type of value.
void append_type_error(std::string& out);
/// Whether the reply that begins at `from` has become too long; then an error stands in its place.
bool replace_if_too_long(std::string& out, std::size_t from);
/// The reply to a call with the wrong number of words.
void append_arity_error(std::string& out, std::string_view command);
/// Are these the same but for the case of letters? `lower` is in lower case.
bool equals_ignoring_case(std::string_view text, std::string_view lower);

// Keys and values (keys.cc).
void del(Request&);
void exists(Request&);
void type(Request&);
void dbsize(Request&);
void flushall(Request&);
void get(Request&);
void set(Request&);
void mget(Request&);
void mset(Request&);
// Integers, and values that grow (counters.cc).
void incr(Request&);
void decr(Request&);
void incrby(Request&);
void append(Request&);
// Lists (lists.cc).
void lpush(Request&);
void rpush(Request&);
void lpop(Request&);
void rpop(Request&);
void llen(Request&);
void lrange(Request&);
// Keys that live for a time (expiry.cc).
void expire(Request&);
void ttl(Request&);
void persist(Request&);
// The connection (connection.cc).
void ping(Request&);
void echo(Request&);
void select(Request&);
void client(Request&);
void quit(Request&);
// About the server (introspection.cc).
void info(Request&);
void command(Request&);
void config(Request&);

}  // namespace kv::inline BATON_BUILD
