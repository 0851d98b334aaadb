#include "release/store.h"

#include "support/bundle_maker.h"
#include "support/faulty_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace baton::release {
namespace {

const Reason kReason{"root", "a test"};

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    clock_.set_wall(*parse_time("2026-11-22T12:00:00Z"));
    open();
    ASSERT_TRUE(store_->keys().trust(maker_.key.public_key().text(), "k.pub").ok());
  }
  void open() {
    store_.reset();
    Result<std::unique_ptr<ReleaseStore>> opened = ReleaseStore::open(*maker_.files, clock_, root_);
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    store_ = std::move(*opened);
  }
  Result<const Release*> unpack(const std::string& bundle) {
    return store_->unpack(bundle, {}, kReason);
  }
  void change(const std::string& version, Action action) {
    Result<void> changed = store_->change("demo", version, action, kReason);
    ASSERT_TRUE(changed.ok()) << changed.error().message();
  }
  /// "1.0.0 permanent, 1.1.0 old"
  std::string statuses(const ReleaseStore& store) {
    std::string text;
    for (const Release& release : store.releases())
      text += (text.empty() ? "" : ", ") + release.version + " " + status_name(release.status);
    return text;
  }
  std::string statuses() { return statuses(*store_); }
  std::vector<std::string> list(const std::string& directory) {
    return *maker_.files->list_directory(root_ + "/" + directory);
  }
  /// Every release that is listed is complete and its modules can be opened.
  void expect_whole(ReleaseStore& store) {
    for (const Release& release : store.releases()) {
      Result<bundle::Manifest> manifest = store.manifest(release.name, release.version);
      ASSERT_TRUE(manifest.ok()) << manifest.error().message();
      for (const bundle::ManifestFile& file : manifest->files)
        ASSERT_TRUE(store.open_module(file.sha256).ok());
    }
  }

  BundleMaker maker_;
  SettableClock clock_;
  const std::string root_ = maker_.root / "host";
  const std::string first_ = maker_.pack("1.0.0", 1);
  const std::string second_ = maker_.pack("2.0.0", 2);
  std::unique_ptr<ReleaseStore> store_;
};

TEST_F(StoreTest, AnUnpackedBundleIsThereAfterARestart) {
  const Release release = **unpack(first_);
  EXPECT_EQ(release.status, Status::kUnpacked);
  EXPECT_EQ(release.changed_at, "2026-11-22T12:00:00.000Z");
  EXPECT_EQ(release.changed_by, "root");
  EXPECT_EQ(release.why, "a test");
  EXPECT_EQ(release.key, maker_.key.public_key().id.text());
  open();
  EXPECT_EQ(statuses(), "1.0.0 unpacked");
  expect_whole(*store_);
  EXPECT_FALSE(maker_.files->facts(root_ + "/staging")->has_value());
  EXPECT_EQ(list("releases/demo-1.0.0"),
            (std::vector<std::string>{"manifest.minisig", "manifest.yaml"}));
}

TEST_F(StoreTest, ModulesAreReadOnlyAndNamedByTheirContent) {
  ASSERT_TRUE(unpack(first_).ok());
  const Digest digest = store_->manifest("demo", "1.0.0")->files[0].sha256;
  EXPECT_EQ(list("store"), (std::vector<std::string>{digest.hex()}));
  EXPECT_EQ((*maker_.files->facts(store_->module_file(digest)))->mode, 0444u);
}

TEST_F(StoreTest, TheSameBundleAgainIsSuccessAndOtherContentUnderItsVersionRefused) {
  ASSERT_TRUE(unpack(first_).ok());
  const std::size_t records = store_->journal().count();
  EXPECT_TRUE(unpack(first_).ok());
  EXPECT_EQ(store_->journal().count(), records);
  const std::string other = maker_.pack("1.0.0", 3);
  EXPECT_NE(unpack(other).error().message().find("is here already with other content"),
            std::string::npos);
}

TEST_F(StoreTest, ALowerSequenceIsRefusedEvenAfterTheHigherReleaseWasRemoved) {
  ASSERT_TRUE(unpack(second_).ok());
  EXPECT_EQ(unpack(first_).error().code(), Code::kRefused);
  ASSERT_TRUE(store_->remove("demo", "2.0.0", kReason).ok());
  open();
  EXPECT_NE(unpack(first_).error().message().find("its sequence 1 is below 2"), std::string::npos);
}

TEST_F(StoreTest, TheSameSequenceWithOtherContentIsRefused) {
  ASSERT_TRUE(unpack(first_).ok());
  EXPECT_NE(
      unpack(maker_.pack("2.0.0", 1)).error().message().find("was used before by another content"),
      std::string::npos);
}

