#include "behaviour/supervisor.h"

#include "behaviour/any_supervisor.h"
#include "behaviour/ordered_supervisor.h"
#include "behaviour/simple_supervisor.h"
#include "runtime/native.h"
#include "runtime/primitives.h"
#include "term/atom.h"

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

namespace baton::behaviour {

namespace {

struct State {
  std::unique_ptr<AnySupervisor> supervisor;  // null until init
};

// The words of requests and answers, for whoever prints them.
void intern_words(term::AtomTable& atoms) {
  for (std::string_view word :
       {"which_children", "count_children", "get_childspec", "start_child", "terminate_child",
        "restart_child", "delete_child", "change_specs", "change_spec", "set_aside", "put_back",
        "end_aside", "not_found", "running", "restarting", "already_present", "simple_one_for_one",
        "failed_to_start_child"})
    BATON_CHECK(atoms.intern(word).ok(), "the table of atoms has no room for the host's own");
}

int crash(baton_context* context, const std::string& why) {
  baton_error& error = context->error;
  error.length = static_cast<std::uint32_t>(
      why.copy(error.text, std::min<std::size_t>(why.size(), error.capacity - 1)));
  error.text[error.length] = '\0';
  return BATON_CRASH;
}

int init(baton_context* raw, void* state, const Message* args) {
  Context& context = runtime::context_of(raw);
  term::AtomTable& atoms = context.runtime.atoms();
  intern_words(atoms);
  auto spec = read_supervisor_spec(args->root, atoms);
  if (!spec.ok()) return crash(raw, spec.error().message());
  const auto checked = check_childspecs(spec->flags, spec->children, atoms);
  if (!checked.ok()) return crash(raw, checked.error().message());

  auto& supervisor = static_cast<State*>(state)->supervisor;
  if (spec->flags.strategy == Strategy::kSimpleOneForOne)
    supervisor = std::make_unique<SimpleSupervisor>(std::move(spec).value());
  else
    supervisor = std::make_unique<OrderedSupervisor>(std::move(spec).value());
  return supervisor->begin(context);
}

int handle(baton_context* raw, void* state, const Message* message) {
  return static_cast<State*>(state)->supervisor->handle(runtime::context_of(raw), *message);
}

Message* to_term(baton_context* raw, const void* state) {
  Context& context = runtime::context_of(raw);
  const auto& supervisor = static_cast<const State*>(state)->supervisor;
  if (supervisor == nullptr) return runtime::message_of(context, term::atoms::kUndefined);
  term::Builder builder;
  return runtime::message_of(context, supervisor->describe(context, builder));
}

constexpr baton_schema kSchema = runtime::native_schema<State>("supervisor", to_term);
constexpr baton_behaviour kSupervisor =
    runtime::native_behaviour(kSchema, init, handle, runtime::kMeetsExits);

}  // namespace

const baton_behaviour* host_behaviour(std::string_view name) {
  return name == kSupervisorName ? &kSupervisor : nullptr;
}

}  // namespace baton::behaviour
