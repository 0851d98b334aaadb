#include "baton/output.h"

#include "base/duration.h"
#include "base/utf8.h"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace baton::cli {

namespace json = boost::json;

namespace {
constexpr int kFractionDigits = 3;
}

bool Output::json(const json::value& data) const {
  if (format != Format::kJson) return false;
  const std::string text =
      json::serialize(json::object{{"api", "baton/1"}, {"ok", true}, {"data", data}});
  std::printf("%s\n", for_terminal(text).c_str());
  return true;
}

void Output::progress(const json::object& line) const {
  std::fprintf(stderr, "%9.1f ms  %-14s %s\n", line.at("at_ms").to_number<double>(),
               for_terminal(line.at("phase").as_string()).c_str(),
               for_terminal(line.at("text").as_string()).c_str());
}

void Output::note(const std::string& text) const {
  std::fprintf(stderr, "%s\n", for_terminal(text).c_str());
}

void Output::table(const json::value& data, const std::vector<std::string>& headings,
                   const std::vector<std::vector<std::string>>& raw_rows) const {
  if (json(data)) return;
  std::vector<std::vector<std::string>> rows = raw_rows;
  for (auto& row : rows)
    for (std::string& text : row) text = for_terminal(text);
  std::vector<std::size_t> widths;
  for (const std::string& heading : headings) widths.push_back(heading.size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  const auto print = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool is_last = i + 1 == row.size();
      std::printf("%s%*s", row[i].c_str(),
                  is_last ? 0 : static_cast<int>(widths[i] - row[i].size() + 2), "");
    }
    std::printf("\n");
  };
  print(headings);
  for (const auto& row : rows) print(row);
}

void Output::facts(const json::value& data,
                   const std::vector<std::pair<std::string, std::string>>& facts) const {
  if (json(data)) return;
  std::size_t width = 0;
  for (const auto& [key, value] : facts) width = std::max(width, key.size());
  for (const auto& [key, value] : facts)
    std::printf("%-*s  %s\n", static_cast<int>(width), key.c_str(), for_terminal(value).c_str());
}

void Output::line(const json::value& data, const std::string& text) const {
  if (!json(data)) std::printf("%s\n", for_terminal(text).c_str());
}

int Output::error(const Error& error) const {
  if (format == Format::kJson) {
    const std::string text = json::serialize(
        json::object{{"api", "baton/1"},
                     {"ok", false},
                     {"error", {{"code", code_name(error.code())}, {"message", error.message()}}}});
    std::printf("%s\n", for_terminal(text).c_str());
  }
  std::fprintf(stderr, "baton: %s\n", for_terminal(error.message()).c_str());
  return exit_code(error.code());
}

std::string for_terminal(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = utf8_character(text.substr(at));
    const std::string_view character = text.substr(at, std::max<std::size_t>(size, 1));
    at += character.size();
    if (size == 0) {
      out += "\xef\xbf\xbd";  // the replacement character
    } else if (is_control(character)) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x",
                    static_cast<unsigned>(static_cast<unsigned char>(character.back())));
      out += escaped;
    } else {
      out += character;
    }
  }
  return out;
}

std::string cell(const json::value& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return std::string(value.as_string());
  if (value.is_double()) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", kFractionDigits, value.as_double());
    std::string_view shown(text);
    while (shown.ends_with('0')) shown.remove_suffix(1);
    if (shown.ends_with('.')) shown.remove_suffix(1);
    return std::string(shown);
  }
  return json::serialize(value);
}

std::string cell(const json::value& object, const char* key) {
  const json::value* value = object.as_object().if_contains(key);
  return value == nullptr ? "-" : cell(*value);
}

std::string duration_cell(const json::value& milliseconds) {
  const auto whole = static_cast<std::int64_t>(milliseconds.to_number<double>());
  const std::chrono::milliseconds duration(std::max<std::int64_t>(whole, 0));
  if (duration < std::chrono::seconds(1)) return std::to_string(duration.count()) + "ms";
  return format_duration(std::chrono::floor<std::chrono::seconds>(duration));
}

}  // namespace baton::cli
