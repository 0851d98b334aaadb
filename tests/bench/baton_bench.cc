// baton-bench: baton's side of the process and take-over benchmarks. One JSON line per figure.
//
//   baton-bench processes
//   baton-bench idle_processes | idle_servers
//   baton-bench takeover PROCESSES IDLE MODULES MODE
//
// The work is done by real modules, loaded from their files through the gate; names and units are
// the peers'. What idle processes cost is measured by programs of its own, whose memory nobody has
// used before.
#include "behaviour/application.h"
#include "code/library.h"
#include "runtime/runtime.h"
#include "takeover/takeover.h"
#include "term/atom.h"
#include "term/builder.h"
#include "term/layout.h"
#include "term/text.h"

#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

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
  Host()
      : runtime({}, observer_.atoms, code, observer_),
        applications(runtime, [](const behaviour::Ended& ended) { fail(ended.name + " ended"); }) {
    runtime.start();
  }
  ~Host() { runtime.stop(); }

  term::AtomTable& atoms() { return observer_.atoms; }

  code::Version* load(const std::string& name, const std::string& number = "1.0.0") {
    const std::string path = MODULES_DIRECTORY "/" + name + "/" + number + "/" + name + ".so";
    auto library = must(code::Library::open(path, {}, &runtime.host_table()));
    for (const std::string& atom : library->note().atoms) must(atoms().intern(atom));
    const baton_module* module = library->module();
    return must(code.stage(std::make_unique<code::Version>(module, std::move(library))));
  }
  code::Version* load_current(const std::string& name) {
    code::Version* version = load(name);
    code.make_current(name);
    return version;
  }
  baton_term spawn(code::Version* version, const char* behaviour) {
    runtime::External external(runtime);
    return runtime::spawn(
               external.context(),
               {.version = version, .behaviour = version->behaviour(behaviour), .args = nullptr})
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

int processes() {
  Host host;
  code::Version* bench = host.load_current("bench");
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
  return 0;
}

// ---- What idle processes cost

// Waits until the schedulers sleep: until they take no processor time any more.
void await_rest() {
  for (std::clock_t before = 0, now = std::clock(); now - before > CLOCKS_PER_SEC / 1000;) {
    before = now;
    std::this_thread::sleep_for(milliseconds(100));
    now = std::clock();
  }
}

// Starts `count` of them; says how long each took, and what it takes of the kernel's memory. That
// is also what stands for what the runtime counts for itself, which it does not: the kernel's count
// is the larger of the two.
void start_idle(Host& host, baton_term root, std::int64_t count, bool are_servers) {
  const std::string kind = are_servers ? "idle_gen_server" : "idle_process";
  const auto n = static_cast<double>(count);
  const double before = resident_bytes();
  const double time = host.run(root, count, are_servers ? 1 : 0);
  await_rest();
  const double bytes = (resident_bytes() - before) / n;
  say((kind + (are_servers ? "_start" : "_spawn")).c_str(), time / n, "ns");
  say((kind + "_memory").c_str(), bytes, "bytes");
  say((kind + "_rss").c_str(), bytes, "bytes");
}

int idle_processes() {
  constexpr std::int64_t kCount = 1'000'000;
  Host host;
  const baton_term root = host.spawn(host.load_current("bench"), "idlers");
  start_idle(host, root, kCount, false);
  say("monitor_stop_down", host.run(root, 0, 0) / static_cast<double>(kCount), "ns");
  return 0;
}

int idle_servers() {
  Host host;
  start_idle(host, host.spawn(host.load_current("bench"), "idlers"), 300'000, true);
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
  must(host.applications.start(must(behaviour::application_spec_of(application, host.atoms())),
                               milliseconds(10'000)));
  const baton_term supervisor = host.applications.list().at(0).supervisor;
  std::string first;
  for (std::int64_t i = 0; i < count; ++i) {
    term::Builder builder;
    const std::string started = host.call(
        supervisor, builder.tuple({term::atom("start_child"), builder.list({builder.integer(i)})}));
    if (first.empty()) first = started;
  }
  // {ok,<0.INDEX.GENERATION>}
  const std::size_t pid = first.find('<');
  if (pid == std::string::npos) fail("start_child answered " + first);
  const term::Block block =
      must(term::parse(first.substr(pid, first.size() - pid - 1), host.atoms()));
  return block.root();
}

// One take-over of all these modules; their old versions are gone when it is over. Says which
// phases it had on standard error, and how long it took from the request, with nothing loaded,
// until it returns, with all processes running.
void take_over(Host& host, Client& client, const std::vector<std::string>& modules,
               const std::string& to, bundle::Direction way, const Facts& facts) {
  const char* direction = way == bundle::Direction::kUp ? "upgrade" : "downgrade";
  takeover::Takeover takeover(host.runtime);
  takeover::TakeoverOptions options;
  options.accepts_loss = true;
  const std::uint64_t start = runtime::now_ns();
  std::vector<takeover::Change> changes;
  for (const std::string& module : modules)
    changes.push_back({host.code.current(module), host.load(module, to), way});
  auto way_back = must(takeover.run(std::move(changes), options, [&] {
    for (const std::string& module : modules) host.code.make_current(module);
  }));
  const std::uint64_t end = runtime::now_ns();
  std::this_thread::sleep_for(milliseconds(200));  // lets a call that was held up come back
  say("takeover_total", static_cast<double>(end - start) / 1e6, direction, facts);
  say("takeover_longest_call", client.take_longest_ms(), direction, facts);

  const takeover::TakeoverReport& report = way_back->report();
  std::fprintf(
      stderr,
      "baton-bench: %s: %llu processes migrated, %llu adopted; drain %llu us, prepare %llu us, "
      "commit %llu us, pause %llu us\n",
      direction, static_cast<unsigned long long>(report.migrated),
      static_cast<unsigned long long>(report.adopted),
      static_cast<unsigned long long>(report.drain_us),
      static_cast<unsigned long long>(report.prepare_us),
      static_cast<unsigned long long>(report.commit_us),
      static_cast<unsigned long long>(report.pause_us));
  if (report.migrated != static_cast<std::uint64_t>(facts.processes) ||
      report.adopted != modules.size() - 1)
    fail("not all processes were taken over");
  way_back.reset();
  for (const std::string& module : modules) {
    auto old = host.code.take_old(module);
    if (old == nullptr) fail("the old version of " + module + " still has leases");
    if (!old->release_library()->close().is_unloaded)
      fail("the old version of " + module + " is still mapped");
  }
}

int measure_takeover(const Facts& facts) {
  if (facts.processes < 1 || facts.idle < 0) fail("PROCESSES is at least 1, IDLE at least 0");
  if (facts.modules < 1 || facts.modules > 1 + DEPENDENTS_MAX)
    fail("MODULES is from 1 to " + std::to_string(1 + DEPENDENTS_MAX));
  if (facts.mode != "atomic") fail("the only MODE is atomic");
  Host host;
  std::vector<std::string> modules{"cells"};
  for (std::int64_t i = 1; i < facts.modules; ++i)
    modules.push_back("cells_dep" + std::to_string(i));
  std::vector<baton_term> dependents;
  for (const std::string& module : modules) {
    code::Version* version = host.load_current(module);
    if (module != "cells") dependents.push_back(host.spawn(version, "dependent"));
  }
  if (facts.idle != 0) host.run(host.spawn(host.load_current("bench"), "idlers"), facts.idle, 0);
  Client client(host, start_cells(host, facts.processes));
  std::this_thread::sleep_for(milliseconds(500));
  client.take_longest_ms();

  const auto change = [&](const std::string& to, bundle::Direction way) {
    take_over(host, client, modules, to, way, facts);
    for (const baton_term dependent : dependents)
      if (host.call(dependent, term::atom("get_version")) != "<<\"" + to + "\">>")
        fail("a dependent module is not at " + to);
  };
  change("1.1.0", bundle::Direction::kUp);
  change("1.0.0", bundle::Direction::kDown);
  return 0;
}

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    fail("a whole number was expected, not \"" + text + "\"");
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "processes" && argc == 2) return processes();
  if (what == "idle_processes" && argc == 2) return idle_processes();
  if (what == "idle_servers" && argc == 2) return idle_servers();
  if (what == "takeover" && argc == 6)
    return measure_takeover({number(argv[2]), number(argv[3]), number(argv[4]), argv[5]});
  std::fprintf(stderr,
               "usage: baton-bench processes | idle_processes | idle_servers\n"
               "       baton-bench takeover PROCESSES IDLE MODULES MODE\n");
  return 2;
}
