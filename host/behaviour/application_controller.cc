#include "behaviour/application_controller.h"

#include "behaviour/any_supervisor.h"
#include "behaviour/supervisor.h"
#include "runtime/native.h"
#include "runtime/primitives.h"
#include "term/atom.h"
#include "term/layout.h"
#include "term/match.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <new>
#include <optional>
#include <utility>

namespace baton::behaviour {

namespace {

namespace atoms = term::atoms;

class Controller {
 public:
  ~Controller() {
    if (table_ != nullptr && !runtime_->is_stopping()) table_->controller_ended();
  }
  void begin(Context& context, std::shared_ptr<ApplicationTable> table) {
    context.current->set(runtime::kTrapExit);
    runtime_ = &context.runtime;
    table_ = std::move(table);
  }
  void handle(Context& context, const Message& message);

 private:
  struct Top {
    std::uint16_t index;
    bool is_stopping = false;
    baton_term caller = BATON_NO_TERM;  // who waits for its start or stop
    baton_term ref = BATON_NO_TERM;
  };

  void serve(Context& context, const Message& message);
  void start(Context& context, std::uint16_t index);
  void stop(Context& context, std::uint16_t index);
  void started(Context& context, baton_term pid);
  void exited(Context& context, baton_term pid, baton_term reason);
  void answer(Context& context, Top& top, baton_term root);

