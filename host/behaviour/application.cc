#include "behaviour/application.h"

#include "behaviour/application_controller.h"
#include "runtime/primitives.h"
#include "term/atom.h"
#include "term/builder.h"
#include "term/layout.h"
#include "term/match.h"
#include "term/text.h"

#include <algorithm>
#include <ranges>
#include <shared_mutex>
#include <utility>

namespace baton::behaviour {

namespace {

const Literal* find(const Environment& env, std::string_view key) {
  for (const auto& [known, value] : env)
    if (known == key) return &value;
  return nullptr;
}

// How long a tree that was given up may take to stop before it is killed.
constexpr std::chrono::seconds kGivenUpTimeout{5};

}  // namespace

Result<ApplicationSpec> application_spec_of(const description::ApplicationDescription& description,
                                            term::AtomTable& atoms) {
  ApplicationSpec spec;
  spec.name = description.name;
  spec.type = description.type;
  for (const description::EnvEntry& entry : description.env) {
    auto value = Literal::parse(entry.term, atoms);
    if (!value.ok())
      return std::move(value).error().within("application " + spec.name + ": env " + entry.key);
    spec.env.emplace_back(entry.key, std::move(value).value());
  }
  auto tree = supervisor_spec_of(description.supervisor, atoms);
  if (!tree.ok()) return std::move(tree).error().within("application " + spec.name);
  spec.supervisor = std::move(tree).value();
  if (!description.supervisor.name.empty()) {
    BATON_ASSIGN(spec.supervisor_name, atoms.intern(description.supervisor.name));
  }
  return spec;
}

Applications::Applications(runtime::Runtime& runtime, std::function<void(const Ended&)> ended,
                           std::function<void()> controller_ended)
    : runtime_(runtime), table_(std::make_shared<ApplicationTable>()) {
  table_->ended = std::move(ended);
  table_->controller_ended = std::move(controller_ended);
  runtime.set_config([table = table_](runtime::Context& context, baton_term,
                                      std::string_view key) -> runtime::Message* {
    const std::uint16_t index = context.current != nullptr
                                    ? context.current->application.load(std::memory_order_relaxed)
                                    : std::uint16_t{0};
    if (index == 0) return nullptr;
    Literal value;
    {
      std::shared_lock lock(table->mutex);
      const Literal* found = find(table->entry(index).spec.env, key);
      if (found == nullptr) return nullptr;
      value = *found;
    }
    return runtime::message_of(context, value.root());
  });
}

Applications::~Applications() = default;

// ---- Starting and stopping

std::uint16_t Applications::index_of(std::string_view name) const {
  std::shared_lock lock(table_->mutex);
  for (std::size_t i = 0; i < table_->entries.size(); ++i)
    if (table_->entries[i].spec.name == name) return static_cast<std::uint16_t>(i + 1);
  return 0;
}

Result<std::pair<std::uint16_t, baton_term>> Applications::running(std::string_view name) const {
  const std::uint16_t index = index_of(name);
  if (index != 0) {
    std::shared_lock lock(table_->mutex);
    const baton_term supervisor = table_->entry(index).supervisor;
    if (supervisor != BATON_NO_TERM) return std::pair(index, supervisor);
  }
  return Error(Code::kNotFound, "application " + std::string(name) + " is not running");
}

// Puts the spec into the table under the index its name has for ever.
Result<std::uint16_t> Applications::enter(ApplicationSpec spec) {
  BATON_TRY(check_childspecs(spec.supervisor.flags, spec.supervisor.children, runtime_.atoms()));
  const std::uint16_t known = index_of(spec.name);
  Literal tree = write(spec.supervisor, runtime_.atoms());
  std::unique_lock lock(table_->mutex);
  if (known == 0) {
    if (table_->entries.size() >= kApplicationNamesMax)
      return Error(Code::kFailed, "too many names of applications since the host started");
    table_->entries.push_back({std::move(spec), std::move(tree), BATON_NO_TERM});
    return static_cast<std::uint16_t>(table_->entries.size());
  }
  ApplicationTable::Entry& entry = table_->entry(known);
  if (entry.supervisor != BATON_NO_TERM)
    return Error(Code::kFailed, "application " + spec.name + " is running already");
  if (entry.aside != BATON_NO_TERM)
    return Error(Code::kFailed, "application " + spec.name + " is set aside");
  entry.spec = std::move(spec);
  entry.tree = std::move(tree);
  return known;
}

Result<term::Block> Applications::ask(Request request, std::uint16_t index, Timeout timeout) {
  if (controller() == BATON_NO_TERM) {
    BATON_ASSIGN(controller_, spawn_application_controller(runtime_, table_));
  }
  const bool is_start = request == Request::kStart;
  {
    std::unique_lock lock(table_->mutex);
    table_->entry(index).wanted =
        is_start ? ApplicationTable::Wanted::kStart : ApplicationTable::Wanted::kStop;
  }
  term::Builder builder;
  BATON_ASSIGN(const term::Block asked,
               builder.finish(builder.tuple(
                   {term::atom(is_start ? "start" : "stop"), builder.integer(index)})));
  return runtime_.call(controller(), asked, timeout);
}

Result<void> Applications::start(ApplicationSpec spec, Timeout timeout) {
  std::lock_guard lock(changing_);
  return start_locked(std::move(spec), timeout);
}

Result<void> Applications::start_locked(ApplicationSpec spec, Timeout timeout) {
  const std::string what = "starting application " + spec.name;
  auto index = enter(std::move(spec));
  if (!index.ok()) return std::move(index).error().within(what);
  auto answer = ask(Request::kStart, *index, timeout);
  if (!answer.ok()) {
    Error error = std::move(answer).error();
    if (error.code() == Code::kTimedOut) {
      // What comes of this the error cannot say better than the time-out does.
      (void)ask(Request::kStop, *index, kGivenUpTimeout);
    }
    return std::move(error).within(what);
  }
  const auto refused = term::tagged_tuple(answer->root(), term::atoms::kError, 2);
  if (!refused) return {};
  return Error(Code::kFailed,
               what + ": " + term::print((*refused)[1], runtime_.atoms(), {.bytes = 2000}));
}

Result<void> Applications::stop(std::string_view name, Timeout timeout) {
  std::lock_guard lock(changing_);
  return stop_locked(name, timeout);
}

Result<void> Applications::stop_locked(std::string_view name, Timeout timeout) {
  const auto top = running(name);
  if (!top.ok()) {
    if (index_of(name) == 0) return top.error();
    return {};
  }
  return end(name, top->first, top->second, timeout);
}

Result<void> Applications::end(std::string_view name, std::uint16_t index, baton_term supervisor,
                               Timeout timeout) {
  auto answer = ask(Request::kStop, index, timeout);
  if (answer.ok()) return {};
  // Its children go with it by their links.
  {
    runtime::External external(runtime_);
    runtime::exit_signal(
        external.context(), supervisor,
        runtime::message_of(external.context(), term::atoms::kKill, BATON_MESSAGE, 1));
  }
  return std::move(answer).error().within("stopping application " + std::string(name) +
                                          ", which was killed");
}

Result<void> Applications::stop_all(Timeout timeout_each) {
  std::lock_guard lock(changing_);
  Result<void> first;
  const std::vector<ApplicationStatus> all = list();
  for (const ApplicationStatus& application : all | std::views::reverse) {
    auto stopped = stop_locked(application.name, timeout_each);
    if (!stopped.ok() && first.ok()) first = std::move(stopped);
  }
  return first;
}

// ---- Set aside

Result<baton_term> Applications::set_aside(std::string_view name) {
  std::lock_guard lock(changing_);
  BATON_ASSIGN(const auto top, running(name));
  std::unique_lock table_lock(table_->mutex);
  ApplicationTable::Entry& entry = table_->entry(top.first);
  if (entry.supervisor != top.second)
    return Error(Code::kNotFound, "application " + std::string(name) + " has just ended");
  entry.aside = std::exchange(entry.supervisor, BATON_NO_TERM);
  std::erase(table_->running, top.first);
  return top.second;
}

bool Applications::put_back(std::string_view name) {
  std::lock_guard lock(changing_);
  const std::uint16_t index = index_of(name);
  if (index == 0) return false;
  std::unique_lock table_lock(table_->mutex);
  ApplicationTable::Entry& entry = table_->entry(index);
  if (entry.aside == BATON_NO_TERM) return false;
  entry.supervisor = std::exchange(entry.aside, BATON_NO_TERM);
  table_->running.push_back(index);
  return true;
}

Result<void> Applications::end_aside(std::string_view name, Timeout timeout) {
  std::lock_guard lock(changing_);
  const std::uint16_t index = index_of(name);
  if (index == 0) return {};
  baton_term supervisor;
  {
    std::shared_lock table_lock(table_->mutex);
    supervisor = table_->entry(index).aside;
  }
  return supervisor == BATON_NO_TERM ? Result<void>() : end(name, index, supervisor, timeout);
}

void Applications::place(std::string_view name, std::string_view after) {
  std::lock_guard lock(changing_);
  const std::uint16_t index = index_of(name), before = index_of(after);
  std::unique_lock table_lock(table_->mutex);
  auto& running = table_->running;
  if (std::erase(running, index) == 0) return;  // it has just ended
  auto at = running.begin();
  if (!after.empty()) {
    at = std::ranges::find(running, before);
    if (at != running.end()) ++at;
  }
  running.insert(at, index);
}

// ---- Looking

std::vector<ApplicationStatus> Applications::list() const {
  std::shared_lock lock(table_->mutex);
  std::vector<ApplicationStatus> all;
  for (std::uint16_t index : table_->running) {
    const ApplicationTable::Entry& entry = table_->entry(index);
    all.push_back({entry.spec.name, entry.spec.type, entry.supervisor});
  }
  return all;
}

Result<baton_term> Applications::supervisor(std::string_view name) const {
  BATON_ASSIGN(const auto top, running(name));
  return top.second;
}

Result<Environment> Applications::environment(std::string_view name) const {
  BATON_ASSIGN(const auto top, running(name));
  std::shared_lock lock(table_->mutex);
  return table_->entry(top.first).spec.env;
}

Literal Applications::value(std::string_view name, std::string_view key) const {
  const std::uint16_t index = index_of(name);
  if (index == 0) return {};
  std::shared_lock lock(table_->mutex);
  const Literal* found = find(table_->entry(index).spec.env, key);
  return found != nullptr ? *found : Literal();
}

// ---- Changing

void Applications::change_type(std::string_view name, ApplicationType type) {
  const std::uint16_t index = index_of(name);
  if (index == 0) return;
  std::unique_lock lock(table_->mutex);
  table_->entry(index).spec.type = type;
}

Result<void> Applications::change_environment(std::string_view name, Environment env,
                                              Timeout timeout) {
  std::lock_guard lock(changing_);
  BATON_ASSIGN(const auto top, running(name));
  Environment before;
  {
    std::unique_lock table_lock(table_->mutex);
    before = std::exchange(table_->entry(top.first).spec.env, env);
  }
  term::Builder builder;
  std::vector<baton_term> changed, added, removed;
  const auto key_of = [&](const std::string& key) -> baton_term {
    auto known = runtime_.atoms().intern(key);
    return known.ok() ? *known : builder.binary(key);
  };
  for (const auto& [key, value] : env) {
    const Literal* old = find(before, key);
    if (old != nullptr && *old == value) continue;
    (old != nullptr ? changed : added).push_back(builder.tuple({key_of(key), value.root()}));
  }
  for (const auto& [key, value] : before)
    if (find(env, key) == nullptr) removed.push_back(key_of(key));
  if (changed.empty() && added.empty() && removed.empty()) return {};
  BATON_ASSIGN(const baton_term tag, runtime_.atoms().intern("config_change"));
  return tell(top.second,
              Literal(builder.tuple(
                  {tag, builder.list(changed), builder.list(added), builder.list(removed)})),
              timeout);
}

Result<void> Applications::tell(baton_term supervisor, const Literal& news, Timeout timeout) {
  BATON_ASSIGN(const term::Block request, term::Block::copy_of(term::atom("which_children")));
  BATON_ASSIGN(const term::Block children, runtime_.call(supervisor, request, timeout));
  BATON_ASSIGN(runtime::External external, runtime::External::borrow(runtime_));
  for (baton_term entry : term::elements(children.root())) {
    const auto parts = term::tuple_of(entry, 4);
    if (!parts || !term::is_pid((*parts)[1]) || (*parts)[2] != term::atom("worker")) continue;
    runtime::send(external.context(), (*parts)[1],
                  runtime::message_of(external.context(), news.root()));
  }
  return {};
}

}  // namespace baton::behaviour
