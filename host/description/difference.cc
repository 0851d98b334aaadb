#include "description/difference.h"

#include "base/check.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <ranges>
#include <set>
#include <string_view>
#include <utility>

namespace baton::description {

namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

const std::string& key_of(const ApplicationDescription& application) { return application.name; }
const std::string& key_of(const ChildDescription& child) { return child.id; }
const std::string& key_of(const ListenerDescription& listener) { return listener.name; }

template <class Items>
auto find(Items& items, std::string_view key) {
  return std::ranges::find_if(items, [&](const auto& item) { return key_of(item) == key; });
}

/// Where each item of a list stands, by its name or id.
template <class Item>
class Index {
 public:
  explicit Index(const std::vector<Item>& items) {
    for (const Item& item : items) by_key_.emplace(key_of(item), &item);
  }
  const Item* find(std::string_view key) const {
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? nullptr : found->second;
  }

 private:
  std::map<std::string_view, const Item*> by_key_;
};

template <class Item>
void insert_after(std::vector<Item>& items, const std::string& after, const Item& item) {
  auto at = items.begin();
  if (!after.empty()) {
    at = find(items, after);
    BATON_CHECK(at != items.end(), "what stands before it is not there");
    ++at;
  }
  items.insert(at, item);
}

template <class Item>
void remove(std::vector<Item>& items, const Item& item) {
  const auto at = find(items, key_of(item));
  BATON_CHECK(at != items.end() && *at == item, "what is removed is not what stands there");
  items.erase(at);
}

template <class Item>
std::string before(const std::vector<Item>& items, std::size_t at) {
  return at == 0 ? std::string() : key_of(items[at - 1]);
}

bool is_simple(const SupervisorDescription& supervisor) {
  return supervisor.strategy == Strategy::kSimpleOneForOne;
}
bool is_supervisor(const ChildDescription& child) { return child.type == ChildType::kSupervisor; }

std::string path_text(const std::string& application, const SupervisorPath& path) {
  std::string text = application;
  for (const std::string& id : path) text += "/" + id;
  return text;
}

// ---- Comparing two of a kind

// Why a supervisor has to start anew; empty: it need not.
std::string why_anew(const SupervisorDescription& from, const SupervisorDescription& to) {
  if (from.name != to.name) return "its registered name changes";
  if (is_simple(from) != is_simple(to)) return "its strategy changes from or to simple_one_for_one";
  if (!is_simple(to)) return {};
  const ChildDescription& old = from.children.front();
  const ChildDescription& now = to.children.front();
  const bool is_same =
      old.type == now.type && old.module == now.module && old.behaviour == now.behaviour;
  return is_same ? "" : "the children that it starts are of another module, behaviour or type";
}

std::string why_anew(const ChildDescription& from, const ChildDescription& to) {
  if (from.type != to.type) return "its type changes";
  if (is_supervisor(to)) return why_anew(from.supervisor, to.supervisor);
  if (from.module != to.module) return "its module changes";
  if (from.behaviour != to.behaviour) return "its behaviour changes";
  if (from.name != to.name) return "its registered name changes";
  if (from.args != to.args) return "its args change";
  return {};
}

// ---- Texts

std::string duration_text(std::chrono::nanoseconds duration) {
  const auto ns = duration.count();
  if (ns % 1'000'000'000 == 0) return std::to_string(ns / 1'000'000'000) + "s";
  if (ns % 1'000'000 == 0) return std::to_string(ns / 1'000'000) + "ms";
  return std::to_string(ns) + "ns";
}
std::string text_of(std::chrono::nanoseconds duration) { return duration_text(duration); }
std::string text_of(std::uint64_t number) { return std::to_string(number); }
std::string text_of(std::uint32_t number) { return std::to_string(number); }
std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(Strategy strategy) { return strategy_name(strategy); }
std::string text_of(RestartType type) { return restart_type_name(type); }
std::string text_of(ApplicationType type) { return application_type_name(type); }
std::string text_of(Protocol protocol) { return protocol_name(protocol); }
std::string text_of(AutoShutdown shutdown) { return auto_shutdown_name(shutdown); }
std::string text_of(const Shutdown& shutdown) {
  switch (shutdown.kind) {
    case Shutdown::Kind::kBrutalKill: return "brutal_kill";
    case Shutdown::Kind::kInfinity: return "infinity";
    case Shutdown::Kind::kTimeout: return duration_text(shutdown.timeout);
  }
  return {};
}

/// "restart permanent -> transient, shutdown 5s -> 1s": what differs, field by field.
class Fields {
 public:
  template <class Value>
  void compare(const char* name, const Value& from, const Value& to) {
    if (!(from == to)) add(std::string(name) + " " + text_of(from) + " -> " + text_of(to));
  }
  void add(const std::string& what) { text_ += (text_.empty() ? "" : ", ") + what; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string listener_fields(const ListenerDescription& from, const ListenerDescription& to) {
  Fields fields;
  fields.compare("protocol", from.protocol, to.protocol);
  fields.compare("backlog", from.backlog, to.backlog);
  fields.compare("connections_max", from.connections_max, to.connections_max);
  fields.compare("idle_timeout", from.idle_timeout, to.idle_timeout);
  fields.compare("memory_max", from.memory_max, to.memory_max);
  fields.compare("header_bytes_max", from.header_bytes_max, to.header_bytes_max);
  fields.compare("body_bytes_max", from.body_bytes_max, to.body_bytes_max);
  fields.compare("request_timeout", from.request_timeout, to.request_timeout);
  return fields.text();
}

std::string text_of(const ListenerChange& change) {
  const std::string& name = change.to ? change.to->name : change.from->name;
  std::string text = "listener " + name + ": ";
  const std::string at_once =
      change.needed_by.empty() || change.needed_by == name
          ? ""
          : " at once, since listener " + change.needed_by + " needs its address";
  if (!change.from) return text + "opens at " + change.to->address.text();
  if (!change.to) return text + "closes" + at_once;
  const std::string fields = listener_fields(*change.from, *change.to);
  if (!is_move(change)) return text + fields + ", for new connections";
  text += change.from->address == change.to->address
              ? "opens anew"
              : "moves from " + change.from->address.text() + " to " + change.to->address.text();
  return text + at_once + (fields.empty() ? "" : ", " + fields);
}

std::string text_of(const EnvironmentChange& change) {
  Fields fields;
  for (const EnvEntry& entry : change.to) {
    const auto old = std::ranges::find(change.from, entry.key, &EnvEntry::key);
    if (old == change.from.end())
      fields.add(entry.key + " = " + entry.term + " is new");
    else if (old->term != entry.term)
      fields.add(entry.key + ": " + old->term + " -> " + entry.term);
  }
  for (const EnvEntry& entry : change.from)
    if (std::ranges::find(change.to, entry.key, &EnvEntry::key) == change.to.end())
      fields.add(entry.key + " is removed");
  return "application " + change.application + ": " + fields.text();
}

std::string spec_fields(const ChildDescription& from, const ChildDescription& to) {
  Fields fields;
  fields.compare("restart", from.restart, to.restart);
  fields.compare("shutdown", from.shutdown, to.shutdown);
  fields.compare("significant", from.significant, to.significant);
  return fields.text();
}

template <class Item>
std::vector<std::string> keys_of(const std::vector<Item>& items) {
  std::vector<std::string> keys;
  for (const Item& item : items) keys.push_back(key_of(item));
  return keys;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string text_of(const SupervisorChange& change) {
  const SupervisorDescription &from = change.from, &to = change.to;
  Fields fields;
  fields.compare("strategy", from.strategy, to.strategy);
  fields.compare("intensity", from.intensity, to.intensity);
  fields.compare("period", from.period, to.period);
  fields.compare("auto_shutdown", from.auto_shutdown, to.auto_shutdown);
  if (is_simple(to)) {
    if (from.children != to.children)
      fields.add("a changed template for children that start from now on");
  } else {
    for (const ChildDescription& child : to.children)
      if (const std::string spec = spec_fields(*find(from.children, child.id), child);
          !spec.empty())
        fields.add("child " + child.id + ": " + spec);
    const auto order = keys_of(to.children);
    if (keys_of(from.children) != order) fields.add("the order becomes " + listed(order));
  }
  return "supervisor " + path_text(change.application, change.supervisor) + ": " + fields.text();
}

std::string starts_or_stops(bool starts, const std::string& why_anew) {
  if (why_anew.empty()) return starts ? "starts" : "stops";
  return (starts ? "starts anew: " : "stops, to start anew: ") + why_anew;
}

// ---- The comparison

class Comparison {
 public:
  Comparison(const ReleaseDescription& from, const ReleaseDescription& to)
      : from_(from), to_(to), now_(from) {}

  Result<std::vector<Change>> run();

 private:
  /// Adds it, and carries it out on what the changes before have left.
  void add(Change change) {
    carry_out(change, now_);
    changes_.push_back(std::move(change));
  }
  Result<void> open_listeners();
  void close_listeners();
  void stop_applications();
  void change_applications();
  void start_applications();
  void stop_children(const std::string& application, const SupervisorPath& path,
                     const SupervisorDescription& from, const SupervisorDescription& to);
  void change_supervisors(const std::string& application, const SupervisorPath& path,
                          const SupervisorDescription& from, const SupervisorDescription& to);
  void start_children(const std::string& application, const SupervisorPath& path,
                      const SupervisorDescription& from, const SupervisorDescription& to);

  const ReleaseDescription& from_;
  const ReleaseDescription& to_;
  ReleaseDescription now_;
  std::vector<Change> changes_;
};

Result<std::vector<Change>> Comparison::run() {
  BATON_TRY(open_listeners());
  stop_applications();
  change_applications();
  start_applications();
  close_listeners();
  return std::move(changes_);
}

// ---- Listeners

// A listener that needs an address waits until the one that has it has left it.
Result<void> Comparison::open_listeners() {
  const auto binds = [&](const ListenerDescription& listener) {
    const ListenerDescription* old = from_.listener(listener.name);
    return old == nullptr || is_move({*old, listener, ""});
  };
  const auto needed_by = [&](const ListenerDescription& old) -> std::string {
    for (const ListenerDescription& listener : to_.listeners)
      if (binds(listener) && excludes(listener.address, old.address)) return listener.name;
    return {};
  };
  for (const ListenerDescription& old : from_.listeners) {
    if (to_.listener(old.name) != nullptr) continue;
    if (std::string who = needed_by(old); !who.empty())
      add({ListenerChange{old, {}, std::move(who)}, {}});
  }
  // Those left in the way, which are to move.
  const auto is_free = [&](const ListenerDescription& listener) {
    return std::ranges::none_of(now_.listeners, [&](const ListenerDescription& bound) {
      const ListenerDescription* later = to_.listener(bound.name);
      return bound.name != listener.name && later != nullptr && is_move({bound, *later, ""}) &&
             excludes(listener.address, bound.address);
    });
  };
  std::vector<const ListenerDescription*> waiting;
  for (const ListenerDescription& listener : to_.listeners) waiting.push_back(&listener);
  while (!waiting.empty()) {
    const auto next = std::ranges::find_if(
        waiting, [&](const auto* one) { return !binds(*one) || is_free(*one); });
    if (next == waiting.end()) {
      std::string names;
      for (const ListenerDescription* one : waiting)
        names += (names.empty() ? "" : ", ") + one->name;
      return Error(Code::kRefused,
                   "listeners " + names +
                       " exchange their addresses, which cannot be done while they are open; go by "
                       "a release in which one of them has another address");
    }
    const ListenerDescription& listener = **next;
    waiting.erase(next);
    const ListenerDescription* old = from_.listener(listener.name);
    if (old == nullptr)
      add({ListenerChange{{}, listener, ""}, {}});
    else if (!(*old == listener))
      add({ListenerChange{*old, listener, binds(listener) ? needed_by(*old) : ""}, {}});
  }
  return {};
}

void Comparison::close_listeners() {
  for (const ListenerDescription& old : from_.listeners)
    if (to_.listener(old.name) == nullptr && now_.listener(old.name) != nullptr)
      add({ListenerChange{old, {}, ""}, {}});
}

// ---- Applications

void Comparison::stop_applications() {
  const Index wanted(to_.applications);
  for (std::size_t i = from_.applications.size(); i-- > 0;) {
    const ApplicationDescription& old = from_.applications[i];
    const ApplicationDescription* now = wanted.find(old.name);
    const std::string why = now != nullptr ? why_anew(old.supervisor, now->supervisor) : "";
    if (now == nullptr || !why.empty())
      add({ApplicationChange{old, {}, before(from_.applications, i)}, why});
    else
      stop_children(old.name, {}, old.supervisor, now->supervisor);
  }
}

void Comparison::change_applications() {
  const Index before(from_.applications);
  std::vector<std::string> order;
  for (const ApplicationDescription& application : to_.applications)
    if (find(now_.applications, application.name) != now_.applications.end())
      order.push_back(application.name);
  if (const auto old = keys_of(now_.applications); old != order)
    add({ApplicationOrderChange{old, order}, {}});
  for (const std::string& name : order) {
    const ApplicationDescription& old = *before.find(name);
    const ApplicationDescription& now = *find(to_.applications, name);
    if (old.type != now.type) add({ApplicationTypeChange{name, old.type, now.type}, {}});
    if (old.env != now.env) add({EnvironmentChange{name, old.env, now.env}, {}});
    change_supervisors(name, {}, old.supervisor, now.supervisor);
  }
}

void Comparison::start_applications() {
  std::set<std::string, std::less<>> stayed;
  for (const ApplicationDescription& application : now_.applications)
    stayed.insert(application.name);
  const Index before_it(from_.applications);
  for (std::size_t i = 0; i < to_.applications.size(); ++i) {
    const ApplicationDescription& now = to_.applications[i];
    const ApplicationDescription* old = before_it.find(now.name);
    if (stayed.contains(now.name))
      start_children(now.name, {}, old->supervisor, now.supervisor);
    else
      add({ApplicationChange{{}, now, before(to_.applications, i)},
           old != nullptr ? why_anew(old->supervisor, now.supervisor) : ""});
  }
}

// ---- Trees

void Comparison::stop_children(const std::string& application, const SupervisorPath& path,
                               const SupervisorDescription& from, const SupervisorDescription& to) {
  if (is_simple(to)) return;
  const Index wanted(to.children);
  for (std::size_t i = from.children.size(); i-- > 0;) {
    const ChildDescription& old = from.children[i];
    const ChildDescription* now = wanted.find(old.id);
    const std::string why = now != nullptr ? why_anew(old, *now) : "";
    if (now == nullptr || !why.empty()) {
      add({ChildChange{application, path, old, {}, before(from.children, i)}, why});
    } else if (is_supervisor(old)) {
      SupervisorPath below = path;
      below.push_back(old.id);
      stop_children(application, below, old.supervisor, now->supervisor);
    }
  }
}

// Its own part: its children without what is below them, and only those in `names`, in that order.
SupervisorDescription shallow(const SupervisorDescription& supervisor,
                              const std::vector<std::string>& names) {
  SupervisorDescription made = supervisor;
  made.children.clear();
  const Index children(supervisor.children);
  for (const std::string& name : names) {
    ChildDescription child = *children.find(name);
    child.supervisor = {};
    made.children.push_back(std::move(child));
  }
  return made;
}

void Comparison::change_supervisors(const std::string& application, const SupervisorPath& path,
                                    const SupervisorDescription& from,
                                    const SupervisorDescription& to) {
  if (is_simple(to)) {
    if (!(from == to)) add({SupervisorChange{application, path, from, to}, {}});
    return;
  }
  const Index old_children(from.children), new_children(to.children);
  std::vector<std::string> old_order, new_order;
  const auto stays = [&](const std::string& id) {
    const ChildDescription *old = old_children.find(id), *now = new_children.find(id);
    return old != nullptr && now != nullptr && why_anew(*old, *now).empty();
  };
  for (const ChildDescription& child : from.children)
    if (stays(child.id)) old_order.push_back(child.id);
  for (const ChildDescription& child : to.children)
    if (stays(child.id)) new_order.push_back(child.id);
  SupervisorDescription old = shallow(from, old_order), now = shallow(to, new_order);
  if (!(old == now)) add({SupervisorChange{application, path, std::move(old), std::move(now)}, {}});
  for (const std::string& id : new_order) {
    const ChildDescription& child = *new_children.find(id);
    if (!is_supervisor(child)) continue;
    SupervisorPath below = path;
    below.push_back(id);
    change_supervisors(application, below, old_children.find(id)->supervisor, child.supervisor);
  }
}

void Comparison::start_children(const std::string& application, const SupervisorPath& path,
                                const SupervisorDescription& from,
                                const SupervisorDescription& to) {
  if (is_simple(to)) return;
  const Index old_children(from.children);
  for (std::size_t i = 0; i < to.children.size(); ++i) {
    const ChildDescription& now = to.children[i];
    const ChildDescription* old = old_children.find(now.id);
    const std::string why = old != nullptr ? why_anew(*old, now) : "";
    if (old == nullptr || !why.empty()) {
      add({ChildChange{application, path, {}, now, before(to.children, i)}, why});
    } else if (is_supervisor(now)) {
      SupervisorPath below = path;
      below.push_back(now.id);
      start_children(application, below, old->supervisor, now.supervisor);
    }
  }
}

// ---- Carrying out

ApplicationDescription& application_at(ReleaseDescription& release, const std::string& name) {
  const auto found = find(release.applications, name);
  BATON_CHECK(found != release.applications.end(), "the changed application is not there");
  return *found;
}

SupervisorDescription& supervisor_at(ReleaseDescription& release, const std::string& application,
                                     const SupervisorPath& path) {
  SupervisorDescription* at = &application_at(release, application).supervisor;
  for (const std::string& id : path) {
    const auto child = find(at->children, id);
    BATON_CHECK(child != at->children.end(), "the changed supervisor is not there");
    at = &child->supervisor;
  }
  return *at;
}

void carry_out(const ListenerChange& change, ReleaseDescription& release) {
  auto& listeners = release.listeners;
  if (!change.from) return listeners.push_back(*change.to);
  if (!change.to) return remove(listeners, *change.from);
  const auto at = find(listeners, change.from->name);
  BATON_CHECK(at != listeners.end() && *at == *change.from, "the listener is not what it was");
  *at = *change.to;
}

void carry_out(const ApplicationChange& change, ReleaseDescription& release) {
  if (change.to) return insert_after(release.applications, change.after, *change.to);
  remove(release.applications, *change.from);
}

void carry_out(const ApplicationTypeChange& change, ReleaseDescription& release) {
  ApplicationDescription& application = application_at(release, change.application);
  BATON_CHECK(application.type == change.from, "the application's type is not what it was");
  application.type = change.to;
}

void carry_out(const EnvironmentChange& change, ReleaseDescription& release) {
  ApplicationDescription& application = application_at(release, change.application);
  BATON_CHECK(application.env == change.from, "the environment is not what it was");
  application.env = change.to;
}

void carry_out(const ApplicationOrderChange& change, ReleaseDescription& release) {
  BATON_CHECK(change.to.size() == release.applications.size(), "an application has no place");
  std::vector<ApplicationDescription> ordered;
  for (const std::string& name : change.to)
    ordered.push_back(std::move(application_at(release, name)));
  release.applications = std::move(ordered);
}

void carry_out(const ChildChange& change, ReleaseDescription& release) {
  auto& children = supervisor_at(release, change.application, change.supervisor).children;
  if (change.to) return insert_after(children, change.after, *change.to);
  remove(children, *change.from);
}

void carry_out(const SupervisorChange& change, ReleaseDescription& release) {
  SupervisorDescription& at = supervisor_at(release, change.application, change.supervisor);
  BATON_CHECK(keys_of(at.children) == keys_of(change.from.children),
              "the supervisor's children are not what they were");
  SupervisorDescription now = change.to;
  if (!is_simple(now))
    for (ChildDescription& child : now.children)
      child.supervisor = std::move(find(at.children, child.id)->supervisor);
  at = std::move(now);
}

}  // namespace

bool is_move(const ListenerChange& change) {
  return change.from && change.to &&
         !(change.from->address == change.to->address &&
           change.from->protocol == change.to->protocol);
}

Change Change::inverse() const {
  Change inverse = *this;
  std::visit([](auto& change) { std::swap(change.from, change.to); }, inverse.what);
  return inverse;
}

const char* Change::part() const {
  constexpr const char* kParts[] = {"listener",    "application", "application", "environment",
                                    "application", "child",       "supervisor"};
  static_assert(std::size(kParts) == std::variant_size_v<decltype(what)>);
  return kParts[what.index()];
}

std::string Change::text() const {
  return std::visit(Overloaded{
                        [](const ListenerChange& change) { return text_of(change); },
                        [&](const ApplicationChange& change) {
                          return "application " + (change.to ? *change.to : *change.from).name +
                                 ": " + starts_or_stops(change.to.has_value(), why_anew);
                        },
                        [](const ApplicationTypeChange& change) {
                          return "application " + change.application + ": type " +
                                 text_of(change.from) + " -> " + text_of(change.to);
                        },
                        [](const EnvironmentChange& change) { return text_of(change); },
                        [](const ApplicationOrderChange& change) {
                          return "applications: their order becomes " + listed(change.to);
                        },
                        [&](const ChildChange& change) {
                          return "child " + path_text(change.application, change.supervisor) + "/" +
                                 (change.to ? *change.to : *change.from).id + ": " +
                                 starts_or_stops(change.to.has_value(), why_anew);
                        },
                        [](const SupervisorChange& change) { return text_of(change); },
                    },
                    what);
}

Result<std::vector<Change>> difference(const ReleaseDescription& from,
                                       const ReleaseDescription& to) {
  return Comparison(from, to).run();
}

void carry_out(const Change& change, ReleaseDescription& release) {
  std::visit([&](const auto& one) { carry_out(one, release); }, change.what);
}

}  // namespace baton::description