TEST_F(StoreTest, ABundleByAnUnknownOrRevokedKeyIsRefusedAndNothingIsKept) {
  ASSERT_TRUE(store_->keys().revoke(maker_.key.public_key().id.text()).ok());
  EXPECT_NE(unpack(first_).error().message().find("was revoked"), std::string::npos);
  EXPECT_EQ(statuses(), "");
  EXPECT_TRUE(list("store").empty());
  EXPECT_TRUE(list("releases").empty());
}

TEST_F(StoreTest, AReleaseGoesThroughItsStatusesAndBack) {
  ASSERT_TRUE(unpack(first_).ok());
  ASSERT_TRUE(unpack(second_).ok());
  EXPECT_EQ(store_->running(), nullptr);
  change("1.0.0", Action::kInstall);
  change("1.0.0", Action::kMakePermanent);
  change("2.0.0", Action::kInstall);
  EXPECT_EQ(statuses(), "1.0.0 permanent, 2.0.0 current");
  EXPECT_EQ(store_->running()->version, "2.0.0");
  change("2.0.0", Action::kMakePermanent);
  EXPECT_EQ(statuses(), "1.0.0 old, 2.0.0 permanent");
  change("1.0.0", Action::kInstall);
  EXPECT_EQ(statuses(), "1.0.0 current, 2.0.0 permanent");
  change("1.0.0", Action::kNodeCrash);
  open();
  EXPECT_EQ(statuses(), "1.0.0 failed_in_probation, 2.0.0 permanent");
  EXPECT_EQ(store_->running()->version, "2.0.0");
}

TEST_F(StoreTest, GoingBackToThePermanentReleaseMakesTheCurrentOneOld) {
  ASSERT_TRUE(unpack(first_).ok());
  ASSERT_TRUE(unpack(second_).ok());
  change("1.0.0", Action::kInstall);
  change("1.0.0", Action::kMakePermanent);
  change("2.0.0", Action::kInstall);
  change("1.0.0", Action::kInstall);
  EXPECT_EQ(statuses(), "1.0.0 permanent, 2.0.0 old");
}

TEST_F(StoreTest, ActionsThatTheStatusDoesNotAllowAreRefusedAndWriteNothing) {
  ASSERT_TRUE(unpack(first_).ok());
  const std::size_t records = store_->journal().count();
  Error error = store_->change("demo", "1.0.0", Action::kMakePermanent, kReason).error();
  EXPECT_EQ(error.code(), Code::kUsage);
  EXPECT_EQ(error.message(),
            "release demo 1.0.0 is unpacked: make_permanent is not possible there");
  EXPECT_EQ(store_->change("demo", "9.0.0", Action::kInstall, kReason).error().code(),
            Code::kNotFound);
  EXPECT_EQ(store_->remove("demo", "9.0.0", kReason).error().code(), Code::kNotFound);
  change("1.0.0", Action::kInstall);
  EXPECT_EQ(store_->remove("demo", "1.0.0", kReason).error().code(), Code::kUsage);
  EXPECT_EQ(store_->journal().count(), records + 1);
}

TEST_F(StoreTest, RemovingAReleaseDeletesWhatNoOtherOneNeeds) {
  ASSERT_TRUE(unpack(first_).ok());
  // given a second release with the same module file
  std::string text = maker_.description("1.0.0", 2);
  text.replace(text.find("version: 1.0.0"), 14, "version: 1.0.1");
  ASSERT_TRUE(unpack(maker_.pack_text(text, "same")).ok());
  EXPECT_EQ(list("store").size(), 1u);
  ASSERT_TRUE(store_->remove("demo", "1.0.0", kReason).ok());
  EXPECT_EQ(list("store").size(), 1u);
  EXPECT_EQ(list("releases"), (std::vector<std::string>{"demo-1.0.1"}));
  expect_whole(*store_);
  ASSERT_TRUE(store_->remove("demo", "1.0.1", kReason).ok());
  EXPECT_TRUE(list("store").empty());
  EXPECT_TRUE(list("releases").empty());
}

TEST_F(StoreTest, ChangedFilesAreNoticedWhenRead) {
  ASSERT_TRUE(unpack(first_).ok());
  const Digest digest = store_->manifest("demo", "1.0.0")->files[0].sha256;
  const std::string module = store_->module_file(digest);
  ASSERT_TRUE(write_file_atomically(*maker_.files, module, "other").ok());
  EXPECT_NE(store_->open_module(digest).error().message().find(module), std::string::npos);
  const std::string manifest = root_ + "/releases/demo-1.0.0/manifest.yaml";
  ASSERT_TRUE(write_file_atomically(*maker_.files, manifest, maker_.read(manifest) + "\n").ok());
  EXPECT_NE(store_->manifest("demo", "1.0.0").error().message().find("is not the journal's"),
            std::string::npos);
  // Without the manifest nobody knows which files the release needs.
  EXPECT_TRUE(store_->collect_garbage().ok());
  EXPECT_EQ(list("store").size(), 1u);
  // The release is shown as damaged, and keeps nobody from opening the store.
  open();
  EXPECT_NE(store_->find("demo", "1.0.0")->damage.find("is not the journal's"), std::string::npos);
}

