#include "behaviour/child_start.h"

#include "behaviour/supervisor.h"
#include "runtime/primitives.h"
#include "term/atom.h"
#include "term/builder.h"
#include "term/layout.h"

#include <vector>

namespace baton::behaviour {

namespace {

Literal reason(runtime::Context& context, std::string_view what, const ChildSpec& spec) {
  term::AtomTable& atoms = context.runtime.atoms();
  const auto name = [&](std::string_view text) {
    auto known = atoms.intern(text);
    return known.ok() ? *known : term::atoms::kUndefined;
  };
  term::Builder builder;
  return Literal(builder.tuple({name(what), name(spec.module), name(spec.behaviour)}));
}

runtime::Message* args_of(runtime::Context& context, const ChildSpec& spec, baton_term extra) {
  if (term::is_nil(extra)) return runtime::message_of(context, spec.args.root());
  if (term::is_nil(spec.args.root())) return runtime::message_of(context, extra);
  std::vector<baton_term> all;
  for (baton_term arg : term::elements(spec.args.root())) all.push_back(arg);
  term::Builder builder;
  return runtime::message_of(context, builder.list(all, extra));
}

}  // namespace

ChildStart start_child_process(runtime::Context& context, const ChildSpec& spec, baton_term extra) {
  const bool is_host = spec.module == kHostModule;
  code::Version* version =
      is_host ? &context.runtime.builtin() : context.runtime.code().current(spec.module);
  if (version == nullptr) return {.reason = reason(context, "module_not_loaded", spec)};
  const baton_behaviour* behaviour =
      is_host ? host_behaviour(spec.behaviour) : version->behaviour(spec.behaviour);
  if (behaviour == nullptr) return {.reason = reason(context, "no_such_behaviour", spec)};

  const runtime::Spawned spawned = runtime::spawn(context, {.version = version,
                                                            .behaviour = behaviour,
                                                            .args = args_of(context, spec, extra),
                                                            .parent = context.self,
                                                            .is_linked = true,
                                                            .notifies_parent = true,
                                                            .name = spec.name});
  switch (spawned.error) {
    case runtime::SpawnError::kNone: return {.pid = spawned.pid, .reason = {}};
    case runtime::SpawnError::kRetired: return {.reason = reason(context, "module_retired", spec)};
    case runtime::SpawnError::kBarred: return {.reason = reason(context, "system_limit", spec)};
    case runtime::SpawnError::kNameTaken: break;
  }
  term::Builder builder;
  const baton_term holder = context.runtime.registry().whereis(spec.name);
  return {.reason =
              Literal(builder.tuple({term::atoms::kAlreadyStarted,
                                     holder != BATON_NO_TERM ? holder : term::atoms::kUndefined}))};
}

}  // namespace baton::behaviour
