#include "behaviour/any_supervisor.h"

#include "runtime/primitives.h"
#include "term/atom.h"
#include "term/layout.h"
#include "term/match.h"
#include "term/text.h"

#include <string>

namespace baton::behaviour {

namespace {

constexpr std::size_t kReportBytesMax = 2000;

constexpr std::string_view kPhases[] = {"starting", "running", "regrouping", "stopping", "ended"};

// An atom that will be printed.
baton_term named(std::string_view text, term::AtomTable& atoms) {
  auto known = atoms.intern(text);
  return known.ok() ? *known : term::atoms::kUndefined;
}

}  // namespace

bool is_orderly(baton_term reason) {
  return reason == term::atoms::kNormal || reason == term::atoms::kShutdown ||
         term::tagged_tuple(reason, term::atoms::kShutdown, 2).has_value();
}

int AnySupervisor::begin(Context& context) {
  runtime::Process& process = *context.current;
  process.set(runtime::kTrapExit);
  parent_ = process.parent;
  // It has started when its children have.
  notifies_parent_ = process.has(runtime::kNotifyParent);
  process.clear(runtime::kNotifyParent);
  start_children(context);
  return conclude(context);
}

int AnySupervisor::handle(Context& context, const Message& message) {
  is_purged_ = (message.flags & runtime::kPurged) != 0;
  receive(context, message);
  return conclude(context);
}

void AnySupervisor::receive(Context& context, const Message& message) {
  switch (message.kind) {
    case BATON_CALL: return serve(context, {context.caller, context.call_ref}, message.root);
    case runtime::kStartedSignal: return started(context, message.from);
    case BATON_EXIT:
      if (message.from == parent_) return stop(context, message.root);
      return exited(context, message.from, message.root);
    case BATON_DOWN: return exited(context, message.from, message.root);
    case BATON_TIMEOUT: return timed_out(context, message.word[0], message.root);
    case BATON_CAST:
      if (message.from == context.self) retry(context, message.root);
      return;
    default: return;  // nothing else is meant for a supervisor
  }
}

int AnySupervisor::conclude(Context& context) {
  if (phase_ == Phase::kRunning) {
    if (notifies_parent_) runtime::notify_started(context, parent_);
    notifies_parent_ = false;
    catch_up(context);
  }
  if (phase_ != Phase::kEnded) return BATON_OK;
  if (context.stop_reason != nullptr) context.release(context.stop_reason);
  context.stop_reason = runtime::message_of(context, stop_reason_.root());
  return BATON_STOP;
}

// ---- Answers

void AnySupervisor::answer(Context& context, Caller caller, baton_term root) {
  runtime::reply(context, caller.pid, caller.ref,
                 runtime::message_of(context, root, BATON_REPLY, 1));
}

void AnySupervisor::answer_ok(Context& context, Caller caller, baton_term value) {
  term::Builder builder;
  answer(context, caller, builder.tuple({term::atoms::kOk, value}));
}

void AnySupervisor::answer_error(Context& context, Caller caller, baton_term reason) {
  term::Builder builder;
  answer(context, caller, builder.tuple({term::atoms::kError, reason}));
}

void AnySupervisor::answer_error(Context& context, Caller caller, const Error& error) {
  term::Builder builder;
  answer_error(context, caller, builder.binary(error.message()));
}

// ---- Stopping and restarting

void AnySupervisor::stop(Context& context, baton_term reason) {
  if (phase_ == Phase::kStopping || phase_ == Phase::kEnded) return;
  phase_ = Phase::kStopping;
  stop_reason_ = Literal(reason);
  // One that is suspended has to hear of its children's ends from here on.
  context.current->clear(runtime::kSuspended);
  context.current->scan = nullptr;
  stop_children(context);
}

bool AnySupervisor::may_restart(Context& context, const ChildSpec& spec) {
  // What the host ended to unload its code does not count.
  if (is_purged_ || intensity_.add(runtime::now_ns())) return true;
  report(context, BATON_LOG_ERROR, spec, BATON_NO_TERM,
         "was restarted too often; the supervisor gives up", term::atoms::kShutdown);
  stop(context, term::atoms::kShutdown);
  return false;
}

void AnySupervisor::try_again(Context& context, baton_term what) {
  Message* message = runtime::message_of(context, what, BATON_CAST);
  runtime::send(context, context.self, message);
}

baton_term AnySupervisor::ask_to_end(Context& context, baton_term pid, const Shutdown& shutdown) {
  if (shutdown.kind == Shutdown::Kind::kBrutalKill) {
    kill(context, pid);
    return BATON_NO_TERM;
  }
  runtime::exit_signal(context, pid,
                       runtime::message_of(context, term::atoms::kShutdown, BATON_MESSAGE, 1));
  if (shutdown.kind == Shutdown::Kind::kInfinity) return BATON_NO_TERM;
  Message* message = context.allocate(1);
  message->root = pid;
  return runtime::send_after(context, static_cast<std::uint64_t>(shutdown.timeout.count()),
                             context.self, message);
}

void AnySupervisor::kill(Context& context, baton_term pid) {
  runtime::exit_signal(context, pid,
                       runtime::message_of(context, term::atoms::kKill, BATON_MESSAGE, 1));
}

void AnySupervisor::change_flags(const SupervisorFlags& flags) {
  flags_ = flags;
  intensity_.change(flags.intensity, flags.period);
}

// ---- What it says of itself

void AnySupervisor::report(Context& context, int level, const ChildSpec& spec, baton_term pid,
                           std::string_view what, baton_term reason) const {
  const term::AtomTable& atoms = context.runtime.atoms();
  const term::PrintLimits limits{.bytes = kReportBytesMax};
  std::string text = "supervisor: child " + term::print(spec.id.root(), atoms, limits);
  if (pid != BATON_NO_TERM) text += " " + term::print(pid, atoms);
  text += " ";
  text += what;
  text += ": " + term::print(reason, atoms, limits);
  context.runtime.observer().log(level, context.self, &context.runtime.builtin(), text);
}

baton_term AnySupervisor::describe(const Context& context, term::Builder& builder) const {
  term::AtomTable& atoms = context.runtime.atoms();
  return builder.map({
      {named("flags", atoms), behaviour::write(flags_, builder, atoms)},
      {named("phase", atoms), named(kPhases[static_cast<std::size_t>(phase_)], atoms)},
      {named("children", atoms), which_children(context, builder)},
  });
}

baton_term AnySupervisor::write(const Counts& counts, term::Builder& builder,
                                term::AtomTable& atoms) {
  const auto pair = [&](std::string_view text, std::size_t count) {
    return builder.tuple({named(text, atoms), builder.unsigned_integer(count)});
  };
  return builder.list({pair("specs", counts.specs), pair("active", counts.active),
                       pair("supervisors", counts.supervisors), pair("workers", counts.workers)});
}

baton_term AnySupervisor::describe_child(const Context& context, term::Builder& builder,
                                         const ChildSpec& spec, baton_term id, baton_term pid) {
  term::AtomTable& atoms = context.runtime.atoms();
  const bool is_supervisor = spec.type == ChildType::kSupervisor;
  return builder.tuple({id, pid, named(is_supervisor ? "supervisor" : "worker", atoms),
                        builder.list({named(spec.module, atoms)})});
}

}  // namespace baton::behaviour
