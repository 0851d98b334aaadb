#include "base/duration.h"

#include <algorithm>
#include <optional>

namespace baton {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t ns;
};
// Largest first: both reading and writing go down this table.
constexpr Unit kUnits[] = {
    {"d", 86'400'000'000'000},
    {"h", 3'600'000'000'000},
    {"m", 60'000'000'000},
    {"s", 1'000'000'000},
    {"ms", 1'000'000},
    {"us", 1'000},
    {"ns", 1},
};

// Puts a digit behind the number; false if that exceeds max.
bool append_digit(std::int64_t& number, char digit, std::int64_t max) {
  const std::int64_t value = digit - '0';
  if (number > (max - value) / 10) return false;
  number = number * 10 + value;
  return true;
}

// "300ms" for "0.3s": what one number with a fraction means, if that is a duration.
std::optional<std::chrono::nanoseconds> without_fraction(std::string_view text) {
  const std::size_t end = text.find_first_not_of("0123456789.");
  if (end == text.npos) return std::nullopt;
  const auto* unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                  [&](const Unit& each) { return each.name == text.substr(end); });
  const std::string_view number = text.substr(0, end);
  const std::size_t point = number.find('.');
  if (unit == std::end(kUnits) || number.size() < 2 || point == number.npos ||
      number.find('.', point + 1) != number.npos)
    return std::nullopt;
  std::int64_t count = 0;
  for (char digit : number.substr(0, point))
    if (!append_digit(count, digit, kDurationMax.count() / unit->ns)) return std::nullopt;
  std::int64_t total = count * unit->ns;
  std::int64_t part = unit->ns;
  for (char digit : number.substr(point + 1)) {
    // Finer than the units go.
    if (part % 10 != 0) return std::nullopt;
    part /= 10;
    total += (digit - '0') * part;
  }
  if (total > kDurationMax.count()) return std::nullopt;
  return std::chrono::nanoseconds(total);
}

Error no_duration(std::string_view text) {
  std::string message = "expected a duration such as \"30s\", got \"" + std::string(text) + "\"";
  if (const auto whole = without_fraction(text))
    message += "; write a fraction in smaller units: \"" + format_duration(*whole) + "\"";
  return Error(Code::kUsage, std::move(message));
}

}  // namespace

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) return no_duration(text);
  std::int64_t total = 0;
  const Unit* next_unit = kUnits;
  for (std::string_view rest = text; !rest.empty();) {
    std::int64_t number = 0;
    std::size_t at = 0;
    for (; at < rest.size() && rest[at] >= '0' && rest[at] <= '9'; ++at)
      if (!append_digit(number, rest[at], kDurationMax.count())) return no_duration(text);
    if (at == 0) return no_duration(text);
    rest.remove_prefix(at);
    std::string_view name = rest.substr(0, rest.find_first_of("0123456789"));
    const Unit* unit = next_unit;
    while (unit != std::end(kUnits) && unit->name != name) ++unit;
    if (unit == std::end(kUnits)) return no_duration(text);
    if (number > (kDurationMax.count() - total) / unit->ns) return no_duration(text);
    total += number * unit->ns;
    next_unit = unit + 1;
    rest.remove_prefix(name.size());
  }
  return std::chrono::nanoseconds(total);
}

std::string format_duration(std::chrono::nanoseconds duration) {
  BATON_CHECK(duration.count() >= 0, "a negative duration");
  std::int64_t rest = duration.count();
  if (rest == 0) return "0s";
  std::string text;
  for (const Unit& unit : kUnits) {
    if (rest < unit.ns) continue;
    text += std::to_string(rest / unit.ns) + std::string(unit.name);
    rest %= unit.ns;
  }
  return text;
}

}  // namespace baton
