#include "code/library.h"

#include "module/elf.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

namespace baton::code {
namespace {

using testing::HasSubstr;

// A store as the host has it: each file under the name of its hash, read-only, never a link.
class LibraryTest : public testing::Test {
 protected:
  LibraryTest() {
    char pattern[] = "/tmp/library_test.XXXXXX";
    root_ = ::mkdtemp(pattern);
    host_.struct_size = sizeof host_;
    host_.abi_major = BATON_ABI_MAJOR;
    host_.abi_minor = BATON_ABI_MINOR;
  }
  ~LibraryTest() override { std::filesystem::remove_all(root_); }

  std::string stored(const std::string& name) {
    std::ifstream in(BATON_GATE_MODULES "/" + name + ".so", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    EXPECT_FALSE(bytes.empty()) << name;
    digest_ = sha256(bytes);
    const std::string folder = root_ + "/" + digest_.hex();
    std::filesystem::create_directories(folder);
    std::string path = folder + "/module.so";
    // Never again over a file that may be mapped: its pages would change under the running code.
    if (!std::filesystem::exists(path)) std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  Result<std::unique_ptr<Library>> open(const std::string& path, const LibraryRules& rules = {}) {
    auto library = Library::open(path, rules);
    if (library.ok()) {
      if (auto started = (*library)->start(&host_); !started.ok())
        return std::move(started).error();
    }
    return library;
  }
  static UnloadReport close(Library& library) {
    library.finish();
    return library.close();
  }
  std::string refusal(const std::string& path, const LibraryRules& rules = {}) {
    auto library = open(path, rules);
    return library.ok() ? "accepted" : library.error().message();
  }
  static bool is_mapped(const std::string& path) {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);)
      if (line.find(path) != line.npos) return true;
    return false;
  }

