#include "runtime/system.h"

#include "base/check.h"
#include "runtime/info.h"
#include "runtime/primitives.h"
#include "runtime/receive.h"
#include "runtime/signals.h"
#include "term/atom.h"

namespace baton::runtime {

namespace {

void answer(Context& context, const Message& signal, baton_term root) {
  Message* reply = message_of(context, root, BATON_REPLY, 1);
  reply->word[0] = signal.word[0];
  send(context, signal.from, reply);
}

void answer_state(Context& context, Process& process, const Message& signal) {
  const baton_schema* schema = process.behaviour->state;
  if (schema == nullptr || schema->to_term == nullptr || process.state == nullptr)
    return answer(context, signal, term::atoms::kUndefined);
  Message* state = nullptr;
  context.hook = "get_state";
  const bool is_abandoned = call_module_within(
      context, process, [&] { state = schema->to_term(&context, process.state); });
  context.hook = nullptr;
  if (is_abandoned) {
    if (state != nullptr) context.release(state);
    return;
  }
  if (state == nullptr) return answer(context, signal, term::atoms::kSystemLimit);
  answer(context, signal, state->root);
  context.release(state);
}

}  // namespace

bool act_on_system(Context& context, Process& process, Message& signal) {
  switch (static_cast<SystemRequest>(signal.word[1])) {
    case kSuspend:
      process.set(kSuspended);
      answer(context, signal, term::atoms::kOk);
      break;
    case kResume:
      process.clear(kSuspended);
      if (!process.has(kAwaiting)) process.scan = nullptr;
      answer(context, signal, term::atoms::kOk);
      break;
    case kGetState: answer_state(context, process, signal); break;
    case kInfo: {
      Message* info = process_info(context, process);
      answer(context, signal, info->root);
      context.release(info);
      break;
    }
    case kTerminate: {
      if (process.has(kExiting)) break;
      answer(context, signal, term::atoms::kOk);
      if (signal.root == BATON_NO_TERM) signal.root = term::atoms::kNormal;
      if ((process.behaviour->flags & kMeetsExits) != 0) {
        signal.kind = BATON_EXIT;
        signal.from = process.parent;
        return false;
      }
      end_in_order(context, process, signal.root);
      break;
    }
  }
  return true;
}

}  // namespace baton::runtime
