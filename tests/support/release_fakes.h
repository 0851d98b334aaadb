// FakeModules, FakeServices: what an upgrade moves, as a model that can fail at any call.
//
// Each keeps what would be in force, so that a test can ask whether it agrees with what the
// handler, the journal and the status say. Calls out of their order, which the real parts could not
// survive, end the test.
//
// Threads: one.
#pragma once

#include "base/check.h"
#include "description/difference.h"
#include "release/modules.h"
#include "release/services.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace baton::test {

/// Whether a call fails, by what it is: "stage", "take_over", "take_back", "apply", "revert",
/// "purge".
using Trip = std::function<Result<void>(const std::string& call)>;

class FakeModules final : public release::Modules {
 public:
  explicit FakeModules(Trip& trip) : trip_(trip) {}

  Result<void> stage(const release::Plan& plan, const bundle::Manifest&) override {
    BATON_CHECK(staged_.empty() && way_back_.empty(), "staged while an upgrade is open");
    BATON_TRY(trip_("stage"));
    for (const release::ModulePlan& module : plan.modules)
      if (module.step == release::ModuleStep::kLoad ||
          module.step == release::ModuleStep::kTakeOver) {
        if (module.step == release::ModuleStep::kTakeOver && old_.contains(module.name))
          return staged_.clear(), Error(Code::kBusy, "an old version lingers");
        staged_[module.name] = module.to_version;
      }
    return {};
  }
  void unstage(const release::Plan&) override { staged_.clear(); }
  Result<void> count_mail(release::Plan&) override { return {}; }
  Result<takeover::TakeoverReport> take_over(const release::Plan& plan,
                                             const takeover::TakeoverOptions&,
                                             const std::function<void()>& at_flip) override {
    BATON_TRY(trip_("take_over"));
    if (on_drain) on_drain();
    at_flip();
    if (on_taken_over) on_taken_over();
    way_back_ = current;
    for (const auto& [name, version] : staged_) {
      if (current.contains(name)) old_[name] = current[name];
      current[name] = version;
      retired_.erase(name);  // that one is old now
    }
    staged_.clear();
    runs = plan.to;
    came_from_ = plan.from;
    return takeover::TakeoverReport{};
  }
  Result<takeover::TakeoverReport> take_back(const release::Plan& plan,
                                             const takeover::TakeoverOptions& options) override {
    BATON_CHECK(runs == plan.to, "taken back what was not taken over");
    if (loses && !options.accepts_loss) return Error(Code::kRefused, "it would lose a key");
    BATON_TRY(trip_("take_back"));
    for (const release::ModulePlan& module : plan.modules)
      if (module.step == release::ModuleStep::kTakeOver)
        std::swap(current[module.name], old_[module.name]);
    runs = came_from_;
    way_back_.clear();
    if (on_take_back) on_take_back();
    return takeover::TakeoverReport{};
  }
  void watch() override {}
  std::uint64_t samples(const release::Plan&) const override { return 0; }
  void give_up_way_back() override { way_back_.clear(); }
  Result<release::PurgeReport> purge(const std::string& module,
                                     std::chrono::milliseconds) override {
    BATON_CHECK(way_back_.empty(), "purged what the way back needs");
    BATON_CHECK(old_.contains(module), module);
    BATON_TRY(trip_("purge"));
    release::PurgeReport report{module, old_[module], 0, true, {}};
    old_.erase(module);
    return report;
  }
  Result<release::PurgeReport> remove(const std::string& module,
                                      std::chrono::milliseconds) override {
    BATON_CHECK(current.contains(module), module);
    retired_.insert(module);
    BATON_TRY(trip_("purge"));
    release::PurgeReport report{module, current[module], 0, true, {}};
    current.erase(module);
    retired_.erase(module);
    return report;
  }
  std::vector<Left> left() const override {
    std::vector<Left> all;
    if (!way_back_.empty()) return all;
    for (const auto& [name, version] : old_) all.push_back({name, true});
    for (const std::string& name : retired_) all.push_back({name, false});
    return all;
  }

  bool has_pinned() const override { return is_pinned; }
  void unload_pinned() override {
    if (std::exchange(has_returned, false)) is_pinned = false;
  }

  /// Everything is gone, as after the death of the host.
  void die() { *this = FakeModules(trip_); }
  bool is_staged() const { return !staged_.empty(); }

  std::string runs;                            // the release whose code the processes run
  std::map<std::string, std::string> current;  // version by module
  bool loses = false;                          // whether the way back loses something
  bool is_pinned = false;     // whether a library is still mapped, though its module is gone
  bool has_returned = false;  // what it waits for
  std::function<void()> on_drain, on_taken_over, on_take_back;

  FakeModules& operator=(FakeModules&& other) {
    staged_ = other.staged_, old_ = other.old_, way_back_ = other.way_back_;
    retired_ = other.retired_, came_from_ = other.came_from_, runs = other.runs;
    current = other.current, loses = other.loses;
    is_pinned = other.is_pinned, has_returned = other.has_returned;
    return *this;
  }

 private:
  Trip& trip_;
  std::map<std::string, std::string> staged_, old_, way_back_;
  std::set<std::string> retired_;
  std::string came_from_;
};

class FakeServices final : public release::Services {
 public:
  explicit FakeServices(Trip& trip) : trip_(trip) {}

  Result<void> apply(const description::Change& change) override {
    BATON_TRY(trip_("apply"));
    description::carry_out(change, in_force);
    calls.push_back("apply " + change.text());
    return {};
  }
  Result<void> revert(const description::Change& change) override {
    BATON_TRY(trip_("revert"));
    description::carry_out(change.inverse(), in_force);
    calls.push_back("revert " + change.text());
    return {};
  }
  void expose(const description::Change& change) override {
    calls.push_back("expose " + change.text());
  }
  void settle(const description::Change& change) override {
    calls.push_back("settle " + change.text());
  }
  Result<void> start_ended() override {
    BATON_TRY(trip_("revert"));
    ended.clear();
    if (on_started_ended) on_started_ended();
    return {};
  }
  bool is_missing(const std::string& application) const override {
    return ended.contains(application) && is_described(application);
  }
  void stop() override { in_force = {}; }
  Result<std::unique_ptr<release::CheckLine>> line_to(const std::string&) const override {
    return Error(Code::kFailed, "there are no listeners");
  }
  std::string listener_address(const std::string&) const override { return {}; }

  description::ReleaseDescription in_force;
  std::vector<std::string> calls;
  std::set<std::string> ended;  // applications, by themselves
  std::function<void()> on_started_ended;

  bool is_described(const std::string& application) const {
    return std::ranges::find(in_force.applications, application,
                             &description::ApplicationDescription::name) !=
           in_force.applications.end();
  }

 private:
  Trip& trip_;
};

}  // namespace baton::test