  baton_host host_{};
  std::string root_;
  Digest digest_;  // of what was stored last
};

#define SKIP_IF_LIBRARIES_STAY_MAPPED() \
  if (module::kHostIsSanitized) GTEST_SKIP() << "a sanitizer build keeps libraries mapped"

TEST_F(LibraryTest, LoadsAModuleThatAgreesWithItsNote) {
  const std::string path = stored("good");
  LibraryRules rules;
  rules.digest = digest_;
  rules.module = "counter";
  rules.version = "1.0.0";

  auto library = open(path, rules);

  ASSERT_TRUE(library.ok()) << library.error().message();
  const baton_module* module = (*library)->module();
  EXPECT_STREQ(module->name, "counter");
  EXPECT_EQ((*library)->note().version, "1.0.0");
  EXPECT_EQ((*library)->build_id().size(), 40u);
  std::int64_t state = 99;
  EXPECT_EQ(module->behaviours[0].state->construct(&state, nullptr), 0);
  EXPECT_EQ(state, 0);
}

TEST_F(LibraryTest, UnloadsAndProvesIt) {
  SKIP_IF_LIBRARIES_STAY_MAPPED();
  const std::string path = stored("ordinary");
  auto library = open(path);
  ASSERT_TRUE(library.ok()) << library.error().message();
  EXPECT_TRUE(is_mapped(path));

  const UnloadReport report = close(**library);

  EXPECT_TRUE(report.is_unloaded) << report.pinned_by;
  EXPECT_FALSE(is_mapped(path));
  EXPECT_EQ(::dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD), nullptr);
}

TEST_F(LibraryTest, TwoVersionsOfAModuleStandSideBySide) {
  auto first = open(stored("good"));
  auto second = open(stored("good_2"));

  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_STREQ((*first)->module()->version, "1.0.0");
  EXPECT_STREQ((*second)->module()->version, "2.0.0");
  EXPECT_NE((*first)->module(), (*second)->module());
  EXPECT_NE((*first)->build_id(), (*second)->build_id());
}

TEST_F(LibraryTest, EveryLoadOfAFileStartsWithFreshGlobals) {
  SKIP_IF_LIBRARIES_STAY_MAPPED();
  const std::string path = stored("stateful_counter");
  for (int round = 0; round < 3; ++round) {
    auto library = open(path);
    ASSERT_TRUE(library.ok()) << library.error().message();
    // Its init fails when it runs for the second time in one image.
    EXPECT_TRUE(close(**library).is_unloaded);
  }
}

std::size_t resident_pages() {
  std::ifstream statm("/proc/self/statm");
  std::size_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident;
}

std::size_t loaded_objects() {
  std::size_t count = 0;
  ::dl_iterate_phdr(
      [](dl_phdr_info*, std::size_t, void* data) { return ++*static_cast<std::size_t*>(data), 0; },
      &count);
  return count;
}

TEST_F(LibraryTest, LoadingAndUnloadingTwoHundredTimesLeavesNothing) {
  SKIP_IF_LIBRARIES_STAY_MAPPED();
  const std::string paths[] = {stored("good"), stored("good_2"), stored("ordinary")};
  std::size_t pages = 0, objects = 0;
  for (int cycle = 0; cycle < 300; ++cycle) {
    if (cycle == 100) pages = resident_pages(), objects = loaded_objects();
    auto library = open(paths[cycle % 3]);
    ASSERT_TRUE(library.ok()) << library.error().message();
    const UnloadReport report = close(**library);
    ASSERT_TRUE(report.is_unloaded) << cycle << ": " << report.pinned_by;
  }
  EXPECT_EQ(loaded_objects(), objects);
  EXPECT_LE(resident_pages(), pages + 64)
      << "200 loads may leave noise of the allocator, not a page each";
}

TEST_F(LibraryTest, AFileThatIsLoadedAlreadyIsRefusedUnderAnyName) {
  SKIP_IF_LIBRARIES_STAY_MAPPED();
  const std::string path = stored("good"), link = root_ + "/link.so";
  std::filesystem::create_hard_link(path, link);
  auto library = open(path);
  ASSERT_TRUE(library.ok());

  EXPECT_EQ(open(path).error().code(), Code::kBusy);
  EXPECT_THAT(refusal(link), HasSubstr("loaded already"));
  EXPECT_TRUE(close(**library).is_unloaded);
  EXPECT_EQ(refusal(link), "accepted");
}

// The loader compared paths, so that a file that took the path of a loaded one was refused.
TEST_F(LibraryTest, AFileUnderThePathOfALoadedOneIsLoadedAsItself) {
  const std::string path = stored("good"), other = stored("good_2");
  auto first = open(path);
  ASSERT_TRUE(first.ok()) << first.error().message();
  std::filesystem::rename(other, path);

  auto second = open(path);

  ASSERT_TRUE(second.ok()) << second.error().message();
  EXPECT_STREQ((*first)->module()->version, "1.0.0");
  EXPECT_STREQ((*second)->module()->version, "2.0.0");
}

// The loader opened the path once more, so a file that took the path after the hash was mapped.
TEST_F(LibraryTest, AFileReplacedBetweenHashAndLoadIsNotTheOneThatIsLoaded) {
  SKIP_IF_LIBRARIES_STAY_MAPPED();
  constexpr int kLoads = 300;
  const std::string other = stored("good_2"), good = stored("good"), path = root_ + "/module.so";
  LibraryRules rules;
  rules.digest = digest_;
  std::filesystem::create_hard_link(good, path);
  std::atomic<bool> ends = false;
  std::thread swapper([&] {
    const std::string next = root_ + "/next.so";
    for (int i = 0; !ends; ++i) {
      std::filesystem::create_hard_link(i % 2 == 0 ? other : good, next);
      std::filesystem::rename(next, path);
      std::filesystem::remove(next);  // where both were the same file, the system moved nothing
    }
  });

  int loaded = 0;
  std::string other_refusal;
  for (int i = 0; i < kLoads || (loaded == 0 && i < 100 * kLoads); ++i) {
    auto library = open(path, rules);
    if (library.ok())
      loaded += std::string((*library)->module()->version) == "1.0.0";
    else if (library.error().message().find("is not the expected") == std::string::npos)
      other_refusal = library.error().message();
  }
  ends = true;
  swapper.join();

  EXPECT_GT(loaded, 0);
  EXPECT_EQ(other_refusal, "");
}

TEST_F(LibraryTest, RefusesAFileWhoseNoteIsNotTheManifests) {
  const std::string path = stored("good");
  auto library = open(path);
  ASSERT_TRUE(library.ok()) << library.error().message();
  std::ifstream in(path, std::ios::binary);
  auto file = module::ElfFile::parse({std::istreambuf_iterator<char>(in), {}}, path);
  ASSERT_TRUE(file.ok());
  const auto facts = module::gate(*file, {});
  ASSERT_TRUE(facts.ok());
  (*library).reset();
  LibraryRules rules;
  rules.note = facts->note_text;
  EXPECT_EQ(refusal(path, rules), "accepted");

  // An edited manifest promised another state: the upgrade was planned by that, and the movers of
  // the state found out by a check that ended the host.
  rules.note.insert(rules.note.find("version 1.0.0"), "stateful_globals\n");

  EXPECT_THAT(refusal(path, rules), HasSubstr("its note is not the one in the manifest"));
  EXPECT_THAT(refusal(path, rules), HasSubstr("cure: remove the release and unpack"));
}

// A descriptor that was closed gave its name to the next library, and the loader answered with the
// one that was still mapped.
TEST_F(LibraryTest, APinnedLibraryKeepsItsNameSoThatNoLaterOneGetsIt) {
  SKIP_IF_LIBRARIES_STAY_MAPPED();
  const std::string path = stored("good");
  auto first = open(path);
  ASSERT_TRUE(first.ok()) << first.error().message();
  void* other = ::dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD);
  ASSERT_NE(other, nullptr);
  EXPECT_FALSE(close(**first).is_unloaded);

  auto second = open(stored("good_2"));

  ASSERT_TRUE(second.ok()) << second.error().message();
  EXPECT_STREQ((*second)->module()->version, "2.0.0");
  EXPECT_EQ(open(path).error().code(), Code::kBusy);
  ::dlclose(other);
}

