#include "description/release_description.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <set>

namespace baton::description {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kRegisteredNameBytesMax = 255;  // an atom's
constexpr std::size_t kDescriptionBytesMax = 4096;
constexpr std::size_t kArgsBytesMax = 64 * 1024;
constexpr const char* kNameRule =
    "a name of lower-case letters, digits and underscores, a letter first, at most 64 bytes";
constexpr const char* kVersionRule = "a version such as \"1.0.0\"";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

Result<std::string> read_name(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kScalar || !is_name(node.text)) return node.expected(kNameRule);
  return node.text;
}

Result<std::string> read_version(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kScalar || !is_version(node.text))
    return node.expected(kVersionRule);
  return node.text;
}

Result<std::string> read_text(const YamlNode& node, std::size_t bytes_max, const char* what) {
  BATON_ASSIGN(std::string text, node.as_text());
  if (text.empty() || text.size() > bytes_max)
    return node.expected(std::string(what) + " of 1 to " + std::to_string(bytes_max) + " bytes");
  return text;
}

void require_name(YamlMapping& mapping, std::string_view key, std::string& out) {
  if (const YamlNode* node = mapping.required(key)) mapping.take(read_name(*node), out);
}

void require_version(YamlMapping& mapping, std::string_view key, std::string& out) {
  if (const YamlNode* node = mapping.required(key)) mapping.take(read_version(*node), out);
}

void optional_text(YamlMapping& mapping, std::string_view key, std::size_t bytes_max,
                   const char* what, std::string& out) {
  if (const YamlNode* node = mapping.optional(key))
    mapping.take(read_text(*node, bytes_max, what), out);
}

/// A duration above zero: an interval or a window of zero would spin.
void positive_duration(YamlMapping& mapping, std::string_view key, std::chrono::nanoseconds& out) {
  const YamlNode* node = mapping.optional(key);
  if (node == nullptr) return;
  mapping.take(node->as_duration(), out);
  if (!mapping.failed() && out <= 0ns) mapping.fail(node->expected("a duration above zero"));
}

// ---- Environment: YAML values as Erlang term text -----------------------------------------------

void append_binary(std::string& out, std::string_view text) {
  out += "<<\"";
  for (char c : text) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x{%x}", byte);
      out += escape;
    } else {
      out += c;
    }
  }
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
  out += ascii ? "\">>" : "\"/utf8>>";
}

Result<void> append_term(std::string& out, const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull: return node.expected("a value");
    case YamlNode::Kind::kSequence:
      out += '[';
      for (const auto& item : node.children) {
        if (item->index > 0) out += ',';
        BATON_TRY(append_term(out, *item));
      }
      out += ']';
      return {};
    case YamlNode::Kind::kMapping:
      out += "#{";
      for (const auto& item : node.children) {
        if (item->index > 0) out += ',';
        append_binary(out, item->key);
        out += "=>";
        BATON_TRY(append_term(out, *item));
      }
      out += '}';
      return {};
    case YamlNode::Kind::kScalar: break;
  }
  const std::string& text = node.text;
  if (node.is_quoted) {
    append_binary(out, text);
    return {};
  }
  if (text == "true" || text == "false") {
    out += text;
    return {};
  }
  const std::size_t sign = text[0] == '-' || text[0] == '+';
  const bool number = text.size() > sign && is_digit(text[sign]);
  if (number &&
      std::all_of(text.begin() + static_cast<std::ptrdiff_t>(sign), text.end(), is_digit)) {
    out += text[0] == '+' ? text.substr(1) : text;
    return {};
  }
  if (number) {
    double value = 0;
    const char* end = text.data() + text.size();
    auto [at, error] = std::from_chars(text.data() + (text[0] == '+'), end, value);
    if (error == std::errc() && at == end) {
      char form[40];
      // Erlang wants digits on both sides of the point.
      std::snprintf(form, sizeof form, "%.17e", value);
      out += form;
      return {};
    }
  }
  append_binary(out, text);
  return {};
}

