// Services: what a release runs besides its modules: applications, their configuration, listeners.
// The node implements it over behaviour/ and net/; the release handler says when.
//
//   change of   apply                          expose    settle                    revert
//   new         starts; a listener is bound    accepts   -                         stops
//   gone        is set aside: frozen with its  -         really ends               goes on as it
//               mail and state; a listener                                         was
//               stays bound, accepting nothing
//   restarted   really ends, then starts       -         -                         the other way
//   changed     takes the new values           -         -                         takes the old
//
// A change is applied once, in the plan's order; then it is either reverted, in the reverse order,
// or exposed and then reverted or settled. A listener whose address another needs really closes.
//
// Threads: the release handler's thread; line_to and listener_address: any.
#pragma once

#include "base/result.h"
#include "description/difference.h"
#include "release/check_line.h"

#include <memory>
#include <string>

namespace baton::release {

class Services {
 public:
  virtual ~Services() = default;

  /// On failure it has had no effect.
  virtual Result<void> apply(const description::Change& change) = 0;
  /// Takes an applied change back. A failure names what is not as it was; the rest is.
  virtual Result<void> revert(const description::Change& change) = 0;
  /// Shows an applied change to clients.
  virtual void expose(const description::Change& change) = 0;
  /// Ends what an applied change has set aside. Trouble is logged.
  virtual void settle(const description::Change& change) = 0;
  /// Starts the applications that have ended by themselves: a release that is gone back to is to
  /// run whole.
  virtual Result<void> start_ended() = 0;
  /// Whether an application of what the changes so far have made does not run.
  virtual bool is_missing(const std::string& application) const = 0;
  /// Stops applications in reverse order, then the listeners.
  virtual void stop() = 0;

  /// For the host's own checks of a listener. kFailed: the system has no room for one.
  virtual Result<std::unique_ptr<CheckLine>> line_to(const std::string& listener) const = 0;
  /// Where a listener is really bound; empty if it is not open.
  virtual std::string listener_address(const std::string& name) const = 0;
};

}  // namespace baton::release
