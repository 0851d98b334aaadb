// Json: the little of it that an order desk needs: flat objects in, text out.
//
// The reader is strict: one object, whose members are strings, numbers, true, false or null; names
// are distinct, strings are UTF-8, nothing stands behind it. What breaks that is said with its
// place.
//
// Threads: value types and pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace web::inline BATON_BUILD {

/// More members than this are refused.
constexpr std::size_t kJsonMembersMax = 64;

struct JsonMember {
  enum class Kind { kString, kNumber, kBool, kNull };
  std::string name;
  Kind kind = Kind::kNull;
  std::string text;  // of a string: what it says; of the others: as they stand
};

class JsonObject {
 public:
  /// Nothing where the text is no such object; then `error` says what and where.
  static std::optional<JsonObject> parse(std::string_view text, std::string& error);

  const std::vector<JsonMember>& members() const { return members_; }
  const JsonMember* find(std::string_view name) const;

 private:
  std::vector<JsonMember> members_;
};

/// Is this well-formed UTF-8?
bool is_utf8(std::string_view text);
/// Appends the text as a JSON string. Requires: it is UTF-8.
void append_json(std::string& out, std::string_view text);
void append_json(std::string& out, std::int64_t number);

}  // namespace web::inline BATON_BUILD
