// JsonField: the raw text of one member of a JSON object.
//
// Enough JSON to check that a reply says what it should, whatever else a newer version adds to it.
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace baton::load {

/// The text of the member's value as it stands (strings with their quotes), or nothing where
/// `object` is no object or has no such member. Members of nested values are not looked at.
std::optional<std::string_view> json_field(std::string_view object, std::string_view name);

/// The text as a JSON string, quotes included.
std::string json_string(std::string_view text);

}  // namespace baton::load
