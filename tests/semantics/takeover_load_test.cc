// Take-overs under load: calls from outside go on through upgrades and rollbacks, and every one is
// answered rightly: by processes of the old versions only, or of the new ones only.
#include "support/takeover_fixture.h"

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

namespace baton::takeover {
namespace {

constexpr int kRounds = 20;
constexpr std::uint64_t kCallsBetween = 10;

class TakeoverLoadTest : public test::TakeoverFixture {
 protected:
  /// Threads that call without a pause: ask(n) makes the nth call of one and says whether its
  /// answer is right.
  void start_clients(int count, std::function<bool(int client, std::uint64_t n)> ask) {
    for (int client = 0; client < count; ++client) {
      clients_.emplace_back([this, client, ask] {
        for (std::uint64_t n = 0; !is_over_.load(); ++n) ask(client, n) ? ++right_ : ++wrong_;
      });
    }
  }
  void await_calls() {
    const std::uint64_t seen = right_.load() + wrong_.load();
    while (right_.load() + wrong_.load() < seen + kCallsBetween) std::this_thread::yield();
  }
  void stop_clients() {
    is_over_ = true;
    for (std::thread& client : clients_) client.join();
    clients_.clear();
  }
  void TearDown() override { stop_clients(); }

  void go_up_and_back(std::initializer_list<const char*> modules) {
    for (const char* module : modules) load(module, "1.1.0");
    for (int round = 0; round < kRounds; ++round) {
      await_calls();
      auto way_back = take_over(modules);
      ASSERT_TRUE(way_back.ok()) << "round " << round << ": " << way_back.error().message();
      await_calls();
      auto report = roll_back(**way_back, modules);
      ASSERT_TRUE(report.ok()) << "round " << round << ": " << report.error().message();
      way_back->reset();
      for (const char* module : modules) stage_again(module);
    }
    await_calls();
    stop_clients();
    EXPECT_EQ(wrong_.load(), 0u);
    EXPECT_GE(right_.load(), 2 * kRounds * kCallsBetween);
    EXPECT_EQ(host_.crashes(), 0u);
  }

  std::atomic<bool> is_over_{false};
  std::atomic<std::uint64_t> right_{0}, wrong_{0};
  std::vector<std::thread> clients_;
};

TEST_F(TakeoverLoadTest, ModulesThatCallEachOtherMoveInOneTransactionWithoutAFailedCall) {
  code::Version* left = load("left", "1.0.0");
  code::Version* right = load("right", "1.0.0");
  // Chains of eight processes, of both modules in turn, with branches into the tails of other
  // chains.
  constexpr int kChains = 4, kLength = 8;
  std::vector<std::vector<baton_term>> chains(kChains);  // from the end to the head
  for (int at = 0; at < kLength; ++at) {
    for (int chain = 0; chain < kChains; ++chain) {
      const std::string next =
          at == 0 ? "[]" : "[" + text(chains[(chain + (at == 2)) % kChains][at - 1]) + "]";
      chains[chain].push_back(at % 2 == 0 ? host_.spawn(left, "left", next)
                                          : host_.spawn(right, "right", next));
    }
  }
  start_clients(3, [&](int client, std::uint64_t n) {
    const std::uint64_t depth = n % kLength;
    const std::size_t start = n % 3 == 0 ? kLength - 1 : depth;  // at the head, or in the middle
    const std::string answer =
        host_.call(chains[(client + n) % kChains][start], "{hop," + std::to_string(depth) + "}");
    return answer == std::to_string(depth + 1) || answer == std::to_string(1000 * (depth + 1));
  });

  go_up_and_back({"left", "right"});

  EXPECT_EQ(left->lease_count(), kChains * kLength / 2u);
  EXPECT_EQ(right->lease_count(), kChains * kLength / 2u);
}

TEST_F(TakeoverLoadTest, OneOfTwoModulesThatCallEachOtherMovesAlone) {
  code::Version* left = load("left", "1.0.0");
  code::Version* right = load("right", "1.0.0");
  std::vector<baton_term> heads;
  for (int chain = 0; chain < 4; ++chain) {
    baton_term next = host_.spawn(left, "left", "[]");
    for (int at = 1; at < 6; ++at)
      next = at % 2 == 0 ? host_.spawn(left, "left", "[" + text(next) + "]")
                         : host_.spawn(right, "right", "[" + text(next) + "]");
    heads.push_back(next);
  }
  start_clients(3, [&](int client, std::uint64_t n) {
    const std::string answer = host_.call(heads[(client + n) % heads.size()], "{hop,5}");
    return answer == "6" || answer == "3003";  // all three of left are of one version
  });

  go_up_and_back({"left"});

  EXPECT_EQ(left->lease_count(), 12u);
}

TEST_F(TakeoverLoadTest, CallbacksThatStartChildrenAndAwaitThemAreFinished) {
  code::Version* version = load("parent", "1.0.0");
  std::vector<baton_term> parents;
  for (int i = 0; i < 8; ++i) parents.push_back(host_.spawn(version, "parent", "[]"));
  start_clients(3, [&](int client, std::uint64_t n) {
    const std::string number = std::to_string(n);
    return host_.call(parents[(client + n) % parents.size()], "{ask," + number + "}") == number;
  });

  go_up_and_back({"parent"});

  // The children have all ended.
  while (version->lease_count() != parents.size()) std::this_thread::yield();
}

}  // namespace
}  // namespace baton::takeover