// The proof looked for the path, which a file loses when it is renamed.
TEST_F(LibraryTest, TheProofOfUnloadingFindsTheFileUnderAnotherPath) {
  SKIP_IF_LIBRARIES_STAY_MAPPED();
  const std::string path = stored("good"), elsewhere = root_ + "/elsewhere.so";
  auto library = open(path);
  ASSERT_TRUE(library.ok()) << library.error().message();
  const ScopedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  void* page = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  ASSERT_NE(page, MAP_FAILED);
  std::filesystem::rename(path, elsewhere);

  const UnloadReport report = close(**library);

  EXPECT_FALSE(report.is_unloaded);
  EXPECT_EQ(report.pinned_by, "something that maps its file (1 mappings)");
  ::munmap(page, 4096);
  EXPECT_EQ(refusal(elsewhere), "accepted");
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

TEST_F(LibraryTest, AnUnloadedLibraryLeavesNoDescriptorOpen) {
  SKIP_IF_LIBRARIES_STAY_MAPPED();
  const std::string path = stored("good");
  const std::size_t before = open_descriptors();
  auto library = open(path);
  ASSERT_TRUE(library.ok()) << library.error().message();
  EXPECT_EQ(open_descriptors(), before + 1);

  EXPECT_TRUE(close(**library).is_unloaded);

  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(LibraryTest, AnotherHolderIsReportedNotAnError) {
  SKIP_IF_LIBRARIES_STAY_MAPPED();
  const std::string path = stored("good");
  auto library = open(path);
  ASSERT_TRUE(library.ok());
  void* other = ::dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD);
  ASSERT_NE(other, nullptr);

  const UnloadReport report = close(**library);

  EXPECT_FALSE(report.is_unloaded);
  EXPECT_THAT(report.pinned_by, HasSubstr("another open of this file"));
  ::dlclose(other);
  EXPECT_FALSE(is_mapped(path));
}

TEST_F(LibraryTest, RefusesBeforeLoadingWhatIsNotTheExpectedFile) {
  const std::string path = stored("good");
  LibraryRules rules;
  rules.digest = sha256("something else");
  EXPECT_THAT(refusal(path, rules), HasSubstr("is not the expected " + rules.digest->hex()));
  EXPECT_EQ(open(root_ + "/none.so").error().code(), Code::kNotFound);
  EXPECT_EQ(open("module.so").error().code(), Code::kUsage);
  EXPECT_THAT(refusal(stored("import_fork")), HasSubstr("rule imports: fork"));
  std::filesystem::create_symlink(path, root_ + "/symlink.so");
  EXPECT_THAT(refusal(root_ + "/symlink.so"), HasSubstr("cannot be opened"));
  ASSERT_EQ(::mkfifo((root_ + "/pipe.so").c_str(), 0600), 0);
  EXPECT_THAT(refusal(root_ + "/pipe.so"), HasSubstr("it is not a regular file"));
  EXPECT_FALSE(is_mapped(root_));
}

TEST_F(LibraryTest, RefusesTablesThatContradictTheNoteAndUnloads) {
  LibraryRules other_module, other_version;
  other_module.module = "kv";
  other_version.version = "7.0.0";
  EXPECT_THAT(refusal(stored("good_other_version")),
              HasSubstr("baton_module.version \"9.9.9\" is not the note's \"1.0.0\""));
  EXPECT_THAT(refusal(stored("good_other_schema")),
              HasSubstr("behaviour counter: the schema's fingerprint is not the note's"));
  EXPECT_THAT(refusal(stored("good_other_flags")),
              HasSubstr("behaviour counter: its flags 2 are none of the ABI's"));
  EXPECT_THAT(refusal(stored("good_no_hooks")),
              HasSubstr("the hooks of its message increment are not the note's"));
  EXPECT_THAT(refusal(stored("good_other_hooks")),
              HasSubstr("the hooks of its message increment are not the note's"));
  EXPECT_THAT(refusal(stored("good_hooks_unnoted")),
              HasSubstr("the hooks of its message increment are not the note's"));
  EXPECT_THAT(refusal(stored("good_hooks_of_nothing")),
              HasSubstr("it has hooks of messages that the note does not name"));
  EXPECT_TRUE(open(stored("good_hooks")).ok());
  EXPECT_THAT(refusal(stored("good"), other_module), HasSubstr("it is the module counter, not kv"));
  EXPECT_THAT(refusal(stored("good"), other_version),
              HasSubstr("it is version 1.0.0 of counter, not 7.0.0"));
  EXPECT_EQ(is_mapped(root_), module::kHostIsSanitized);
}

TEST_F(LibraryTest, AFailingInitIsReportedWithItsTextAndUnloads) {
  const auto library = open(stored("good_init_fails"));
  ASSERT_FALSE(library.ok());
  EXPECT_EQ(library.error().code(), Code::kFailed);
  EXPECT_THAT(library.error().message(),
              HasSubstr("init of counter 1.0.0 failed: the counter does not want to start"));
  EXPECT_EQ(is_mapped(root_), module::kHostIsSanitized);
}

}  // namespace
}  // namespace baton::code
