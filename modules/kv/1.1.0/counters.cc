// The commands that change a value where it is: integers in decimal, and APPEND.
#include "commands.h"
#include "expiry.h"

namespace kv::inline BATON_BUILD {
namespace {

void add(Request& request, std::int64_t by) {
  State& state = request.state;
  const auto entry = find_live(state, key_at(request, 1), request.now_ms);
  const bool is_new = entry == state.entries.end();
  std::int64_t value = 0;
  if (!is_new && !parse_integer(entry->second, value)) return append_integer_error(request.out);
  if (__builtin_add_overflow(value, by, &value)) {
    return append_error(request.out, "ERR increment or decrement would overflow");
  }
  (is_new ? state.entries[request.key] : entry->second) = std::to_string(value);
  append_integer(request.out, value);
}

}  // namespace

void incr(Request& request) { add(request, 1); }

void decr(Request& request) { add(request, -1); }

void incrby(Request& request) {
  std::int64_t by = 0;
  if (integer_at(request, 2, by)) add(request, by);
}

void append(Request& request) {
  State& state = request.state;
  const std::string_view bytes = request.arguments[2];
  auto entry = find_live(state, key_at(request, 1), request.now_ms);
  if (entry == state.entries.end()) entry = state.entries.try_emplace(request.key).first;
  if (entry->second.size() + bytes.size() > static_cast<std::size_t>(kBulkBytesMax)) {
    return append_error(request.out,
                        "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  }
  entry->second.append(bytes);
  append_integer(request.out, static_cast<std::int64_t>(entry->second.size()));
}

}  // namespace kv::inline BATON_BUILD