Result<std::vector<EnvEntry>> read_env(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kMapping) return node.expected("a mapping");
  if (node.children.size() > kEnvMax)
    return node.error("expected at most " + std::to_string(kEnvMax) + " keys");
  std::vector<EnvEntry> env;
  for (const auto& child : node.children) {
    if (child->key.empty() || child->key.size() > kRegisteredNameBytesMax)
      return child->error("expected a key of 1 to 255 bytes");
    EnvEntry entry{child->key, ""};
    BATON_TRY(append_term(entry.term, *child));
    env.push_back(std::move(entry));
  }
  // One form for each meaning.
  std::ranges::sort(env, {}, &EnvEntry::key);
  return env;
}

// ---- Supervision trees --------------------------------------------------------------------------

/// What is distinct within a release, and what a child may refer to.
struct Scope {
  const std::vector<ModuleReference>& modules;
  std::set<std::string, std::less<>> registered_names;

  Result<void> add_name(const YamlNode& mapping, const std::string& name) {
    if (name == "undefined")
      return mapping.find("name")->error("\"undefined\" stands for no name; choose another");
    if (name.empty() || registered_names.insert(name).second) return {};
    return mapping.find("name")->error("the name \"" + name +
                                       "\" is registered by another child too");
  }
};

Result<SupervisorDescription> finish_supervisor(const YamlNode& node, YamlMapping& mapping,
                                                Scope& scope);

Result<Shutdown> read_shutdown(const YamlNode& node) {
  Shutdown shutdown;
  if (node.kind == YamlNode::Kind::kScalar && node.text == "brutal_kill") {
    shutdown.kind = Shutdown::Kind::kBrutalKill;
  } else if (node.kind == YamlNode::Kind::kScalar && node.text == "infinity") {
    shutdown.kind = Shutdown::Kind::kInfinity;
  } else {
    Result<std::chrono::nanoseconds> timeout = node.as_duration();
    if (!timeout.ok()) return node.expected("brutal_kill, infinity or a duration such as \"5s\"");
    shutdown.timeout = *timeout;
  }
  // One form for each meaning, so that equal descriptions compare equal.
  if (shutdown.kind != Shutdown::Kind::kTimeout) shutdown.timeout = 0ns;
  return shutdown;
}

Result<ChildDescription> read_child(const YamlNode& node, Scope& scope) {
  YamlMapping mapping(node);
  ChildDescription child;
  if (const YamlNode* id = mapping.required("id"))
    mapping.take(read_text(*id, kRegisteredNameBytesMax, "text"), child.id);
  mapping.word<ChildType>(
      "type", {{"worker", ChildType::kWorker}, {"supervisor", ChildType::kSupervisor}}, child.type);
  mapping.word<RestartType>("restart",
                            {{"permanent", RestartType::kPermanent},
                             {"transient", RestartType::kTransient},
                             {"temporary", RestartType::kTemporary}},
                            child.restart);
  if (child.type == ChildType::kSupervisor) child.shutdown = {Shutdown::Kind::kInfinity, 0ns};
  if (const YamlNode* shutdown = mapping.optional("shutdown"))
    mapping.take(read_shutdown(*shutdown), child.shutdown);
  mapping.boolean("significant", child.significant);
  if (child.significant && child.restart == RestartType::kPermanent && !mapping.failed())
    mapping.fail(
        node.find("significant")
            ->error("a permanent child cannot be significant; make it transient or temporary"));

  if (child.type == ChildType::kSupervisor) {
    // Its own keys stand beside those of the child.
    Result<SupervisorDescription> supervisor = finish_supervisor(node, mapping, scope);
    if (!supervisor.ok()) return std::move(supervisor).error();
    child.supervisor = std::move(*supervisor);
    return child;
  }

  require_name(mapping, "module", child.module);
  require_name(mapping, "behaviour", child.behaviour);
  optional_text(mapping, "args", kArgsBytesMax, "Erlang term text", child.args);
  optional_text(mapping, "name", kRegisteredNameBytesMax, "text", child.name);
  BATON_TRY(mapping.finish());
  const bool listed = std::any_of(scope.modules.begin(), scope.modules.end(),
                                  [&](const ModuleReference& m) { return m.name == child.module; });
  if (!listed)
    return node.find("module")->error("the module \"" + child.module +
                                      "\" is not in the release's list of modules; add it there");
  BATON_TRY(scope.add_name(node, child.name));
  return child;
}

