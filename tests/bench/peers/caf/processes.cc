// processes: CAF's side of the benchmark of processes and messages, where it has the like.
//
// Build: g++ -O2 -std=c++17 processes.cc -lcaf_core -lpthread
// Start: processes|idle_processes; the latter alone, in memory that nobody has used before.
#include <caf/all.hpp>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace {

constexpr int kRoundTrips = 1'000'000;
constexpr int kIdleActors = 300'000;

void figure(const char* name, double value, const char* unit) {
  std::printf("{\"name\":\"%s\",\"value\":%.1f,\"unit\":\"%s\"}\n", name, value, unit);
}

class Stopwatch {
 public:
  double nanoseconds() const {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double, std::nano>(now - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

caf::behavior echo() {
  return {[](int n) { return n; }};
}

// Sends the next number when the last one is back; the first is the number of round trips to do.
caf::behavior counter(caf::event_based_actor* self, caf::actor partner, caf::actor owner) {
  return {[=](int left) {
    if (left > 0) {
      self->send(partner, left - 1);
      return;
    }
    self->send(owner, caf::ok_atom_v);
    self->send_exit(partner, caf::exit_reason::user_shutdown);
    self->quit();
  }};
}

caf::behavior idle() {
  return {[](int) {}};
}

void ping_pong(caf::actor_system& system) {
  caf::scoped_actor main{system};
  const auto partner = system.spawn(echo);
  const auto asker = system.spawn(counter, partner, caf::actor_cast<caf::actor>(main));
  const Stopwatch watch;
  caf::anon_send(asker, kRoundTrips);
  main->receive([](caf::ok_atom) {});
  figure("ping_pong_round_trip", watch.nanoseconds() / kRoundTrips, "ns");
}

void idle_processes(caf::actor_system& system) {
  std::vector<caf::actor> actors;
  actors.reserve(kIdleActors);
  const double before = resident_bytes();
  const Stopwatch watch;
  for (int i = 0; i < kIdleActors; ++i) actors.push_back(system.spawn(idle));
  figure("idle_process_spawn", watch.nanoseconds() / kIdleActors, "ns");
  figure("idle_process_rss", (resident_bytes() - before) / kIdleActors, "bytes");
  for (const caf::actor& actor : actors)
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc == 2 ? argv[1] : "";
  caf::actor_system_config config;
  caf::actor_system system{config};
  if (what == "processes") {
    ping_pong(system);
  } else if (what == "idle_processes") {
    idle_processes(system);
  } else {
    std::fprintf(stderr, "usage: processes|idle_processes\n");
    return 2;
  }
}
