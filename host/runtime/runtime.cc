#include "runtime/runtime.h"

#include "base/check.h"
#include "base/processors.h"
#include "runtime/asker.h"
#include "runtime/primitives.h"
#include "runtime/turn.h"
#include "runtime/watch.h"
#include "term/layout.h"

#include <algorithm>
#include <bit>
#include <thread>

namespace baton::runtime {

namespace {

std::uint32_t schedulers_wanted(const Options& options) {
  std::uint32_t count = options.schedulers;
  if (count == 0) count = usable_processors();
  return std::min(count, kSchedulersMax);
}

}  // namespace

void sleep_a_moment() { std::this_thread::sleep_for(std::chrono::microseconds(20)); }

Runtime::Runtime(Options options, term::AtomTable& atoms, code::CodeTable& code, Observer& observer)
    : atoms_(atoms),
      code_(code),
      observer_(observer),
      pause_(std::move(options.pause)),
      scheduling_point_(std::move(options.scheduling_point)),
      host_table_(*this),
      runners_(*this, schedulers_wanted(options)),
      watch_(std::make_unique<Watch>(*this, options.limits)),
      questions_(std::make_unique<Questions>()),
      wakeup_(*this),
      estates_(*this) {
  add_own_extensions(*this);
  builtin_ = std::make_unique<code::Version>(&asker_module());
  for (std::uint32_t i = 0; i < runners_.count(); ++i) {
    schedulers_.push_back(std::make_unique<Scheduler>(*this, i));
    schedulers_.back()->set_runner(runners_.at(i));
    runners_.at(i).scheduler = schedulers_.back().get();
  }
}

Runtime::~Runtime() { stop(); }

void Runtime::start() {
  runners_.start();
  watch_->start();
}

bool Runtime::stop(std::uint64_t deadline_ns) {
  watch_->stop();
  is_stopping_.store(true, std::memory_order_seq_cst);
  for (auto& scheduler : schedulers_) scheduler->poller().wake();
  if (runners_.join(deadline_ns) != 0) return false;
  External external(*this);
  for (std::uint32_t index = 1; index < table_.used(); ++index) {
    Process& process = table_.at(index);
    // A slot without a version is free.
    if (process.version.load(std::memory_order_acquire) != nullptr)
      discard_process(external.context(), process);
  }
  estates_.discard(external.context());
  questions_->close(external.context());
  return true;
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

bool Runtime::is_alive(baton_term pid) {
  Process* process = find(pid);
  return process != nullptr && process->mailbox.is_open(pid_generation(pid)) &&
         process->generation.load(std::memory_order_relaxed) == pid_generation(pid);
}

bool Runtime::watch_port_owner(baton_term pid) {
  Process* process = find(pid);
  if (process == nullptr) return false;
  // A later process of the slot may get the flag: the keeper then finds nothing under its pid.
  process->owns_ports.store(true, std::memory_order_relaxed);
  return is_alive(pid);
}

// ---- Calls from outside

Result<term::Block> Runtime::call(baton_term to, const term::Block& request,
                                  std::chrono::milliseconds timeout, std::stop_token stop) {
  BATON_ASSIGN(const std::shared_ptr<Question> question, begin_call(to, request, timeout));
  return question->wait(std::move(stop));
}

Result<std::shared_ptr<Question>> Runtime::begin_call(baton_term to, const term::Block& request,
                                                      std::chrono::milliseconds timeout) {
  BATON_ASSIGN(External external, External::borrow(*this));
  Message* message = message_of(external.context(), request.root(), BATON_CALL, 1);
  return ask(external.context(), to, message, timeout);
}

Result<term::Block> Runtime::system(baton_term to, SystemRequest request,
                                    std::chrono::milliseconds timeout, baton_term argument,
                                    std::stop_token stop) {
  std::shared_ptr<Question> question;
  {
    BATON_ASSIGN(External external, External::borrow(*this));
    Message* message = message_of(external.context(), argument, kSystemSignal, 2);
    message->word[1] = request;
    BATON_ASSIGN(question, ask(external.context(), to, message, timeout));
  }
  return question->wait(std::move(stop));
}

Result<std::shared_ptr<Question>> Runtime::ask(Context& context, baton_term to, Message* request,
                                               std::chrono::milliseconds timeout) {
  auto question = std::make_shared<Question>(to, request, timeout);
  const std::uint64_t number = questions_->add(question);
  if (number == 0) {
    context.release(request);
    return Error(Code::kUnreachable, kStoppingText);
  }
  spawn_asker(context, number);
  return question;
}

// ---- Contexts for other threads

Result<External> External::borrow(Runtime& runtime, std::chrono::nanoseconds patience) {
  Context* context = runtime.borrow(patience);
  if (context == nullptr)
    return Error(Code::kBusy, "more than " + std::to_string(kExternalsMax) +
                                  " threads talk to the runtime at once; try again");
  return External(runtime, context);
}

Context* Runtime::borrow(std::chrono::nanoseconds patience) {
  std::unique_lock lock(externals_mutex_);
  const bool is_free = external_free_.wait_for(lock, patience, [this] { return has_external(); });
  return is_free ? take_external() : nullptr;
}

Context* Runtime::borrow() {
  std::unique_lock lock(externals_mutex_);
  external_free_.wait(lock, [this] { return has_external(); });
  return take_external();
}

// Requires, as the next: externals_mutex_ is held.
bool Runtime::has_external() const {
  return !free_externals_.empty() || externals_.size() < kExternalsMax;
}

Context* Runtime::take_external() {
  if (free_externals_.empty()) {
    const auto id = static_cast<std::uint32_t>(kWatchId + 1 + externals_.size());
    externals_.push_back(std::make_unique<Context>(*this, id));
    return externals_.back().get();
  }
  Context* context = free_externals_.back();
  free_externals_.pop_back();
  return context;
}

void Runtime::give_back(Context* context) {
  BATON_CHECK(context->current == nullptr, "a callback is under way in a context given back");
  std::lock_guard lock(externals_mutex_);
  free_externals_.push_back(context);
  external_free_.notify_one();
}

// ---- The take-over's side

bool Runtime::barrier(std::uint64_t deadline_ns) {
  const std::uint64_t epoch = epoch_.fetch_add(1, std::memory_order_seq_cst) + 1;
  for (auto& scheduler : schedulers_) {
    runners_.hurry(*scheduler, kEpoch);
    scheduler->poller().wake();
  }
  watch_->set_hurry(true);
  bool has_passed = true;
  for (auto& scheduler : schedulers_) {
    while (has_passed && scheduler->acknowledged() < epoch) {
      has_passed = now_ns() <= deadline_ns && !is_stopping();
      if (has_passed) pause();
    }
  }
  watch_->set_hurry(false);
  if (has_passed) runners_.pass_exiles();
  return has_passed;
}

}  // namespace baton::runtime
