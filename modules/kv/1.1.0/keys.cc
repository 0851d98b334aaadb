// The commands on keys and their values.
#include "commands.h"
#include "expiry.h"

#include <optional>
#include <string>
#include <string_view>

namespace kv::inline BATON_BUILD {
namespace {

// A value that was long once does not keep its memory for a short one.
constexpr std::size_t kSlackBytesMax = 1 << 10;

// What SET's words behind the value ask for.
struct Options {
  bool is_nx = false;      // only where there is no such key
  bool is_xx = false;      // only where there is one
  bool is_get = false;     // the reply is the value before
  bool keeps_ttl = false;  // the expiry stays
  std::optional<std::int64_t> deadline_ms;
};

struct TimeOption {
  std::string_view name;
  std::int64_t unit_ms;
  bool is_date;  // counts from 1970, not from now
};
constexpr TimeOption kTimeOptions[] = {
    {"ex", 1000, false}, {"px", 1, false}, {"exat", 1000, true}, {"pxat", 1, true}};

void store(Request& request, std::string_view bytes) {
  std::string& value = request.state.entries[request.key];
  if (value.capacity() > 2 * bytes.size() + kSlackBytesMax) std::string().swap(value);
  value.assign(bytes);
}

Entries::iterator find_at(Request& request, std::size_t index) {
  return find_live(request.state, key_at(request, index), request.now_ms);
}

void append_value(Request& request, Entries::iterator found) {
  if (found == request.state.entries.end()) {
    append_null(request.out);
  } else {
    append_bulk(request.out, found->second);
  }
}

// Turns the word into a deadline. False after an error was replied.
bool parse_deadline(Request& request, std::size_t index, const TimeOption& option,
                    std::optional<std::int64_t>& deadline_ms) {
  std::int64_t time = 0;
  if (!integer_at(request, index, time)) return false;
  std::int64_t deadline = 0;
  if (time <= 0 || time > kNumberMax / option.unit_ms ||
      !(option.is_date ? deadline_of_date(request, time * option.unit_ms, deadline)
                       : deadline_of_span(request, time * option.unit_ms, deadline))) {
    append_error(request.out, "ERR invalid expire time in 'set' command");
    return false;
  }
  deadline_ms = deadline;
  return true;
}

const TimeOption* find_time_option(std::string_view word) {
  for (const TimeOption& option : kTimeOptions) {
    if (equals_ignoring_case(word, option.name)) return &option;
  }
  return nullptr;
}

// False after an error was replied.
bool parse_options(Request& request, Options& options) {
  const Arguments& words = request.arguments;
  std::size_t time_at = 0;
  const TimeOption* time = nullptr;
  bool is_right = true;
  for (std::size_t i = 3; i < words.size() && is_right; ++i) {
    if (equals_ignoring_case(words[i], "nx")) {
      options.is_nx = true;
    } else if (equals_ignoring_case(words[i], "xx")) {
      options.is_xx = true;
    } else if (equals_ignoring_case(words[i], "get")) {
      options.is_get = true;
    } else if (equals_ignoring_case(words[i], "keepttl")) {
      options.keeps_ttl = true;
    } else if (const TimeOption* const option = find_time_option(words[i]); option != nullptr) {
      is_right = (time == nullptr || time == option) && i + 1 < words.size();
      time = option;
      time_at = ++i;
    } else {
      is_right = false;
    }
  }
  if (!is_right || (options.is_nx && options.is_xx) || (options.keeps_ttl && time != nullptr)) {
    append_error(request.out, "ERR syntax error");
    return false;
  }
  return time == nullptr || parse_deadline(request, time_at, *time, options.deadline_ms);
}

}  // namespace

void get(Request& request) { append_value(request, find_at(request, 1)); }

void set(Request& request) {
  Options options;
  if (request.arguments.size() > 3 && !parse_options(request, options)) return;
  if (options.is_nx || options.is_xx || options.is_get || options.keeps_ttl) {
    const auto found = find_at(request, 1);
    const bool is_there = found != request.state.entries.end();
    if (options.is_get) append_value(request, found);
    if ((options.is_nx && is_there) || (options.is_xx && !is_there)) {
      if (!options.is_get) append_null(request.out);
      return;
    }
  }
  key_at(request, 1);
  if (!options.keeps_ttl) persist_key(request.state, request.key);
  store(request, request.arguments[2]);
  if (options.deadline_ms) request.state.expiries[request.key] = *options.deadline_ms;
  if (!options.is_get) append_simple(request.out, "OK");
}

void mget(Request& request) {
  const std::size_t from = request.out.size();
  append_array(request.out, request.arguments.size() - 1);
  for (std::size_t i = 1; i < request.arguments.size(); ++i) {
    append_value(request, find_at(request, i));
    if (replace_if_too_long(request.out, from)) return;
  }
}

void mset(Request& request) {
  if (request.arguments.size() % 2 == 0) return append_arity_error(request.out, "mset");
  for (std::size_t i = 1; i < request.arguments.size(); i += 2) {
    persist_key(request.state, key_at(request, i));
    store(request, request.arguments[i + 1]);
  }
  append_simple(request.out, "OK");
}

void del(Request& request) {
  std::int64_t removed = 0;
  for (std::size_t i = 1; i < request.arguments.size(); ++i) {
    const auto found = find_at(request, i);
    if (found == request.state.entries.end()) continue;
    erase(request.state, found);
    ++removed;
  }
  append_integer(request.out, removed);
}

void exists(Request& request) {
  std::int64_t found = 0;
  for (std::size_t i = 1; i < request.arguments.size(); ++i) {
    if (find_at(request, i) != request.state.entries.end()) ++found;
  }
  append_integer(request.out, found);
}

void type(Request& request) {
  const bool is_there = find_at(request, 1) != request.state.entries.end();
  append_simple(request.out, is_there ? "string" : "none");
}

void dbsize(Request& request) {
  append_integer(request.out, static_cast<std::int64_t>(request.state.entries.size()));
}

void flushall(Request& request) {
  const Arguments& words = request.arguments;
  const bool is_right =
      words.size() == 1 || (words.size() == 2 && (equals_ignoring_case(words[1], "sync") ||
                                                  equals_ignoring_case(words[1], "async")));
  if (!is_right) return append_error(request.out, "ERR syntax error");
  // A map that is cleared keeps its buckets: a new one gives their memory back.
  request.state.entries = {};
  request.state.expiries = {};
  append_simple(request.out, "OK");
}

}  // namespace kv::inline BATON_BUILD
