// KvServer: the kv engine with one connection and a clock that the test sets.
#pragma once

#include "support/kv_session.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace kv {

class KvServer {
 public:
  /// The wall clock, which stands still; another clock than the one that the test sets.
  static constexpr std::int64_t kUnixMs = 1'700'000'000'000;

  /// Sends bytes as one chunk; returns the replies. After the server has closed, there are none.
  std::string send(std::string_view chunk) {
    if (is_closed_) return "";
    std::string all;
    Session session = open_session(state_, connection_, chunk, now_ms_, [] { return kUnixMs; });
    while (true) {
      std::string replies;
      const Session::Progress progress = session.run(replies);
      all += replies;
      is_closed_ = progress == Session::Progress::kClose;
      if (progress != Session::Progress::kMore) return all;
      ++pauses_;
    }
  }
  /// Types a line.
  std::string operator()(std::string_view line) { return send(std::string(line) + "\r\n"); }

  State& state() { return state_; }
  Connection& connection() { return connection_; }
  bool is_closed() const { return is_closed_; }
  /// How often replies were so long that they were passed on before the chunk's end.
  int pauses() const { return pauses_; }
  void pass_ms(std::int64_t span) { now_ms_ += span; }
  std::int64_t now_ms() const { return now_ms_; }

 private:
  State state_;
  Connection connection_{1, "", {}};
  std::int64_t now_ms_ = 1'000'000;
  bool is_closed_ = false;
  int pauses_ = 0;
};

}  // namespace kv
