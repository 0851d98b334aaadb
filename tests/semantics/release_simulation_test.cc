// A seeded simulation of the release handler: random commands of operators, verdicts, crashes of
// processes and of the host, full disks and failures of every part, in any order. After each step
// what runs, what the services are, what the journal says and what is shown agree.
//
// BATON_SEED replays one seed; BATON_SEEDS is how many are run.
#include "support/release_world.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>

namespace baton::test {
namespace {

constexpr int kSteps = 10'000;
// Steps of one root: what is removed cannot come back to it, as its sequence is used up.
constexpr int kStepsOfARoot = 250;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

class Play {
 public:
  using Counts = std::map<std::string, int>;

  Play(std::mt19937_64& random, Counts& states, Counts& outcomes)
      : random_(random), states_(states), outcomes_(outcomes) {
    // An application may end in the middle of what the handler does.
    world_.trip = [this, trip = world_.trip](const std::string& call) {
      if (end_at_ >= 0 && end_at_-- == 0) world_.end_application();
      return trip(call);
    };
  }

  void step() {
    switch (random(20)) {
      case 0:
      case 1:
      case 2: return upgrade();
      case 3:
        return follow(world_.handler->install("demo", any_version(), options(), world_.reason));
      case 4: return follow(world_.handler->make_permanent(world_.reason));
      case 5: return follow(world_.handler->rollback("", {random(2) == 0}, world_.reason));
      case 6:
        return follow(world_.handler->rollback(any_version(), {random(2) == 0}, world_.reason));
      case 7:
        if (random(5) != 0) return;
        return follow(world_.handler->remove("demo", any_version(), world_.reason));
      case 8: return follow(world_.handler->unpack(world_.bundles[1 + random(3)], world_.reason));
      case 9: return follow(world_.handler->purge(world_.reason));
      case 10: return world_.crash(1 + random(4));
      case 11: world_.end_application(); return world_.run();
      case 12:
        return random(3) == 0 ? world_.settle() : world_.pass(std::chrono::seconds(random(90)));
      case 13: end_at_ = random(40); return random(4) == 0 ? stick() : trouble();
      case 14: return world_.files.set_full(random(4) == 0);
      case 15: world_.modules.loses = random(2) == 0; return;
      case 16: return restart();
      case 17:
        world_.files.fail_call(random(30), random(3) == 0 ? FaultyFiles::Fault::kFromThere
                                                          : FaultyFiles::Fault::kOnce);
        return;
      default:
        world_.files.heal();
        world_.broken.clear();
        world_.failing.clear();
        return world_.pass(std::chrono::seconds(1 + random(3)));
    }
  }
  std::string disagreement() {
    ++states_[world_.state()];
    std::string what = world_.disagreement();
    if (what.empty() && !world_.host_ended.empty()) {
      ++outcomes_["host ended"];
      restart();
      what = world_.disagreement();
    }
    return what;
  }
  std::string what() const { return what_ + ", " + world_.statuses() + ", " + world_.state(); }
  /// With all in order again, everything that was open ends.
  std::string end() {
    world_.files.heal();
    world_.files.set_full(false);
    world_.broken.clear();
    world_.failing.clear();
    world_.modules.loses = false;
    end_at_ = -1;
    if (world_.handler->upgrade()) follow(world_.handler->rollback("", {true}, world_.reason));
    world_.settle();
    world_.pass(std::chrono::seconds(100));
    // A first release that failed has no way back but to be made permanent.
    if (world_.state() == "current") follow(world_.handler->make_permanent(world_.reason));
    if (world_.state() != "-") return "nobody leads out of " + world_.state();
    for (const auto& operation : open_)
      if (!operation->is_done()) return "operation " + std::to_string(operation->id) + " is open";
    return disagreement();
  }

