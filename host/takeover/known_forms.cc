#include "takeover/known_forms.h"

#include "base/check.h"
#include "runtime/primitives.h"
#include "takeover/mail_swap.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

namespace baton::takeover {

namespace {

// For who asked, as if the process had ended with that reason.
void refuse(runtime::Context& context, baton_term caller, baton_term ref,
            runtime::Message* reason) {
  BATON_CHECK(reason->words >= 1, "an answer needs a word for its ref");
  const runtime::HostCall call(context);  // as in reply
  reason->kind = BATON_DOWN;
  reason->word[0] = ref;
  if (context.call_ref == ref)
    context.call_ref = BATON_NO_TERM;
  else if (context.current->extension != nullptr)
    context.current->extension->callers.take(ref);
  runtime::send(context, caller, reason);
}

void say(baton_error& error, std::string_view text) {
  error.length = static_cast<std::uint32_t>(std::min<std::size_t>(text.size(), error.capacity));
  std::memcpy(error.text, text.data(), error.length);
}

// A stay in the hooks of a version.
class Guest {
 public:
  Guest() = default;
  explicit Guest(code::Version* host) : host_(host) {
    if (host_ != nullptr) host_->enter_as_guest();
  }
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  ~Guest() {
    if (host_ != nullptr) host_->leave_as_guest();
  }

 private:
  code::Version* const host_ = nullptr;
};

}  // namespace

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
    takeover::refuse(context, context.caller, context.call_ref, reason);
  };
  table_.other_form = [](baton_context* raw, const baton_message* message) {
    runtime::Context& context = runtime::context_of(raw);
    return of(context).other_form(context, *context.current, *message);
  };
  table_.refuse_received = [](baton_context* raw, const baton_message* request,
                              baton_message* reason) {
    takeover::refuse(runtime::context_of(raw), request->from, request->word[0], reason);
  };
  runtime.add_extension(BATON_MAIL, static_cast<const baton_mail*>(&table_));
}

KnownForms& KnownForms::of(runtime::Context& context) {
  const void* const table = context.runtime.extension(BATON_MAIL);
  return *static_cast<const Table*>(static_cast<const baton_mail*>(table))->forms;
}

void KnownForms::learn(const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    const module::Direction there = change.evolution.direction;
    const bool is_up = there == module::Direction::kUp;
    const auto pair = std::make_shared<Pair>(
        Pair{change.from->number(), change.to->number(), {}, {}, is_up ? change.to : change.from});
    const module::Direction back = is_up ? module::Direction::kDown : module::Direction::kUp;
    for (const module::BehaviourChange& behaviour : change.evolution.behaviours) {
      const std::string& name = behaviour.behaviour;
      pair->there.emplace(name,
                          MailMover(behaviour.mail_there,
                                    MailMover::hooks_of(*change.from, *change.to, there, name)));
      pair->back.emplace(name,
                         MailMover(behaviour.mail_back,
                                   MailMover::hooks_of(*change.to, *change.from, back, name)));
    }
    std::lock_guard lock(mutex_);
    modules_.insert_or_assign(change.from->module_name(), pair);
    has_any_.store(true, std::memory_order_release);
  }
}

void KnownForms::forget(const code::Version& version) {
  std::lock_guard lock(mutex_);
  const auto module = modules_.find(version.module_name());
  if (module != modules_.end() && module->second->newer == &version)
    module->second->newer = nullptr;
}

runtime::Message* KnownForms::other_form(runtime::Context& context, const runtime::Process& process,
                                         const runtime::Message& message) {
  context.error.length = 0;
  if (!has_any_.load(std::memory_order_acquire)) return nullptr;
  const code::Version& version = *process.version.load(std::memory_order_acquire);
  std::shared_lock lock(mutex_);
  const auto module = modules_.find(version.module_name());
  if (module == modules_.end()) return nullptr;
  const std::shared_ptr<const Pair> pair = module->second;
  if (version.number() != pair->to && version.number() != pair->from) return nullptr;
  const Movers& movers = version.number() == pair->to ? pair->there : pair->back;
  const auto mover = movers.find(std::string_view(process.behaviour->name));
  if (mover == movers.end()) return nullptr;
  ShallowTerm unused;
  if (pair->newer == nullptr &&
      mover->second.judge(message.kind, message.root, unused).fate == MailMover::Fate::kByHook) {
    say(context.error, "the version that can convert it is loaded no more");
    return nullptr;
  }
  const Guest guest(mover->second.has_hooks() ? pair->newer : nullptr);
  // A hook may take long, or never return.
  lock.unlock();
  MailCount count;
  runtime::Message* const made =
      move_message(context, nullptr, mover->second, message, StuckMail::kRefuse, count).made;
  if (!count.stuck.empty()) say(context.error, count.stuck.begin()->first);
  return made;
}

}  // namespace baton::takeover
