// RandomRelease: release descriptions by a seed, that keep the invariants of
// description/release_description.h.
//
// Names, ids and values come from small pools, so that two of them have much in common and differ
// in every way that two releases can: what is there, its order, its place, each of its fields.
//
// Threads: the test's.
#pragma once

#include "description/release_description.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

namespace baton::test {

class RandomRelease {
 public:
  /// How a worker is started; the default is of no real module.
  using Worker = std::function<void(description::ChildDescription&, RandomRelease&)>;

  explicit RandomRelease(std::uint64_t seed) : random_(seed) {}

  std::uint32_t below(std::uint32_t end) {
    return std::uniform_int_distribution<std::uint32_t>(0, end - 1)(random_);
  }
  bool chance(std::uint32_t percent) { return below(100) < percent; }
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return values.begin()[below(static_cast<std::uint32_t>(values.size()))];
  }
  /// Some of them, in any order.
  std::vector<std::string> some_of(std::vector<std::string> all) {
    if (chance(30)) std::shuffle(all.begin(), all.end(), random_);
    std::erase_if(all, [this](const std::string&) { return chance(35); });
    return all;
  }

  description::ReleaseDescription make() {
    names_ = {"n1", "n2", "n3", "n4", "n5", "n6"};
    std::shuffle(names_.begin(), names_.end(), random_);
    description::ReleaseDescription release;
    release.name = "shop";
    release.version = "1.0.0";
    release.sequence = 1;
    for (const std::string& name : some_of({"desk", "mail", "stock", "till"}))
      release.applications.push_back(application(name));
    std::vector<std::uint16_t> ports = ports_;
    if (chance(50)) std::shuffle(ports.begin(), ports.end(), random_);
    for (const std::string& name : some_of({"admin", "api", "web"})) {
      release.listeners.push_back(listener(name, ports.back()));
      ports.pop_back();
    }
    return release;
  }

  // What a test with a real host gives instead.
  std::vector<std::uint16_t> ports_{7001, 7002, 7003, 7004, 7005};
  Worker worker_ = [](description::ChildDescription& child, RandomRelease& random) {
    child.module = random.one_of<const char*>({"counter", "counter", "tally"});
    child.behaviour = random.one_of<const char*>({"server", "server", "keeper"});
    child.args = random.one_of<const char*>({"[]", "[]", "[1]"});
  };

 private:
  std::string registered_name() {
    if (names_.empty() || !chance(25)) return {};
    std::string name = names_.back();
    names_.pop_back();
    return name;
  }

  description::ChildDescription worker(const std::string& id) {
    description::ChildDescription child;
    child.id = id;
    worker_(child, *this);
    child.restart =
        one_of({description::RestartType::kPermanent, description::RestartType::kPermanent,
                description::RestartType::kTransient});
    if (chance(20)) child.shutdown.timeout = std::chrono::seconds(1);
    return child;
  }

  description::SupervisorDescription supervisor(int depth) {
    description::SupervisorDescription made;
    made.intensity = one_of({1u, 1u, 3u});
    if (chance(20)) made.period = std::chrono::milliseconds(1500);
    made.name = registered_name();
    if (depth > 0 && chance(20)) {
      made.strategy = description::Strategy::kSimpleOneForOne;
      made.children = {worker(one_of<const char*>({"item", "item", "piece"}))};
      return made;
    }
    made.strategy = one_of({description::Strategy::kOneForOne, description::Strategy::kOneForOne,
                            description::Strategy::kRestForOne, description::Strategy::kOneForAll});
    made.auto_shutdown =
        one_of({description::AutoShutdown::kNever, description::AutoShutdown::kNever,
                description::AutoShutdown::kAllSignificant});
    for (const std::string& id : some_of({"a", "b", "c", "d", "e"})) {
      description::ChildDescription child;
      if (depth < 2 && chance(40)) {
        child.id = id;
        child.type = description::ChildType::kSupervisor;
        child.shutdown = {description::Shutdown::Kind::kInfinity, std::chrono::nanoseconds(0)};
        child.supervisor = supervisor(depth + 1);
      } else {
        child = worker(id);
        child.name = registered_name();
      }
      if (made.auto_shutdown != description::AutoShutdown::kNever && chance(30)) {
        child.restart = description::RestartType::kTransient;
        child.significant = true;
      }
      made.children.push_back(std::move(child));
    }
    return made;
  }

  description::ApplicationDescription application(const std::string& name) {
    description::ApplicationDescription made;
    made.name = name;
    made.type =
        one_of({description::ApplicationType::kPermanent, description::ApplicationType::kPermanent,
                description::ApplicationType::kTemporary});
    for (const std::string& key : some_of({"depth", "limit", "mode"}))
      made.env.push_back({key, one_of<const char*>({"1", "1", "<<\"x\">>"})});
    std::ranges::sort(made.env, {}, &description::EnvEntry::key);
    made.supervisor = supervisor(0);
    return made;
  }

  description::ListenerDescription listener(const std::string& name, std::uint16_t port) {
    description::ListenerDescription made;
    made.name = name;
    made.protocol = one_of(
        {description::Protocol::kTcp, description::Protocol::kTcp, description::Protocol::kHttp});
    made.address = {"127.0.0.1", port};
    made.connections_max = one_of({100u, 100u, 200u});
    if (chance(20)) made.backlog = 16;
    if (chance(20)) made.idle_timeout = std::chrono::seconds(9);
    return made;
  }

  std::mt19937_64 random_;
  std::vector<std::string> names_;  // not taken yet
};

/// Without the order of what has none: listeners.
inline description::ReleaseDescription normalised(description::ReleaseDescription release) {
  std::ranges::sort(release.listeners, {}, &description::ListenerDescription::name);
  return release;
}

}  // namespace baton::test