/// Reads the supervisor's keys of a mapping and finishes it.
Result<SupervisorDescription> finish_supervisor(const YamlNode& node, YamlMapping& mapping,
                                                Scope& scope) {
  SupervisorDescription supervisor;
  mapping.word<Strategy>("strategy",
                         {{"one_for_one", Strategy::kOneForOne},
                          {"one_for_all", Strategy::kOneForAll},
                          {"rest_for_one", Strategy::kRestForOne},
                          {"simple_one_for_one", Strategy::kSimpleOneForOne}},
                         supervisor.strategy);
  mapping.count("intensity", 0u, 1'000'000u, supervisor.intensity);
  positive_duration(mapping, "period", supervisor.period);
  mapping.word<AutoShutdown>("auto_shutdown",
                             {{"never", AutoShutdown::kNever},
                              {"any_significant", AutoShutdown::kAnySignificant},
                              {"all_significant", AutoShutdown::kAllSignificant}},
                             supervisor.auto_shutdown);
  optional_text(mapping, "name", kRegisteredNameBytesMax, "text", supervisor.name);
  mapping.list("children", kChildrenMax, supervisor.children,
               [&](const YamlNode& child) { return read_child(child, scope); });
  BATON_TRY(mapping.finish());
  BATON_TRY(scope.add_name(node, supervisor.name));

  std::set<std::string> ids;
  for (std::size_t i = 0; i < supervisor.children.size(); ++i) {
    const ChildDescription& child = supervisor.children[i];
    const YamlNode& at = *node.find("children")->children[i];
    if (!ids.insert(child.id).second)
      return at.find("id")->error("the id \"" + child.id + "\" stands twice in this supervisor");
    if (child.significant && supervisor.auto_shutdown == AutoShutdown::kNever)
      return at.find("significant")
          ->error("a significant child needs a supervisor whose auto_shutdown is not never");
  }
  if (supervisor.strategy == Strategy::kSimpleOneForOne) {
    if (supervisor.children.size() != 1)
      return node.find("strategy")
          ->error(
              "a simple_one_for_one supervisor has exactly one child, the "
              "pattern of those started later; got " +
              std::to_string(supervisor.children.size()));
    if (!supervisor.children[0].name.empty())
      return node.find("children")
          ->children[0]
          ->find("name")
          ->error(
              "children of a simple_one_for_one supervisor cannot share a registered name; leave "
              "it out");
  }
  return supervisor;
}

Result<ApplicationDescription> read_application(const YamlNode& node, Scope& scope) {
  YamlMapping mapping(node);
  ApplicationDescription application;
  require_name(mapping, "name", application.name);
  mapping.word<ApplicationType>("type",
                                {{"permanent", ApplicationType::kPermanent},
                                 {"transient", ApplicationType::kTransient},
                                 {"temporary", ApplicationType::kTemporary}},
                                application.type);
  if (const YamlNode* env = mapping.optional("env")) mapping.take(read_env(*env), application.env);
  if (const YamlNode* supervisor = mapping.optional("supervisor")) {
    YamlMapping inner(*supervisor);
    mapping.take(finish_supervisor(*supervisor, inner, scope), application.supervisor);
  }
  BATON_TRY(mapping.finish());
  return application;
}

// ---- Listeners and probation --------------------------------------------------------------------

Result<Address> read_address(const YamlNode& node) {
  Result<Address> address =
      node.kind == YamlNode::Kind::kScalar ? Address::parse(node.text) : Error(Code::kUsage, "");
  if (!address.ok())
    return node.expected("an address and port such as \"127.0.0.1:8080\" or \"[::1]:8080\"");
  return address;
}

