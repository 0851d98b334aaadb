// The commands about the server: what stock clients and tools ask when they connect.
#include "commands.h"
#include "version.h"

#include <algorithm>

namespace kv::inline BATON_BUILD {
namespace {

// ---- INFO --------------------------------------------------------------------------------------

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(":").append(value).append("\r\n");
}

void server_section(const State&, std::string& out) {
  append_line(out, "redis_version", kRedisVersion);
  append_line(out, "redis_mode", "standalone");
  append_line(out, "server_name", "baton kv");
  append_line(out, "kv_version", kVersion);
}

void clients_section(const State& state, std::string& out) {
  append_line(out, "connected_clients", std::to_string(state.connections.size()));
}

void stats_section(const State& state, std::string& out) {
  append_line(out, "total_connections_received", std::to_string(state.connections_total));
  append_line(out, "total_commands_processed", std::to_string(state.commands_total));
  append_line(out, "expired_keys", std::to_string(state.expired_total));
}

void keyspace_section(const State& state, std::string& out) {
  if (state.entries.empty()) return;
  append_line(out, "db0",
              "keys=" + std::to_string(state.entries.size()) +
                  ",expires=" + std::to_string(state.expiries.size()) + ",avg_ttl=0");
}

struct Section {
  std::string_view title;
  std::string_view name;
  void (*append)(const State&, std::string&);
};

constexpr Section kSections[] = {
    {"Server", "server", server_section},
    {"Clients", "clients", clients_section},
    {"Stats", "stats", stats_section},
    {"Keyspace", "keyspace", keyspace_section},
};

bool wants_section(const Arguments& words, const Section& section) {
  if (words.size() == 1) return true;
  for (std::size_t i = 1; i < words.size(); ++i) {
    for (const std::string_view name :
         {section.name, std::string_view("all"), std::string_view("default"),
          std::string_view("everything")}) {
      if (equals_ignoring_case(words[i], name)) return true;
    }
  }
  return false;
}

// ---- COMMAND -----------------------------------------------------------------------------------

// Appends the words of a text as simple strings in an array.
void append_words(std::string& out, std::string_view text) {
  const auto blanks = static_cast<std::size_t>(std::count(text.begin(), text.end(), ' '));
  append_array(out, text.empty() ? 0 : blanks + 1);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    append_simple(out, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void append_key_specification(std::string& out, const Command& entry) {
  append_array(out, 6);
  append_bulk(out, "flags");
  append_words(out, entry.access);
  append_bulk(out, "begin_search");
  append_array(out, 4);
  append_bulk(out, "type");
  append_bulk(out, "index");
  append_bulk(out, "spec");
  append_array(out, 2);
  append_bulk(out, "index");
  append_integer(out, entry.first_key);
  append_bulk(out, "find_keys");
  append_array(out, 4);
  append_bulk(out, "type");
  append_bulk(out, "range");
  append_bulk(out, "spec");
  append_array(out, 6);
  append_bulk(out, "lastkey");
  append_integer(out, entry.last_key < 0 ? entry.last_key : entry.last_key - entry.first_key);
  append_bulk(out, "keystep");
  append_integer(out, entry.key_step);
  append_bulk(out, "limit");
  append_integer(out, 0);
}

void append_entry(std::string& out, const Command& entry) {
  append_array(out, 10);
  append_bulk(out, entry.name);
  append_integer(out, entry.arity);
  append_words(out, entry.flags);
  append_integer(out, entry.first_key);
  append_integer(out, entry.last_key);
  append_integer(out, entry.key_step);
  append_words(out, entry.groups);
  // Tips are bulk strings, unlike flags.
  const auto tips = static_cast<std::size_t>(std::count(entry.tips.begin(), entry.tips.end(), ' '));
  append_array(out, entry.tips.empty() ? 0 : tips + 1);
  for (std::string_view rest = entry.tips; !rest.empty();) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    append_bulk(out, rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  append_array(out, entry.first_key > 0 ? 1 : 0);
  if (entry.first_key > 0) append_key_specification(out, entry);
  append_array(out, 0);
}

void append_all_entries(Request& request) {
  append_array(request.out, commands().size());
  for (const Command& entry : commands()) append_entry(request.out, entry);
}

void command_count(Request& request) {
  append_integer(request.out, static_cast<std::int64_t>(commands().size()));
}

void command_list(Request& request) {
  if (request.arguments.size() > 2) return append_error(request.out, "ERR syntax error");
  append_array(request.out, commands().size());
  for (const Command& entry : commands()) append_bulk(request.out, entry.name);
}

void command_info(Request& request) {
  if (request.arguments.size() == 2) return append_all_entries(request);
  append_array(request.out, request.arguments.size() - 2);
  for (std::size_t i = 2; i < request.arguments.size(); ++i) {
    const Command* entry = find_command(request.arguments[i]);
    if (entry == nullptr) {
      append_null(request.out);
    } else {
      append_entry(request.out, *entry);
    }
  }
}

void append_documentation(std::string& out, const Command& entry) {
  append_bulk(out, entry.name);
  append_array(out, 4);
  append_bulk(out, "summary");
  append_bulk(out, entry.summary);
  append_bulk(out, "group");
  append_bulk(out, entry.first_key > 0 ? "generic" : "server");
}

void command_docs(Request& request) {
  std::string pairs;
  std::size_t found = 0;
  if (request.arguments.size() == 2) {
    found = commands().size();
    for (const Command& entry : commands()) append_documentation(pairs, entry);
  }
  for (std::size_t i = 2; i < request.arguments.size(); ++i) {
    const Command* entry = find_command(request.arguments[i]);
    if (entry == nullptr) continue;
    append_documentation(pairs, *entry);
    ++found;
  }
  append_array(request.out, 2 * found);
  request.out.append(pairs);
}

void command_help(Request& request) {
  append_array(request.out, 6);
  append_simple(request.out, "COMMAND -- every command in detail");
  append_simple(request.out, "COMMAND COUNT -- how many there are");
  append_simple(request.out, "COMMAND DOCS [<name> ...] -- what they are for");
  append_simple(request.out, "COMMAND HELP -- this text");
  append_simple(request.out, "COMMAND INFO [<name> ...] -- these in detail");
  append_simple(request.out, "COMMAND LIST -- their names");
}

constexpr Subcommand kCommandCommands[] = {
    {"command|count", 2, command_count}, {"command|list", -2, command_list},
    {"command|info", -2, command_info},  {"command|docs", -2, command_docs},
    {"command|help", 2, command_help},
};

// ---- CONFIG ------------------------------------------------------------------------------------

struct Parameter {
  std::string_view name;
  std::string_view value;
};

// What redis-benchmark and client libraries look at. kv keeps its data in memory only.
constexpr Parameter kParameters[] = {
    {"appendonly", "no"}, {"databases", "1"}, {"maxmemory", "0"}, {"save", ""}, {"timeout", "0"},
};

// Does the name fit a pattern of letters in any case, '?' for one character and '*' for any number?
bool matches(std::string_view pattern, std::string_view name) {
  std::size_t at = 0;
  std::size_t star = std::string_view::npos;  // the last '*', and where in the name it ends so far
  std::size_t star_end = 0;
  for (std::size_t i = 0; i < name.size();) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      star_end = i;
    } else if (at < pattern.size() &&
               (pattern[at] == '?' ||
                equals_ignoring_case(pattern.substr(at, 1), name.substr(i, 1)))) {
      ++at;
      ++i;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      i = ++star_end;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

void config_get(Request& request) {
  std::string pairs;
  std::size_t found = 0;
  for (const Parameter& parameter : kParameters) {
    for (std::size_t i = 2; i < request.arguments.size(); ++i) {
      if (!matches(request.arguments[i], parameter.name)) continue;
      append_bulk(pairs, parameter.name);
      append_bulk(pairs, parameter.value);
      ++found;
      break;
    }
  }
  append_array(request.out, 2 * found);
  request.out.append(pairs);
}

void config_help(Request& request) {
  append_array(request.out, 2);
  append_simple(request.out, "CONFIG GET <pattern> ... -- the parameters that match");
  append_simple(request.out, "CONFIG HELP -- this text");
}

constexpr Subcommand kConfigCommands[] = {
    {"config|get", -3, config_get},
    {"config|help", 2, config_help},
};

}  // namespace

void info(Request& request) {
  std::string text;
  for (const Section& section : kSections) {
    if (!wants_section(request.arguments, section)) continue;
    if (!text.empty()) text.append("\r\n");
    text.append("# ").append(section.title).append("\r\n");
    section.append(request.state, text);
  }
  append_bulk(request.out, text);
}

void command(Request& request) {
  if (request.arguments.size() == 1) return append_all_entries(request);
  execute_subcommand(request, kCommandCommands);
}

void config(Request& request) { execute_subcommand(request, kConfigCommands); }

}  // namespace kv::inline BATON_BUILD
