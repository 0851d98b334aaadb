// Primitives: what a process does to others: spawn, send, call, link, monitor, name, and later.
//
// Each takes the context it is done in: inside a callback the scheduler's, on another thread that
// of an External. Any term is safe as an address; what is no process is answered as a dead one is.
//
// Threads: the context's own.
#pragma once

#include "runtime/context.h"

#include <baton/abi.h>

#include <cstdint>

namespace baton::runtime {

/// Whom and how to start: of `version`, or of its module's current one if that is retired. `args`
/// passes to the new process, or is freed if there is none.
struct SpawnRequest {
  code::Version* version;
  const baton_behaviour* behaviour;
  Message* args;
  baton_term parent = BATON_NO_TERM;
  bool is_linked = false;        // to the process under way in the context
  bool is_monitored = false;     // by it
  bool notifies_parent = false;  // kStartedSignal to it when init has succeeded
  baton_term name = BATON_NO_TERM;
  std::uint16_t application = 0;  // 0: that of the process under way in the context
};
enum class SpawnError {
  kNone,
  kNameTaken,
  kRetired,  // and no current one of its module has that behaviour
  kBarred,   // see Version::bar
};
struct Spawned {
  baton_term pid = BATON_NO_TERM;
  baton_term monitor = BATON_NO_TERM;
  SpawnError error = SpawnError::kNone;
};

/// To a pid or a registered name's atom. The message passes on, whatever becomes of it.
void send(Context& context, baton_term to, Message* message);
/// The same for what the runtime sends for itself (Signal), so that it is met before unread mail.
void send_signal(Context& context, baton_term to, Message* signal);
/// A message that its receiver will never handle: whoever asked for something by it is answered as
/// that one would have answered, ended for this reason, an immediate term. The message is freed.
void dead_letter(Context& context, baton_term to, Message* message, baton_term reason);
Spawned spawn(Context& context, const SpawnRequest& request);
/// A request, a BATON_CALL or kSystemSignal, with its ref, which is put in word[0]. The process
/// under way, if there is one, is given the first answer to it, until it demonitors the ref.
baton_term ask(Context& context, baton_term to, Message* request);
/// The same, for a BATON_CALL.
baton_term call(Context& context, baton_term to, Message* request);
void reply(Context& context, baton_term caller, baton_term ref, Message* answer);
/// Sends an exit signal, as exit/2 does: `reason`'s root is the reason; the atom kill cannot be
/// trapped.
void exit_signal(Context& context, baton_term to, Message* reason);
/// Tells the parent that the init of the process under way is done; for one that has taken
/// kNotifyParent off its flags itself, because its start takes longer than its init.
void notify_started(Context& context, baton_term parent);
void link(Context& context, baton_term pid);
void unlink(Context& context, baton_term pid);
baton_term monitor(Context& context, baton_term pid);
void demonitor(Context& context, baton_term ref);
bool register_name(Context& context, baton_term name, baton_term pid);
bool unregister_name(Context& context, baton_term name);
baton_term send_after(Context& context, std::uint64_t delay_ns, baton_term to, Message* message);
/// Sends it again and again, first after one period, until it is cancelled or its receiver has
/// ended; a name is whoever has it now. Requires: a period, and a word for the ref.
baton_term send_interval(Context& context, std::uint64_t period_ns, baton_term to,
                         Message* message);
/// The scheduler that keeps the timers begun in this context.
Scheduler& keeper_for(Context& context);
bool cancel_timer(Context& context, baton_term ref);
/// A message whose root is a copy of `term`, or the atom system_limit if that is larger than a term
/// may be.
Message* message_of(Context& context, baton_term term, std::uint8_t kind = BATON_MESSAGE,
                    std::uint32_t leading_words = 0);

}  // namespace baton::runtime
