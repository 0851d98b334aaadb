#include "module/elf.h"

#include "base/files.h"
#include "module/gate.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

namespace baton::module {
namespace {

using testing::Contains;
using testing::HasSubstr;

std::string path_of(const std::string& name) { return BATON_GATE_MODULES "/" + name + ".so"; }

std::vector<char> read_module(const std::string& name) {
  std::ifstream in(path_of(name), std::ios::binary);
  EXPECT_TRUE(in.good()) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

template <class T>
T& at(std::vector<char>& bytes, std::size_t offset) {
  EXPECT_LE(offset + sizeof(T), bytes.size());
  return *reinterpret_cast<T*>(bytes.data() + offset);
}

std::string refusal(std::vector<char> bytes) {
  auto file = ElfFile::parse(std::move(bytes), "m.so");
  if (file.ok()) return "accepted";
  EXPECT_EQ(file.error().code(), Code::kRefused);
  return file.error().message();
}

// The header of a good module with one field changed.
template <class Change>
std::string refusal_of_header(Change change) {
  auto bytes = read_module("good");
  change(at<Elf64_Ehdr>(bytes, 0));
  return refusal(std::move(bytes));
}

TEST(ElfFile, ShowsWhatTheLoaderWouldSee) {
  ScopedFd fd(::open(path_of("good").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(fd.is_open());

  auto file = ElfFile::read(fd.get(), "good.so");

  ASSERT_TRUE(file.ok()) << file.error().message();
  EXPECT_EQ(file->build_id().size(), 20u);
  EXPECT_TRUE(std::any_of(
      file->dynamic_symbols().begin(), file->dynamic_symbols().end(), [](const ElfFile::Symbol& s) {
        return s.name == "baton_module_entry" && !s.is_import() && s.type == STT_FUNC;
      }));
  EXPECT_TRUE(file->has_static_symbols());
  EXPECT_TRUE(std::any_of(file->notes().begin(), file->notes().end(),
                          [](const ElfFile::Note& n) { return n.owner == "baton"; }));
  EXPECT_EQ(std::string(file->bytes()),
            std::string(read_module("good").data(), read_module("good").size()));
}

TEST(ElfFile, KeepsItsViewsWhenItIsMoved) {
  auto parsed = ElfFile::parse(read_module("import_fork"), "m.so");
  ASSERT_TRUE(parsed.ok());
  ElfFile moved = std::move(parsed).value();
  EXPECT_TRUE(std::any_of(moved.dynamic_symbols().begin(), moved.dynamic_symbols().end(),
                          [](const ElfFile::Symbol& s) {
                            return s.name == "fork" && s.version == "GLIBC_2.2.5" && s.is_import();
                          }));
  EXPECT_THAT(moved.needed(), Contains("libc.so.6"));
}

TEST(ElfFile, RefusesWhatIsNoFileOrTooLarge) {
  ScopedFd directory(::open("/", O_RDONLY | O_CLOEXEC));
  EXPECT_THAT(ElfFile::read(directory.get(), "root").error().message(),
              HasSubstr("rule elf-file: it is not a regular file"));

  char name[] = "/tmp/elf_test.XXXXXX";
  ScopedFd sparse(::mkstemp(name));
  ASSERT_TRUE(sparse.is_open());
  ::unlink(name);
  ASSERT_EQ(::ftruncate(sparse.get(), static_cast<off_t>(kModuleBytesMax) + 1), 0);
  EXPECT_THAT(ElfFile::read(sparse.get(), "big.so").error().message(),
              HasSubstr("more than 268435456"));
}

TEST(ElfFile, RefusesAnotherKindOfFileNamingTheField) {
  EXPECT_THAT(refusal({'#', '!', '/', 'b', 'i', 'n'}),
              HasSubstr("rule elf-file: it does not start as an ELF file"));
  EXPECT_THAT(refusal({}), HasSubstr("rule elf-file"));
  EXPECT_THAT(refusal_of_header([](Elf64_Ehdr& h) { h.e_ident[EI_CLASS] = ELFCLASS32; }),
              HasSubstr("rule elf-class: class 1"));
  EXPECT_THAT(refusal_of_header([](Elf64_Ehdr& h) { h.e_ident[EI_DATA] = ELFDATA2MSB; }),
              HasSubstr("rule elf-class"));
  EXPECT_THAT(refusal_of_header([](Elf64_Ehdr& h) { h.e_ident[EI_OSABI] = ELFOSABI_FREEBSD; }),
              HasSubstr("rule os-abi: OS ABI 9"));
  EXPECT_THAT(refusal_of_header([](Elf64_Ehdr& h) { h.e_ident[EI_ABIVERSION] = 1; }),
              HasSubstr("rule os-abi"));
  EXPECT_THAT(refusal_of_header([](Elf64_Ehdr& h) { h.e_machine = EM_RISCV; }),
              HasSubstr("rule machine: machine 243"));
  EXPECT_THAT(refusal_of_header([](Elf64_Ehdr& h) { h.e_type = ET_REL; }),
              HasSubstr("rule elf-type: type 1"));
  std::ifstream self("/proc/self/exe", std::ios::binary);
  EXPECT_THAT(refusal({std::istreambuf_iterator<char>(self), {}}),
              HasSubstr("rule elf-type: it names a program interpreter"));
}

TEST(ElfFile, RefusesHeadersThatContradictTheFile) {
  EXPECT_THAT(refusal_of_header([](Elf64_Ehdr& h) { h.e_phnum = 0; }),
              HasSubstr("rule elf-header"));
  EXPECT_THAT(refusal_of_header([](Elf64_Ehdr& h) { h.e_phnum = kSegmentsMax + 1; }),
              HasSubstr("rule elf-header"));
  EXPECT_THAT(refusal_of_header([](Elf64_Ehdr& h) { h.e_phoff = ~0ull - 8; }),
              HasSubstr("rule elf-header"));
  EXPECT_THAT(refusal_of_header([](Elf64_Ehdr& h) { h.e_phentsize = 8; }),
              HasSubstr("rule elf-header"));
  EXPECT_THAT(refusal_of_header([](Elf64_Ehdr& h) { h.e_shoff = ~0ull - 8; }),
              HasSubstr("rule section-headers"));
  EXPECT_THAT(refusal_of_header([](Elf64_Ehdr& h) { h.e_shentsize = 1; }),
              HasSubstr("rule section-headers"));
}

struct Damage {
  const char* name;
  void (*apply)(Elf64_Phdr&);
  std::uint32_t type;
};

TEST(ElfFile, RefusesSegmentsThatDoNotFitTogether) {
  const Damage damages[] = {
      {"past the end", [](Elf64_Phdr& p) { p.p_filesz = 1ull << 40; }, PT_LOAD},
      {"overflow", [](Elf64_Phdr& p) { p.p_offset = ~0ull; }, PT_LOAD},
      {"too large", [](Elf64_Phdr& p) { p.p_memsz = kModuleMappedBytesMax + 1; }, PT_LOAD},
      {"memory below file", [](Elf64_Phdr& p) { p.p_memsz = p.p_filesz - 1; }, PT_LOAD},
      {"odd alignment", [](Elf64_Phdr& p) { p.p_align = 3000; }, PT_LOAD},
      {"elsewhere", [](Elf64_Phdr& p) { p.p_vaddr += 0x100000; }, PT_DYNAMIC},
      {"other bytes", [](Elf64_Phdr& p) { p.p_offset -= 8; }, PT_DYNAMIC},
      {"no table", [](Elf64_Phdr& p) { p.p_type = PT_NULL; }, PT_DYNAMIC},
      {"empty table", [](Elf64_Phdr& p) { p.p_filesz = 16; }, PT_DYNAMIC},
      {"outside", [](Elf64_Phdr& p) { p.p_vaddr = 0x3fffffff; }, PT_GNU_RELRO},
      {"twice", [](Elf64_Phdr& p) { p.p_type = PT_GNU_STACK; }, PT_GNU_EH_FRAME},
      {"cut note", [](Elf64_Phdr& p) { p.p_filesz -= 5; }, PT_NOTE},
  };
  for (const Damage& damage : damages) {
    auto bytes = read_module("good");
    const auto header = at<Elf64_Ehdr>(bytes, 0);
    bool found = false;
    for (std::size_t i = header.e_phnum; i-- > 0 && !found;) {
      auto& p = at<Elf64_Phdr>(bytes, header.e_phoff + i * sizeof(Elf64_Phdr));
      found = p.p_type == damage.type;
      if (found) damage.apply(p);
    }
    ASSERT_TRUE(found) << damage.name;
    EXPECT_THAT(refusal(std::move(bytes)), HasSubstr("refused by rule ")) << damage.name;
  }
}

// Of the last segment of this type, changed so.
std::string refusal_of_segment(std::uint32_t type, void (*change)(Elf64_Phdr&)) {
  auto bytes = read_module("good");
  const auto header = at<Elf64_Ehdr>(bytes, 0);
  for (std::size_t i = header.e_phnum; i-- > 0;) {
    auto& p = at<Elf64_Phdr>(bytes, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (p.p_type != type) continue;
    change(p);
    return refusal(std::move(bytes));
  }
  return "no such segment";
}

TEST(ElfFile, RefusesANoteThatLiesElsewhereInMemory) {
  // The notes that were judged, the build id among them, could be others than those in memory.
  EXPECT_THAT(refusal_of_segment(PT_NOTE, [](Elf64_Phdr& p) { p.p_vaddr += 64; }),
              HasSubstr("segment type 0x4 lies outside the loaded ones"));
}

TEST(ElfFile, RefusesSegmentsThatShareAPage) {
  // The loader maps whole pages: the second segment would replace the end of the first.
  EXPECT_THAT(refusal_of_segment(PT_LOAD, [](Elf64_Phdr& p) { p.p_vaddr -= 4096; }),
              HasSubstr("share a page"));
}

TEST(ElfFile, RefusesADynamicTableThatPointsOutside) {
  for (std::int64_t tag : {DT_STRTAB, DT_SYMTAB, DT_GNU_HASH, DT_RELA, DT_VERNEED, DT_VERSYM,
                           DT_INIT_ARRAY, DT_INIT, DT_STRSZ, DT_RELASZ, DT_SYMENT, DT_NEEDED}) {
    auto bytes = read_module("import_fork");
    const auto header = at<Elf64_Ehdr>(bytes, 0);
    bool found = false;
    for (std::size_t i = 0; i < header.e_phnum; ++i) {
      const auto p = at<Elf64_Phdr>(bytes, header.e_phoff + i * sizeof(Elf64_Phdr));
      if (p.p_type != PT_DYNAMIC) continue;
      for (std::size_t d = 0; d < p.p_filesz / sizeof(Elf64_Dyn) && !found; ++d) {
        auto& entry = at<Elf64_Dyn>(bytes, p.p_offset + d * sizeof(Elf64_Dyn));
        found = entry.d_tag == tag;
        if (found) entry.d_un.d_val = 0x7ffffffffff3;
      }
    }
    ASSERT_TRUE(found) << tag;
    EXPECT_THAT(refusal(std::move(bytes)), HasSubstr("refused by rule ")) << tag;
  }
}

TEST(ElfFile, RefusesEveryTruncation) {
  // The tables of sections stand at the end of the file, so that no prefix of it is whole.
  const auto whole = read_module("good");
  for (std::size_t size = 0; size < whole.size(); size += size < 4096 ? 1 : 61)
    ASSERT_THAT(refusal({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}),
                HasSubstr("refused by rule"))
        << size;
}

// Whatever the bytes, the answer is an ElfFile or an Error: the address sanitizer's build holds it
// to that. Damage is put where the structure is (headers, tables) more often than into code.
TEST(ElfFile, SurvivesDamageAnywhere) {
  const char* seed_text = std::getenv("BATON_SEED");
  const auto seed = seed_text != nullptr ? std::strtoull(seed_text, nullptr, 10) : 20240607ull;
  SCOPED_TRACE("BATON_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::vector<char> modules[] = {read_module("good"), read_module("import_thread"),
                                       read_module("unique"), read_module("textrel")};
  int accepted = 0, refused = 0;
  for (int round = 0; round < 12000; ++round) {
    auto bytes = modules[random() % std::size(modules)];
    const auto header = at<Elf64_Ehdr>(bytes, 0);
    for (auto flips = 1 + random() % 6; flips > 0; --flips) {
      std::size_t where = random() % bytes.size();
      switch (random() % 5) {
        case 0:
          where = random() % (sizeof(Elf64_Ehdr) + header.e_phnum * sizeof(Elf64_Phdr));
          break;
        case 1: where = random() % std::min<std::size_t>(bytes.size(), 4096); break;
        case 2: where = header.e_shoff + random() % (header.e_shnum * sizeof(Elf64_Shdr)); break;
        case 3: {
          const auto p = at<Elf64_Phdr>(
              bytes, header.e_phoff + random() % header.e_phnum * sizeof(Elf64_Phdr));
          if (p.p_filesz != 0 && p.p_offset < bytes.size())
            where = p.p_offset +
                    random() % std::min<std::size_t>(p.p_filesz, bytes.size() - p.p_offset);
          break;
        }
        default: break;
      }
      constexpr std::uint64_t kNasty[] = {0,      1,          0x7f,       0x80,  0xff,
                                          0xffff, 0x7fffffff, 0xffffffff, ~0ull, 1ull << 63};
      if (random() % 2 == 0) {
        bytes[where] = static_cast<char>(random());
      } else {
        const std::uint64_t value = kNasty[random() % std::size(kNasty)];
        std::memcpy(bytes.data() + where, &value,
                    std::min<std::size_t>(std::size_t{1} << random() % 4, bytes.size() - where));
      }
    }
    if (random() % 8 == 0) bytes.resize(random() % bytes.size());
    auto file = ElfFile::parse(std::move(bytes), "m.so");
    if (file.ok()) (void)gate(*file, {});
    ++(file.ok() ? accepted : refused);
  }
  EXPECT_GT(accepted, 100);
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace baton::module
