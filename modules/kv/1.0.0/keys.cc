// The commands on keys and their values.
#include "commands.h"

namespace kv::inline BATON_BUILD {
namespace {

// A value that was long once does not keep its memory for a short one.
constexpr std::size_t kSlackBytesMax = 1 << 10;

void store(std::string& value, std::string_view bytes) {
  if (value.capacity() > 2 * bytes.size() + kSlackBytesMax) std::string().swap(value);
  value.assign(bytes);
}

void append_value(Request& request, std::size_t index) {
  const auto found = request.state.entries.find(key_at(request, index));
  if (found == request.state.entries.end()) {
    append_null(request.out);
  } else {
    append_bulk(request.out, found->second);
  }
}

}  // namespace

void get(Request& request) { append_value(request, 1); }

void set(Request& request) {
  if (request.arguments.size() > 3) return append_error(request.out, "ERR syntax error");
  store(request.state.entries[key_at(request, 1)], request.arguments[2]);
  append_simple(request.out, "OK");
}

void mget(Request& request) {
  const std::size_t from = request.out.size();
  append_array(request.out, request.arguments.size() - 1);
  for (std::size_t i = 1; i < request.arguments.size(); ++i) {
    append_value(request, i);
    if (replace_if_too_long(request.out, from)) return;
  }
}

void mset(Request& request) {
  if (request.arguments.size() % 2 == 0) return append_arity_error(request.out, "mset");
  for (std::size_t i = 1; i < request.arguments.size(); i += 2) {
    store(request.state.entries[key_at(request, i)], request.arguments[i + 1]);
  }
  append_simple(request.out, "OK");
}

void del(Request& request) {
  std::size_t removed = 0;
  for (std::size_t i = 1; i < request.arguments.size(); ++i) {
    removed += request.state.entries.erase(key_at(request, i));
  }
  append_integer(request.out, static_cast<std::int64_t>(removed));
}

void exists(Request& request) {
  std::size_t found = 0;
  for (std::size_t i = 1; i < request.arguments.size(); ++i) {
    found += request.state.entries.count(key_at(request, i));
  }
  append_integer(request.out, static_cast<std::int64_t>(found));
}

void type(Request& request) {
  append_simple(request.out, request.state.entries.count(key_at(request, 1)) ? "string" : "none");
}

void dbsize(Request& request) {
  append_integer(request.out, static_cast<std::int64_t>(request.state.entries.size()));
}

void flushall(Request& request) {
  const Arguments& words = request.arguments;
  const bool is_known =
      words.size() == 1 || (words.size() == 2 && (equals_ignoring_case(words[1], "sync") ||
                                                  equals_ignoring_case(words[1], "async")));
  if (!is_known) return append_error(request.out, "ERR syntax error");
  // A map that is cleared keeps its buckets: a new one gives their memory back.
  request.state.entries = {};
  append_simple(request.out, "OK");
}

}  // namespace kv::inline BATON_BUILD
