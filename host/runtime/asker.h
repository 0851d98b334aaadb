// Asker: a process of the host's own that asks for a thread outside: sends the request, waits for
// the answer, the other's death or the time-out, and hands it to whoever waits.
//
// Threads: spawn_asker: any context. A question may be waited for by any thread that is no
//          scheduler; the wait ends in time even when no scheduler comes by.
#pragma once

#include "runtime/runtime.h"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

namespace baton::runtime {

inline constexpr const char* kStoppingText = "the host is stopping";

/// What one who waits and his asker share.
class Question {
 public:
  /// `request` is a BATON_CALL or a kSystemSignal, with word[0] free for the ref; passes on.
  Question(baton_term to_of, Message* request_of, std::chrono::milliseconds timeout_of)
      : to(to_of), request(request_of), timeout(timeout_of) {}

  // Constant after construction; the message is the asker's.
  const baton_term to;
  Message* const request;
  const std::chrono::milliseconds timeout;

  /// The first answer counts.
  void answer(Result<term::Block> answer);
  /// The answer, or kTimedOut once the time is over.
  Result<term::Block> wait();
  bool is_answered() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable answered_;
  std::optional<Result<term::Block>> answer_;  // guarded by mutex_
};

void spawn_asker(Context& context, std::shared_ptr<Question> question);

/// The description of the host's own behaviours.
const baton_module& asker_module();

}  // namespace baton::runtime
