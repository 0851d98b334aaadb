#include "load/record.h"

#include "load/json_field.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace baton::load {
namespace {

std::string decimal(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

std::string member(const char* name, const std::string& json) {
  return std::string("\"") + name + "\":" + json;
}

double ms(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e6; }

std::string json(const Tally& tally) {
  return "{" + member("requests", std::to_string(tally.requests)) + "," +
         member("failed", std::to_string(tally.failed)) + "," +
         member("dropped", std::to_string(tally.dropped)) + "," +
         member("lost", std::to_string(tally.lost)) + "," +
         member("longest_pause_ms", decimal(ms(tally.longest_pause_ns()))) + "," +
         member("longest_silence_ms", decimal(ms(tally.longest_silence_ns))) + "," +
         member("median_ms", decimal(ms(tally.latency.quantile(0.5)))) + "," +
         member("p99_ms", decimal(ms(tally.latency.quantile(0.99)))) + "," +
         member("first_failure_unix_ms", decimal(tally.first_failure_unix_ms)) + "," +
         member("last_failure_unix_ms", decimal(tally.last_failure_unix_ms)) + "}";
}

}  // namespace

void Tally::add(const Tally& other) {
  requests += other.requests;
  failed += other.failed;
  dropped += other.dropped;
  lost += other.lost;
  longest_wait_ns = std::max(longest_wait_ns, other.longest_wait_ns);
  longest_silence_ns = std::max(longest_silence_ns, other.longest_silence_ns);
  if (first_failure_unix_ms == 0) first_failure_unix_ms = other.first_failure_unix_ms;
  last_failure_unix_ms = std::max(last_failure_unix_ms, other.last_failure_unix_ms);
  latency.add(other.latency);
}

std::uint64_t Tally::longest_pause_ns() const {
  return std::max(latency.longest(), longest_wait_ns);
}

Record::Record(std::vector<std::string> services, std::string first_step)
    : services_(std::move(services)), name_(std::move(first_step)), current_(services_.size()) {
  using std::chrono::duration;
  began_unix_ms_ =
      duration<double, std::milli>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void Record::replied(std::size_t service, std::uint64_t latency_ns) {
  ++current_[service].requests;
  current_[service].latency.add(latency_ns);
}

void Record::silent(std::size_t service, std::uint64_t gap_ns) {
  current_[service].longest_silence_ns = std::max(current_[service].longest_silence_ns, gap_ns);
}

void Record::waiting(std::size_t service, std::uint64_t age_ns) {
  current_[service].longest_wait_ns = std::max(current_[service].longest_wait_ns, age_ns);
}

void Record::note(std::size_t service, unsigned connection, double unix_ms, const std::string& what,
                  bool is_lost) {
  Tally& tally = current_[service];
  if (tally.first_failure_unix_ms == 0) tally.first_failure_unix_ms = unix_ms;
  tally.last_failure_unix_ms = unix_ms;
  // However many other failures there are, what was lost is told.
  if (failures_.size() < (is_lost ? 2 * kFailuresKept : kFailuresKept))
    failures_.push_back({unix_ms, name_, services_[service], connection, what, is_lost});
}

void Record::failed(std::size_t service, unsigned connection, double unix_ms,
                    const std::string& what, bool is_lost) {
  ++current_[service].failed;
  if (is_lost) ++current_[service].lost;
  note(service, connection, unix_ms, what, is_lost);
}

void Record::dropped(std::size_t service, unsigned connection, double unix_ms,
                     const std::string& why, std::uint64_t unanswered) {
  ++current_[service].dropped;
  current_[service].failed += unanswered;
  note(service, connection, unix_ms, why, false);
}

void Record::end_step(double unix_ms) {
  steps_.push_back({name_, (unix_ms - began_unix_ms_) / 1e3, std::move(current_)});
  current_.assign(services_.size(), Tally{});
  began_unix_ms_ = unix_ms;
}

std::string Record::next_step(double unix_ms, std::string name) {
  end_step(unix_ms);
  name_ = std::move(name);
  return json(steps_.back());
}

std::string Record::json(const Step& step) const {
  std::string out = "{" + member("event", "\"step\"") + "," +
                    member("step", json_string(step.name)) + "," +
                    member("seconds", decimal(step.seconds));
  for (std::size_t i = 0; i < services_.size(); ++i) {
    out += "," + member(services_[i].c_str(), load::json(step.services[i]));
  }
  return out + "}";
}

std::string Record::end(double unix_ms) {
  end_step(unix_ms);
  Tally all;
  std::string steps;
  for (const Step& step : steps_) {
    for (const Tally& tally : step.services) all.add(tally);
    steps += (steps.empty() ? "" : ",") + json(step);
  }
  std::string failures;
  for (const Failure& failure : failures_) {
    failures += (failures.empty() ? "{" : ",{") + member("unix_ms", decimal(failure.unix_ms)) +
                "," + member("step", json_string(failure.step)) + "," +
                member("service", json_string(failure.service)) + "," +
                member("connection", std::to_string(failure.connection)) + "," +
                member("lost", failure.is_lost ? "true" : "false") + "," +
                member("what", json_string(failure.what)) + "}";
  }
  return "{" + member("event", "\"end\"") + "," + member("requests", std::to_string(all.requests)) +
         "," + member("failed_requests", std::to_string(all.failed)) + "," +
         member("dropped_connections", std::to_string(all.dropped)) + "," +
         member("lost_keys", std::to_string(all.lost)) + "," +
         member("longest_pause_ms", decimal(ms(all.longest_pause_ns()))) + "," +
         member("longest_silence_ms", decimal(ms(all.longest_silence_ns))) + "," +
         member("steps", "[" + steps + "]") + "," + member("failures", "[" + failures + "]") + "}";
}

bool Record::is_clean() const {
  return std::all_of(steps_.begin(), steps_.end(), [](const Step& step) {
    return std::all_of(step.services.begin(), step.services.end(), [](const Tally& tally) {
      return tally.failed == 0 && tally.dropped == 0 && tally.lost == 0;
    });
  });
}

}  // namespace baton::load
