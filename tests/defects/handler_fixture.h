// HandlerFixture: a release handler with real modules and a real store; what a release runs besides
// its modules is faked.
//
// Nothing waits here but for events with a deadline (kDeadline), and for what should not happen.
//
// Threads: the test's; FakeServices' functions are called on the release handler's.
#pragma once

#include "release/handler.h"
#include "release/loaded_modules.h"
#include "runtime/primitives.h"
#include "support/bundle_maker.h"
#include "support/loaded_host.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace baton::test {

inline constexpr std::chrono::seconds kDeadline{20};
inline const release::Reason kReason{"root", "a test"};

/// Whether it comes to hold in time.
template <class Condition>
bool comes_true(Condition condition, std::chrono::milliseconds within = kDeadline) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

/// Runs by itself; its time of day can be moved on.
class RunningClock final : public Clock {
 public:
  std::chrono::nanoseconds monotonic() const override { return real_.monotonic(); }
  WallTime wall() const override { return real_.wall() + ahead_; }
  void advance(std::chrono::milliseconds by) { ahead_ += by; }

 private:
  RealClock real_;
  std::chrono::milliseconds ahead_{0};
};

class FakeServices : public release::Services {
 public:
  /// What a change of services comes to, and whatever happens meanwhile. Unset: it succeeds.
  std::function<Result<void>()> at_change;

  Result<void> apply(const description::Change&) override {
    return at_change ? at_change() : Result<void>();
  }
  Result<void> revert(const description::Change&) override { return {}; }
  void expose(const description::Change&) override {}
  void settle(const description::Change&) override {}
  Result<void> start_ended() override { return {}; }
  bool is_missing(const std::string&) const override { return false; }
  void stop() override {}
  Result<std::unique_ptr<release::CheckLine>> line_to(const std::string&) const override {
    return Error(Code::kFailed, "there are no listeners");
  }
  std::string listener_address(const std::string&) const override { return {}; }
};

class HandlerFixture : public testing::Test {
 protected:
  using Operation = std::shared_ptr<release::Operation>;
  using Options = release::InstallOptions;

  HandlerFixture() { boot(); }

  // ---- The host

  void boot() {
    store_ = release::ReleaseStore::open(files_, clock_, root_).value();
    static_cast<void>(store_->keys().trust(maker_.key.public_key().text(), "k.pub"));
    log_ = Log::open({.file = log_file_}, clock_).value();
    host_ = std::make_unique<LoadedHost>();
    modules_ = std::make_unique<release::LoadedModules>(host_->runtime(), *store_);
    handler_ = std::make_unique<release::ReleaseHandler>(
        release::ReleaseHandler::Parts{.modules = *modules_,
                                       .services = services_,
                                       .store = *store_,
                                       .files = files_,
                                       .clock = clock_,
                                       .log = *log_,
                                       .host_version = "0.1.0",
                                       .channels = {},
                                       .end_host = [](const std::string&) {}});
    const Result<void> booted = handler_->boot();
    ASSERT_TRUE(booted.ok()) << booted.error().message();
  }
  /// An orderly stop.
  void stop() {
    handler_->shut_down();
    host_->runtime().stop();
    handler_.reset();
    modules_.reset();
    host_.reset();
    log_.reset();
    store_.reset();
  }
  std::string log() const { return maker_.read(log_file_); }

  // ---- Releases

