#include "release/health_watch.h"

#include "support/no_threads.h"
#include "support/release_fakes.h"

#include <gtest/gtest.h>

#include <future>
#include <utility>

namespace baton::release {
namespace {

TEST(HealthWatch, IsNotThereWhereTheSystemHasNoThreadAndTheNextTryFindsOne) {
  // The exception ended the host.
  if (!test::kCanRunOutOfThreads) GTEST_SKIP();
  const RealClock clock;
  test::Trip trip = [](const std::string&) { return Result<void>(); };
  const test::FakeServices services(trip);
  description::HealthCheck check;
  check.listener = "web";
  std::promise<void> told;
  const auto start = [&] {
    return HealthWatch::start({check}, services, clock,
                              [&, is_first = true](std::size_t, const Result<void>&) mutable {
                                if (std::exchange(is_first, false)) told.set_value();
                              });
  };
  {
    const test::NoThreads none;
    EXPECT_EQ(start(), nullptr);
  }

  const auto watch = start();

  ASSERT_NE(watch, nullptr);
  told.get_future().wait();
}

}  // namespace
}  // namespace baton::release
