// Record: what the client saw, split into named steps, and its form as JSON.
//
// A step's figures are those of the replies that arrived, and of the failures that happened, within
// it.
//
// Threads: one.
#pragma once

#include "load/latency.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace baton::load {

/// Failures past this many are counted, not kept.
inline constexpr std::size_t kFailuresKept = 200;

struct Failure {
  double unix_ms = 0;
  std::string step;
  std::string service;
  unsigned connection = 0;
  std::string what;
  bool is_lost = false;
};

/// The figures of one service, in one step or in all.
struct Tally {
  std::uint64_t requests = 0;
  std::uint64_t failed = 0;
  std::uint64_t dropped = 0;
  std::uint64_t lost = 0;
  std::uint64_t longest_wait_ns = 0;  // of requests that were still under way
  std::uint64_t longest_silence_ns = 0;
  double first_failure_unix_ms = 0;
  double last_failure_unix_ms = 0;
  Latency latency;

  void add(const Tally& other);
  std::uint64_t longest_pause_ns() const;
};

class Record {
 public:
  explicit Record(std::vector<std::string> services, std::string first_step);

  /// Requires: service < the number of services; so everywhere below.
  void replied(std::size_t service, std::uint64_t latency_ns);
  void silent(std::size_t service, std::uint64_t gap_ns);
  /// A request under way has waited this long already.
  void waiting(std::size_t service, std::uint64_t age_ns);
  /// A reply that was wrong or did not come; `is_lost`: it says that a thing stored is gone.
  void failed(std::size_t service, unsigned connection, double unix_ms, const std::string& what,
              bool is_lost = false);
  /// A lost connection, and with it the replies to its `unanswered` requests.
  void dropped(std::size_t service, unsigned connection, double unix_ms, const std::string& why,
               std::uint64_t unanswered);

  /// Ends the step, begins another, and returns the ended one as a JSON object.
  std::string next_step(double unix_ms, std::string name);
  /// Ends the last step. Everything as one JSON object.
  std::string end(double unix_ms);
  /// Nothing failed, was dropped or lost in the steps ended.
  bool is_clean() const;

 private:
  struct Step {
    std::string name;
    double seconds = 0;
    std::vector<Tally> services;
  };
  std::string json(const Step& step) const;
  void end_step(double unix_ms);
  void note(std::size_t service, unsigned connection, double unix_ms, const std::string& what,
            bool is_lost);

  const std::vector<std::string> services_;
  std::string name_;
  double began_unix_ms_ = 0;
  std::vector<Tally> current_;
  std::vector<Step> steps_;
  std::vector<Failure> failures_;
};

}  // namespace baton::load
