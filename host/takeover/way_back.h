// WayBack: the way back of one committed take-over: the parked objects, and whom they belong to.
//
// It is the list that the take-over worked from: one Crossing for each process that went over,
// which names the object that was left (parked: live and emptied) and the one that took its place.
//
// Ownership: owns the parked objects; borrows both versions' code, which must stay loaded.
// Threads:   any, one at a time; the destructor does no work inside a pause.
#pragma once

#include "module/schema.h"
#include "runtime/runtime.h"
#include "takeover/state_mover.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace baton::takeover {

/// `from` is the current version of its module, `to` the one that takes over; both are loaded.
struct Change {
  code::Version* from;
  code::Version* to;
  module::Direction direction;  // kUp: `to` is the newer version
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

/// Destroys a state and frees its memory, in a context.
void free_state(runtime::Context& context, const baton_schema* schema, void* state);

/// What a take-over did, in numbers. Durations in microseconds.
struct TakeoverReport {
  std::uint64_t migrated = 0;
  std::uint64_t adopted = 0;
  std::uint64_t left_behind = 0;  // coroutine processes and processes without a successor
  std::uint64_t drain_us = 0;
  std::uint64_t prepare_us = 0;
  std::uint64_t commit_us = 0;
  std::uint64_t pause_us = 0;  // from the start of the drain until all run again
};

class WayBack {
 public:
  ~WayBack();
  WayBack(const WayBack&) = delete;
  WayBack& operator=(const WayBack&) = delete;

  const TakeoverReport& report() const { return report_; }

 private:
  friend class Migration;
  friend class Takeover;
  explicit WayBack(runtime::Runtime& runtime) : runtime_(runtime) {}

  runtime::Runtime& runtime_;
  std::vector<Change> changes_;
  std::vector<std::unique_ptr<const StateMover>> movers_;
  std::vector<Route> routes_;
  std::vector<Crossing> crossings_;  // kMigrates: old_state is parked. Others are of no use.
  TakeoverReport report_;
};

}  // namespace baton::takeover
