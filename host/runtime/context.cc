#include "runtime/context.h"

#include "runtime/host_table.h"
#include "runtime/runtime.h"
#include "term/binary.h"

namespace baton::runtime {

Context::Context(Runtime& runtime_of, std::uint32_t id_of)
    : baton_context{},
      runtime(runtime_of),
      id(id_of),
      pools(runtime_of.depot()),
      slots(runtime_of.table()) {
  host = &runtime_of.host_table();
  error = {kErrorTextBytes, 0, error_text};
}

void Context::leave_slowly() {
  if ((boundary.summons() & kHold) != 0) boundary.wait_for_claim();
  if ((boundary.summons() & kLook) != 0 && scheduler != nullptr) scheduler->be_careful();
  boundary.clear(kEpoch);
  boundary.clear(kLook);
  budget = 0;
}

void Context::release_flagged(Message* message) {
  if ((message->flags & BATON_MESSAGE_HAS_SHARED) != 0) term::release_shared(message);
  // Counted as done only now: what its callback began was counted before.
  if ((message->flags & kMarked) != 0) chain.finish_marked();
}

}  // namespace baton::runtime
