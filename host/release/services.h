// Services: what a release runs besides its modules: applications, their configuration, listeners.
// The node implements it over behaviour/ and net/; the release handler says when.
//
// Threads: the release handler's thread.
#pragma once

#include "base/result.h"
#include "description/release_description.h"

#include <cstdint>
#include <string>

namespace baton::release {

class Services {
 public:
  virtual ~Services() = default;

  /// Opens the listeners and starts the applications, in order. On failure what was started is
  /// stopped again.
  virtual Result<void> start(const description::ReleaseDescription& release) = 0;
  /// Applies the difference: new children and listeners start, removed ones stop, configuration
  /// changes and those concerned are told. On failure what was changed is changed back.
  virtual Result<void> change(const description::ReleaseDescription& from,
                              const description::ReleaseDescription& to) = 0;
  /// Stops applications in reverse order, then the listeners.
  virtual void stop() = 0;

  /// A health check of the host's own is about to connect from this local port, and is over:
  /// meanwhile it is let in where there is no room for clients.
  virtual void expect_check(std::uint16_t) const {}
  virtual void forget_check(std::uint16_t) const {}
  /// Where a listener is really bound; empty if it is not open.
  virtual std::string listener_address(const std::string& name) const = 0;
  /// Requests and reads served since the start, by all listeners: whether a probation saw any use.
  virtual std::uint64_t samples() const = 0;
};

}  // namespace baton::release
