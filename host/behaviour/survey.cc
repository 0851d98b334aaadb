#include "behaviour/survey.h"

#include "base/check.h"
#include "runtime/native.h"
#include "runtime/primitives.h"
#include "term/layout.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <future>
#include <memory>
#include <new>
#include <utility>

namespace baton::behaviour {

namespace {

using runtime::Context;
using runtime::Message;

constexpr std::chrono::seconds kGrace{1};

struct Survey {
  std::vector<SurveyAnswer> answers;
  runtime::SystemRequest request;
  std::chrono::nanoseconds timeout;
};

struct Surveyor {
  std::unique_ptr<Survey> survey;
  std::promise<std::unique_ptr<Survey>> result;
  boost::unordered_flat_map<baton_term, std::size_t> waiting;  // ref -> which answer
};

// What the surveyor is handed in its args.
struct Order {
  std::unique_ptr<Survey> survey;
  std::promise<std::unique_ptr<Survey>> result;
};

int conclude(Surveyor& surveyor) {
  surveyor.result.set_value(std::move(surveyor.survey));
  return BATON_STOP;
}

int init(baton_context* raw, void* state, const Message* args) {
  auto& surveyor = *static_cast<Surveyor*>(state);
  Context& context = runtime::context_of(raw);
  const std::unique_ptr<Order> order(reinterpret_cast<Order*>(args->word[0]));
  surveyor.survey = std::move(order->survey);
  surveyor.result = std::move(order->result);
  auto& answers = surveyor.survey->answers;
  surveyor.waiting.reserve(answers.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    Message* request = context.allocate(2, runtime::kSystemSignal);
    request->word[1] = surveyor.survey->request;
    surveyor.waiting.emplace(runtime::ask(context, answers[i].pid, request), i);
  }
  if (answers.empty()) return conclude(surveyor);
  runtime::send_after(context, static_cast<std::uint64_t>(surveyor.survey->timeout.count()),
                      context.self, context.allocate(1));
  return BATON_OK;
}

int handle(baton_context*, void* state, const Message* message) {
  auto& surveyor = *static_cast<Surveyor*>(state);
  if (message->kind == BATON_TIMEOUT) return conclude(surveyor);
  if (message->kind != BATON_REPLY && message->kind != BATON_DOWN) return BATON_OK;
  const auto found = surveyor.waiting.find(message->word[0]);
  if (found == surveyor.waiting.end()) return BATON_OK;
  SurveyAnswer& answer = surveyor.survey->answers[found->second];
  surveyor.waiting.erase(found);
  answer.is_dead = message->kind == BATON_DOWN;
  if (!answer.is_dead) {
    auto value = term::Block::copy_of(message->root);
    if (value.ok()) answer.value = std::move(value).value();
  }
  return surveyor.waiting.empty() ? conclude(surveyor) : BATON_OK;
}

constexpr baton_schema kSchema = runtime::native_schema<Surveyor>("surveyor");
constexpr baton_behaviour kSurveyor = runtime::native_behaviour(kSchema, init, handle);

}  // namespace

std::vector<SurveyAnswer> survey(runtime::Runtime& runtime, std::span<const baton_term> pids,
                                 runtime::SystemRequest request,
                                 std::chrono::milliseconds timeout) {
  auto order = std::make_unique<Order>();
  order->survey = std::make_unique<Survey>();
  order->survey->request = request;
  order->survey->timeout = timeout;
  for (baton_term pid : pids)
    order->survey->answers.push_back({.pid = pid, .is_dead = false, .value = {}});
  auto result = order->result.get_future();
  {
    runtime::External external(runtime);
    Message* args = external.context().allocate(1);
    args->word[0] = reinterpret_cast<baton_term>(order.release());
    const auto spawned = runtime::spawn(
        external.context(), {.version = &runtime.builtin(), .behaviour = &kSurveyor, .args = args});
    BATON_CHECK(spawned.pid != BATON_NO_TERM, "the host's own version is never retired");
  }
  // The surveyor answers in time, unless the runtime is being stopped under it.
  if (result.wait_for(timeout + kGrace) == std::future_status::ready)
    return std::move(result.get()->answers);
  std::vector<SurveyAnswer> unanswered;
  for (baton_term pid : pids) unanswered.push_back({.pid = pid, .is_dead = false, .value = {}});
  return unanswered;
}

}  // namespace baton::behaviour
