#include "release/journal.h"

#include "support/faulty_files.h"
#include "support/temporary_directory.h"

#include <gtest/gtest.h>

namespace baton::release {
namespace {

JournalRecord record(const std::string& what) {
  JournalRecord r;
  r.set("action", what).set("why", "100% sure = yes\nreally");
  return r;
}

class JournalTest : public testing::Test {
 protected:
  std::string content() { return *read_file(*files_, path_, kJournalBytesMax); }
  void overwrite(const std::string& bytes) {
    ASSERT_TRUE(write_file_atomically(*files_, path_, bytes).ok());
  }
  std::vector<std::string> found() {
    Result<Journal> journal = Journal::open(*files_, path_);
    if (!journal.ok()) return {journal.error().message()};
    std::vector<std::string> actions;
    for (const JournalRecord& r : journal->records()) actions.push_back(r.get("action"));
    return actions;
  }
  void write_three() {
    Journal journal = *Journal::open(*files_, path_);
    for (const char* what : {"one", "two", "three"}) ASSERT_TRUE(journal.append(record(what)).ok());
  }

  std::unique_ptr<Files> disk_ = real_files();
  std::unique_ptr<Files> files_ = std::make_unique<FaultyFiles>(*disk_);
  TemporaryDirectory root_;
  const std::string path_ = root_ / "journal";
};

TEST_F(JournalTest, WhatWasAppendedIsFoundAgainInOrder) {
  write_three();
  Journal journal = *Journal::open(*files_, path_);
  ASSERT_EQ(journal.records().size(), 3u);
  EXPECT_EQ(journal.records()[1], record("two"));
  EXPECT_EQ(journal.records()[1].get("why"), "100% sure = yes\nreally");
  EXPECT_EQ(journal.cut(), 0u);
}

TEST_F(JournalTest, ATornRecordAtTheEndIsCutOffAtEveryLength) {
  write_three();
  const std::string whole = content();
  const std::string two = whole.substr(0, whole.find('\n', whole.find('\n') + 1) + 1);
  for (std::size_t size = two.size(); size < whole.size(); ++size) {
    overwrite(whole.substr(0, size));
    Journal journal = *Journal::open(*files_, path_);
    ASSERT_EQ(journal.records().size(), 2u) << size;
    ASSERT_EQ(journal.cut(), size - two.size());
    ASSERT_EQ(content(), two);
  }
}

TEST_F(JournalTest, AfterACutItGoesOnWhereItWas) {
  write_three();
  overwrite(content() + "00000030 junk");
  ASSERT_TRUE(Journal::open(*files_, path_)->append(record("four")).ok());
  EXPECT_EQ(found(), (std::vector<std::string>{"one", "two", "three", "four"}));
}

TEST_F(JournalTest, DamageBeforeGoodRecordsIsNeverCutOff) {
  write_three();
  const std::string whole = content();
  const std::size_t last = whole.rfind('\n', whole.size() - 2) + 1;
  for (std::size_t at = 0; at < last; ++at) {
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    overwrite(bad);
    Result<Journal> journal = Journal::open(*files_, path_);
    ASSERT_FALSE(journal.ok()) << at;
    ASSERT_NE(journal.error().message().find("damaged at byte"), std::string::npos)
        << journal.error().message();
    ASSERT_EQ(content(), bad);
  }
}

TEST_F(JournalTest, ARecordTakenOutIsNoticed) {
  write_three();
  std::string whole = content();
  const std::size_t first = whole.find('\n') + 1, second = whole.find('\n', first) + 1;
  overwrite(whole.substr(0, first) + whole.substr(second));
  EXPECT_NE(found().at(0).find("record 2 is missing"), std::string::npos);
}

TEST_F(JournalTest, ASecondProcessIsRefused) {
  Journal journal = *Journal::open(*files_, path_);
  Result<Journal> second = Journal::open(*files_, path_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), Code::kBusy);
}

TEST_F(JournalTest, AnAppendThatFailsAnywhereLeavesAllRecordsBeforeItAndAtMostItself) {
  for (auto fault : {FaultyFiles::Fault::kOnce, FaultyFiles::Fault::kFromThere}) {
    for (int n = 0;; ++n) {
      ASSERT_TRUE(files_->facts(path_)->has_value() == false || files_->remove_file(path_).ok());
      FaultyFiles faulty(*files_);
      bool appended = false, failed = false, appended_later = false;
      {
        Journal journal = *Journal::open(faulty, path_);
        ASSERT_TRUE(journal.append(record("before")).ok());
        faulty.fail_call(n, fault);
        appended = journal.append(record("tried")).ok();
        failed = faulty.has_failed();
        faulty.heal();
        // It either goes on as if the failed append had never been, or says that it cannot.
        appended_later = journal.append(record("later")).ok();
      }
      std::vector<std::string> expected = {"before"};
      if (appended) expected.push_back("tried");
      if (appended_later) expected.push_back("later");
      std::vector<std::string> actions = found();
      if (appended || appended_later)
        EXPECT_EQ(actions, expected) << n;
      else
        EXPECT_TRUE(actions == expected || actions == (std::vector<std::string>{"before", "tried"}))
            << n;
      if (!failed) break;
    }
  }
}

TEST_F(JournalTest, OpeningThatFailsAnywhereChangesNothingThatCounts) {
  write_three();
  const std::string torn = content() + "0000";
  for (int n = 0;; ++n) {
    overwrite(torn);
    FaultyFiles faulty(*files_);
    faulty.fail_call(n, FaultyFiles::Fault::kFromThere);
    const bool opened = Journal::open(faulty, path_).ok();
    EXPECT_EQ(found(), (std::vector<std::string>{"one", "two", "three"}));
    if (opened) break;
  }
}

TEST_F(JournalTest, ItsSizeAndThatOfARecordAreLimited) {
  Journal journal = *Journal::open(*files_, path_, 200);
  JournalRecord large;
  large.set("why", std::string(kRecordBytesMax, 'x'));
  EXPECT_NE(journal.append(large).error().message().find("a record larger than"),
            std::string::npos);
  Result<void> appended;
  int count = 0;
  while ((appended = journal.append(record("x"))).ok()) ++count;
  EXPECT_GT(count, 0);
  EXPECT_NE(appended.error().message().find("full: it would grow past 200 bytes"),
            std::string::npos);
  EXPECT_EQ(journal.count(), static_cast<std::uint64_t>(count));
}

TEST_F(JournalTest, RoomThatWasKeptIsThereWhenTheDiskIsFull) {
  FaultyFiles disk(*files_);
  Journal journal = *Journal::open(disk, path_);
  ASSERT_TRUE(journal.keep_room(2 * kRecordBytesMax).ok());
  disk.set_full(true);
  EXPECT_FALSE(journal.append(record("ordinary")).ok());
  EXPECT_FALSE(journal.append(record("ordinary")).ok());
  EXPECT_TRUE(journal.append(record("one"), Room::kKept).ok());
  EXPECT_TRUE(journal.append(record("two"), Room::kKept).ok());
  EXPECT_FALSE(journal.keep_room(kRecordBytesMax * 3).ok());
  disk.set_full(false);
  EXPECT_TRUE(journal.append(record("three")).ok());
  journal = *Journal::open(disk, root_ / "other");
  EXPECT_EQ(found(), (std::vector<std::string>{"one", "two", "three"}));
}

TEST_F(JournalTest, AnOrdinaryAppendLeavesTheKeptRoomWhole) {
  FaultyFiles disk(*files_);
  Journal journal = *Journal::open(disk, path_, 3 * kRecordBytesMax);
  ASSERT_TRUE(journal.keep_room(2 * kRecordBytesMax).ok());
  while (journal.append(record("ordinary")).ok()) continue;
  EXPECT_LT(journal.size(), kRecordBytesMax);
  JournalRecord large;
  large.set("why", std::string(kRecordBytesMax - 100, 'x'));
  EXPECT_TRUE(journal.append(large, Room::kKept).ok());
  EXPECT_TRUE(journal.append(large, Room::kKept).ok());
}

TEST_F(JournalTest, AnAppendThatFailedIsMendedByTheNextOne) {
  // A journal whose torn end could not be cut off refused all appends until the host was started
  // anew, though the disk had room again.
  FaultyFiles faulty(*files_);
  Journal journal = *Journal::open(faulty, path_);
  ASSERT_TRUE(journal.append(record("before")).ok());
  faulty.fail_call(0, FaultyFiles::Fault::kFromThere);
  ASSERT_FALSE(journal.append(record("lost")).ok());
  faulty.heal();
  ASSERT_TRUE(journal.append(record("later")).ok());
  journal = *Journal::open(*files_, root_ / "other");
  EXPECT_EQ(found(), (std::vector<std::string>{"before", "later"}));
}

TEST_F(JournalTest, ARewriteThatFailsAnywhereLeavesTheOldRecordsOrTheNewOnes) {
  for (int n = 0;; ++n) {
    ASSERT_TRUE(remove_tree(*files_, path_).ok());
    write_three();
    FaultyFiles faulty(*files_);
    bool rewritten = false, appended = false;
    {
      Journal journal = *Journal::open(faulty, path_);
      faulty.fail_call(n, FaultyFiles::Fault::kOnce);
      rewritten = journal.rewrite({record("all")}).ok();
      appended = journal.append(record("later")).ok();
    }
    std::vector<std::string> actions = found();
    if (appended) {
      ASSERT_EQ(actions.back(), "later") << n;
      actions.pop_back();
    }
    const bool is_new = actions == std::vector<std::string>{"all"};
    EXPECT_TRUE(is_new || actions == (std::vector<std::string>{"one", "two", "three"})) << n;
    EXPECT_TRUE(is_new || !rewritten) << n;
    if (!faulty.has_failed()) break;
  }
}

TEST_F(JournalTest, AFileThatIsNoJournalIsCutOnlyIfItHoldsNoRecord) {
  overwrite("hello\nworld\n");
  EXPECT_EQ(Journal::open(*files_, path_)->cut(), 12u);
}

TEST_F(JournalTest, AFileOfANewerFormatIsRefusedByNameAndLeftAsItIs) {
  // The store compared formats, when all that it could not read had been cut off as a torn record.
  for (const std::string& format : {std::to_string(kJournalFormat + 1), std::string("2.1")}) {
    overwrite("");
    {
      JournalRecord first;
      first.set("format", format);
      ASSERT_TRUE(Journal::open(*files_, path_)->append(first).ok());
    }
    const std::string newer = content() + "only a newer host can read this\n";
    overwrite(newer);
    EXPECT_NE(found().at(0).find("it is of format " + format + ", written by a newer host"),
              std::string::npos)
        << found().at(0);
    EXPECT_EQ(content(), newer);
  }
}

TEST_F(JournalTest, OlderFormatsAreReadAndAddedTo) {
  write_three();  // of format 1, as it does not say
  EXPECT_EQ(found(), (std::vector<std::string>{"one", "two", "three"}));
  overwrite("");
  {
    Journal journal = *Journal::open(*files_, path_);
    for (const JournalRecord& each : {JournalRecord().set("format", "1"), record("one")})
      ASSERT_TRUE(journal.append(each).ok());
  }
  ASSERT_TRUE(Journal::open(*files_, path_)->append(record("two")).ok());
  EXPECT_EQ(found(), (std::vector<std::string>{"", "one", "two"}));
}

TEST(JournalRecord, TextThatIsNoRecordIsRefused) {
  for (const char* text : {"novalue", "=x", "A=x", "a=%", "a=%1", "a=%zz", "a=1 a=2", " a=1"})
    EXPECT_FALSE(JournalRecord::parse(text).ok()) << text;
  EXPECT_TRUE(JournalRecord::parse("").ok());
}

}  // namespace
}  // namespace baton::release
