// The commands on lists. A list without elements is no key.
#include "commands.h"
#include "expiry.h"

#include <algorithm>

namespace kv::inline BATON_BUILD {
namespace {

enum class End { kFront, kBack };

// The list at the key that is the second word; null when there is none, and then `is_error` says
// whether that was replied.
List* find_list(Request& request, bool& is_error) {
  State& state = request.state;
  const auto entry = find_live(state, key_at(request, 1), request.now_ms);
  is_error = false;
  if (entry == state.entries.end()) return nullptr;
  List* list = std::get_if<List>(&entry->second);
  is_error = list == nullptr;
  if (is_error) append_type_error(request.out);
  return list;
}

void push(Request& request, End end) {
  bool is_error = false;
  List* list = find_list(request, is_error);
  if (is_error) return;
  if (list == nullptr) list = &request.state.entries[request.key].emplace<List>();
  for (std::size_t i = 2; i < request.arguments.size(); ++i) {
    if (end == End::kFront) {
      list->push_front(request.arguments[i]);
    } else {
      list->push_back(request.arguments[i]);
    }
  }
  append_integer(request.out, static_cast<std::int64_t>(list->size()));
}

void append_null_array(std::string& out) { out.append("*-1\r\n", 5); }

void append_popped(Request& request, List& list, End end) {
  append_bulk(request.out, end == End::kFront ? list.pop_front() : list.pop_back());
}

void pop(Request& request, End end, std::string_view name) {
  const bool has_count = request.arguments.size() == 3;
  if (request.arguments.size() > 3) return append_arity_error(request.out, name);
  std::int64_t count = 1;
  if (has_count && (!parse_integer(request.arguments[2], count) || count < 0)) {
    return append_error(request.out, "ERR value is out of range, must be positive");
  }
  bool is_error = false;
  List* list = find_list(request, is_error);
  if (is_error) return;
  if (list == nullptr) {
    return has_count ? append_null_array(request.out) : append_null(request.out);
  }
  const std::size_t popped = std::min(static_cast<std::size_t>(count), list->size());
  if (has_count) append_array(request.out, popped);
  for (std::size_t i = 0; i < popped; ++i) append_popped(request, *list, end);
  if (list->size() == 0) erase(request.state, request.state.entries.find(request.key));
}

}  // namespace

void lpush(Request& request) { push(request, End::kFront); }

void rpush(Request& request) { push(request, End::kBack); }

void lpop(Request& request) { pop(request, End::kFront, "lpop"); }

void rpop(Request& request) { pop(request, End::kBack, "rpop"); }

void llen(Request& request) {
  bool is_error = false;
  const List* list = find_list(request, is_error);
  if (is_error) return;
  append_integer(request.out, list == nullptr ? 0 : static_cast<std::int64_t>(list->size()));
}

void lrange(Request& request) {
  std::int64_t from = 0;
  std::int64_t to = 0;
  if (!integer_at(request, 2, from) || !integer_at(request, 3, to)) return;
  bool is_error = false;
  const List* list = find_list(request, is_error);
  if (is_error) return;
  const auto size = list == nullptr ? 0 : static_cast<std::int64_t>(list->size());
  if (from < 0) from = std::max<std::int64_t>(from + size, 0);
  if (to < 0) to += size;
  to = std::min(to, size - 1);
  if (from > to) return append_array(request.out, 0);
  const std::size_t reply = request.out.size();
  append_array(request.out, static_cast<std::size_t>(to - from + 1));
  for (std::int64_t i = from; i <= to; ++i) {
    append_bulk(request.out, (*list)[static_cast<std::size_t>(i)]);
    if (replace_if_too_long(request.out, reply)) return;
  }
}

}  // namespace kv::inline BATON_BUILD
