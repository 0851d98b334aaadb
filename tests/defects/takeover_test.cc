// Known defects of take-overs, on the transaction's own parts.

#include "support/loaded_host.h"
#include "takeover/drain.h"
#include "takeover/migration.h"

#include <cstdlib>
#include <new>

namespace {
thread_local bool is_out_of_memory = false;
}  // namespace

void* operator new(std::size_t size) {
  if (void* memory = is_out_of_memory ? nullptr : std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace baton::takeover {
namespace {

/// A migration that its crew keeps alive.
struct KeptMigration final : Crew::Keeper {
  KeptMigration(runtime::Runtime& runtime, const std::vector<Change>& changes,
                const TakeoverOptions& options)
      : migration(runtime, changes, options) {}
  void pin() override {}
  void unpin(runtime::Context&) override {}

  Migration migration;
};

class R7 : public testing::Test {
 protected:
  void spawn_cells(code::Version* version, int count) {
    for (int i = 0; i < count; ++i) host_.spawn(version, "cell", "[" + std::to_string(i) + "]");
  }

  /// A take-over of 5,000, with 5,000 more started after they were gathered.
  void take_over(const std::function<void()>& after_flip);

  test::LoadedHost host_;
  code::Version* old_ = host_.load(CELLS_1_0_0);
  code::Version* new_ = host_.load(CELLS_1_1_0);
};

void R7::take_over(const std::function<void()>& after_flip) {
  const std::vector<Change> changes{
      {old_, new_, host_.evolution(old_, new_, module::Direction::kUp)}};
  TakeoverOptions options;
  options.threads = 2;
  spawn_cells(old_, 5000);
  const auto kept = std::make_shared<KeptMigration>(host_.runtime(), changes, options);
  Migration& migration = kept->migration;
  runtime::External external(host_.runtime());
  runtime::Context& own = external.context();
  ASSERT_TRUE(migration.plan().ok());
  migration.reserve(kept);
  const std::uint64_t deadline = runtime::now_ns() + 10'000'000'000;
  Drain drain(host_.runtime(), {old_}, StuckPolicy::kRefuse);
  ASSERT_TRUE(drain.park(deadline).ok());
  migration.gather({});
  // Of these the list knows nothing.
  spawn_cells(old_, 5000);
  ASSERT_TRUE(migration.prepare(own, deadline).ok());
  drain.join(new_);

  is_out_of_memory = true;
  migration.commit(own, [&] {
    host_.code().make_current("cells");
    is_out_of_memory = false;
    after_flip();
    is_out_of_memory = true;
  });
  is_out_of_memory = false;

  drain.release();
  migration.settle_mail(own);
  migration.crew().dismiss();
}

TEST_F(R7, ACommitNeedsNoMemoryAndNoThread) {
  // It started threads and built an index anew, when states had been moved already.
  take_over([] {});
  EXPECT_EQ(old_->lease_count(), 0u);
  EXPECT_EQ(new_->lease_count(), 10'000u);
}

TEST_F(R7, ProcessesStartedAfterTheFlipLeaveRoomForThoseThatMove) {
  // They took the room that had been made for the others, and the host ended.
  take_over([this] { spawn_cells(new_, 20'000); });
  EXPECT_EQ(old_->lease_count(), 0u);
  EXPECT_EQ(new_->lease_count(), 30'000u);
}

}  // namespace
}  // namespace baton::takeover