Result<ListenerDescription> read_listener(const YamlNode& node) {
  YamlMapping mapping(node);
  ListenerDescription listener;
  require_name(mapping, "name", listener.name);
  mapping.word<Protocol>("protocol", {{"tcp", Protocol::kTcp}, {"http", Protocol::kHttp}},
                         listener.protocol);
  if (const YamlNode* address = mapping.required("address"))
    mapping.take(read_address(*address), listener.address);
  mapping.count("backlog", 1u, 65'535u, listener.backlog);
  mapping.count("connections_max", 1u, 10'000'000u, listener.connections_max);
  mapping.bytes("memory_max", kMemoryBytesMax, listener.memory_max);
  if (listener.protocol == Protocol::kHttp) listener.idle_timeout = kHttpIdleTimeout;
  mapping.duration("idle_timeout", listener.idle_timeout);
  if (listener.protocol == Protocol::kHttp) {
    mapping.bytes("header_bytes_max", 1 << 20, listener.header_bytes_max);
    mapping.bytes("body_bytes_max", 1 << 30, listener.body_bytes_max);
    positive_duration(mapping, "request_timeout", listener.request_timeout);
  }
  BATON_TRY(mapping.finish());
  return listener;
}

Result<HealthCheck> read_health_check(const YamlNode& node,
                                      const std::vector<ListenerDescription>& listeners) {
  YamlMapping mapping(node);
  HealthCheck check;
  const YamlNode* listener = mapping.optional("listener");
  const YamlNode* address = mapping.optional("address");
  if ((listener == nullptr) == (address == nullptr) && !mapping.failed())
    mapping.fail(node.error("expected either a listener of this release or an address to check"));
  if (listener != nullptr) {
    mapping.take(read_name(*listener), check.listener);
    auto named = std::find_if(listeners.begin(), listeners.end(),
                              [&](const auto& l) { return l.name == check.listener; });
    if (named != listeners.end())
      check.protocol = named->protocol;
    else if (!mapping.failed())
      mapping.fail(listener->error("the release has no listener \"" + check.listener + "\""));
  }
  if (address != nullptr) mapping.take(read_address(*address), check.address);
  mapping.word<Protocol>("protocol", {{"tcp", Protocol::kTcp}, {"http", Protocol::kHttp}},
                         check.protocol);
  if (check.protocol == Protocol::kHttp) {
    const YamlNode* path = mapping.optional("path");
    if (path != nullptr) {
      mapping.take(read_text(*path, 1024, "a path"), check.path);
      const bool good =
          check.path[0] == '/' && std::all_of(check.path.begin(), check.path.end(),
                                              [](char c) { return c > ' ' && c < 127; });
      if (!mapping.failed() && !good) mapping.fail(path->expected("a path such as \"/health\""));
    }
    mapping.count("status", 100u, 599u, check.status);
  }
  positive_duration(mapping, "interval", check.interval);
  positive_duration(mapping, "timeout", check.timeout);
  mapping.count("failures", 1u, 1000u, check.failures);
  BATON_TRY(mapping.finish());
  return check;
}

Result<ProbationDescription> read_probation(const YamlNode& node,
                                            const std::vector<ListenerDescription>& listeners) {
  YamlMapping mapping(node);
  ProbationDescription probation;
  mapping.duration("duration", probation.duration);
  mapping.list("health", kHealthChecksMax, probation.health,
               [&](const YamlNode& check) { return read_health_check(check, listeners); });
  if (const YamlNode* rate = mapping.optional("crash_rate")) {
    YamlMapping inner(*rate);
    inner.count("max", 0u, 1'000'000u, probation.crashes_max);
    positive_duration(inner, "per", probation.crash_period);
    Result<void> read = inner.finish();
    if (!read.ok()) mapping.fail(std::move(read).error());
  }
  mapping.count("min_samples", 0, kSequenceMax, probation.min_samples);
  mapping.word<WhenInconclusive>(
      "when_inconclusive",
      {{"pause", WhenInconclusive::kPause}, {"roll_back", WhenInconclusive::kRollBack}},
      probation.when_inconclusive);
  mapping.boolean("accept_loss", probation.accept_loss);
  BATON_TRY(mapping.finish());
  return probation;
}

Result<ModuleReference> read_module(const YamlNode& node) {
  YamlMapping mapping(node);
  ModuleReference module;
  require_name(mapping, "name", module.name);
  require_version(mapping, "version", module.version);
  BATON_TRY(mapping.finish());
  return module;
}

/// Refuses the second of two equal names in a list that has been read from `list`.
template <class T>
Result<void> check_distinct(const YamlNode* list, const std::vector<T>& items, const char* what) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < items.size(); ++i)
    if (!names.insert(items[i].name).second)
      return list->children[i]->find("name")->error("the " + std::string(what) + " \"" +
                                                    items[i].name + "\" stands twice");
  return {};
}