  /// The bundle of test 1.MINOR.PATCH with these modules, {"name", "version"} each. Without `more`
  /// an application knows its version, so that there is one change of services from each to the
  /// next.
  std::string pack(const std::string& version,
                   const std::vector<std::pair<std::string, std::string>>& modules,
                   const std::string& more = "") {
    const int sequence = 100 * (version[2] - '0') + std::stoi(version.substr(4)) + 1;
    std::string text = "name: test\nversion: " + version +
                       "\nsequence: " + std::to_string(sequence) + "\nmodules:\n";
    for (const auto& [name, number] : modules)
      text += "  - {name: " + name + ", version: " + number + "}\n";
    const std::string versioned = "applications:\n  - name: versioned\n    env: {version: \"" +
                                  version + "\"}\n    supervisor:\n      children: []\n";
    bundle::PackOptions options =
        maker_.pack_options(text + (more.empty() ? versioned : more), "test-" + version);
    options.modules_directory = BATON_MODULES;
    options.expires = expires_;
    auto packed = bundle::pack(*maker_.files, options);
    BATON_CHECK(packed.ok(), packed.error().message());
    return options.output;
  }
  static Options in_probation() {
    Options options;
    options.probation = std::chrono::hours(1);
    return options;
  }
  static Options at_once() {
    Options options;
    options.probation = std::chrono::nanoseconds(0);
    return options;
  }
  Operation begun(Result<Operation> operation) {
    EXPECT_TRUE(operation.ok()) << operation.error().message();
    return operation.ok() ? *operation : nullptr;
  }
  /// Of an operation, once it has one.
  Result<void> result_of(Result<Operation> operation) {
    if (!operation.ok()) return std::move(operation).error();
    return result_of(*operation);
  }
  Result<void> result_of(const Operation& operation) {
    if (!comes_true([&] { return operation->is_done(); }))
      return Error(Code::kTimedOut, "the operation does not end");
    return *operation->result();
  }
  /// Makes it the permanent release.
  void deploy(const std::string& bundle) {
    const Result<void> done = result_of(handler_->upgrade(bundle, at_once(), kReason));
    ASSERT_TRUE(done.ok()) << done.error().message();
  }
  /// Makes it the current release, for an hour.
  Operation try_out(const std::string& bundle) {
    const Operation operation = begun(handler_->upgrade(bundle, in_probation(), kReason));
    EXPECT_TRUE(comes_true([&] {
      const auto open = handler_->upgrade();
      return open && open->state == release::UpgradeState::kCurrent;
    }));
    return operation;
  }
  /// More crashes of the module than any probation allows.
  void crash_often(const std::string& module) {
    for (int i = 0; i < 20; ++i) handler_->note_crash(module, "a crash of the test");
  }
  /// "1.0.0 permanent, 1.1.0 current"
  std::string statuses() const {
    std::string text;
    for (const release::Release& release : handler_->releases())
      text +=
          (text.empty() ? "" : ", ") + release.version + " " + release::status_name(release.status);
    return text;
  }

  // ---- Processes

  /// Of the module's current version.
  baton_term spawn(const std::string& module, const char* behaviour,
                   const std::string& args = "[]") {
    return host_->spawn(host_->code().current(module), behaviour, args);
  }
  void send(baton_term pid, const std::string& message) {
    const term::Block block = host_->parse(message);
    runtime::External external(host_->runtime());
    runtime::send(external.context(), pid, runtime::message_of(external.context(), block.root()));
  }
  std::string call(baton_term pid, const std::string& request) {
    return host_->call(pid, request, std::chrono::seconds(5));
  }
  /// "1.1.0, old 1.0.0"
  std::string loaded(const std::string& module) {
    const auto status = host_->code().status(module);
    if (!status || status->current == nullptr) return "nothing";
    return status->current->number() +
           (status->old != nullptr ? ", old " + status->old->number() : "");
  }

  RunningClock clock_;
  BundleMaker maker_;
  std::unique_ptr<Files> files_owner_ = real_files();
  FaultyFiles files_{*files_owner_};
  const std::string root_ = maker_.root / "host";
  const std::string log_file_ = maker_.root / "log";
  std::optional<WallTime> expires_;  // of bundles that are packed from now on
  FakeServices services_;
  std::unique_ptr<release::ReleaseStore> store_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<LoadedHost> host_;
  std::unique_ptr<release::LoadedModules> modules_;
  std::unique_ptr<release::ReleaseHandler> handler_;
};

}  // namespace baton::test
