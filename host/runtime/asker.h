// Asker: a process of the host's own that asks for a thread outside: sends the request, waits for
// the answer, the other's death or the time-out, and hands it to whoever waits.
//
// The one who waits and the asker share a Question. Until the asker runs it lies in Questions, so
// that a runtime that stops finds and answers those whose asker never came to run.
//
// Threads: spawn_asker: any context. A question may be waited for by any thread that is no
//          scheduler; the wait ends in time even when no scheduler comes by.
#pragma once

#include "runtime/runtime.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

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
  /// The answer, once; kTimedOut when the time is over, kUnreachable if the waiting is to stop.
  Result<term::Block> wait(std::stop_token stop = {});
  bool is_answered() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any answered_;
  std::optional<Result<term::Block>> answer_;  // guarded by mutex_
};

/// The questions whose asker has not run yet, by number.
class Questions {
 public:
  /// Its number, from 1 on. 0: it is too late, the runtime stops.
  std::uint64_t add(std::shared_ptr<Question> question);
  /// Requires: it was added, and neither taken nor closed.
  std::shared_ptr<Question> take(std::uint64_t number);
  /// Answers all that are left, and takes none any more.
  void close(Context& context);

 private:
  std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::uint64_t, std::shared_ptr<Question>> waiting_;
  std::uint64_t numbers_ = 0;
  bool is_closed_ = false;
};

/// Starts the asker of a question, by its number.
void spawn_asker(Context& context, std::uint64_t question);

/// What Runtime::builtin says of itself. It lists the asker only: the host's other behaviours are
/// started by their tables, and nobody looks for them by name here.
const baton_module& asker_module();

}  // namespace baton::runtime
