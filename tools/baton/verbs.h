// The verbs of the command line, a function per family that adds them to the parser.
//
// Each verb's function returns the exit code of the process. What it needs beside its own options
// is in Session.
#pragma once

#include "base/files.h"
#include "baton/client.h"
#include "baton/output.h"

#include <CLI/CLI.hpp>

#include <functional>
#include <memory>
#include <string>

namespace baton::cli {

/// The global flags, filled by the parser before a verb runs, and the verb that was chosen.
struct Session {
  explicit Session(Files& files_of) : files(files_of) {}

  std::string root = "/var/lib/baton";
  std::string socket;  // empty: in the root
  Output output;
  Files& files;
  std::function<int()> run;

  std::string socket_path() const { return socket.empty() ? root + "/batond.sock" : socket; }
  Client client() const { return Client(socket_path()); }
};

/// The global flags and all of the verbs below: what the command line takes, and the manual shows.
void add_everything(CLI::App& app, Session& session);

/// key, pack, sign, verify, extract: without a host.
void add_bundle_verbs(CLI::App& app, Session& session);
/// What a bundle says of itself; the verb `info`, of a file.
int show_bundle(Session& session, const std::string& file);
/// plan, upgrade, rollback, release ...
void add_release_verbs(CLI::App& app, Session& session);
/// ps, tree, info, state, call, cast, send, suspend, resume, stop, kill
void add_process_verbs(CLI::App& app, Session& session);
/// status, modules, crash, log-level, config, version
void add_host_verbs(CLI::App& app, Session& session);

}  // namespace baton::cli
