// ReleaseWorld: a release handler between a real store on files that can fail, and fakes of all
// that it moves, on one thread, with a clock that is moved by hand.
//
// Three releases of demo can be installed, 1.0.0 to 3.0.0, each with another version of its module,
// another application and another listener.
//
// Threads: one.
#pragma once

#include "release/handler.h"
#include "support/bundle_maker.h"
#include "support/faulty_files.h"
#include "support/release_fakes.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

namespace baton::test {

class ReleaseWorld {
 public:
  ReleaseWorld() {
    clock.set_wall(*parse_time("2026-11-24T12:00:00Z"));
    log = *Log::open({.level = LogLevel::kCritical, .file = directory / "log"}, clock);
    for (int i = 1; i <= 3; ++i) bundles[i] = pack(i);
    trip = [this](const std::string& call) -> Result<void> {
      ++calls[call];
      if (const auto found = failing.find(call); found != failing.end() && found->second-- == 0)
        return Error(Code::kFailed, call + " fails");
      if (broken.contains(call)) return Error(Code::kFailed, call + " is broken");
      return {};
    };
    open();
    BATON_CHECK(store->keys().trust(maker.key.public_key().text(), "k.pub").ok());
  }

  std::string pack(int i) {
    const std::string n = std::to_string(i);
    return maker.pack_text(
        "name: demo\nversion: " + n + ".0.0\nsequence: " + n +
            "\nmodules:\n  - {name: counter, version: " + (i == 3 ? "1.0.0" : n + ".0.0") +
            "}\napplications:\n  - name: counting\n    supervisor:\n      children:\n"
            "        - {id: first, module: counter, behaviour: counter}\n"
            "        - {id: extra" +
            n +
            ", module: counter, behaviour: counter}\n"
            "listeners:\n  - {name: door" +
            n +
            ", protocol: tcp, address: \"127.0.0.1:0\"}\n"
            "probation: {duration: 60s, crash_rate: {max: 2, per: 10s}}\n",
        "demo-" + n);
  }

  /// Starts the host on its root. False: it does not boot.
  bool open() {
    modules.die();
    services.in_force = {};
    services.ended.clear();
    host_ended.clear();
    auto opened = release::ReleaseStore::open(files, clock, root);
    if (!opened.ok()) return boot_error = opened.error().message(), false;
    store = std::move(*opened);
    handler = std::make_unique<release::ReleaseHandler>(
        release::ReleaseHandler::Parts{modules,
                                       services,
                                       *store,
                                       files,
                                       clock,
                                       *log,
                                       "0.1.0",
                                       {},
                                       [this](const std::string& why) { host_ended = why; },
                                       false});
    if (auto booted = handler->boot(); !booted.ok())
      return boot_error = booted.error().message(), handler.reset(), store.reset(), false;
    run();
    return true;
  }
  /// The host dies: what it does from here on has no effect.
  void die() {
    files.fail_call(0, FaultyFiles::Fault::kFromThere);
    handler.reset();
    store.reset();
    files.heal();
  }
  void stop() {
    handler.reset();
    store.reset();
  }
  void run() {
    while (handler->step()) continue;
  }
  void pass(std::chrono::nanoseconds time) {
    clock.advance(time);
    run();
  }
  /// Until nothing is retried any more, or for a minute.
  void settle() {
    for (int i = 0; i < 60; ++i) pass(std::chrono::seconds(1));
  }

  using Begun = Result<std::shared_ptr<release::Operation>>;
  std::shared_ptr<release::Operation> done(Begun begun) {
    BATON_CHECK(begun.ok(), begun.error().message());
    run();
    return *begun;
  }
  std::shared_ptr<release::Operation> upgrade(int i, const release::InstallOptions& options = {}) {
    return done(handler->upgrade(bundles[i], options, reason));
  }
  std::shared_ptr<release::Operation> rollback(const std::string& to = "", bool accepts = false) {
    return done(handler->rollback(to, {accepts}, reason));
  }
  std::shared_ptr<release::Operation> make_permanent() {
    return done(handler->make_permanent(reason));
  }
  /// 1.0.0 is permanent.
  void deploy() {
    release::InstallOptions at_once;
    at_once.has_probation = false;
    BATON_CHECK(outcome(upgrade(1, at_once)) == "done", outcome(upgrade(1)));
  }
  void crash(int times = 3) {
    for (int i = 0; i < times; ++i) handler->note_crash("counter", "counter crashed");
    run();
  }

