#include "runtime/sample.h"

#include "runtime/runtime.h"

namespace baton::runtime {

namespace {

bool is_asked(const Message& message) { return message.kind <= BATON_CAST; }

bool is_set_off(const Message& message) {
  return (message.flags & kSetOff) != 0 || message.kind == BATON_TIMEOUT;
}

}  // namespace

void begin_sample(Context& context, const Message* message) {
  context.is_set_off = message != nullptr && is_set_off(*message);
  if (message == nullptr || !is_asked(*message) || context.is_set_off) return;
  if (!context.runtime.attends(Attention::kSampling)) return;
  code::Version& version = *context.current->version.load(std::memory_order_relaxed);
  add_one(version.shard(context.id).samples);
}

void resume_sample(Context& context, Process& process) {
  context.is_set_off = process.has(kFrameSetOff);
  process.clear(kFrameSetOff);
}

void receive_sample(Context& context, const Message& message) {
  if (is_asked(message) || message.kind == BATON_TIMEOUT) begin_sample(context, &message);
}

}  // namespace baton::runtime
