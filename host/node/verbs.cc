#include "node/verbs.h"

namespace baton::node {

Verbs make_verbs(const Parts& parts) {
  Verbs verbs;
  add_host_verbs(verbs, parts);
  add_process_verbs(verbs, parts);
  add_release_verbs(verbs, parts);
  return verbs;
}

Result<std::string> text_argument(const boost::json::object& arguments, std::string_view key) {
  const boost::json::value* value = arguments.if_contains({key.data(), key.size()});
  if (value == nullptr || !value->is_string())
    return Error(Code::kUsage, "expected the argument \"" + std::string(key) + "\", a text");
  return std::string(value->as_string());
}

std::string text_argument(const boost::json::object& arguments, std::string_view key,
                          std::string otherwise) {
  auto text = text_argument(arguments, key);
  return text.ok() ? *std::move(text) : otherwise;
}

std::int64_t number_argument(const boost::json::object& arguments, std::string_view key,
                             std::int64_t otherwise) {
  const boost::json::value* value = arguments.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_int64() ? value->as_int64() : otherwise;
}

bool flag_argument(const boost::json::object& arguments, std::string_view key) {
  const boost::json::value* value = arguments.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_bool() && value->as_bool();
}

}  // namespace baton::node
