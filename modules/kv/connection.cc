// The commands about the connection itself.
#include "commands.h"

namespace kv::inline BATON_BUILD {
namespace {

// A name stands in lists whose columns are parted by blanks.
bool is_name(std::string_view text) {
  for (const char c : text) {
    if (c < '!' || c > '~') return false;
  }
  return true;
}

void client_id(Request& request) { append_integer(request.out, request.connection.id); }

void client_getname(Request& request) {
  if (request.connection.name.empty()) return append_null(request.out);
  append_bulk(request.out, request.connection.name);
}

void client_setname(Request& request) {
  if (!is_name(request.arguments[2])) {
    return append_error(request.out,
                        "ERR Client names cannot contain spaces, newlines or special characters.");
  }
  request.connection.name.assign(request.arguments[2]);
  append_simple(request.out, "OK");
}

void client_help(Request& request) {
  append_array(request.out, 4);
  append_simple(request.out, "CLIENT GETNAME -- the name of this connection");
  append_simple(request.out, "CLIENT HELP -- this text");
  append_simple(request.out, "CLIENT ID -- the number of this connection");
  append_simple(request.out, "CLIENT SETNAME <name> -- gives this connection a name");
}

constexpr Subcommand kClientCommands[] = {
    {"client|id", 2, client_id},
    {"client|getname", 2, client_getname},
    {"client|setname", 3, client_setname},
    {"client|help", 2, client_help},
};

}  // namespace

void client(Request& request) { execute_subcommand(request, kClientCommands); }

void ping(Request& request) {
  if (request.arguments.size() > 2) return append_arity_error(request.out, "ping");
  if (request.arguments.size() == 2) return append_bulk(request.out, request.arguments[1]);
  append_simple(request.out, "PONG");
}

void echo(Request& request) { append_bulk(request.out, request.arguments[1]); }

void select(Request& request) {
  std::int64_t index = 0;
  if (!integer_at(request, 1, index)) return;
  if (index != 0) return append_error(request.out, "ERR DB index is out of range");
  append_simple(request.out, "OK");
}

void quit(Request& request) {
  append_simple(request.out, "OK");
  request.is_last = true;
}

}  // namespace kv::inline BATON_BUILD
