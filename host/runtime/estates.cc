#include "runtime/estates.h"

#include "runtime/primitives.h"
#include "runtime/runtime.h"

namespace baton::runtime {

namespace {

// What is left of the chain.
Message* dispose(Context& context, baton_term pid, Message* chain, baton_term reason) {
  for (std::uint32_t i = 0; chain != nullptr && i < kEstatePiece; ++i) {
    Message* message = chain;
    chain = message->next;
    dead_letter(context, pid, message, reason);
  }
  return chain;
}

}  // namespace

void Estates::leave_some(Context& context, baton_term pid, Message* chain, baton_term reason) {
  chain = dispose(context, pid, chain, reason);
  if (__builtin_expect(chain == nullptr, 1)) return;
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back({pid, chain, reason});
    count_.store(waiting_.size(), std::memory_order_release);
  }
  runtime_.wakeup().wake_one();
}

void Estates::work_off(Context& context) {
  if (is_empty()) return;
  Estate estate;
  {
    std::lock_guard lock(mutex_);
    if (waiting_.empty()) return;
    estate = waiting_.back();
    waiting_.pop_back();
    count_.store(waiting_.size(), std::memory_order_release);
  }
  leave(context, estate.pid, estate.chain, estate.reason);
}

void Estates::discard(Context& context) {
  std::lock_guard lock(mutex_);
  for (const Estate& estate : waiting_)
    for (Message* message = estate.chain; message != nullptr;) {
      Message* next = message->next;
      context.release(message);
      message = next;
    }
  waiting_.clear();
  count_.store(0, std::memory_order_release);
}

}  // namespace baton::runtime
