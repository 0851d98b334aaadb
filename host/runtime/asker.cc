#include "runtime/asker.h"

#include <new>

#include "term/layout.h"
#include "term/text.h"

namespace baton::runtime {

namespace {

struct Asker {
  std::shared_ptr<Question> question;
  baton_term ref = BATON_NO_TERM;
};

int construct(void* raw, baton_error*) {
  new (raw) Asker;
  return 0;
}
void destroy(void* state) {
  auto* asker = static_cast<Asker*>(state);
  if (asker->question != nullptr)
    asker->question->answer.set_value(Error(Code::kFailed, "the host is stopping"));
  asker->~Asker();
}

int init(baton_context* raw, void* state, const Message* args) {
  auto& asker = *static_cast<Asker*>(state);
  Context& context = context_of(raw);
  auto* question = reinterpret_cast<std::shared_ptr<Question>*>(args->word[0]);
  asker.question = std::move(*question);
  delete question;

  Message* request = asker.question->request;
  request->from = context.self;
  if (request->kind == BATON_CALL) {
    asker.ref = call(context, asker.question->to, request);
  } else {
    asker.ref = request->word[0] = context.make_ref();
    send(context, asker.question->to, request);
  }
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
    case BATON_REPLY:
      question->answer.set_value(term::Block::copy_of(message->root));
      break;
    case BATON_DOWN:
      question->answer.set_value(
          Error(Code::kNotFound, "no answer: the process is not there or ended: " +
                                     term::print(message->root, runtime.atoms(), {.bytes = 2000})));
      break;
    default:
      question->answer.set_value(Error(
          Code::kTimedOut,
          "no answer within " + std::to_string(question->timeout.count()) + " ms"));
      break;
  }
  return BATON_STOP;
}

constexpr baton_schema kSchema{.struct_size = sizeof(baton_schema),
                               .field_stride = sizeof(baton_field),
                               .field_count = 0,
                               .size = sizeof(Asker),
                               .align = alignof(Asker),
                               .revision = 0,
                               .name = "asker",
                               .fingerprint = 0,
                               .fields = nullptr,
                               .dropped = nullptr,
                               .construct = construct,
                               .destroy = destroy,
                               .change = nullptr,
                               .revert = nullptr,
                               .loss = nullptr,
                               .discard = nullptr,
                               .to_term = nullptr};
constexpr baton_behaviour kAsker{.name = "asker",
                                 .kind = BATON_GEN_SERVER,
                                 .flags = 0,
                                 .state = &kSchema,
                                 .init = init,
                                 .handle = handle,
                                 .resume = nullptr,
                                 .destroy_frame = nullptr,
                                 .terminate = nullptr};
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

void spawn_asker(Context& context, std::shared_ptr<Question> question) {
  Message* args = context.allocate(1);
  args->word[0] =
      reinterpret_cast<baton_term>(new std::shared_ptr<Question>(std::move(question)));
  spawn(context, {.version = &context.runtime.builtin(), .behaviour = &kAsker, .args = args});
}

const baton_module& asker_module() { return kModule; }

}  // namespace baton::runtime
