// MailSurvey: how much mail waits that no take-over could convert, by form, for a plan.
//
// A mailbox can be read only by the owner of its process, so those of the modules' processes come
// to rest for a moment: a take-over's drain, and nothing else of it. It is for a plan that has such
// forms, which is rare.
//
// Threads: the take-over's own thread, one take-over or survey at a time.
// Fails:   kTimedOut: a process did not rest.
#pragma once

#include "base/result.h"
#include "code/version.h"
#include "module/evolution.h"
#include "runtime/runtime.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace baton::takeover {

/// What a module's version is to be left for.
struct Departure {
  code::Version* from;
  module::Evolution evolution;
};

/// How many messages wait by module, behaviour and form: "chat:room: cast say".
using StuckCounts = std::map<std::string, std::uint64_t>;
std::string stuck_key(const std::string& module, const std::string& behaviour,
                      const std::string& form);

Result<StuckCounts> count_stuck_mail(runtime::Runtime& runtime,
                                     const std::vector<Departure>& departures,
                                     std::chrono::milliseconds budget);

}  // namespace baton::takeover
