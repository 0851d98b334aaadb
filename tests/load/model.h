// Model: what one connection of the client asks, and what it must be answered.
//
// Each connection owns things of its own in the server (keys, orders), which nobody else touches,
// so its model predicts every reply. Requests on a connection are answered in order: the model
// keeps its unanswered requests in a queue and compares each reply with the oldest.
//
// After a wrong reply the model takes for unknown what that request touched, until it has set it
// again.
//
// Ownership: the client owns one model per connection.
// Threads:   one.
#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

namespace baton::load {

using Random = std::mt19937_64;

/// What a connection is to ask next.
enum class Work {
  kLoad,    // store the bulk keys this connection owns, once
  kMix,     // the steady mixture, without end
  kVerify,  // read back everything this connection owns, once
};

/// The verdict on one reply.
struct Answer {
  std::size_t size = 0;  // bytes of the stream it took; 0: more bytes are needed
  bool broken = false;   // the stream makes no sense any more: give the connection up
  bool lost = false;     // a thing that was stored is gone, or is not what was stored
  std::string wrong;     // what was asked, expected and got; empty: as expected
};

class Model {
 public:
  virtual ~Model() = default;

  /// Begins another kind of work. Requires: no request unanswered.
  virtual void begin(Work work) = 0;
  /// The bytes of the next request, whose reply is now awaited; empty when the work is done.
  virtual std::string next(Random& random) = 0;
  /// Judges the reply to the oldest unanswered request, at the start of `bytes`. Requires: there is
  /// one.
  virtual Answer answer(std::string_view bytes) = 0;
};

/// At most this much of a request or reply is quoted in a report.
inline constexpr std::size_t kQuoteMax = 160;
std::string quoted(std::string_view bytes);

}  // namespace baton::load
