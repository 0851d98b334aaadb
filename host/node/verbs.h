// make_verbs: what the admin interface can be asked, as a table of names and functions over the
// node's parts.
//
// Threads: the functions are called on the admin interface's threads, several at once.
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "behaviour/application.h"
#include "net/net.h"
#include "node/admin.h"
#include "node/config.h"
#include "node/crashes.h"
#include "node/host_observer.h"
#include "release/handler.h"
#include "runtime/runtime.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace baton::node {

struct Parts {
  runtime::Runtime& runtime;
  release::ReleaseHandler& handler;
  behaviour::Applications& applications;
  net::Net& net;
  release::ReleaseStore& store;
  Log& log;
  const Clock& clock;
  const HostObserver& observer;
  const Crashes& crashes;
  const Config& config;
};

/// The parts outlive the verbs.
Verbs make_verbs(const Parts& parts);

// One per family, in files of their own; each adds its verbs.
void add_host_verbs(Verbs& verbs, const Parts& parts);
void add_process_verbs(Verbs& verbs, const Parts& parts);
void add_release_verbs(Verbs& verbs, const Parts& parts);

// An argument of a verb: kUsage, saying what was expected, if it is of another type or missing. One
// that may be left out has a value for that.
Result<std::string> text_argument(const boost::json::object& arguments, std::string_view key,
                                  std::optional<std::string> otherwise = std::nullopt);
struct NumberRange {
  std::int64_t least;
  std::int64_t most;
};
Result<std::int64_t> number_argument(const boost::json::object& arguments, std::string_view key,
                                     NumberRange range,
                                     std::optional<std::int64_t> otherwise = std::nullopt);
Result<bool> flag_argument(const boost::json::object& arguments, std::string_view key);

}  // namespace baton::node
