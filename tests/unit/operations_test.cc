#include "release/operations.h"

#include <gtest/gtest.h>

#include <thread>

namespace baton::release {
namespace {

using std::chrono::seconds;

class OperationsTest : public testing::Test {
 protected:
  std::shared_ptr<Operation> begin(Operations::Body body) {
    auto begun = operations_.begin("upgrade", "demo-1.0.0", "root", std::move(body));
    EXPECT_TRUE(begun.ok()) << begun.error().message();
    return begun.ok() ? *begun : nullptr;
  }
  void run() {
    while (operations_.step()) continue;
  }

  SettableClock clock_;
  int looks_ = 0;
  int afters_ = 0;
  std::function<void()> after_;
  Operations operations_{clock_,
                         {.last_id = 7, .has_thread = false},
                         [this] { ++looks_; },
                         [this] {
                           ++afters_;
                           if (after_) after_();
                         }};
};

TEST_F(OperationsTest, AnOperationIsNumberedOnFromTheLastOneAndDoneWhenItsTaskIs) {
  const auto operation = begin([](const auto&) { return Result<void>(); });
  EXPECT_EQ(operation->id, 8u);
  EXPECT_FALSE(operation->is_done());
  run();
  EXPECT_TRUE(operation->result()->ok());
  EXPECT_EQ(operations_.find(8), operation);
  EXPECT_EQ(operations_.find(1), nullptr);
}

TEST_F(OperationsTest, AnotherOneIsRefusedSayingWhoWorksOnWhatSinceWhen) {
  begin([](const auto&) { return Result<void>(); });
  const auto second =
      operations_.begin("remove", "", "alice", [](const auto&) { return Result<void>(); });
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), Code::kBusy);
  for (const char* part : {"operation 8", "upgrade demo-1.0.0", "by root", "since 1970-01-01"})
    EXPECT_NE(second.error().message().find(part), std::string::npos) << second.error().message();
  EXPECT_EQ(operations_.ask([] {}).error().code(), Code::kBusy);
}

TEST_F(OperationsTest, WhatFollowsFromATaskComesBeforeItsOperationIsSeenToBeDone) {
  // An operation was told to be done, and a request right after it was refused as busy, or saw the
  // releases of before.
  const auto operation = begin([](const auto&) { return Result<void>(); });
  after_ = [&] {
    EXPECT_EQ(operations_.busy(), nullptr);
    EXPECT_FALSE(operation->is_done());
  };
  run();
  EXPECT_EQ(afters_, 1);
  EXPECT_TRUE(operation->is_done());
}

TEST_F(OperationsTest, OneThatIsKeptOpenLeavesTheThreadFree) {
  const auto open = begin([](const auto&) { return std::optional<Result<void>>(); });
  run();
  EXPECT_FALSE(open->is_done());
  const auto other = begin([](const auto&) { return Result<void>(); });
  run();
  EXPECT_TRUE(other->is_done());
}

TEST_F(OperationsTest, TheOldestThatAreDoneAreForgottenAndNoneThatIsOpen) {
  const auto open = begin([](const auto&) { return std::optional<Result<void>>(); });
  run();
  for (std::size_t i = 0; i < 2 * kOperationsKept; ++i) {
    begin([](const auto&) { return Result<void>(); });
    run();
  }
  EXPECT_EQ(operations_.list().size(), kOperationsKept);
  EXPECT_EQ(operations_.find(open->id), open);
}

TEST_F(OperationsTest, ItLooksUpWhenItIsTimeAndWhenItIsWokenOnce) {
  operations_.wake_at(seconds(10));
  run();
  EXPECT_EQ(looks_, 0);
  clock_.advance(seconds(10));
  run();
  EXPECT_EQ(looks_, 1);
  for (int i = 0; i < 100; ++i) operations_.wake();
  run();
  EXPECT_EQ(looks_, 2);
  clock_.advance(seconds(100));
  run();
  EXPECT_EQ(looks_, 2);
}

TEST_F(OperationsTest, StoppingRunsWhatIsInTheQueueAndThenTheLastTask) {
  std::vector<std::string> order;
  const auto operation = begin([&](const auto&) {
    order.push_back("operation");
    return Result<void>();
  });
  operations_.stop([&] { order.push_back("last"); });
  EXPECT_EQ(order, (std::vector<std::string>{"operation", "last"}));
  EXPECT_TRUE(operation->is_done());
  EXPECT_EQ(
      operations_.begin("x", "", "", [](const auto&) { return Result<void>(); }).error().code(),
      Code::kUnreachable);
  EXPECT_EQ(operations_.ask([] {}).error().code(), Code::kUnreachable);
  EXPECT_FALSE(operations_.step());
}

TEST(OperationsThread, RunsTasksLooksUpAndEnds) {
  RealClock clock;
  std::atomic<int> looks{0};
  Operations operations(
      clock, {}, [&] { ++looks; }, [] {});
  int asked = 0;
  ASSERT_TRUE(operations.ask([&] { asked = 1; }).ok());
  EXPECT_EQ(asked, 1);
  const auto operation = *operations.begin("x", "", "", [](const auto&) { return Result<void>(); });
  while (!operation->is_done()) operation->wait(1, std::chrono::seconds(10));
  operations.wake();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (looks == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(looks, 1);
}

}  // namespace
}  // namespace baton::release
