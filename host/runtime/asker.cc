#include "runtime/asker.h"

#include "base/check.h"
#include "runtime/native.h"
#include "runtime/primitives.h"
#include "term/layout.h"
#include "term/text.h"

namespace baton::runtime {

namespace {

Error timed_out(const Question& question) {
  return Error(Code::kTimedOut,
               "no answer within " + std::to_string(question.timeout.count()) + " ms");
}

struct Asker {
  ~Asker() {
    if (question == nullptr) return;
    question->answer(runtime->is_stopping()
                         ? Error(Code::kUnreachable, kStoppingText)
                         : Error(Code::kFailed, "no answer: the process that asked was ended"));
  }
  Runtime* runtime = nullptr;  // there when the question is
  std::shared_ptr<Question> question;
};

int init(baton_context* raw, void* state, const Message* args) {
  auto& asker = *static_cast<Asker*>(state);
  Context& context = context_of(raw);
  asker.runtime = &context.runtime;
  asker.question = context.runtime.questions().take(args->word[0]);

  Message* request = asker.question->request;
  if (asker.question->is_answered()) {
    // No scheduler came by in time, and whoever asked has gone: nothing is asked in his name.
    context.release(request);
    return BATON_STOP;
  }
  request->from = context.self;
  ask(context, asker.question->to, request);
  const auto timeout = std::chrono::nanoseconds(asker.question->timeout);
  send_after(context, static_cast<std::uint64_t>(timeout.count()), context.self,
             context.allocate(1));
  return BATON_OK;
}

int handle(baton_context* raw, void* state, const Message* message) {
  auto& asker = *static_cast<Asker*>(state);
  Runtime& runtime = context_of(raw).runtime;
  std::shared_ptr<Question> question = std::exchange(asker.question, nullptr);
  switch (message->kind) {
    case BATON_REPLY: question->answer(term::Block::copy_of(message->root)); break;
    case BATON_DOWN:
      question->answer(
          Error(Code::kNotFound, "no answer: the process is not there or ended: " +
                                     term::print(message->root, runtime.atoms(), {.bytes = 2000})));
      break;
    default: break;  // who asked has seen the time pass by itself
  }
  return BATON_STOP;
}

constexpr baton_schema kSchema = native_schema<Asker>("asker");
constexpr baton_behaviour kAsker = native_behaviour(kSchema, init, handle);
constexpr baton_module kModule{.struct_size = sizeof(baton_module),
                               .abi_major = BATON_ABI_MAJOR,
                               .abi_minor = BATON_ABI_MINOR,
                               .name = "baton",
                               .version = "host",
                               .build = "host",
                               .behaviour_count = 1,
                               .behaviour_stride = sizeof(baton_behaviour),
                               .behaviours = &kAsker,
                               .init = nullptr,
                               .fini = nullptr};

}  // namespace

// ---- Questions

void Question::answer(Result<term::Block> answer) {
  std::lock_guard lock(mutex_);
  if (answer_) return;
  answer_ = std::move(answer);
  answered_.notify_all();
}

Result<term::Block> Question::wait(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  if (!answered_.wait_for(lock, stop, timeout, [this] { return answer_.has_value(); })) {
    if (stop.stop_requested())
      answer_ = Error(Code::kUnreachable, kStoppingText);
    else
      answer_ = timed_out(*this);
  }
  return std::move(*answer_);
}

bool Question::is_answered() const {
  std::lock_guard lock(mutex_);
  return answer_.has_value();
}

std::uint64_t Questions::add(std::shared_ptr<Question> question) {
  std::lock_guard lock(mutex_);
  if (is_closed_) return 0;
  waiting_.emplace(++numbers_, std::move(question));
  return numbers_;
}

std::shared_ptr<Question> Questions::take(std::uint64_t number) {
  std::lock_guard lock(mutex_);
  auto found = waiting_.extract(number);
  BATON_CHECK(!found.empty(), "an asker without a question");
  return std::move(found.mapped());
}

void Questions::close(Context& context) {
  std::lock_guard lock(mutex_);
  is_closed_ = true;
  for (const auto& [number, question] : waiting_) {
    context.release(question->request);
    question->answer(Error(Code::kUnreachable, kStoppingText));
  }
  waiting_.clear();
}

void spawn_asker(Context& context, std::uint64_t question) {
  Message* args = context.allocate(1);
  args->word[0] = question;
  spawn(context, {.version = &context.runtime.builtin(), .behaviour = &kAsker, .args = args});
}

const baton_module& asker_module() { return kModule; }

}  // namespace baton::runtime
