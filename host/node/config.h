// Config: what batond.yaml says. Every key has a default; an empty file, or none, is a valid
// configuration.
//
//   format: 1                   of this file
//   root: /var/lib/baton        everything the host keeps on disk
//   schedulers: 0               0: one per processor that affinity and quota leave
//   log:
//     level: info               trace, debug, info, warning, error, critical
//     format: text              text or json
//     file: ""                  empty: standard error
//   admin:
//     socket: ""                empty: ROOT/batond.sock
//   callbacks:                  that do not return, see runtime/watch.h
//     long_schedule: 20ms       reported from then on
//     stuck_after: 100ms        its scheduler goes on without it
//     kill_after: 1s            a fatal signal waits no longer for it
//     abandoned_max: 8          such callbacks of processes that are dead, before versions that
//                               have some start no more processes
//   channels: []                that bundles are taken of, by name; none: of any
//   net:
//     memory_max: 0             what connections may hold in all; 0: a quarter of the memory
//   stop_timeout: 10s           how long a stop may take, whatever modules do
//   take_over:
//     budget: 5s                for drain, prepare and commit together
//
// Threads: a value type.
// Fails:   kUsage with file, line, column and key.
#pragma once

#include "base/files.h"
#include "base/log.h"
#include "base/result.h"
#include "runtime/long_schedule.h"

#include <chrono>
#include <string>
#include <vector>

namespace baton::node {

/// Bump when older hosts would misunderstand what is said, not when there is a new key: that they
/// refuse by its name.
inline constexpr std::uint64_t kConfigFormat = 1;

struct Config {
  std::string root = "/var/lib/baton";
  std::uint32_t schedulers = 0;
  Log::Options log;
  std::string socket;                 // empty: in the root
  std::vector<std::string> channels;  // empty: any
  std::uint64_t memory_max = 0;       // of what connections hold; 0: a share of the system's
  std::chrono::nanoseconds take_over_budget = std::chrono::seconds(5);
  std::chrono::nanoseconds stop_timeout = std::chrono::seconds(10);
  runtime::LongScheduleLimits limits;  // of callbacks

  std::string socket_path() const { return socket.empty() ? root + "/batond.sock" : socket; }
};

Result<Config> parse_config(std::string_view text, const std::string& file);
Result<Config> read_config(Files& files, const std::string& file);

}  // namespace baton::node