Result<void> check_addresses(const YamlNode* list,
                             const std::vector<ListenerDescription>& listeners) {
  for (std::size_t i = 0; i < listeners.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (excludes(listeners[i].address, listeners[j].address))
        return list->children[i]->find("address")->error(
            "the address " + listeners[i].address.text() + " is taken by another listener, " +
            listeners[j].name + " at " + listeners[j].address.text());
  return {};
}

// IPv4 as IPv6 has it, ::ffff:1.2.3.4.
using HostBytes = std::array<unsigned char, 16>;
constexpr std::size_t kMappedPrefix = 12;
constexpr HostBytes kAny6{}, kAny4{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};

HostBytes bytes_of(const std::string& host) {
  HostBytes bytes = kAny4;
  if (inet_pton(AF_INET, host.c_str(), bytes.data() + kMappedPrefix) == 1) return bytes;
  BATON_CHECK(inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1, host);
  return bytes;
}

// Whether one who is bound to the first takes what comes to the second.
bool covers(const HostBytes& all, const HostBytes& one) {
  return all == one || all == kAny6 ||
         (all == kAny4 && std::equal(all.begin(), all.begin() + kMappedPrefix, one.begin()));
}

}  // namespace

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > kNameBytesMax) return false;
  if (kLetters.find(text[0]) == std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || c == '_' || kLetters.find(c) != std::string_view::npos;
  });
}

bool is_version(std::string_view text) {
  if (text.empty() || text.size() > kVersionBytesMax || !is_digit(text[0])) return false;
  if (text.find("..") != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '+' || c == '-';
  });
}

const char* strategy_name(Strategy strategy) {
  switch (strategy) {
    case Strategy::kOneForOne: return "one_for_one";
    case Strategy::kOneForAll: return "one_for_all";
    case Strategy::kRestForOne: return "rest_for_one";
    case Strategy::kSimpleOneForOne: return "simple_one_for_one";
  }
  BATON_CHECK(false, "a Strategy without a name");
  return "";
}

const char* restart_type_name(RestartType type) {
  switch (type) {
    case RestartType::kPermanent: return "permanent";
    case RestartType::kTransient: return "transient";
    case RestartType::kTemporary: return "temporary";
  }
  BATON_CHECK(false, "a RestartType without a name");
  return "";
}

const char* auto_shutdown_name(AutoShutdown shutdown) {
  switch (shutdown) {
    case AutoShutdown::kNever: return "never";
    case AutoShutdown::kAnySignificant: return "any_significant";
    case AutoShutdown::kAllSignificant: return "all_significant";
  }
  BATON_CHECK(false, "an AutoShutdown without a name");
  return "";
}

const char* application_type_name(ApplicationType type) {
  switch (type) {
    case ApplicationType::kPermanent: return "permanent";
    case ApplicationType::kTransient: return "transient";
    case ApplicationType::kTemporary: return "temporary";
  }
  BATON_CHECK(false, "an ApplicationType without a name");
  return "";
}

const char* protocol_name(Protocol protocol) { return protocol == Protocol::kTcp ? "tcp" : "http"; }

bool SupervisorDescription::operator==(const SupervisorDescription& other) const {
  return strategy == other.strategy && intensity == other.intensity && period == other.period &&
         auto_shutdown == other.auto_shutdown && name == other.name && children == other.children;
}

std::string Address::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool excludes(const Address& a, const Address& b) {
  if (a.port == 0 || a.port != b.port) return false;
  const HostBytes x = bytes_of(a.host), y = bytes_of(b.host);
  return covers(x, y) || covers(y, x);
}

Result<Address> Address::parse(std::string_view text) {
  const Error wrong(
      Code::kUsage,
      "expected an address and port such as \"127.0.0.1:8080\" or \"[::1]:8080\", got \"" +
          std::string(text) + "\"");
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return wrong;
  Address address;
  const std::string_view port = text.substr(colon + 1);
  auto [at, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || at != port.data() + port.size()) return wrong;
  std::string_view host = text.substr(0, colon);
  const bool v6 = host.front() == '[' && host.back() == ']' && host.size() > 2;
  if (v6) host = host.substr(1, host.size() - 2);
  address.host = host;
  unsigned char bytes[16];
  if (inet_pton(v6 ? AF_INET6 : AF_INET, address.host.c_str(), bytes) != 1) return wrong;
  return address;
}

const ModuleReference* ReleaseDescription::module(std::string_view name_wanted) const {
  for (const ModuleReference& m : modules)
    if (m.name == name_wanted) return &m;
  return nullptr;
}

