#include "runtime/info.h"

#include "runtime/primitives.h"
#include "runtime/runtime.h"
#include "term/atom.h"
#include "term/builder.h"

#include <algorithm>

namespace baton::runtime {

namespace {

const char* status_of(const Process& process) {
  if (process.has(kSuspended)) return "suspended";
  if (process.has(kAwaiting)) return "waiting_for_reply";
  return "running";
}

}  // namespace

std::uint64_t memory_of(const Process& process) {
  std::uint64_t bytes = sizeof(Process);
  if (process.behaviour->state != nullptr) bytes += process.behaviour->state->size;
  // Less than nothing where it freed what was not counted for it.
  const std::int64_t allocated = process.allocated.load(std::memory_order_relaxed);
  return bytes + static_cast<std::uint64_t>(std::max<std::int64_t>(allocated, 0));
}

Message* process_info(Context& context, const Process& process) {
  using term::atom;
  term::Builder builder;
  const Extension none;
  const Extension& extension = process.extension != nullptr ? *process.extension : none;
  const code::Version& version = *process.version.load(std::memory_order_relaxed);

  std::uint64_t mail = 0, mail_bytes = 0;
  for (const Message* message = process.in_first; message != nullptr; message = message->next) {
    ++mail;
    mail_bytes += sizeof(Message) + std::uint64_t{message->words} * sizeof(baton_term);
  }
  const std::uint64_t extension_bytes = process.extension != nullptr ? sizeof(Extension) : 0;
  std::vector<baton_term> links(extension.links.begin(), extension.links.end());
  if (process.has(kParentLinked)) links.push_back(process.parent);
  std::vector<baton_term> monitors, watchers;
  for (const auto& [ref, pid] : extension.monitors) monitors.push_back(pid);
  for (const auto& [ref, pid] : extension.watchers) watchers.push_back(pid);
  const auto text = [&](std::string_view value) {
    auto known = context.runtime.atoms().intern(value);
    return known.ok() ? *known : builder.binary(value);
  };
  const baton_term root = builder.map({
      {text("pid"), process.self},
      {text("module"), text(version.module_name())},
      {text("version"), builder.binary(version.number())},
      {text("behaviour"), text(process.behaviour->name)},
      {text("status"), text(status_of(process))},
      {text("parent"), process.parent != 0 ? process.parent : term::atoms::kUndefined},
      {text("registered_name"),
       extension.name != BATON_NO_TERM ? builder.list({extension.name}) : baton_term{BATON_NIL}},
      {text("links"), builder.list(links)},
      {text("monitors"), builder.list(monitors)},
      {text("monitored_by"), builder.list(watchers)},
      {text("trap_exit"), term::boolean(process.has(kTrapExit))},
      {text("message_queue_len"), builder.unsigned_integer(mail)},
      {text("memory"), builder.unsigned_integer(memory_of(process) + mail_bytes + extension_bytes)},
  });
  return message_of(context, root);
}

}  // namespace baton::runtime
