// baton-bench: baton's side of the process benchmarks. One JSON line per figure.
//
//   baton-bench processes | idle_processes | idle_servers
//
// The work is done by real modules, loaded from their files through the gate; names and units are
// the peers'. What idle processes cost is measured by programs of its own, whose memory nobody has
// used before.
#include "code/library.h"
#include "runtime/primitives.h"
#include "runtime/runtime.h"
#include "term/atom.h"
#include "term/builder.h"
#include "term/layout.h"
#include "term/text.h"

#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <string>
#include <thread>

namespace {

using namespace baton;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "baton-bench: %s\n", what.c_str());
  std::exit(1);
}

template <class T>
T must(Result<T> result) {
  if (!result.ok()) fail(result.error().message());
  return std::move(result).value();
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
  Host() : runtime({}, observer_.atoms, code, observer_) { runtime.start(); }
  ~Host() { runtime.stop(); }

  code::Version* load_current(const std::string& name) {
    const std::string path = MODULES_DIRECTORY "/" + name + "/1.0.0/" + name + ".so";
    auto library = must(code::Library::open(path, {}));
    if (auto started = library->start(&runtime.host_table()); !started.ok())
      fail(started.error().message());
    for (const std::string& atom : library->note().atoms) must(observer_.atoms.intern(atom));
    const baton_module* module = library->module();
    code::Version* version =
        must(code.stage(std::make_unique<code::Version>(module, std::move(library))));
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
  /// How long {run, N, K} takes until it is answered, in nanoseconds.
  double run(baton_term root, std::int64_t n, std::int64_t k) {
    term::Builder builder;
    const baton_term request =
        builder.tuple({term::atom("run"), builder.integer(n), builder.integer(k)});
    const term::Block block = must(term::Block::copy_of(request));
    const std::uint64_t start = runtime::now_ns();
    must(runtime.call(root, block, std::chrono::minutes(5)));
    return static_cast<double>(runtime::now_ns() - start);
  }

  code::CodeTable code;

 private:
  Observer observer_;

 public:
  runtime::Runtime runtime;
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
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
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

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc == 2 ? argv[1] : "";
  if (what == "processes") return processes();
  if (what == "idle_processes") return idle_processes();
  if (what == "idle_servers") return idle_servers();
  std::fprintf(stderr, "usage: baton-bench processes | idle_processes | idle_servers\n");
  return 2;
}
