// LongSchedule: a callback that has not returned for long, as it is told to those who look after
// the host; and what is long.
//
// Threads: plain values.
#pragma once

#include <baton/abi.h>

#include <cstdint>
#include <string>

namespace baton::runtime {

struct LongScheduleLimits {
  std::uint64_t long_schedule_ns = 20'000'000;  // reported from then on
  std::uint64_t stuck_after_ns = 100'000'000;   // its scheduler goes on without it
  std::uint64_t kill_after_ns = 1'000'000'000;  // a fatal signal does not wait for it any longer
  // Callbacks of processes that are dead already: with so many of one version, or in all, a version
  // starts no more processes.
  std::uint32_t abandoned_max_version = 2;
  std::uint32_t abandoned_max = 8;
};

struct LongSchedule {
  enum class What {
    kLong,       // it is inside for long_schedule
    kStuck,      // its scheduler has gone on without it
    kNoThread,   // it should have, but there is no thread to go on with
    kAbandoned,  // its process is dead to everybody
    kReturned,
  };
  What what = What::kLong;
  baton_term pid = BATON_NO_TERM;  // none, and no behaviour: an errand's (errand.h)
  std::string module, version, behaviour, callback;
  std::string message;  // the name of what it handles; empty: nothing that has one
  std::uint64_t age_ns = 0;

  /// "kv 1.2.0: <0.17.3> in kv:handle_call(set) for 120 ms".
  std::string text() const;
  /// The same from the pid on.
  std::string whereabouts() const;
};

}  // namespace baton::runtime
