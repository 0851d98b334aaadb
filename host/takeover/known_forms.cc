#include "takeover/known_forms.h"

#include "base/check.h"
#include "runtime/primitives.h"
#include "takeover/mail_swap.h"

#include <mutex>
#include <utility>

namespace baton::takeover {

KnownForms::KnownForms(runtime::Runtime& runtime) {
  table_.struct_size = sizeof(baton_mail);
  table_.forms = this;
  table_.handle_other_form = [](baton_context* raw, const baton_message* message) -> int {
    runtime::Context& context = runtime::context_of(raw);
    runtime::Process& process = *context.current;
    runtime::Message* const other = of(context).other_form(context, process, *message);
    if (other == nullptr) return BATON_UNKNOWN_FORM;
    const int answer = process.behaviour->handle(raw, process.state, other);
    context.release(other);
    return answer;
  };
  table_.refuse = [](baton_context* raw, baton_message* reason) {
    runtime::Context& context = runtime::context_of(raw);
    BATON_CHECK(reason->words >= 1, "an answer needs a word for its ref");
    const runtime::HostCall call(context);  // as in reply
    reason->kind = BATON_DOWN;
    reason->word[0] = std::exchange(context.call_ref, BATON_NO_TERM);
    runtime::send(context, context.caller, reason);
  };
  runtime.add_extension(BATON_MAIL, static_cast<const baton_mail*>(&table_));
}

KnownForms& KnownForms::of(runtime::Context& context) {
  const void* const table = context.runtime.extension(BATON_MAIL);
  return *static_cast<const Table*>(static_cast<const baton_mail*>(table))->forms;
}

void KnownForms::learn(const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    Pair pair{change.from->number(), change.to->number(), {}, {}};
    for (const module::BehaviourChange& behaviour : change.evolution.behaviours) {
      pair.there.emplace(behaviour.behaviour, MailMover(behaviour.mail_there));
      pair.back.emplace(behaviour.behaviour, MailMover(behaviour.mail_back));
    }
    std::lock_guard lock(mutex_);
    modules_.insert_or_assign(change.from->module_name(), std::move(pair));
  }
}

runtime::Message* KnownForms::other_form(runtime::Context& context, const runtime::Process& process,
                                         const runtime::Message& message) {
  const code::Version& version = *process.version.load(std::memory_order_acquire);
  std::shared_lock lock(mutex_);
  const auto module = modules_.find(version.module_name());
  if (module == modules_.end()) return nullptr;
  const Pair& pair = module->second;
  if (version.number() != pair.to && version.number() != pair.from) return nullptr;
  const Movers& movers = version.number() == pair.to ? pair.there : pair.back;
  const auto mover = movers.find(std::string_view(process.behaviour->name));
  if (mover == movers.end()) return nullptr;
  MailCount unused;
  return move_message(context, mover->second, message, StuckMail::kDeliver, unused).made;
}

}  // namespace baton::takeover
