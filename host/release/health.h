// health: asks a service from outside, as its clients do, whether it serves.
//
// Threads: one per line; check_health blocks for the check's time-out at most.
// Fails:   kFailed, saying what was observed against what was asked for.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "description/release_description.h"
#include "release/check_line.h"

#include <memory>
#include <string>

namespace baton::release {

/// To a service that is none of this host's listeners. kFailed: the system has no descriptor.
Result<std::unique_ptr<CheckLine>> line_to_address(const description::Address& address);

/// One check by its line; `address` says which. tcp: it accepts a connection. http: GET of the path
/// answers with the status.
Result<void> check_health(const description::HealthCheck& check, const std::string& address,
                          CheckLine& line, const Clock& clock);

}  // namespace baton::release
