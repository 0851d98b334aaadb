// Node: one host: everything is constructed and joined here, and nobody below knows it.
//
// Ownership: owns all rooms' objects, in the order they need each other.
// Threads:   open and the destructor: the main thread.
// Fails:     open: kBusy if another host has the root or the socket; errors of the release that is
//            booted.
#pragma once

#include "base/clock.h"
#include "base/crash.h"
#include "base/files.h"
#include "base/log.h"
#include "behaviour/application.h"
#include "net/net.h"
#include "node/admin.h"
#include "node/config.h"
#include "node/crashes.h"
#include "node/host_observer.h"
#include "node/host_services.h"
#include "release/handler.h"
#include "release/loaded_modules.h"
#include "release/store.h"
#include "runtime/runtime.h"

#include <memory>
#include <mutex>
#include <string>

namespace baton::node {

class Node {
 public:
  static Result<std::unique_ptr<Node>> open(const Config& config);
  /// Stops the release, then everything else. What does not stop in stop_timeout is left: the log
  /// is flushed, and the program ends here.
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  Log& log() { return *log_; }
  /// Why the host has to end though nobody asked it to; empty: it does not.
  std::string fatal() const;

 private:
  explicit Node(const Config& config);
  Result<void> check_root();
  void begin_crash_reports();
  Result<void> start();
  /// Asks the main thread to end the host. Any thread; returns at once.
  void end_host(const std::string& why);
  /// For threads that are inside modules, and cannot be made to leave them.
  [[noreturn]] void end_program(int status);

  const Config config_;
  RealClock clock_;
  std::unique_ptr<Files> files_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<Crashes> crashes_;
  std::unique_ptr<CrashReporter> crash_reporter_;
  std::unique_ptr<term::AtomTable> atoms_;
  std::unique_ptr<code::CodeTable> code_;
  std::unique_ptr<HostObserver> observer_;
  std::unique_ptr<release::ReleaseStore> store_;
  std::unique_ptr<runtime::Runtime> runtime_;
  std::unique_ptr<behaviour::Applications> applications_;
  std::unique_ptr<net::Net> net_;
  std::unique_ptr<HostServices> services_;
  std::unique_ptr<release::LoadedModules> modules_;
  std::unique_ptr<release::ReleaseHandler> handler_;
  Verbs verbs_;
  std::unique_ptr<Admin> admin_;
  mutable std::mutex mutex_;
  std::string fatal_;  // guarded by mutex_
};

}  // namespace baton::node
