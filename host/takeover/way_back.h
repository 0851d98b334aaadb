// WayBack: the way back of one committed take-over: the parked objects, and whom they belong to.
//
// It is the list that the take-over worked from: one Crossing for each process that went over,
// which names the object that was left (parked: live and emptied) and the one that took its place.
//
// Ownership: owns the parked objects; borrows both versions' code, which must stay loaded.
// Threads:   any, one at a time; the destructor does no work inside a pause.
#pragma once

#include "runtime/runtime.h"
#include "takeover/crossing.h"

#include <memory>
#include <vector>

namespace baton::takeover {

/// What freeing may take before whoever waits goes on without it.
inline constexpr std::uint64_t kFreeNs = 5'000'000'000;

/// Destroys a state and frees its memory, in a context.
void free_state(runtime::Context& context, const baton_schema* schema, void* state);

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