const ListenerDescription* ReleaseDescription::listener(std::string_view name_wanted) const {
  for (const ListenerDescription& l : listeners)
    if (l.name == name_wanted) return &l;
  return nullptr;
}

Result<ReleaseDescription> parse_release(std::string_view text, const std::string& file) {
  BATON_ASSIGN(YamlDocument document, YamlDocument::parse(text, file));
  return read_release(document.root());
}

Result<ReleaseDescription> read_release(const YamlNode& node) {
  YamlMapping mapping(node);
  ReleaseDescription release;
  require_name(mapping, "name", release.name);
  require_version(mapping, "version", release.version);
  if (const YamlNode* sequence = mapping.required("sequence"))
    mapping.take(sequence->as_count(1, kSequenceMax), release.sequence);
  if (const YamlNode* channel = mapping.optional("channel"))
    mapping.take(read_name(*channel), release.channel);
  optional_text(mapping, "description", kDescriptionBytesMax, "text", release.description);
  if (const YamlNode* host = mapping.optional("host")) {
    YamlMapping inner(*host);
    if (const YamlNode* min = inner.optional("min"))
      inner.take(read_version(*min), release.host_min);
    if (const YamlNode* max = inner.optional("max"))
      inner.take(read_version(*max), release.host_max);
    Result<void> read = inner.finish();
    if (!read.ok()) mapping.fail(std::move(read).error());
  }
  mapping.list("upgrade_from", 1000, release.upgrade_from, read_version);
  mapping.boolean("one_way", release.one_way);
  mapping.word<MailPolicy>("mail",
                           {{"refuse", MailPolicy::kRefuse},
                            {"drop", MailPolicy::kDrop},
                            {"deliver", MailPolicy::kDeliver}},
                           release.mail);
  mapping.required("modules");
  mapping.list("modules", kModulesMax, release.modules, read_module);
  Scope scope{release.modules, {}};
  mapping.list("applications", kApplicationsMax, release.applications,
               [&](const YamlNode& application) { return read_application(application, scope); });
  mapping.list("listeners", kListenersMax, release.listeners, read_listener);
  // Before the probation, which refers to listeners by name.
  const YamlNode* listeners = node.find("listeners");
  if (!mapping.failed()) BATON_TRY(check_distinct(listeners, release.listeners, "listener"));
  if (!mapping.failed()) BATON_TRY(check_addresses(listeners, release.listeners));
  if (const YamlNode* probation = mapping.optional("probation"))
    mapping.take(read_probation(*probation, release.listeners), release.probation);
  BATON_TRY(mapping.finish());
  BATON_TRY(check_distinct(node.find("modules"), release.modules, "module"));
  BATON_TRY(check_distinct(node.find("applications"), release.applications, "application"));
  return release;
}

int compare_versions(std::string_view a, std::string_view b) {
  auto next = [](std::string_view& rest) {
    const std::size_t end = rest.find_first_of(".-+");
    std::string_view part = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    return part;
  };
  // A pre-release stands before its release: "1.0.0-rc1" < "1.0.0".
  auto split = [](std::string_view text) {
    const std::size_t dash = text.find('-');
    return std::pair(text.substr(0, dash),
                     dash == std::string_view::npos ? "" : text.substr(dash + 1));
  };
  auto compare_parts = [&](std::string_view x, std::string_view y) {
    while (!x.empty() || !y.empty()) {
      std::string_view p = next(x), q = next(y);
      const bool numbers = p.find_first_not_of("0123456789") == std::string_view::npos &&
                           q.find_first_not_of("0123456789") == std::string_view::npos;
      if (numbers) {
        p.remove_prefix(std::min(p.find_first_not_of('0'), p.size()));
        q.remove_prefix(std::min(q.find_first_not_of('0'), q.size()));
        if (p.size() != q.size()) return p.size() < q.size() ? -1 : 1;
      }
      if (int order = p.compare(q); order != 0) return order;
    }
    return 0;
  };
  const auto [a_base, a_pre] = split(a);
  const auto [b_base, b_pre] = split(b);
  if (int order = compare_parts(a_base, b_base); order != 0) return order;
  if (a_pre.empty() != b_pre.empty()) return a_pre.empty() ? 1 : -1;
  return compare_parts(a_pre, b_pre);
}

}  // namespace baton::description
