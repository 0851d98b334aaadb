// Session: one chunk of a connection's input, carried out.
//
// Stands between the gen_server, which knows messages and ports, and the commands, which know
// neither. The replies of a chunk go out together; when they grow large the caller sends what there
// is and goes on, so that a small chunk cannot ask for an unlimited reply in one piece.
//
// Ownership: lives on the stack of one callback; borrows the state, the connection and the chunk.
// Fails:     a breach of the protocol is answered and ends the connection (kClose).
#pragma once

#include "commands.h"
#include "resp.h"
#include "state.h"

#include <string>
#include <string_view>

namespace kv::inline BATON_BUILD {

/// Replies are passed on once they are this long.
constexpr std::size_t kReplyBytesMax = 1 << 20;

class Session {
 public:
  enum class Progress {
    kDone,   // the chunk is used up
    kMore,   // pass the replies on, then run again
    kClose,  // pass the replies on, then close the connection
  };

  Session(State& state, Connection& connection, std::string_view chunk, std::int64_t now_ms,
          std::int64_t (*unix_ms)())
      : state_(state),
        connection_(connection),
        parser_(connection.input, chunk),
        now_ms_(now_ms),
        unix_ms_(unix_ms) {}

  /// Carries out commands and appends their replies.
  Progress run(std::string& replies);

 private:
  State& state_;
  Connection& connection_;
  Parser parser_;
  const std::int64_t now_ms_;        // one time for the whole chunk
  std::int64_t (*const unix_ms_)();  // the wall clock
  std::string key_;
};

}  // namespace kv::inline BATON_BUILD
