#include "node/verbs.h"

namespace baton::node {

Verbs make_verbs(const Parts& parts) {
  Verbs verbs;
  add_host_verbs(verbs, parts);
  add_process_verbs(verbs, parts);
  add_release_verbs(verbs, parts);
  return verbs;
}

namespace {

Error expected(std::string_view key, const std::string& what) {
  return Error(Code::kUsage, "expected the argument \"" + std::string(key) + "\" to be " + what);
}

}  // namespace

Result<std::string> text_argument(const boost::json::object& arguments, std::string_view key,
                                  std::optional<std::string> otherwise) {
  const boost::json::value* value = arguments.if_contains({key.data(), key.size()});
  if (value == nullptr && otherwise) return *std::move(otherwise);
  if (value == nullptr || !value->is_string()) return expected(key, "a text");
  return std::string(value->as_string());
}

Result<std::int64_t> number_argument(const boost::json::object& arguments, std::string_view key,
                                     NumberRange range, std::optional<std::int64_t> otherwise) {
  const boost::json::value* value = arguments.if_contains({key.data(), key.size()});
  if (value == nullptr && otherwise) return *otherwise;
  const std::int64_t* number = value != nullptr ? value->if_int64() : nullptr;
  if (number == nullptr || *number < range.least || *number > range.most)
    return expected(key, "an integer from " + std::to_string(range.least) + " to " +
                             std::to_string(range.most));
  return *number;
}

Result<bool> flag_argument(const boost::json::object& arguments, std::string_view key) {
  const boost::json::value* value = arguments.if_contains({key.data(), key.size()});
  if (value == nullptr) return false;
  if (!value->is_bool()) return expected(key, "true or false");
  return value->as_bool();
}

}  // namespace baton::node
