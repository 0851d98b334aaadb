#include "runtime/long_schedule.h"

#include "runtime/process.h"

namespace baton::runtime {

namespace {
constexpr std::uint64_t kNsPerMs = 1'000'000;
// From then on in seconds.
constexpr std::uint64_t kLongMs = 10'000;
}  // namespace

std::string LongSchedule::text() const { return module + " " + version + ": " + whereabouts(); }

std::string LongSchedule::whereabouts() const {
  std::string text;
  if (pid != BATON_NO_TERM)
    text =
        "<0." + std::to_string(pid_index(pid)) + "." + std::to_string(pid_generation(pid)) + "> ";
  text += "in " + (behaviour.empty() ? "" : behaviour + ":") + callback;
  if (!message.empty()) text += "(" + message + ")";
  const std::uint64_t ms = age_ns / kNsPerMs;
  return text + " for " +
         (ms < kLongMs ? std::to_string(ms) + " ms" : std::to_string(ms / 1000) + " s");
}

}  // namespace baton::runtime
