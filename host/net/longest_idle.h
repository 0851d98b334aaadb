// LongestIdle: of many connections those that were idle longest, to be closed in that order.
//
// A search through all connections is dear, and where one has to go others will have to: what a
// search finds serves several times. Whoever takes a candidate looks whether it is idle still.
//
// Invariants: holds at most kShedCandidatesMax, none of which was idle for less time than one that
//             was offered since clear and is not here.
// Threads:    one at a time.
#pragma once

#include "net/limits.h"

#include <baton/abi.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace baton::net {

class LongestIdle {
 public:
  struct Candidate {
    std::uint64_t since_ns;
    baton_term port;
    bool operator<(const Candidate& other) const { return since_ns < other.since_ns; }
  };

  void clear() { found_.clear(); }
  /// Only between clear and the first take.
  void offer(const Candidate& candidate) {
    // The heap's front is the one that was idle for the least time.
    if (found_.size() == kShedCandidatesMax) {
      if (!(candidate < found_.front())) return;
      std::pop_heap(found_.begin(), found_.end());
      found_.pop_back();
    }
    found_.push_back(candidate);
    std::push_heap(found_.begin(), found_.end());
  }
  std::optional<Candidate> take() {
    const auto longest = std::min_element(found_.begin(), found_.end());
    if (longest == found_.end()) return std::nullopt;
    const Candidate taken = *longest;
    found_.erase(longest);
    return taken;
  }

 private:
  std::vector<Candidate> found_;
};

}  // namespace baton::net
