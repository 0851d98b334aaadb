// batond: the host's process. Reads its configuration, runs one Node, and stops it on SIGTERM or
// SIGINT.
#include "node/node.h"
#include "node/options.h"

#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <cstdio>

namespace {

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
  signal(SIGXFSZ, SIG_IGN);  // a file that may grow no more is an error, as on a full disk
  raise_descriptor_limit();
  // The first backtrace loads a library, under the dynamic loader's lock: now, not in a crash.
  void* frames[1];
  backtrace(frames, 1);

  auto node = baton::node::Node::open(config);
  if (!node.ok()) return fail(node.error());
  int signal_number = 0;
  sigwait(&stopping, &signal_number);
  const std::string fatal = (*node)->fatal();
  (*node)->log().write(baton::LogLevel::kInfo, "stopping",
                       {{"signal", signal_number == SIGTERM ? "SIGTERM" : "SIGINT"}});
  // Who asks twice does not want to wait.
  signal(SIGTERM, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &stopping, nullptr);
  // By a status that a service manager restarts: the next start is with the permanent release.
  return fatal.empty() ? 0 : baton::exit_code(baton::Code::kFailed);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app;
  baton::node::Options options;
  baton::node::add_options(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : baton::exit_code(baton::Code::kUsage);
  }

  const auto files = baton::real_files();
  baton::node::Config config;
  if (options.config_file.empty()) {
    const auto facts = files->facts(baton::node::kDefaultConfig);
    if (facts.ok() && facts->has_value()) options.config_file = baton::node::kDefaultConfig;
  }
  if (!options.config_file.empty()) {
    auto read = baton::node::read_config(*files, options.config_file);
    if (!read.ok()) return fail(read.error());
    config = std::move(read).value();
  }
  if (!options.root.empty()) config.root = options.root;
  if (!options.socket.empty()) config.socket = options.socket;
  if (options.only_check) return 0;
  return run(config);
}
