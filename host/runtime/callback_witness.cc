#include "runtime/callback_witness.h"

#include "runtime/errand.h"
#include "runtime/runtime.h"
#include "term/layout.h"

namespace baton::runtime {

namespace {

std::string_view callback_of(const Message& message) {
  switch (message.kind) {
    case BATON_SPAWN: return "init";
    case BATON_CALL: return "handle_call";
    case BATON_CAST: return "handle_cast";
    default: return "handle_info";
  }
}

// What a message is called by: it is an atom, or begins with one.
baton_term name_of(baton_term root) {
  if (const auto tuple = term::as_tuple(root); tuple && tuple->size() > 0) return (*tuple)[0];
  return root;
}

}  // namespace

void CallbackWitness::tell(CrashFacts& facts) const {
  const Process* process = context_.current;
  if (process == nullptr) {
    if (context_.errand == nullptr || context_.hook == nullptr) return;
    facts.module << context_.errand->module();
    facts.version << context_.errand->version();
    facts.callback << context_.hook;
    return;
  }
  facts.process << "<0." << std::uint64_t{pid_index(process->self)} << "."
                << std::uint64_t{pid_generation(process->self)} << ">";
  const bool is_elsewhere = context_.hook != nullptr && context_.hook_code != nullptr;
  if (const code::Version* version =
          is_elsewhere ? context_.hook_code : process->version.load(std::memory_order_relaxed)) {
    facts.module << version->module_name();
    facts.version << version->number();
  }
  facts.behaviour << process->behaviour->name;
  const Message* message = context_.handled;
  if (context_.hook != nullptr) {
    facts.callback << context_.hook;
  } else if (context_.ending == process->self) {
    facts.callback << "terminate";
  } else if (message == nullptr) {
    facts.callback << (process->has(kAwaiting) ? "resume" : "handle");
  } else {
    facts.callback << callback_of(*message);
    if (const auto name = context_.runtime.atoms().text(name_of(message->root)))
      facts.message << *name;
  }
}

}  // namespace baton::runtime
