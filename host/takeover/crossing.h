// Crossing: one process that goes over in a take-over, and the values that are beside it: the
// change of its module, the route of its behaviour, and the report.
//
// Plain data that drain, migration and way back hand to each other.
//
// Ownership: borrows versions, schemas and states.
// Threads:   value types.
#pragma once

#include "module/evolution.h"
#include "runtime/runtime.h"
#include "takeover/state_mover.h"

#include <cstdint>

namespace baton::takeover {

/// `from` is the current version of its module, `to` the one that takes over; both are loaded.
struct Change {
  code::Version* from;
  code::Version* to;
  module::Evolution evolution;  // from the one to the other, as the plan has it
};

/// How the processes of one behaviour go over.
struct Route {
  const baton_behaviour* from;
  const baton_behaviour* to;
  code::Version* to_version;
  const StateMover* mover;  // null: states are adopted where they lie
};

/// One process that goes over. A take-over walks many of them: small, two to a cache line.
struct Crossing {
  enum class Kind : std::uint8_t {
    kAdopts,    // nothing is made: an equal state, or none yet
    kMigrates,  // `made` is new
    kReturns,   // `made` is the parked object that an earlier take-over left
  };
  std::uint32_t process;  // slot index
  std::uint32_t generation;
  void* old_state;
  void* made;
  std::uint32_t route;
  Kind kind;
};
static_assert(sizeof(Crossing) == 32);

/// What a take-over did, in numbers. Durations in microseconds.
struct TakeoverReport {
  std::uint64_t migrated = 0;
  std::uint64_t adopted = 0;
  std::uint64_t left_behind = 0;     // coroutine processes and processes without a successor
  std::uint64_t abandoned = 0;       // whose callbacks did not return: their states are lost
  std::uint64_t mail_moved = 0;      // messages that waited and were given another form
  std::uint64_t mail_dropped = 0;    // that had none
  std::uint64_t mail_delivered = 0;  // that had none and went over as they were
  std::uint64_t drain_us = 0;
  std::uint64_t prepare_us = 0;
  std::uint64_t commit_us = 0;
  std::uint64_t pause_us = 0;  // from the start of the drain until all run again
};

}  // namespace baton::takeover
