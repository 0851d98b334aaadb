#include "base/files.h"

#include "support/faulty_files.h"
#include "support/temporary_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace baton {
namespace {

class FilesTest : public testing::Test {
 protected:
  std::unique_ptr<Files> files_ = real_files();
  TemporaryDirectory root_;
};

TEST_F(FilesTest, AFileIsReadUpToTheLimitAndRefusedPastIt) {
  const std::string path = root_ / "a";
  ASSERT_TRUE(write_file_atomically(*files_, path, "0123456789").ok());
  EXPECT_EQ(*read_file(*files_, path, 10), "0123456789");
  Error error = read_file(*files_, path, 9).error();
  EXPECT_NE(error.message().find("larger than the 9 bytes"), std::string::npos) << error.message();
}

TEST_F(FilesTest, AMissingFileIsNotFoundAndNamed) {
  Error error = read_file(*files_, root_ / "none", 10).error();
  EXPECT_EQ(error.code(), Code::kNotFound);
  EXPECT_NE(error.message().find(root_ / "none"), std::string::npos);
}

TEST_F(FilesTest, ASymbolicLinkIsNotFollowed) {
  ASSERT_TRUE(write_file_atomically(*files_, root_ / "a", "x").ok());
  ASSERT_EQ(::symlink((root_ / "a").c_str(), (root_ / "link").c_str()), 0);
  EXPECT_FALSE(read_file(*files_, root_ / "link", 10).ok());
  EXPECT_FALSE(files_->create(root_ / "link", 0644).ok());
}

TEST_F(FilesTest, OnlyARegularFileIsOpenedAndNobodyIsWaitedFor) {
  // Opening a pipe for reading waited until somebody opened it for writing.
  ASSERT_EQ(::mkfifo((root_ / "pipe").c_str(), 0600), 0);
  for (const std::string& path : {root_ / "pipe", root_.path(), std::string("/dev/zero")}) {
    const auto opened = files_->open_read(path);
    ASSERT_FALSE(opened.ok()) << path;
    EXPECT_EQ(opened.error().code(), Code::kRefused);
    EXPECT_EQ(opened.error().message(), path + " is not a regular file");
  }
  EXPECT_EQ(files_->open_append(root_ / "pipe", 0600).error().code(), Code::kRefused);
}

TEST_F(FilesTest, AnAtomicWriteThatFailsAnywhereLeavesTheOldOrTheNewContent) {
  const std::string path = root_ / "a";
  for (auto fault : {FaultyFiles::Fault::kOnce, FaultyFiles::Fault::kFromThere}) {
    for (int n = 0;; ++n) {
      ASSERT_TRUE(write_file_atomically(*files_, path, "old content").ok());
      FaultyFiles faulty(*files_);
      faulty.fail_call(n, fault);
      const bool written = write_file_atomically(faulty, path, "new content").ok();
      const bool failed = faulty.has_failed();
      std::string found = *read_file(*files_, path, 100);
      if (written)
        EXPECT_EQ(found, "new content");
      else
        EXPECT_TRUE(found == "old content" || found == "new content") << n << ": " << found;
      if (!failed) break;
    }
  }
}

TEST_F(FilesTest, CreatedFilesHaveTheModeAskedForWhateverTheUmask) {
  const mode_t before = ::umask(077);
  Result<ScopedFd> fd = files_->create(root_ / "a", 0444);
  ::umask(before);
  ASSERT_TRUE(fd.ok());
  EXPECT_EQ((*files_->facts(root_ / "a"))->mode, 0444u);
}

TEST_F(FilesTest, DirectoriesAreMadeWithTheirParentsAndMakingThemAgainIsSuccess) {
  const std::string path = root_ / "a/b/c";
  EXPECT_TRUE(make_directories(*files_, path).ok());
  EXPECT_TRUE(make_directories(*files_, path).ok());
  ASSERT_TRUE(write_file_atomically(*files_, path + "/file", "x").ok());
  EXPECT_FALSE(make_directories(*files_, path + "/file").ok());
  EXPECT_FALSE(make_directories(*files_, path + "/file/d").ok());
}

TEST_F(FilesTest, RemovingATreeRemovesLinksButNotWhatTheyPointTo) {
  ASSERT_TRUE(make_directories(*files_, root_ / "kept").ok());
  ASSERT_TRUE(write_file_atomically(*files_, root_ / "kept/file", "x").ok());
  ASSERT_TRUE(make_directories(*files_, root_ / "gone/deep").ok());
  ASSERT_EQ(::symlink((root_ / "kept").c_str(), (root_ / "gone/deep/link").c_str()), 0);
  EXPECT_TRUE(remove_tree(*files_, root_ / "gone").ok());
  EXPECT_FALSE(files_->facts(root_ / "gone")->has_value());
  EXPECT_TRUE(files_->facts(root_ / "kept/file")->has_value());
  EXPECT_TRUE(remove_tree(*files_, root_ / "gone").ok());
}

TEST_F(FilesTest, ATreeNestedPastTheLimitIsNotRemoved) {
  std::string path = root_ / "d";
  for (int i = 0; i < kTreeDepthMax + 1; ++i) path += "/d";
  ASSERT_TRUE(make_directories(*files_, path).ok());
  EXPECT_FALSE(remove_tree(*files_, root_ / "d").ok());
  EXPECT_TRUE(remove_tree(*files_, root_ / "d/d/d").ok());
}

TEST(Path, TheDirectoryOfAPathIsWhatStandsBeforeItsLastPart) {
  EXPECT_EQ(directory_of("/a/b"), "/a");
  EXPECT_EQ(directory_of("/a/b/"), "/a");
  EXPECT_EQ(directory_of("/a"), "/");
  EXPECT_EQ(directory_of("/"), "/");
  EXPECT_EQ(directory_of("a"), ".");
}

}  // namespace
}  // namespace baton
