#include "takeover/takeover.h"

#include "support/loaded_host.h"

#include <atomic>
#include <thread>

namespace baton::takeover {
namespace {

using module::Direction;
using test::LoadedHost;

class TakeoverTest : public testing::Test {
 protected:
  void SetUp() override {
    old_ = host_.load(CELLS_1_0_0);
    new_ = host_.load(CELLS_1_1_0);
  }
  Result<std::unique_ptr<WayBack>> upgrade(TakeoverOptions options = {}) {
    const auto evolution = host_.evolution(old_, new_, Direction::kUp);
    return Takeover(host_.runtime()).run({{old_, new_, evolution}}, options, [this] {
      host_.code().make_current("cells");
    });
  }
  Result<TakeoverReport> rollback(WayBack& way_back, TakeoverOptions options = {}) {
    return Takeover(host_.runtime()).rollback(way_back, options, [this] {
      host_.code().restore("cells");
    });
  }
  std::vector<baton_term> spawn_cells(int count) {
    std::vector<baton_term> pids;
    for (int i = 0; i < count; ++i)
      pids.push_back(host_.spawn(old_, "cell", "[" + std::to_string(i) + "]"));
    return pids;
  }

  LoadedHost host_;
  code::Version* old_ = nullptr;
  code::Version* new_ = nullptr;
};

TEST_F(TakeoverTest, AnUpgradeKeepsEveryStateAndAddsTheNewField) {
  const auto cells = spawn_cells(1000);
  EXPECT_EQ(host_.call(cells[7], "incr"), "8");

  auto way_back = upgrade();

  ASSERT_TRUE(way_back.ok()) << way_back.error().message();
  // One whose init has not run yet has no state to migrate, and is adopted.
  EXPECT_EQ((*way_back)->report().migrated + (*way_back)->report().adopted, 1000u);
  EXPECT_EQ(host_.call(cells[7], "incr"), "9");
  EXPECT_EQ(host_.state(cells[7]), "#{hits => 1,n => 9,name => 7}");
  EXPECT_EQ(host_.state(cells[8]), "#{hits => 0,n => 8,name => 8}");
  EXPECT_EQ(old_->lease_count(), 0u);
  EXPECT_EQ(new_->lease_count(), 1000u);
}

TEST_F(TakeoverTest, ARollbackBringsEveryProcessBackWithWhatChangedSince) {
  const auto cells = spawn_cells(100);
  auto way_back = upgrade();
  ASSERT_TRUE(way_back.ok()) << way_back.error().message();
  EXPECT_EQ(host_.call(cells[3], "incr"), "4");
  const baton_term born_new = host_.spawn(new_, "cell", "[50]");

  auto report = rollback(**way_back);

  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_EQ(host_.call(cells[3], "incr"), "5");
  EXPECT_EQ(host_.state(cells[3]), "#{n => 5,name => 3}");
  EXPECT_EQ(host_.state(born_new), "#{n => 50,name => 50}");
  EXPECT_EQ(new_->lease_count(), 0u);
  EXPECT_EQ(old_->lease_count(), 101u);
}

TEST_F(TakeoverTest, CallsUnderWayAreAllAnsweredThroughUpgradesAndRollbacks) {
  const auto cells = spawn_cells(64);
  std::atomic<bool> is_over{false};
  std::atomic<std::uint64_t> answered{0}, failed{0};
  std::vector<std::thread> clients;
  for (int client = 0; client < 2; ++client) {
    clients.emplace_back([&, client] {
      for (std::size_t i = client; !is_over.load(); i += 2) {
        const std::string answer = host_.call(cells[i % cells.size()], "incr");
        answer.find_first_not_of("0123456789") == std::string::npos ? ++answered : ++failed;
      }
    });
  }
  std::uint64_t seen = 0;
  for (int round = 0; round < 20; ++round) {
    while (answered.load() < seen + 20) std::this_thread::yield();
    auto way_back = upgrade();
    ASSERT_TRUE(way_back.ok()) << way_back.error().message();
    seen = answered.load();
    while (answered.load() < seen + 20) std::this_thread::yield();
    auto report = rollback(**way_back);
    ASSERT_TRUE(report.ok()) << report.error().message();
    // The next round stages the version again.
    way_back->reset();
    auto taken = host_.code().take_old("cells");
    ASSERT_NE(taken, nullptr);
    taken->revive();
    ASSERT_TRUE(host_.code().stage(std::move(taken)).ok());
    seen = answered.load();
  }
  is_over = true;
  for (auto& client : clients) client.join();

  EXPECT_EQ(failed.load(), 0u);
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string state = host_.state(cells[i]);
    total += std::stoull(state.substr(state.find("n => ") + 5)) - i;
  }
  EXPECT_EQ(total, answered.load());
}

TEST_F(TakeoverTest, ProcessesStartedWhileOthersAreParkedEndUpOnTheNewVersion) {
  spawn_cells(20000);
  std::atomic<bool> is_over{false};
  std::vector<baton_term> born;
  std::thread spawner([&] {
    while (!is_over.load() && born.size() < 200000) {
      code::Version* current = host_.code().current("cells");
      const baton_term pid = host_.spawn(current, "cell", "[1]");
      // One that is retired meanwhile starts the next one's.
      EXPECT_NE(pid, BATON_NO_TERM);
      born.push_back(pid);
    }
  });
  auto way_back = upgrade();
  is_over = true;
  spawner.join();

  ASSERT_TRUE(way_back.ok()) << way_back.error().message();
  EXPECT_EQ(old_->lease_count(), 0u);
  EXPECT_EQ(new_->lease_count(), 20000u + born.size());
  for (std::size_t i = 0; i < born.size(); i += 1 + born.size() / 100)
    EXPECT_EQ(host_.call(born[i], "incr"), "2");
}

}  // namespace
}  // namespace baton::takeover
