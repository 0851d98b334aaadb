// baton-bench: baton's side of the process and take-over benchmarks. One JSON line per figure.
//
//   baton-bench processes [SCHEDULERS]
//   baton-bench takeover PROCESSES IDLE MODULES MODE
//
// The work is done by real modules, loaded from their files through the gate; names and units are the peers'.
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>

#include "behaviour/application.h"
#include "code/library.h"
#include "runtime/runtime.h"
#include "takeover/takeover.h"
#include "term/atom.h"
#include "term/builder.h"
#include "term/layout.h"
#include "term/text.h"

namespace {

using namespace baton;
using std::chrono::milliseconds;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "baton-bench: %s\n", what.c_str());
  std::exit(1);
}

template <class T>
T must(Result<T> result) {
  if (!result.ok()) fail(result.error().message());
  return std::move(result).value();
}
void must(Result<void> result) {
  if (!result.ok()) fail(result.error().message());
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

class Observer : public runtime::Observer {
 public:
  void crashed(baton_term, const code::Version& version, const char* behaviour,
               baton_term reason) override {
    fail(version.module_name() + ":" + behaviour + " crashed: " + term::print(reason, atoms));
  }
  void log(int, baton_term, const code::Version*, std::string_view text) override {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
  }
  term::AtomTable atoms;
};

class Host {
 public:
  explicit Host(std::uint32_t schedulers)
      : runtime({.schedulers = schedulers}, observer_.atoms, code, observer_),
        applications(runtime, [](const behaviour::Ended& ended) { fail(ended.name + " ended"); }) {
    runtime.start();
  }
  ~Host() { runtime.stop(); }

  term::AtomTable& atoms() { return observer_.atoms; }

  code::Version* load(const std::string& path) {
    auto library = must(code::Library::open(path, {}, &runtime.host_table()));
    for (const std::string& atom : library->note().atoms) must(atoms().intern(atom));
    const baton_module* module = library->module();
    return must(code.stage(std::make_unique<code::Version>(module, std::move(library))));
  }
  code::Version* load_current(const std::string& path) {
    code::Version* version = load(path);
    code.make_current(version->module_name());
    return version;
  }
  baton_term spawn(code::Version* version, const char* behaviour) {
    runtime::External external(runtime);
    return runtime::spawn(external.context(), {.version = version,
                                               .behaviour = version->behaviour(behaviour),
                                               .args = nullptr})
        .pid;
  }
  std::string call(baton_term to, baton_term request) {
    const term::Block block = must(term::Block::copy_of(request));
    const term::Block answer = must(runtime.call(to, block, std::chrono::minutes(5)));
    return term::print(answer.root(), atoms());
  }
  /// How long {run, N, K} takes until it is answered, in nanoseconds.
  double run(baton_term root, std::int64_t n, std::int64_t k) {
    term::Builder builder;
    const baton_term request =
        builder.tuple({term::atom("run"), builder.integer(n), builder.integer(k)});
    const std::uint64_t start = runtime::now_ns();
    call(root, request);
    return static_cast<double>(runtime::now_ns() - start);
  }

  code::CodeTable code;

 private:
  Observer observer_;

 public:
  runtime::Runtime runtime;
  behaviour::Applications applications;
};

// ---- Processes

void say(const char* name, double value, const char* unit) {
  std::printf("{\"name\":\"%s\",\"value\":%.1f,\"unit\":\"%s\"}\n", name, value, unit);
  std::fflush(stdout);
}

void idlers(Host& host, code::Version* bench, std::int64_t count, bool servers) {
  const baton_term root = host.spawn(bench, "idlers");
  const double before = resident_bytes();
  const auto n = static_cast<double>(count);
  const double time = host.run(root, count, servers ? 1 : 0);
  const double bytes = (resident_bytes() - before) / n;
  say(servers ? "idle_gen_server_start" : "idle_process_spawn", time / n, "ns");
  say(servers ? "idle_gen_server_rss" : "idle_process_rss", bytes, "bytes");
  const double stop = host.run(root, 0, 0);
  if (!servers) say("monitor_stop_down", stop / n, "ns");
}

int processes(std::uint32_t schedulers) {
  Host host(schedulers);
  code::Version* bench = host.load_current(BENCH_MODULE);
  const baton_term pairs = host.spawn(bench, "pairs");
  host.run(pairs, 200'000, 1);
  say("ping_pong_round_trip", host.run(pairs, 2'000'000, 1) / 2e6, "ns");
  say("pairs_message_rate", 2.0 * 1000 * 2000 * 1e9 / host.run(pairs, 2000, 1000), "per_s");
  const baton_term fan_in = host.spawn(bench, "fan_in");
  say("fan_in_message_rate", 4e6 * 1e9 / host.run(fan_in, 1'000'000, 4), "per_s");
  const baton_term ring = host.spawn(bench, "ring");
  say("ring_message_rate", 1e6 * 1e9 / host.run(ring, 1000, 1000), "per_s");
  const baton_term spawner = host.spawn(bench, "spawner");
  say("spawn_message_exit", host.run(spawner, 1'000'000, 1000) / 1e6, "ns");
  const baton_term skynet = host.spawn(bench, "skynet");
  host.run(skynet, 1'000'000, 0);
  say("skynet_1m", host.run(skynet, 1'000'000, 0) / 1e6, "ms");
  host.run(skynet, 1'000'000, 1);
  say("skynet_1m_all_leaves", host.run(skynet, 1'000'000, 1) / 1e6, "ms");
  const baton_term caller = host.spawn(bench, "caller");
  host.run(caller, 100'000, 0);
  say("gen_server_call", host.run(caller, 1'000'000, 0) / 1e6, "ns");
  idlers(host, bench, 1'000'000, false);
  idlers(host, bench, 300'000, true);
  return 0;
}

// ---- Take-over

struct Facts {
  std::int64_t processes, idle, modules;
  std::string mode;
};

void say(const char* name, double ms, const char* direction, const Facts& facts) {
  std::printf(
      "{\"name\":\"%s\",\"value\":%.3f,\"unit\":\"ms\",\"direction\":\"%s\",\"processes\":%lld,"
      "\"idle\":%lld,\"modules\":%lld,\"mode\":\"%s\"}\n",
      name, ms, direction, static_cast<long long>(facts.processes),
      static_cast<long long>(facts.idle), static_cast<long long>(facts.modules),
      facts.mode.c_str());
  std::fflush(stdout);
}

// Calls one cell every millisecond, and knows how long the longest call took.
class Client {
 public:
  Client(Host& host, baton_term cell) : host_(host), cell_(cell), thread_([this] { call_all(); }) {}
  ~Client() {
    is_over_ = true;
    thread_.join();
  }
  double take_longest_ms() { return static_cast<double>(longest_ns_.exchange(0)) / 1e6; }

 private:
  void call_all() {
    while (!is_over_) {
      const std::uint64_t start = runtime::now_ns();
      host_.call(cell_, term::atom("incr"));
      const std::uint64_t took = runtime::now_ns() - start;
      if (took > longest_ns_.load()) longest_ns_.store(took);
      std::this_thread::sleep_for(milliseconds(1));
    }
  }
  Host& host_;
  const baton_term cell_;
  std::atomic<bool> is_over_{false};
  std::atomic<std::uint64_t> longest_ns_{0};
  std::thread thread_;
};

baton_term start_cells(Host& host, std::int64_t count) {
  bundle::ApplicationDescription application;
  application.name = "cells";
  application.supervisor.strategy = bundle::Strategy::kSimpleOneForOne;
  bundle::ChildDescription cell;
  cell.id = "cell";
  cell.module = "cells";
  cell.behaviour = "cell";
  application.supervisor.children.push_back(cell);
  must(host.applications.start(
      must(behaviour::application_spec_of(application, host.atoms())), milliseconds(10'000)));
  const baton_term supervisor = host.applications.list().at(0).supervisor;
  std::string first;
  for (std::int64_t i = 0; i < count; ++i) {
    term::Builder builder;
    const std::string started = host.call(
        supervisor,
        builder.tuple({term::atom("start_child"), builder.list({builder.integer(i)})}));
    if (first.empty()) first = started;
  }
  // {ok,<0.INDEX.GENERATION>}
  const std::size_t pid = first.find('<');
  if (pid == std::string::npos) fail("start_child answered " + first);
  const term::Block block =
      must(term::parse(first.substr(pid, first.size() - pid - 1), host.atoms()));
  return block.root();
}

int take_over(const Facts& facts) {
  if (facts.modules != 1) fail("only one module is measured so far");
  if (facts.mode != "atomic") fail("the only mode is atomic so far");
  Host host(0);
  host.load_current(CELLS_1_0_0);
  if (facts.idle != 0) {
    code::Version* bench = host.load_current(BENCH_MODULE);
    host.run(host.spawn(bench, "idlers"), facts.idle, 0);
  }
  Client client(host, start_cells(host, facts.processes));
  std::this_thread::sleep_for(milliseconds(500));
  client.take_longest_ms();

  takeover::Takeover takeover(host.runtime);
  const auto measure = [&](const char* direction, const char* path, bundle::Direction way) {
    const std::uint64_t start = runtime::now_ns();
    code::Version* target = host.load(path);
    takeover::TakeoverOptions options;
    options.accepts_loss = true;
    auto way_back = must(takeover.run({{host.code.current("cells"), target, way}}, options,
                                      [&] { host.code.make_current("cells"); }));
    const std::uint64_t end = runtime::now_ns();
    std::this_thread::sleep_for(milliseconds(200));  // lets a call that was held up come back
    say("takeover_total", static_cast<double>(end - start) / 1e6, direction, facts);
    say("takeover_longest_call", client.take_longest_ms(), direction, facts);
    const takeover::TakeoverReport& report = way_back->report();
    std::fprintf(stderr,
                 "baton-bench: %s: %llu processes, drain %llu us, prepare %llu us, commit %llu us, "
                 "pause %llu us\n",
                 direction, static_cast<unsigned long long>(report.migrated),
                 static_cast<unsigned long long>(report.drain_us),
                 static_cast<unsigned long long>(report.prepare_us),
                 static_cast<unsigned long long>(report.commit_us),
                 static_cast<unsigned long long>(report.pause_us));
    way_back.reset();
    auto old = host.code.take_old("cells");
    if (old == nullptr) fail("the old version still has leases");
    if (!old->release_library()->close().is_unloaded) fail("the old version is still mapped");
  };
  measure("upgrade", CELLS_1_1_0, bundle::Direction::kUp);
  measure("downgrade", CELLS_1_0_0, bundle::Direction::kDown);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "processes" && argc <= 3)
    return processes(argc == 3 ? static_cast<std::uint32_t>(std::stoul(argv[2])) : 0);
  if (what == "takeover" && argc == 6)
    return take_over({std::stoll(argv[2]), std::stoll(argv[3]), std::stoll(argv[4]), argv[5]});
  std::fprintf(stderr,
               "usage: baton-bench processes [SCHEDULERS]\n"
               "       baton-bench takeover PROCESSES IDLE MODULES MODE\n");
  return 2;
}
