// TakeoverFixture: a host whose modules are staged, taken over, rolled back and unloaded as the
// release handler does it.
//
// Module files are found below BATON_MODULES, a definition of the test's target.
//
// Threads: the test's.
#pragma once

#include "support/loaded_host.h"
#include "takeover/known_forms.h"
#include "takeover/takeover.h"

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace baton::test {

class TakeoverFixture : public testing::Test {
 protected:
  using Options = takeover::TakeoverOptions;
  using Direction = module::Direction;

  TakeoverFixture() : host_({.schedulers = 2}) { host_.runtime().start(); }
  /// The host is not started: see LoadedHost.
  explicit TakeoverFixture(runtime::Options options) : host_(std::move(options)) {}

  /// In every take-over, between its commit and the moment when the new versions become current.
  virtual void at_flip() {}

  code::Version* load(const std::string& module, const std::string& version) {
    return host_.load(std::string(BATON_MODULES) + "/" + module + "/" + version + "/" + module +
                      ".so");
  }
  code::Version* current(const std::string& module) { return host_.code().current(module); }

  /// Takes all these modules over by their staged versions, as one transaction.
  Result<std::unique_ptr<takeover::WayBack>> take_over(std::initializer_list<const char*> modules,
                                                       Options options = {},
                                                       Direction direction = Direction::kUp) {
    std::vector<takeover::Change> changes;
    for (const char* module : modules) {
      code::Version* staged = host_.code().status(module)->staged;
      changes.push_back(
          {current(module), staged, host_.evolution(current(module), staged, direction)});
    }
    forms_.learn(changes);
    return takeover::Takeover(host_.runtime()).run(changes, options, [&] {
      at_flip();
      for (const char* module : modules) host_.code().make_current(module);
    });
  }
  Result<takeover::TakeoverReport> roll_back(takeover::WayBack& way_back,
                                             std::initializer_list<const char*> modules,
                                             Options options = {}) {
    return takeover::Takeover(host_.runtime()).rollback(way_back, options, [&] {
      at_flip();
      for (const char* module : modules) host_.code().restore(module);
    });
  }
  /// After a rollback: the version that was left is staged once more.
  void stage_again(const char* module) {
    auto version = host_.code().take_old(module);
    ASSERT_NE(version, nullptr);
    version->revive();
    ASSERT_TRUE(host_.code().stage(std::move(version)).ok());
  }
  /// Whether the library was really unmapped; with sanitizers it never is.
  bool unload(std::unique_ptr<code::Version> version) {
    if (version == nullptr) return false;
    version->retire();  // one that was only staged is not yet
    forms_.forget(*version);
    auto library = version->release_library();
    version.reset();
    library->finish();
    return library->close().is_unloaded || module::kHostIsSanitized;
  }

  /// Returns when all have their state: a take-over finds nothing to migrate in one whose init is
  /// still to come.
  std::vector<baton_term> spawn_many(const char* module, const char* behaviour, int count) {
    std::vector<baton_term> pids;
    for (int i = 0; i < count; ++i)
      pids.push_back(host_.spawn(current(module), behaviour, "[" + std::to_string(i) + "]"));
    states(pids);
    return pids;
  }
  std::vector<std::string> states(const std::vector<baton_term>& pids) {
    std::vector<std::string> texts;
    for (baton_term pid : pids) texts.push_back(host_.state(pid));
    return texts;
  }
  static std::string text(baton_term pid) {
    return "<0." + std::to_string(runtime::pid_index(pid)) + "." +
           std::to_string(runtime::pid_generation(pid)) + ">";
  }

  LoadedHost host_;
  takeover::KnownForms forms_{host_.runtime()};
};

}  // namespace baton::test
