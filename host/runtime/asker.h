// Asker: a process of the host's own that asks for a thread outside: sends the request, waits for
// the answer, the other's death or the time-out, and hands it to whoever waits.
//
// Threads: spawn_asker: any context. The future may be waited for by any thread that is no
//          scheduler.
#pragma once

#include "runtime/runtime.h"

#include <chrono>
#include <future>
#include <memory>

namespace baton::runtime {

struct Question {
  baton_term to = BATON_NO_TERM;
  // A BATON_CALL or a kSystemSignal, with word[0] free for the ref; passes on.
  Message* request = nullptr;
  std::chrono::milliseconds timeout{0};
  std::promise<Result<term::Block>> answer;
};

void spawn_asker(Context& context, std::shared_ptr<Question> question);

/// The description of the host's own behaviours.
const baton_module& asker_module();

}  // namespace baton::runtime
