// CheckLine: what a health check speaks by, made before it is needed.
//
// Invariants: to use it takes no descriptor, so that clients who have taken all cannot make a check
//             of the host's own fail.
// Threads:    one at a time.
#pragma once

#include "base/result.h"

#include <chrono>

namespace baton::release {

class CheckLine {
 public:
  virtual ~CheckLine() = default;
  /// Connects as a client does, within that time; the socket to speak by, non-blocking, until
  /// hang_up. Fails: kFailed or kUnreachable, saying why.
  virtual Result<int> connect(std::chrono::nanoseconds patience) = 0;
  /// Ends what connect began, whether that succeeded or not. It may connect again.
  virtual void hang_up() = 0;
};

}  // namespace baton::release
