#include "takeover/mail_swap.h"

#include "base/check.h"
#include "runtime/primitives.h"
#include "term/atom.h"
#include "term/builder.h"

#include <utility>

namespace baton::takeover {

namespace {

using runtime::Message;

// How many messages are looked at between two looks at the clock.
constexpr std::size_t kTimedMessages = 1024;
// The same where hooks are called.
constexpr std::size_t kTimedHooks = 16;
// Kinds of stuck messages that one refusal tells apart.
constexpr std::size_t kStuckKindsMax = 8;
constexpr const char* kOtherMail = "others";
constexpr const char* kDropped =
    "the request was dropped in an upgrade: the version that took over has no form for it";

// The kinds whose word[0] belongs to the host.
bool has_ref(const Message& message) {
  return message.kind == BATON_CALL || message.kind == BATON_TIMEOUT;
}

Message* make_message(runtime::Context& context, const Message& old, baton_term root) {
  Message* made = runtime::message_of(context, root, old.kind, has_ref(old) ? 1 : 0);
  if (has_ref(old)) made->word[0] = old.words != 0 ? old.word[0] : BATON_NO_TERM;
  made->from = old.from;
  made->flags |= static_cast<std::uint16_t>(old.flags & ~runtime::kReleaseFlags);
  return made;
}

// A mark goes where the message's work goes.
void pass_mark(Message& old, Message& made) {
  made.flags |= old.flags & runtime::kMarked;
  old.flags &= static_cast<std::uint16_t>(~runtime::kMarked);
}

}  // namespace

void MailCount::add(const MailCount& other) {
  moved += other.moved;
  dropped += other.dropped;
  delivered += other.delivered;
  for (const auto& [what, number] : other.stuck) {
    const bool is_known = stuck.size() < kStuckKindsMax || stuck.contains(what);
    stuck[is_known ? what : kOtherMail] += number;
  }
}

MovedMessage move_message(runtime::Context& context, runtime::Process* parked,
                          const MailMover& mover, const Message& message, StuckMail policy,
                          MailCount& count) {
  using Step = MovedMessage::Step;
  ShallowTerm term;
  MailMover::Verdict verdict = mover.judge(message.kind, message.root, term);
  switch (verdict.fate) {
    case MailMover::Fate::kStays: return {Step::kStays, nullptr};
    case MailMover::Fate::kMoves:
      ++count.moved;
      return {Step::kSwap, make_message(context, message, term.root())};
    case MailMover::Fate::kByHook: {
      Message* answer = nullptr;
      const MailMover::Hooked hooked =
          mover.run_hook(context, parked, verdict, message.root, term, answer, verdict.why);
      if (hooked == MailMover::Hooked::kLeft) return {Step::kLeft, nullptr};
      if (hooked == MailMover::Hooked::kRefused) break;
      ++count.moved;
      Message* const made = make_message(context, message, answer->root);
      context.release(answer);
      return {Step::kSwap, made};
    }
    case MailMover::Fate::kStuck: break;
  }
  switch (policy) {
    case StuckMail::kRefuse:
      count.add({.stuck = {{*verdict.form + " (" + verdict.why + ")", 1}}});
      return {Step::kStuck, nullptr};
    case StuckMail::kDrop: ++count.dropped; return {Step::kSwap, nullptr};
    case StuckMail::kDeliver: ++count.delivered; return {Step::kStays, nullptr};
  }
  return {Step::kStays, nullptr};
}

Message* copy_message(runtime::Context& context, const Message& message) {
  return make_message(context, message, message.root);
}

void lose(runtime::Context& context, baton_term receiver, Message* message) {
  if (message->kind == BATON_CALL) {
    term::Builder builder;
    Message* down = runtime::message_of(
        context, builder.tuple({term::atoms::kError, builder.binary(kDropped)}), BATON_DOWN, 1);
    down->from = receiver;
    down->word[0] = message->word[0];
    runtime::send(context, message->from, down);
  }
  context.release(message);
}

bool MailSwap::prepare(runtime::Context& context, const MailMover& mover, StuckMail policy,
                       const IsLate& is_late, MailCount& count) {
  newest_ = process_->mailbox.newest();
  if (!look_at(process_->in_first, context, mover, policy, is_late, count)) return false;
  boxed_ = swaps_.size();
  return look_at(newest_, context, mover, policy, is_late, count);
}

bool MailSwap::look_at(Message* first, runtime::Context& context, const MailMover& mover,
                       StuckMail policy, const IsLate& is_late, MailCount& count) {
  const std::size_t timed = mover.has_hooks() ? kTimedHooks : kTimedMessages;
  std::size_t looked_at = 0;
  for (Message* message = first; message != nullptr; message = message->next) {
    if (++looked_at % timed == 0 && is_late()) return false;
    __builtin_prefetch(message->next);
    const MovedMessage moved = move_message(context, process_, mover, *message, policy, count);
    if (moved.step == MovedMessage::Step::kLeft) return false;
    if (moved.step == MovedMessage::Step::kSwap) swaps_.push_back({message, moved.made});
  }
  return true;
}

void MailSwap::commit() {
  BATON_CHECK(!is_committed_, "mail is swapped once");
  is_committed_ = true;
  const Swap* swap = swaps_.data();
  const Swap* end = swap + boxed_;
  const auto next_is = [&](const Message* message) { return swap != end && swap->old == message; };

  Message* first = nullptr;
  Message* last = nullptr;
  const auto append = [&](Message* message) {
    (last != nullptr ? last->next : first) = message;
    last = message;
  };
  for (Message* message = process_->in_first; message != nullptr;) {
    Message* next = message->next;
    Message* goes = message;
    if (next_is(message)) goes = (swap++)->made;
    if (goes != nullptr) {
      if (goes != message) pass_mark(*message, *goes);
      append(goes);
    }
    message = next;
  }
  BATON_CHECK(swap == end, "mail of a parked process is gone");

  if (newest_ != nullptr) {
    // Newest first, and so built from its end: what came since, then what was looked at.
    end = swaps_.data() + swaps_.size();
    Message* boxed = nullptr;
    Message* boxed_last = nullptr;
    const auto prepend = [&](Message* message) {
      if (boxed == nullptr) boxed_last = message;
      message->next = std::exchange(boxed, message);
    };
    for (Message* message = process_->mailbox.take(); message != nullptr;) {
      Message* next = message->next;
      Message* goes = message;
      if (next_is(message)) goes = (swap++)->made;
      if (goes != nullptr) {
        if (goes != message) pass_mark(*message, *goes);
        prepend(goes);
      }
      message = next;
    }
    BATON_CHECK(swap == end, "mail of a parked process is gone");
    if (boxed != nullptr) {
      append(boxed);
      last = boxed_last;
    }
  }
  if (last != nullptr) last->next = nullptr;
  process_->in_first = first;
  process_->in_last = last;
  // It may name a message that is no longer there; looking again from the start finds the same.
  process_->scan = nullptr;
}

void MailSwap::settle(runtime::Context& context) {
  for (const Swap& swap : swaps_) {
    if (!is_committed_) {
      if (swap.made != nullptr) context.release(swap.made);
    } else if (swap.made == nullptr) {
      lose(context, process_->self, swap.old);
    } else {
      context.release(swap.old);
    }
  }
  swaps_.clear();
}

}  // namespace baton::takeover
