// health: asks a service from outside, as its clients do, whether it serves.
//
// Threads: any; blocks for the check's time-out at most.
// Fails:   kFailed, saying what was observed against what was asked for.
#pragma once

#include "base/result.h"
#include "description/release_description.h"
#include "release/services.h"

#include <string>

namespace baton::release {

/// One check at HOST:PORT. tcp: it accepts a connection. http: GET of the path answers with the
/// status.
/// `services` expect it meanwhile.
Result<void> check_health(const description::HealthCheck& check, const std::string& address,
                          const Services& services);

}  // namespace baton::release
