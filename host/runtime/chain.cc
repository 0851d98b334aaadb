#include "runtime/chain.h"

#include "base/check.h"
#include "runtime/receive.h"
#include "runtime/runtime.h"
#include "runtime/watch.h"

namespace baton::runtime {

namespace {

bool is_drained(code::Version* version) {
  return version != nullptr &&
         version->phase().load(std::memory_order_acquire) != code::Phase::kOpen;
}

bool is_drained(const Process& process) {
  return is_drained(process.version.load(std::memory_order_acquire));
}

}  // namespace

bool continues_chain(Context& context, const Message& message) {
  if ((message.flags & (kMarked | kNested)) != 0) return true;
  if (message.kind != BATON_CALL) return false;
  const Process* sender = context.runtime.find(message.from);
  return sender != nullptr && is_drained(*sender);
}

bool continues_chain(const Context& context) {
  if (context.chain.is_continued()) return true;
  // The callback under way began before this scheduler noticed the drain.
  return context.scheduler != nullptr && context.current != nullptr &&
         context.scheduler->is_behind() && is_drained(*context.current);
}

bool continues_chain(const Process& process) {
  return process.has(kChained) || is_drained(process);
}

void mark_sent(Context& context, Process& receiver, Message* message) {
  // Marked already: it comes back from a process that ended without handling it.
  if (!continues_chain(context) || (message->flags & kMarked) != 0) return;
  if (is_drained(receiver)) context.chain.mark(*message);
}

void mark_child(Context& context, code::Version& version, Message* args) {
  if (!continues_chain(context)) return;
  // One that is not drained itself may spawn those that are: a supervisor's children.
  if (is_drained(&version))
    context.chain.mark(*args);
  else
    args->flags |= kNested;
}

void begin_await(Context& context, Process& process) {
  add_one(process.version.load(std::memory_order_relaxed)->shard(context.id).awaits_begun);
}

void end_await(Context& context, Process& process) {
  add_one(process.version.load(std::memory_order_relaxed)->shard(context.id).awaits_ended);
}

// Of both kinds of pairs all that ended is read before all that began: equal sums prove that
// nothing is left (code/version.h).
bool is_at_rest(Runtime& runtime, std::span<code::Version* const> group,
                std::uint64_t frames_left) {
  const auto awaits = [&](auto member) {
    std::uint64_t sum = 0;
    for (code::Version* version : group) {
      runtime.scheduling_point();
      for (std::uint32_t i = 0; i < code::kShards; ++i)
        sum += (version->shard(i).*member).load(std::memory_order_acquire);
    }
    return sum;
  };
  const std::uint64_t ended = awaits(&code::Version::Shard::awaits_ended);
  const std::uint64_t marked = marked_work(runtime);
  const std::uint64_t begun = awaits(&code::Version::Shard::awaits_begun);
  BATON_CHECK(ended <= begun, "a frame that never began to wait has ended");
  return begun == ended + frames_left && marked == 0;
}

void cut_chain(Context& context, Context& inside) {
  const auto cut = [&](Message& message) {
    if ((message.flags & kMarked) != 0) context.chain.finish_marked();
    message.flags &= static_cast<std::uint16_t>(~(kMarked | kNested));
  };
  inside.chain.begin(false);
  if (inside.handled != nullptr) cut(const_cast<Message&>(*inside.handled));
  act_on_arrivals(context, *inside.current);
  for (Message* mail = inside.current->in_first; mail != nullptr; mail = mail->next) cut(*mail);
}

std::uint64_t marked_work(Runtime& runtime) {
  const auto sum_of = [&](auto member) {
    std::uint64_t sum = 0;
    for (std::uint32_t i = 0; i < runtime.runners().count(); ++i) {
      runtime.scheduling_point();
      sum += (runtime.runners().at(i).chain.*member)();
    }
    return sum + (runtime.watch().context().chain.*member)();
  };
  const std::uint64_t ended = sum_of(&Chain::ended);
  const std::uint64_t begun = sum_of(&Chain::begun);
  BATON_CHECK(ended <= begun, "a message that nobody marked was finished");
  return begun - ended;
}

void HeldList::add(Process& process) {
  if (has(process)) return;
  process.held_in = round_;
  process.held_by = static_cast<std::uint16_t>(scheduler_);
  pids_.push_back(process.self);
}

bool HeldList::has(const Process& process) const {
  return process.held_in == round_ && process.held_by == scheduler_;
}

void HeldList::give_back(Scheduler& scheduler) {
  for (baton_term pid : pids_) {
    Process* process = scheduler.runtime.find(pid);
    // One that is awake stands in a run queue, or has ended.
    if (process->mailbox.wake(pid_generation(pid))) scheduler.enqueue_tail(process);
  }
  pids_.clear();
  for (Process* process : kept_) scheduler.enqueue_tail(process);
  kept_.clear();
  ++round_;
}

}  // namespace baton::runtime
