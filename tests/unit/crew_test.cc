#include "takeover/crew.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

namespace baton::takeover {
namespace {

TEST(Crew, EachWorksOnceARoundOnAThreadOfItsOwnThatStaysTheSame) {
  constexpr std::size_t kSize = 4;
  Crew crew(kSize);
  ASSERT_EQ(crew.size(), kSize);
  std::array<std::thread::id, kSize> first{};
  for (int round = 0; round < 100; ++round) {
    std::array<std::thread::id, kSize> ids{};
    std::atomic<std::size_t> calls{0};
    auto work = [&](std::size_t number) {
      ids[number] = std::this_thread::get_id();
      ++calls;
    };
    crew.run(work);
    EXPECT_EQ(calls, kSize);
    if (round == 0) first = ids;
    // A commit that started a thread could fail for want of one.
    EXPECT_EQ(ids, first);
  }
  EXPECT_EQ(first[0], std::this_thread::get_id());
}

TEST(Crew, OneAloneIsTheOwner) {
  Crew crew(1);
  std::thread::id id;
  auto work = [&](std::size_t) { id = std::this_thread::get_id(); };
  crew.run(work);
  EXPECT_EQ(id, std::this_thread::get_id());
}

TEST(Crew, OneThatIsNeverAskedEnds) { Crew crew(3); }

}  // namespace
}  // namespace baton::takeover
