// batond: the host's process. Reads its configuration, runs one Node, and stops it on SIGTERM or SIGINT.
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "node/node.h"
#include "base/version.h"

namespace {

constexpr const char* kDefaultConfig = "/etc/baton/batond.yaml";

int fail(const baton::Error& error) {
  std::fprintf(stderr, "batond: %s\n", error.message().c_str());
  return baton::exit_code(error.code());
}

// As many connections as the system allows, not as many as a shell's default does.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int run(const baton::node::Config& config) {
  // Signals are taken by sigwait below; all threads that follow inherit the mask.
  sigset_t stopping;
  sigemptyset(&stopping);
  sigaddset(&stopping, SIGTERM);
  sigaddset(&stopping, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stopping, nullptr);
  signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  // The first backtrace loads a library, under the dynamic loader's lock: now, not in a crash.
  void* frames[1];
  backtrace(frames, 1);

  auto node = baton::node::Node::open(config);
  if (!node.ok()) return fail(node.error());
  int signal_number = 0;
  sigwait(&stopping, &signal_number);
  (*node)->log().write(baton::LogLevel::kInfo, "stopping",
                       {{"signal", signal_number == SIGTERM ? "SIGTERM" : "SIGINT"}});
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("batond: a host for service modules, which it upgrades while they run.");
  std::string config_file, root, socket;
  bool only_check = false;
  app.add_option("--config", config_file, std::string("The configuration file (default: ") +
                                              kDefaultConfig + " if it is there)");
  app.add_option("--root", root, "The directory of everything the host keeps on disk");
  app.add_option("--socket", socket, "The path of the admin socket (default: ROOT/batond.sock)");
  app.add_flag("--check", only_check, "Only check the configuration");
  app.set_version_flag("--version", std::string("batond ") + baton::kVersion);
  app.footer("See also: baton --help");
  CLI11_PARSE(app, argc, argv);

  const auto files = baton::real_files();
  baton::node::Config config;
  if (config_file.empty()) {
    const auto facts = files->facts(kDefaultConfig);
    if (facts.ok() && facts->has_value()) config_file = kDefaultConfig;
  }
  if (!config_file.empty()) {
    auto read = baton::node::read_config(*files, config_file);
    if (!read.ok()) return fail(read.error());
    config = std::move(read).value();
  }
  if (!root.empty()) config.root = root;
  if (!socket.empty()) config.socket = socket;
  if (only_check) return 0;
  return run(config);
}
