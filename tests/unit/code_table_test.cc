#include "code/code_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace baton::code {
namespace {

constexpr baton_module module(const char* version) {
  return {.struct_size = sizeof(baton_module),
          .abi_major = BATON_ABI_MAJOR,
          .abi_minor = BATON_ABI_MINOR,
          .name = "m",
          .version = version,
          .build = "test",
          .behaviour_count = 0,
          .behaviour_stride = sizeof(baton_behaviour),
          .behaviours = nullptr,
          .init = nullptr,
          .fini = nullptr};
}
constexpr baton_module kOne = module("1"), kTwo = module("2");

TEST(CodeTable, WhatCannotBeStagedIsToldBeforeItIsLoaded) {
  // It was told after the module's init only, and its fini was called with nobody to leave it.
  CodeTable table;
  EXPECT_TRUE(table.check_stage("m").ok());
  ASSERT_TRUE(table.stage(std::make_unique<Version>(&kOne)).ok());
  EXPECT_EQ(table.check_stage("m").error().code(), Code::kBusy);
  table.make_current("m");
  EXPECT_TRUE(table.check_stage("m").ok());
  ASSERT_TRUE(table.stage(std::make_unique<Version>(&kTwo)).ok());
  table.make_current("m");
  EXPECT_EQ(table.check_stage("m").error().code(), Code::kBusy);
  EXPECT_TRUE(table.check_stage("n").ok());
  EXPECT_FALSE(table.status("n"));
}

TEST(CodeTable, NoVersionIsTakenWhileASnapshotLives) {
  // Whoever listed versions used them without a lock: a purge freed them meanwhile.
  CodeTable table;
  for (const baton_module* next : {&kOne, &kTwo}) {
    ASSERT_TRUE(table.stage(std::make_unique<Version>(next)).ok());
    table.make_current("m");
  }
  std::atomic<bool> is_taken{false};
  std::thread purge;
  {
    const CodeTable::Snapshot snapshot = table.snapshot();
    purge = std::thread([&] {
      EXPECT_NE(table.take_old("m"), nullptr);
      is_taken = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // time to do it wrong

    EXPECT_FALSE(is_taken);
    ASSERT_EQ(snapshot.modules().size(), 1u);
    EXPECT_EQ(snapshot.modules()[0].old->number(), "1");
    EXPECT_EQ(snapshot.modules()[0].current->number(), "2");
    // What changes versions but takes none does not wait.
    table.restore("m");
    table.restore("m");
  }
  purge.join();
  EXPECT_TRUE(is_taken);
  EXPECT_EQ(table.snapshot().modules()[0].old, nullptr);
}

}  // namespace
}  // namespace baton::code
