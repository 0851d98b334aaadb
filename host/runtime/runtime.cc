#include "runtime/runtime.h"

#include "base/check.h"
#include "runtime/asker.h"
#include "runtime/fence.h"
#include "term/layout.h"

#include <algorithm>
#include <bit>
#include <thread>

namespace baton::runtime {

void sleep_a_moment() { std::this_thread::sleep_for(std::chrono::microseconds(20)); }

Runtime::Runtime(Options options, term::AtomTable& atoms, code::CodeTable& code, Observer& observer)
    : atoms_(atoms),
      code_(code),
      observer_(observer),
      pause_(std::move(options.pause)),
      scheduling_point_(std::move(options.scheduling_point)),
      host_table_(*this) {
  builtin_ = std::make_unique<code::Version>(&asker_module());
  std::uint32_t count = options.schedulers;
  if (count == 0) count = std::max(1u, std::thread::hardware_concurrency());
  count = std::min(count, kSchedulersMax);
  for (std::uint32_t i = 0; i < count; ++i)
    schedulers_.push_back(std::make_unique<Scheduler>(*this, i));
}

Runtime::~Runtime() { stop(); }

void Runtime::start() {
  for (auto& scheduler : schedulers_) scheduler->start();
}

void Runtime::stop() {
  is_stopping_.store(true, std::memory_order_seq_cst);
  for (auto& scheduler : schedulers_) scheduler->poller().wake();
  for (auto& scheduler : schedulers_) scheduler->join();
  External external(*this);
  for (std::uint32_t index = 1; index < table_.used(); ++index) {
    Process& process = table_.at(index);
    // A slot without a version is free.
    if (process.version.load(std::memory_order_acquire) != nullptr)
      discard_process(external.context(), process);
  }
}

void Runtime::add_extension(std::string name, const void* table) {
  extensions_.emplace_back(std::move(name), table);
}

const void* Runtime::extension(std::string_view name) const {
  for (const auto& [known, table] : extensions_)
    if (known == name) return table;
  return nullptr;
}

Process* Runtime::find(baton_term pid) {
  if (!term::is_pid(pid) || !table_.has_slot_of(pid)) return nullptr;
  return &table_.at(pid_index(pid));
}

bool Runtime::watch_port_owner(baton_term pid) {
  Process* process = find(pid);
  if (process == nullptr) return false;
  // A later process of the slot may get the flag: the keeper then finds nothing under its pid.
  process->owns_ports.store(true, std::memory_order_relaxed);
  return process->mailbox.is_open(pid_generation(pid)) &&
         process->generation.load(std::memory_order_relaxed) == pid_generation(pid);
}

// ---- Calls from outside

namespace {

// Asks in the context, which the caller gives back before he waits: there are not as many contexts
// as there may be callers.
std::shared_ptr<Question> begin_ask(Context& context, baton_term to, Message* request,
                                    std::chrono::milliseconds timeout) {
  auto question = std::make_shared<Question>(to, request, timeout);
  if (context.runtime.is_stopping()) {
    // No scheduler will run the asker.
    context.release(request);
    question->answer(Error(Code::kUnreachable, kStoppingText));
  } else {
    spawn_asker(context, question);
  }
  return question;
}

}  // namespace

Result<term::Block> Runtime::call(baton_term to, const term::Block& request,
                                  std::chrono::milliseconds timeout) {
  std::shared_ptr<Question> question;
  {
    External external(*this);
    question = begin_ask(external.context(), to,
                         message_of(external.context(), request.root(), BATON_CALL, 1), timeout);
  }
  return question->wait();
}

Result<term::Block> Runtime::system(baton_term to, SystemRequest request,
                                    std::chrono::milliseconds timeout, baton_term argument) {
  std::shared_ptr<Question> question;
  {
    External external(*this);
    Message* message = message_of(external.context(), argument, kSystemSignal, 2);
    message->word[1] = request;
    question = begin_ask(external.context(), to, message, timeout);
  }
  return question->wait();
}

// ---- Contexts for other threads

Context* Runtime::borrow() {
  // Nobody holds one while he waits for an answer, so one soon comes free.
  for (;; sleep_a_moment()) {
    std::lock_guard lock(externals_mutex_);
    if (!free_externals_.empty()) {
      Context* context = free_externals_.back();
      free_externals_.pop_back();
      return context;
    }
    const auto id = static_cast<std::uint32_t>(kSchedulersMax + externals_.size());
    if (id >= kContextsMax) continue;
    externals_.push_back(std::make_unique<Context>(*this, id, nullptr));
    return externals_.back().get();
  }
}

void Runtime::give_back(Context* context) {
  std::lock_guard lock(externals_mutex_);
  free_externals_.push_back(context);
}

// ---- Waking

void Runtime::wake_one() {
  if (idle_.load(std::memory_order_relaxed) == 0) return;
  if (searching_.load(std::memory_order_relaxed) != 0) return;
  wake_slow();
}

void Runtime::wake_slow() {
  std::uint32_t nobody = 0;
  if (!searching_.compare_exchange_strong(nobody, 1, std::memory_order_seq_cst)) return;
  for (;;) {
    const std::uint64_t idle = idle_.load(std::memory_order_seq_cst);
    if (idle == 0) {
      searching_.fetch_sub(1, std::memory_order_seq_cst);
      return;
    }
    const std::uint64_t bit = idle & (~idle + 1);
    if ((idle_.fetch_and(~bit, std::memory_order_seq_cst) & bit) == 0) continue;
    schedulers_[static_cast<std::size_t>(std::countr_zero(bit))]->poller().wake();
    return;
  }
}

void Runtime::inject(Process* process) {
  {
    std::lock_guard lock(injected_mutex_);
    process->queue_next = nullptr;
    (injected_last_ != nullptr ? injected_last_->queue_next : injected_first_) = process;
    injected_last_ = process;
    injected_count_.fetch_add(1, std::memory_order_release);
  }
  full_fence(fence_word_);
  wake_one();
}

Process* Runtime::take_injected(Scheduler& scheduler) {
  if (!has_injected()) return nullptr;
  constexpr std::uint32_t kTakenMax = 128;
  std::unique_lock lock(injected_mutex_);
  const std::uint32_t have = injected_count_.load(std::memory_order_relaxed);
  if (have == 0) return nullptr;
  const std::uint32_t count = std::min({have / scheduler_count() + 1, kTakenMax, have});
  Process* first = injected_first_;
  Process* last = first;
  for (std::uint32_t i = 1; i < count; ++i) last = last->queue_next;
  injected_first_ = last->queue_next;
  if (injected_first_ == nullptr) injected_last_ = nullptr;
  last->queue_next = nullptr;
  injected_count_.store(have - count, std::memory_order_release);
  lock.unlock();
  for (Process* process = first->queue_next; process != nullptr;) {
    Process* next = process->queue_next;
    scheduler.enqueue_tail(process);
    process = next;
  }
  return first;
}

// ---- The take-over's side

bool Runtime::barrier(std::uint64_t deadline_ns) {
  const std::uint64_t epoch = epoch_.fetch_add(1, std::memory_order_seq_cst) + 1;
  for (auto& scheduler : schedulers_) scheduler->poller().wake();
  for (auto& scheduler : schedulers_) {
    while (scheduler->acknowledged() < epoch) {
      if (now_ns() > deadline_ns || is_stopping()) return false;
      pause();
    }
  }
  return true;
}

std::uint64_t Runtime::marked_work() const {
  // All that ended is read before all that began: equal sums prove that nothing is left
  // (code/version.h).
  std::uint64_t ended = 0, begun = 0;
  const auto read = [this](auto member) {
    std::uint64_t sum = 0;
    for (const auto& scheduler : schedulers_) {
      scheduling_point();
      sum += (scheduler.get()->*member).load(std::memory_order_acquire);
    }
    return sum;
  };
  ended = read(&Context::work_ended);
  begun = read(&Context::work_begun);
  return begun - ended;
}

bool Runtime::release_held(std::uint64_t deadline_ns) { return barrier(deadline_ns); }

}  // namespace baton::runtime