  runtime::Runtime* runtime_ = nullptr;  // there when the table is
  std::shared_ptr<ApplicationTable> table_;
  boost::unordered_flat_map<baton_term, Top> tops_;
};

void Controller::handle(Context& context, const Message& message) {
  switch (message.kind) {
    case BATON_CALL: return serve(context, message);
    case runtime::kStartedSignal: return started(context, message.from);
    case BATON_EXIT: return exited(context, message.from, message.root);
    default: return;
  }
}

void Controller::serve(Context& context, const Message& message) {
  using Wanted = ApplicationTable::Wanted;
  const auto request = term::tuple_of(message.root, 2);
  const auto index = request ? term::as_int((*request)[1]) : std::nullopt;
  const Wanted wanted = !index                                 ? Wanted::kNothing
                        : (*request)[0] == term::atom("start") ? Wanted::kStart
                        : (*request)[0] == term::atom("stop")  ? Wanted::kStop
                                                               : Wanted::kNothing;
  if (wanted == Wanted::kNothing || !table_->take_wanted(*index, wanted)) {
    term::Builder builder;
    Top nobody{.index = 0, .caller = context.caller, .ref = context.call_ref};
    const baton_term text = builder.binary("the host starts and stops applications by itself");
    return answer(context, nobody, builder.tuple({atoms::kError, text}));
  }
  if (wanted == Wanted::kStart) return start(context, static_cast<std::uint16_t>(*index));
  stop(context, static_cast<std::uint16_t>(*index));
}

void Controller::answer(Context& context, Top& top, baton_term root) {
  if (top.ref == BATON_NO_TERM) return;
  runtime::reply(context, top.caller, std::exchange(top.ref, BATON_NO_TERM),
                 runtime::message_of(context, root, BATON_REPLY, 1));
}

void Controller::start(Context& context, std::uint16_t index) {
  Literal tree;
  baton_term name;
  {
    std::shared_lock lock(table_->mutex);
    tree = table_->entry(index).tree;
    name = table_->entry(index).spec.supervisor_name;
  }
  const runtime::Spawned spawned =
      runtime::spawn(context, {.version = &context.runtime.builtin(),
                               .behaviour = host_behaviour(kSupervisorName),
                               .args = runtime::message_of(context, tree.root()),
                               .parent = context.self,
                               .is_linked = true,
                               .notifies_parent = true,
                               .name = name,
                               .application = index});
  Top top{.index = index, .caller = context.caller, .ref = context.call_ref};
  if (spawned.error != runtime::SpawnError::kNone) {
    term::Builder builder;
    const baton_term reason = builder.tuple({atoms::kAlreadyStarted, name});
    return answer(context, top, builder.tuple({atoms::kError, reason}));
  }
  tops_.emplace(spawned.pid, top);
}

void Controller::started(Context& context, baton_term pid) {
  const auto found = tops_.find(pid);
  if (found == tops_.end() || found->second.is_stopping) return;
  {
    std::unique_lock lock(table_->mutex);
    table_->entry(found->second.index).supervisor = pid;
    table_->running.push_back(found->second.index);
  }
  term::Builder builder;
  answer(context, found->second, builder.tuple({atoms::kOk, pid}));
}

void Controller::stop(Context& context, std::uint16_t index) {
  for (auto& [pid, top] : tops_) {
    if (top.index != index) continue;
    // One that is still starting was given up by whoever waited for it.
    top.is_stopping = true;
    top.caller = context.caller;
    top.ref = context.call_ref;
    runtime::exit_signal(context, pid,
                         runtime::message_of(context, atoms::kShutdown, BATON_MESSAGE, 1));
    return;
  }
  Top none{.index = index, .caller = context.caller, .ref = context.call_ref};
  term::Builder builder;
  const auto reason = context.runtime.atoms().intern("not_running");
  answer(context, none, builder.tuple({atoms::kError, reason.ok() ? *reason : atoms::kUndefined}));
}

void Controller::exited(Context& context, baton_term pid, baton_term reason) {
  const auto found = tops_.find(pid);
  if (found == tops_.end()) return;
  Top top = found->second;
  tops_.erase(found);
  std::optional<Ended> ended;
  {
    std::unique_lock lock(table_->mutex);
    ApplicationTable::Entry& entry = table_->entry(top.index);
    const bool was_running = std::exchange(entry.supervisor, BATON_NO_TERM) == pid;
    if (entry.aside == pid) entry.aside = BATON_NO_TERM;
    std::erase(table_->running, top.index);
    const ApplicationType type = entry.spec.type;
    const bool ends_node = type == ApplicationType::kPermanent ||
                           (type == ApplicationType::kTransient && reason != atoms::kNormal);
    if (was_running && !top.is_stopping)
      ended = Ended{entry.spec.name, type, Literal(reason), ends_node};
  }
  if (ended) return table_->ended(*ended);
  term::Builder builder;
  answer(context, top, top.is_stopping ? atoms::kOk : builder.tuple({atoms::kError, reason}));
}

// ---- The behaviour

int init(baton_context* raw, void* state, const Message* args) {
  auto* table = reinterpret_cast<std::shared_ptr<ApplicationTable>*>(args->word[0]);
  static_cast<Controller*>(state)->begin(runtime::context_of(raw), std::move(*table));
  delete table;
  return BATON_OK;
}

int handle(baton_context* raw, void* state, const Message* message) {
  static_cast<Controller*>(state)->handle(runtime::context_of(raw), *message);
  return BATON_OK;
}

constexpr baton_schema kSchema = runtime::native_schema<Controller>("application_controller");
constexpr baton_behaviour kController =
    runtime::native_behaviour(kSchema, init, handle, runtime::kMeetsExits);

}  // namespace

bool ApplicationTable::take_wanted(std::int64_t index, Wanted wanted) {
  std::unique_lock lock(mutex);
  if (index < 1 || static_cast<std::uint64_t>(index) > entries.size()) return false;
  Wanted& asked = entry(static_cast<std::uint16_t>(index)).wanted;
  return wanted == std::exchange(asked, asked == wanted ? Wanted::kNothing : asked);
}

Result<baton_term> spawn_application_controller(runtime::Runtime& runtime,
                                                std::shared_ptr<ApplicationTable> table) {
  BATON_ASSIGN(runtime::External external, runtime::External::borrow(runtime));
  Message* args = external.context().allocate(1);
  args->word[0] =
      reinterpret_cast<baton_term>(new std::shared_ptr<ApplicationTable>(std::move(table)));
  return runtime::spawn(external.context(),
                        {.version = &runtime.builtin(), .behaviour = &kController, .args = args})
      .pid;
}

}  // namespace baton::behaviour