 private:
  int random(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  std::string any_version() { return std::to_string(1 + random(3)) + ".0.0"; }
  release::InstallOptions options() {
    release::InstallOptions options;
    options.has_probation = random(3) != 0;
    options.rolls_back_by_itself = random(3) != 0;
    options.accepts_loss = random(2) == 0;
    if (random(4) == 0) options.probation = std::chrono::seconds(0);
    return options;
  }
  void upgrade() {
    follow(world_.handler->upgrade(world_.bundles[1 + random(3)], options(), world_.reason));
  }
  void follow(ReleaseWorld::Begun begun) {
    if (!begun.ok()) return;
    world_.run();
    open_.push_back(*begun);
    what_ = (*begun)->kind + " " + (*begun)->target + ": " + ReleaseWorld::outcome(*begun) + " " +
            ReleaseWorld::message(*begun);
    std::erase_if(open_, [this](const auto& operation) {
      if (operation->is_done())
        ++outcomes_[operation->kind + " " + ReleaseWorld::outcome(operation)];
      return operation->is_done();
    });
  }
  void trouble() {
    constexpr const char* kCalls[] = {"stage", "take_over", "take_back",
                                      "apply", "revert",    "purge"};
    what_ = "trouble with";
    for (int calls = 1 + random(3); calls > 0; --calls) {
      const char* call = kCalls[random(6)];
      if (random(2) == 0)
        world_.broken.insert(call);
      else
        world_.failing[call] = random(3);
      what_ += std::string(" ") + call;
    }
  }
  // A way back that stays stuck until an operator tries again.
  void stick() {
    world_.broken.insert("revert");
    follow(world_.handler->rollback("", {true}, world_.reason));
    world_.settle();
    what_ = "a way back that sticks";
  }
  void restart() {
    const bool in_order = random(2) == 0;
    what_ = in_order ? "stop and start" : "death and start";
    if (in_order)
      world_.stop();
    else
      world_.die();
    open_.clear();
    end_at_ = -1;
    world_.broken.clear();
    world_.failing.clear();
    world_.files.heal();
    if (world_.open()) return;
    // Only a root that was never written may want room.
    world_.files.set_full(false);
    ASSERT_TRUE(world_.open()) << world_.boot_error;
  }

  std::mt19937_64& random_;
  Counts& states_;    // of the upgrade, after each step
  Counts& outcomes_;  // "rollback refused", of each operation
  ReleaseWorld world_;
  int end_at_ = -1;  // calls until an application ends in one; negative: never
  std::string what_;
  std::vector<std::shared_ptr<release::Operation>> open_;
};

TEST(ReleaseSimulation, WhatRunsWhatIsRecordedAndWhatIsShownNeverPart) {
  const std::uint64_t first = number_from("BATON_SEED", 1);
  const std::uint64_t count = number_from("BATON_SEEDS", std::getenv("BATON_SEED") ? 1 : 3);
  Play::Counts states, outcomes;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    std::mt19937_64 random(seed);
    for (int root = 0; root < kSteps / kStepsOfARoot; ++root) {
      Play play(random, states, outcomes);
      for (int i = 0; i < kStepsOfARoot; ++i) {
        play.step();
        if (testing::Test::HasFatalFailure()) return;
        ASSERT_EQ(play.disagreement(), "")
            << "seed " << seed << ", root " << root << ", step " << i << ": " << play.what();
      }
      ASSERT_EQ(play.end(), "") << "seed " << seed << ", root " << root << ": " << play.what();
    }
  }
  // They have been everywhere: a play that is refused all the time proves nothing.
  if (count < 3) return;
  for (const char* state : {"-", "current", "taken_over", "returned", "reverted"})
    EXPECT_GT(states[state], 0) << state;
  for (const char* outcome :
       {"upgrade done", "upgrade failed", "upgrade rolled_back", "upgrade stuck", "upgrade busy",
        "install done", "make_permanent done", "rollback done", "rollback refused",
        "rollback stuck", "rollback usage", "remove done", "remove usage", "host ended"})
    EXPECT_GT(outcomes[outcome], 0) << outcome;
}

}  // namespace
}  // namespace baton::test
