#include "base/clock.h"

#include <cstdio>

namespace baton {

namespace {

/// Reads exactly `count` digits at `at` and moves past them; -1 if they are not digits.
int digits(std::string_view text, std::size_t& at, std::size_t count) {
  int value = 0;
  for (std::size_t end = at + count; at < end; ++at) {
    if (at >= text.size() || text[at] < '0' || text[at] > '9') return -1;
    value = value * 10 + (text[at] - '0');
  }
  return value;
}

bool skip(std::string_view text, std::size_t& at, char wanted) {
  if (at >= text.size() || text[at] != wanted) return false;
  ++at;
  return true;
}

}  // namespace

std::chrono::nanoseconds RealClock::monotonic() const {
  return std::chrono::steady_clock::now().time_since_epoch();
}

WallTime RealClock::wall() const {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

void SettableClock::advance(std::chrono::nanoseconds by) {
  BATON_CHECK(by.count() >= 0, "time does not go back");
  monotonic_ns_ += by.count();
  wall_ns_ += by.count();
}

void SettableClock::set_wall(WallTime to) {
  wall_ns_ = std::chrono::nanoseconds(to.time_since_epoch()).count();
}

std::chrono::nanoseconds SettableClock::monotonic() const {
  return std::chrono::nanoseconds(monotonic_ns_.load());
}

WallTime SettableClock::wall() const {
  return WallTime(
      std::chrono::floor<std::chrono::milliseconds>(std::chrono::nanoseconds(wall_ns_.load())));
}

std::string format_time(WallTime time) {
  auto day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(day);
  std::chrono::hh_mm_ss clock(time - day);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", int(date.year()),
                unsigned(date.month()), unsigned(date.day()), int(clock.hours().count()),
                int(clock.minutes().count()), int(clock.seconds().count()),
                int(clock.subseconds().count()));
  return text;
}

Result<WallTime> parse_time(std::string_view text) {
  const Error wrong(Code::kUsage,
                    "expected a time such as \"2026-11-22T20:41:10Z\" or a date such as "
                    "\"2026-11-22\", got \"" +
                        std::string(text) + "\"");
  std::size_t at = 0;
  int year = digits(text, at, 4);
  bool shaped = skip(text, at, '-');
  int month = shaped ? digits(text, at, 2) : -1;
  shaped = shaped && skip(text, at, '-');
  int day = shaped ? digits(text, at, 2) : -1;
  if (year < 0 || month < 0 || day < 0) return wrong;
  std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(unsigned(month)),
                                   std::chrono::day(unsigned(day))};
  if (!date.ok()) return wrong;
  WallTime time{std::chrono::sys_days(date)};
  if (at == text.size()) return time;

  if (!skip(text, at, 'T')) return wrong;
  int hour = digits(text, at, 2);
  shaped = skip(text, at, ':');
  int minute = shaped ? digits(text, at, 2) : -1;
  shaped = shaped && skip(text, at, ':');
  int second = shaped ? digits(text, at, 2) : -1;
  int millisecond = skip(text, at, '.') ? digits(text, at, 3) : 0;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 ||
      millisecond < 0 || !skip(text, at, 'Z') || at != text.size())
    return wrong;
  return time + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) + std::chrono::milliseconds(millisecond);
}

}  // namespace baton
