// MailSwap: the mail that waits for one parked process, in the forms of the version that takes it
// over.
//
//   prepare   makes the messages that are to change anew, beside the old ones. May fail; what the
//             process has is only read.
//   commit    links the new ones in where the old ones are. Cannot fail, allocates nothing.
//   settle    outside the pause: frees what is left over; whoever asked for something that was
//             dropped hears of it. After a commit the old messages, else the new ones.
//
// The mail taken from the mailbox already and that which is still in it are one sequence; what
// arrives after prepare stays behind it, in the form it was sent in (a late message).
//
// Ownership: owns the messages that are in no mail: before commit the new ones, after it the old.
// Threads:   prepare, commit: one that the process is parked for; settle: any, with its context.
#pragma once

#include "runtime/context.h"
#include "runtime/runtime.h"
#include "takeover/mail_mover.h"
#include "term/layout.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace baton::takeover {

/// What becomes of a message that is stuck.
enum class StuckMail {
  kRefuse,   // the take-over is refused
  kDrop,     // the message is lost; who asked hears it
  kDeliver,  // it stays as it is, for the version that takes over to cope with
};

/// What came of mail, for a report.
struct MailCount {
  std::uint64_t moved = 0;
  std::uint64_t dropped = 0;
  std::uint64_t delivered = 0;  // as it was, though stuck
  /// By form and reason. Of those that are refused.
  std::map<std::string, std::uint64_t> stuck{};

  void add(const MailCount& other);
};

/// One message: what is made of it, or what else becomes of it.
struct MovedMessage {
  enum class Step { kStays, kSwap, kStuck, kLeft };  // as MailMover::Hooked::kLeft
  Step step;
  runtime::Message* made;  // of kSwap; null: it is dropped
};
/// `parked`: as in MailMover::run_hook.
MovedMessage move_message(runtime::Context& context, runtime::Process* parked,
                          const MailMover& mover, const runtime::Message& message, StuckMail policy,
                          MailCount& count);
/// One like it; not marked, as that one goes on.
runtime::Message* copy_message(runtime::Context& context, const runtime::Message& message);
/// A message that no mail has any more: its sender, if it asked for something, hears that it is
/// lost.
void lose(runtime::Context& context, baton_term receiver, runtime::Message* message);

/// Whom a timer's message is for, which names or is a process; null: none of the versions that
/// `is_parked` is true of. Of others nothing more may be read.
template <class IsParked>
const runtime::Process* parked_receiver(runtime::Runtime& runtime, baton_term receiver,
                                        IsParked is_parked) {
  if (term::is_atom(receiver)) receiver = runtime.registry().whereis(receiver);
  const runtime::Process* const process = runtime.find(receiver);
  if (process == nullptr) return nullptr;
  if (!is_parked(process->version.load(std::memory_order_acquire))) return nullptr;
  return process->self == receiver ? process : nullptr;
}

class MailSwap {
 public:
  /// Asked now and then.
  using IsLate = std::function<bool()>;

  explicit MailSwap(runtime::Process& process) : process_(&process) {}

  /// False: `is_late` said so, or the thread was left in a hook, and touches this and the count no
  /// more. What is stuck is counted to the end.
  bool prepare(runtime::Context& context, const MailMover& mover, StuckMail policy,
               const IsLate& is_late, MailCount& count);
  bool is_empty() const { return swaps_.empty(); }
  void commit();
  void settle(runtime::Context& context);

 private:
  struct Swap {
    runtime::Message* old;
    runtime::Message* made;  // null: the old one is dropped
  };
  bool look_at(runtime::Message* first, runtime::Context& context, const MailMover& mover,
               StuckMail policy, const IsLate& is_late, MailCount& count);

  runtime::Process* process_;
  runtime::Message* newest_ = nullptr;  // in the mailbox when it was looked at
  /// Of the mail taken, oldest first; then of the mailbox, newest first, from `boxed_` on.
  std::vector<Swap> swaps_;
  std::size_t boxed_ = 0;
  bool is_committed_ = false;
};

}  // namespace baton::takeover
