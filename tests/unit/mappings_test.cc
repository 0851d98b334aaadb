#include "code/mappings.h"

#include "base/files.h"
#include "support/temporary_directory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

namespace baton::code {
namespace {

constexpr char kMaps[] =
    "7f0000001000-7f0000002000 r--p 00000000 fe:01 11      /store/module.so\n"
    "7f0000002000-7f0000003000 r-xp 00001000 fe:01 11      /store/module.so (deleted)\n"
    "7f0000003000-7f0000004000 rw-p 00000000 00:00 0 \n"
    "7f0000004000-7f0000005000 r--p 00000000 00:1c 11      /other device\n"
    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";
const MappedFile kModule{"fe:01", 11};

TEST(Mappings, AreReadAsTheKernelWritesThem) {
  const auto all = parse_mappings(kMaps);

  ASSERT_TRUE(all.ok()) << all.error().message();
  ASSERT_EQ(all->size(), 5u);
  EXPECT_EQ((*all)[1].from, 0x7f0000002000u);
  EXPECT_EQ((*all)[1].to, 0x7f0000003000u);
  EXPECT_EQ((*all)[1].file, kModule);
  EXPECT_EQ((*all)[2].file.inode, 0u);
  EXPECT_FALSE(parse_mappings("nothing like it\n").ok());
}

TEST(Mappings, AnImageIsOfAFileOnlyIfEachOfItsMappingsIs) {
  const auto all = *parse_mappings(kMaps);

  EXPECT_TRUE(are_of_file(all, 0x7f0000001000, 0x7f0000004000, kModule));
  EXPECT_FALSE(are_of_file(all, 0x7f0000001000, 0x7f0000004001, kModule)) << "another device";
  EXPECT_FALSE(are_of_file(all, 0x7f0000001000, 0x7f0000003000, {"fe:01", 12}))
      << "another file of the device";
  EXPECT_FALSE(are_of_file(all, 0x7f0000003000, 0x7f0000004000, kModule)) << "no file at all";
}

TEST(Mappings, AFileIsFoundByWhatItIsAndNotByItsPath) {
  TemporaryDirectory root;
  const auto files = real_files();
  ASSERT_TRUE(write_file_atomically(*files, root / "a", "a").ok());
  ASSERT_TRUE(write_file_atomically(*files, root / "b", "b").ok());
  const ScopedFd a(::open((root / "a").c_str(), O_RDONLY | O_CLOEXEC));
  const ScopedFd b(::open((root / "b").c_str(), O_RDONLY | O_CLOEXEC));
  const auto file = mapped_file(a.get());
  ASSERT_TRUE(file.ok()) << file.error().message();
  EXPECT_NE(*file, *mapped_file(b.get()));
  EXPECT_EQ(*mappings_of(*file), 0u);

  void* page = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, a.get(), 0);
  ASSERT_TRUE(files->rename(root / "a", root / "b").ok());

  EXPECT_EQ(*mappings_of(*file), 1u);
  ::munmap(page, 4096);
  EXPECT_EQ(*mappings_of(*file), 0u);
}

}  // namespace
}  // namespace baton::code