  /// An application that ends the host by its type ends, if it runs.
  void end_application(const std::string& name = "counting") {
    if (!services.is_described(name) || !services.ended.insert(name).second) return;
    handler->note_end(name, "shutdown");
  }

  /// "open", "done", or the code's name.
  static std::string outcome(const std::shared_ptr<release::Operation>& operation) {
    const auto result = operation->result();
    return !result ? "open" : result->ok() ? "done" : code_name(result->error().code());
  }
  static std::string message(const std::shared_ptr<release::Operation>& operation) {
    const auto result = operation->result();
    return result && !result->ok() ? result->error().message() : "";
  }
  /// "1.0.0 permanent, 2.0.0 current"
  std::string statuses() const {
    std::string text;
    for (const release::Release& release : handler->releases())
      text +=
          (text.empty() ? "" : ", ") + release.version + " " + release::status_name(release.status);
    return text;
  }
  /// "current", ... of the upgrade that is open; "-" if none is.
  std::string state() const {
    const auto status = handler->upgrade();
    return status ? release::upgrade_state_name(status->state) : "-";
  }
  /// What is wrong between what runs, what the services are, what the journal says and what is
  /// shown; empty: nothing.
  std::string disagreement() const {
    if (!host_ended.empty())
      return services.ended.empty() ? "the host ends, and all that it is for runs" : "";
    const auto status = handler->upgrade();
    const std::string shown = handler->running();
    if (modules.runs != shown)
      return "processes run '" + modules.runs + "', shown is '" + shown + "'";
    std::string current, permanent;
    for (const release::Release& release : handler->releases()) {
      if (release.status == release::Status::kCurrent) current = "demo-" + release.version;
      if (release.status == release::Status::kPermanent) permanent = "demo-" + release.version;
    }
    if (!status) {
      if (!services.ended.empty()) return "an application has ended, and the host goes on";
      if (!current.empty()) return "no upgrade is open and " + current + " is current";
      if (permanent != shown) return "permanent is '" + permanent + "', '" + shown + "' runs";
      if (modules.is_staged()) return "no upgrade is open and something is staged";
      return services_are(shown);
    }
    using State = release::UpgradeState;
    switch (status->state) {
      case State::kCurrent:
        if (current != status->to) return status->to + " is current, the journal says " + current;
        if (shown != status->to) return status->to + " is current, and " + shown + " runs";
        return services_are(shown);
      case State::kTakenOver:
      case State::kServed:
        if (shown != status->to) return status->to + " is taken over, and " + shown + " runs";
        return current.empty() ? "" : "not recorded yet, the journal says " + current;
      case State::kReturned:
      case State::kReverted:
        if (shown != status->from) return "gone back to " + status->from + ", " + shown + " runs";
        return status->state == State::kReverted ? services_are(shown) : "";
      default: return std::string("open between tasks: ") + upgrade_state_name(status->state);
    }
  }

  TemporaryDirectory directory;
  SettableClock clock;
  BundleMaker maker;
  FaultyFiles files{*maker.disk};
  const std::string root = directory / "host";
  std::map<int, std::string> bundles;
  std::map<std::string, int> failing;  // a call, and after how many more it fails once
  std::set<std::string> broken;        // calls that always fail
  std::map<std::string, int> calls;
  Trip trip;
  FakeModules modules{trip};
  FakeServices services{trip};
  std::unique_ptr<Log> log;
  std::string host_ended, boot_error;
  const release::Reason reason{"root", "a test"};
  std::unique_ptr<release::ReleaseStore> store;
  std::unique_ptr<release::ReleaseHandler> handler;

 private:
  std::string services_are(const std::string& release) const {
    const auto& listeners = services.in_force.listeners;
    if (release.empty()) return listeners.empty() ? "" : "nothing runs, and a listener is open";
    const std::string wanted = "door" + release.substr(5, 1);
    if (listeners.size() == 1 && listeners[0].name == wanted &&
        services.in_force.applications.size() == 1 &&
        services.in_force.applications[0].supervisor.children.size() == 2 &&
        services.in_force.applications[0].supervisor.children[1].id == "extra" + wanted.substr(4))
      return "";
    return "the services are not those of " + release;
  }
};

}  // namespace baton::test
