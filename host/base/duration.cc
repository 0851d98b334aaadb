#include "base/duration.h"

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

}  // namespace

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  const Error wrong(Code::kUsage,
                    "expected a duration such as \"30s\", got \"" + std::string(text) + "\"");
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) return wrong;
  std::int64_t total = 0;
  const Unit* next_unit = kUnits;
  for (std::string_view rest = text; !rest.empty();) {
    std::int64_t number = 0;
    std::size_t at = 0;
    for (; at < rest.size() && rest[at] >= '0' && rest[at] <= '9'; ++at) {
      number = number * 10 + (rest[at] - '0');
      if (number > kDurationMax.count()) return wrong;
    }
    if (at == 0) return wrong;
    rest.remove_prefix(at);
    std::string_view name = rest.substr(0, rest.find_first_of("0123456789"));
    const Unit* unit = next_unit;
    while (unit != std::end(kUnits) && unit->name != name) ++unit;
    if (unit == std::end(kUnits)) return wrong;
    if (number > (kDurationMax.count() - total) / unit->ns) return wrong;
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
