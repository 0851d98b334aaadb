// CheckLine: a pair of connected sockets by which the host's own checks speak to its listeners.
//
// It is made beforehand. To use it takes no descriptor and no place among the clients' connections,
// and so strangers cannot make a check fail by taking all of them; descriptors that are kept back
// and given up before a check would go to whoever waits in another backlog. The Net takes one end
// for a connection that has just been accepted, lends it to the listener, and has it again when
// that ends: neither end is ever closed or shut down, so that it can be used any number of times.
//
// Ownership: owns both ends; shared by its user and the connection that has it.
// Threads:   any; one use at a time.
#pragma once

#include "base/files.h"
#include "base/result.h"

#include <memory>

namespace baton::net {

class CheckLine {
 public:
  /// kFailed: the system has no descriptors for it.
  static Result<std::shared_ptr<CheckLine>> make();

  /// The check's, non-blocking.
  int own_end() const { return own_.get(); }
  /// The connection's, non-blocking.
  int lent_end() const { return lent_.get(); }
  /// Forgets what an earlier use has left in it. Requires: it is not in use.
  void clear();

 private:
  CheckLine(int own, int lent) : own_(own), lent_(lent) {}

  const ScopedFd own_, lent_;
};

}  // namespace baton::net
