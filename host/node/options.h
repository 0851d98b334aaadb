// Options: what the command line of batond takes.
//
// Apart from main.cc because the manual page is made of them.
//
// Threads: a value type.
#pragma once

#include "base/version.h"

#include <CLI/CLI.hpp>

#include <string>

namespace baton::node {

inline constexpr const char* kDefaultConfig = "/etc/baton/batond.yaml";

struct Options {
  std::string config_file, root, socket;  // empty: not given
  bool only_check = false;
};

/// `options` outlives the parsing.
inline void add_options(CLI::App& app, Options& options) {
  app.name("batond");
  app.description("batond: a host for service modules, which it upgrades while they run.");
  app.add_option(
      "--config", options.config_file,
      std::string("The configuration file (default: ") + kDefaultConfig + " if it is there)");
  app.add_option("--root", options.root, "The directory of everything the host keeps on disk");
  app.add_option("--socket", options.socket,
                 "The path of the admin socket (default: ROOT/batond.sock)");
  app.add_flag("--check", options.only_check, "Only check the configuration");
  app.set_version_flag("--version", std::string("batond ") + kVersion);
  app.footer("See also: baton --help");
}

}  // namespace baton::node
