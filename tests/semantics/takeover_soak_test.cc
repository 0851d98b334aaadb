// A thousand take-overs in one host: nothing of a version is left when it is gone.
#include "support/takeover_fixture.h"

#include <malloc.h>
#include <unistd.h>

#include <fstream>
#include <map>

namespace baton::takeover {
namespace {

constexpr int kCycles = 1000;
constexpr int kWarmUpCycles = 100;
constexpr int kProcesses = 100;
constexpr std::int64_t kGrowthBytesMax = 2 << 20;

// Memory that the allocator merely keeps is given back first: what is left is what is in use.
std::int64_t resident_bytes() {
  ::malloc_trim(0);
  std::int64_t size = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

// Mapped files below the modules' folder, with the number of their mappings.
std::map<std::string, int> mapped_modules() {
  std::map<std::string, int> files;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const auto at = line.find(BATON_MODULES);
    if (at != std::string::npos) ++files[line.substr(at)];
  }
  return files;
}

class TakeoverSoakTest : public test::TakeoverFixture {
 protected:
  /// Up to 1.1.0 for good, then down to 1.0.0 for good: both versions are loaded and unloaded anew.
  void cycle() {
    ASSERT_NO_FATAL_FAILURE(move("1.1.0", Direction::kUp));
    ASSERT_NO_FATAL_FAILURE(move("1.0.0", Direction::kDown));
  }
  void move(const char* version, Direction direction) {
    code::Version* staged = load("tally", version);
    auto way_back = take_over({"tally"}, {}, direction);
    ASSERT_TRUE(way_back.ok()) << way_back.error().message();
    ASSERT_EQ((*way_back)->report().migrated, std::uint64_t{kProcesses});
    ASSERT_EQ(staged->lease_count(), std::uint64_t{kProcesses});
    ASSERT_EQ(host_.code().status("tally")->old->lease_count(), 0u);
    way_back->reset();
    ASSERT_TRUE(unload(host_.code().take_old("tally")));
  }
};

TEST_F(TakeoverSoakTest, AThousandUpgradesAndDowngradesLeaveNothingBehind) {
  load("tally", "1.0.0");
  const auto tallies = spawn_many("tally", "tally", kProcesses);
  const std::string before = host_.state(tallies[42]);
  std::int64_t warm = 0;
  for (int i = 1; i <= kCycles; ++i) {
    ASSERT_NO_FATAL_FAILURE(cycle()) << "cycle " << i;
    ASSERT_EQ(host_.call(tallies[i % kProcesses], "size"), "10");
    if (i == kWarmUpCycles) warm = resident_bytes();
  }
  const std::int64_t growth = resident_bytes() - warm;
  RecordProperty("growth_bytes", std::to_string(growth));

  if (!module::kHostIsSanitized) {
    EXPECT_LT(growth, kGrowthBytesMax) << "from " << warm << " bytes";
    const auto mapped = mapped_modules();
    ASSERT_EQ(mapped.size(), 1u);
    EXPECT_EQ(mapped.begin()->first, std::string(BATON_MODULES) + "/tally/1.0.0/tally.so");
  }
  EXPECT_EQ(host_.state(tallies[42]), before);
  EXPECT_EQ(current("tally")->lease_count(), std::uint64_t{kProcesses});
  EXPECT_EQ(host_.crashes(), 0u);
}

}  // namespace
}  // namespace baton::takeover