TEST_F(StoreTest, ASecondHostOnTheSameRootIsRefused) {
  EXPECT_EQ(ReleaseStore::open(*maker_.files, clock_, root_).error().code(), Code::kBusy);
}

TEST_F(StoreTest, NotesOfStepsAreKeptAndChangeNoStatus) {
  ASSERT_TRUE(unpack(first_).ok());
  JournalRecord record;
  record.set("operation", "7");
  ASSERT_TRUE(store_->note("commit", record).ok());
  open();
  EXPECT_EQ(store_->last_operation(), 7u);
  EXPECT_EQ(store_->journal().records().back().get("step"), "commit");
  EXPECT_EQ(statuses(), "1.0.0 unpacked");
}

TEST_F(StoreTest, AJournalThatGrewLargeIsReplacedByWhatFollowsFromIt) {
  // The journal only ever grew, and refused all records from 64 MiB on.
  ASSERT_TRUE(unpack(first_).ok());
  ASSERT_TRUE(unpack(second_).ok());
  change("1.0.0", Action::kInstall);
  change("1.0.0", Action::kMakePermanent);
  change("2.0.0", Action::kInstall);
  change("2.0.0", Action::kFailProbation);
  JournalRecord large;
  large.set("operation", "41").set("what", std::string(15'000, 'x'));
  while (store_->journal().size() < kJournalCompactBytes)
    ASSERT_TRUE(store_->note("fill", large).ok());
  const std::vector<Release> before = store_->releases();
  ASSERT_TRUE(store_->note("fill", large).ok());  // replaced, and this added
  for (int i = 0; i < 2; ++i) {
    open();
    EXPECT_LT(store_->journal().size(), 20'000u);
    EXPECT_EQ(statuses(), "1.0.0 permanent, 2.0.0 failed_in_probation");
    EXPECT_EQ(store_->last_operation(), 41u);
    EXPECT_EQ(store_->last_action(), Action::kFailProbation);
    EXPECT_EQ(store_->highest_sequence("demo").number, 2u);
    EXPECT_EQ(store_->releases()[1].why, before[1].why);
    EXPECT_EQ(store_->releases()[1].key, before[1].key);
    EXPECT_EQ(store_->releases()[1].changed_at, before[1].changed_at);
    expect_whole(*store_);
  }
}

TEST_F(StoreTest, AStoreOpensOnAFullDisk) {
  ASSERT_TRUE(unpack(first_).ok());
  store_.reset();
  FaultyFiles disk(*maker_.files);
  disk.set_full(true);
  auto store = ReleaseStore::open(disk, clock_, root_);
  ASSERT_TRUE(store.ok()) << store.error().message();
  EXPECT_EQ(statuses(**store), "1.0.0 unpacked");
  EXPECT_FALSE((*store)->change("demo", "1.0.0", Action::kInstall, kReason).ok());
  EXPECT_EQ(statuses(**store), "1.0.0 unpacked");
}

TEST_F(StoreTest, TheRecordsOfAnUpgradeHaveRoomOnADiskThatFilledUp) {
  ASSERT_TRUE(unpack(first_).ok());
  store_.reset();
  FaultyFiles disk(*maker_.files);
  auto store = *ReleaseStore::open(disk, clock_, root_);
  ASSERT_TRUE(store->keep_room().ok());
  disk.set_full(true);
  const Reason long_one{std::string(1000, '\n'), std::string(100'000, '\n'), 1};
  ASSERT_TRUE(store->change("demo", "1.0.0", Action::kInstall, long_one, Room::kKept).ok());
  ASSERT_TRUE(store->change("demo", "1.0.0", Action::kFailProbation, long_one, Room::kKept).ok());
  EXPECT_EQ(store->releases()[0].why, std::string(kWhyBytesMax, '\n'));
  store->give_up_room();
  EXPECT_FALSE(store->keep_room().ok());
}

TEST_F(StoreTest, AJournalThatContradictsItselfIsRefused) {
  store_.reset();
  {
    Journal journal = *Journal::open(*maker_.files, root_ + "/journal");
    JournalRecord record;
    record.set("action", "install").set("name", "demo").set("version", "1.0.0");
    ASSERT_TRUE(journal.append(record).ok());
  }
  auto opened = ReleaseStore::open(*maker_.files, clock_, root_);
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().message().find("does not follow"), std::string::npos);
}

TEST_F(StoreTest, TheNumberOfReleasesIsLimited) {
  // given a journal with as many releases as there may be
  store_.reset();
  {
    Journal journal = *Journal::open(*maker_.files, root_ + "/journal");
    for (std::size_t i = 0; i < kReleasesMax; ++i) {
      JournalRecord record;
      record.set("action", "unpack").set("name", "other").set("version", std::to_string(i));
      record.set("sequence", "1").set("digest", std::string(64, '0'));
      ASSERT_TRUE(journal.append(record).ok());
    }
  }
  open();
  EXPECT_NE(unpack(first_).error().message().find("there are 100 releases here already"),
            std::string::npos);
}

// Every call of Files fails once, and every one begins a crash; then the store is opened again.
class StoreFaultTest : public StoreTest, public testing::WithParamInterface<FaultyFiles::Fault> {
 protected:
  /// Runs `operate` with the n-th call failing, for every n that it reaches. Afterwards the
  /// statuses, also after a restart, are `before` or `after`, and `after` for sure where it
  /// reported success; and it can be done again.
  void sweep(const std::function<void()>& prepare,
             const std::function<Result<void>(ReleaseStore&)>& operate, const std::string& before,
             const std::string& after) {
    for (int n = 0;; ++n) {
      SCOPED_TRACE(n);
      prepare();
      ASSERT_EQ(statuses(), before);
      store_.reset();
      FaultyFiles faulty(*maker_.files);
      bool done = false, failed = false;
      {
        auto store = *ReleaseStore::open(faulty, clock_, root_);
        faulty.fail_call(n, GetParam());
        done = operate(*store).ok();
        failed = faulty.has_failed();
        const std::string now = statuses(*store);
        ASSERT_EQ(now, done ? after : before);
      }
      open();
      ASSERT_TRUE(statuses() == after || (!done && statuses() == before)) << statuses();
      expect_whole(*store_);
      ASSERT_TRUE(store_->collect_garbage().ok());
      ASSERT_EQ(list("releases").size(), store_->releases().size());
      if (statuses() == before) {
        Result<void> again = operate(*store_);
        ASSERT_TRUE(again.ok()) << again.error().message();
        ASSERT_EQ(statuses(), after);
        expect_whole(*store_);
      }
      if (!failed) {
        EXPECT_GT(n, 5);
        return;
      }
    }
  }
  void fresh() {
    store_.reset();
    ASSERT_TRUE(remove_tree(*maker_.files, root_).ok());
    open();
    ASSERT_TRUE(store_->keys().trust(maker_.key.public_key().text(), "k.pub").ok());
  }
};

TEST_P(StoreFaultTest, UnpackingThatFailsAnywhereLeavesTheReleasesBeforeOrAfter) {
  sweep([&] { fresh(); },
        [&](ReleaseStore& store) -> Result<void> {
          BATON_TRY(store.unpack(first_, {}, kReason));
          return {};
        },
        "", "1.0.0 unpacked");
}

TEST_P(StoreFaultTest, ChangingThatFailsAnywhereLeavesTheReleasesBeforeOrAfter) {
  fresh();
  ASSERT_TRUE(unpack(first_).ok());
  const std::string journal = maker_.read(root_ + "/journal");
  sweep(
      [&] {
        store_.reset();
        ASSERT_TRUE(write_file_atomically(*maker_.files, root_ + "/journal", journal).ok());
        open();
      },
      [&](ReleaseStore& store) {
        // Twice, so that there are calls enough to fail.
        Result<void> noted = store.note("install", {});
        Result<void> noted_again = noted.ok() ? store.note("install", {}) : noted;
        return noted_again.ok() ? store.change("demo", "1.0.0", Action::kInstall, kReason)
                                : noted_again;
      },
      "1.0.0 unpacked", "1.0.0 current");
}

TEST_P(StoreFaultTest, RemovingThatFailsAnywhereLeavesTheReleasesBeforeOrAfter) {
  sweep(
      [&] {
        fresh();
        ASSERT_TRUE(unpack(first_).ok());
        ASSERT_TRUE(unpack(second_).ok());
      },
      [&](ReleaseStore& store) { return store.remove("demo", "1.0.0", kReason); },
      "1.0.0 unpacked, 2.0.0 unpacked", "2.0.0 unpacked");
}

INSTANTIATE_TEST_SUITE_P(Faults, StoreFaultTest,
                         testing::Values(FaultyFiles::Fault::kOnce, FaultyFiles::Fault::kFromThere),
                         [](const auto& parameter) {
                           return parameter.param == FaultyFiles::Fault::kOnce ? "Once" : "Crash";
                         });

}  // namespace
}  // namespace baton::release
