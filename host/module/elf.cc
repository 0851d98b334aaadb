#include "module/elf.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <tuple>

namespace baton::module {

namespace {

#if defined(__x86_64__)
constexpr std::uint16_t kMachine = EM_X86_64;
constexpr const char* kMachineName = "x86-64";
constexpr std::uint32_t kRelative = R_X86_64_RELATIVE;
#elif defined(__aarch64__)
constexpr std::uint16_t kMachine = EM_AARCH64;
constexpr const char* kMachineName = "aarch64";
constexpr std::uint32_t kRelative = R_AARCH64_RELATIVE;
#else
#error "the gate does not know this machine: add its ELF number and its relocations"
#endif

constexpr std::size_t kRelocationsMax = std::size_t{1} << 22;
constexpr std::size_t kVersionsMax = 4096;
constexpr std::uint64_t kPageBytes = 4096;
constexpr std::string_view kRebuild =
    "build the module again with baton_add_module() and copy it whole";

std::string number(std::uint64_t n) { return std::to_string(n); }

std::string hex_number(std::uint64_t n) {
  std::string digits;
  do digits.insert(digits.begin(), "0123456789abcdef"[n & 15]);
  while (n >>= 4);
  return "0x" + digits;
}

// The caller has checked that the struct lies inside `bytes`.
template <class T>
T load(std::string_view bytes, std::size_t offset) {
  BATON_CHECK(offset <= bytes.size() && bytes.size() - offset >= sizeof(T));
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

std::uint64_t padded(std::uint64_t n, std::uint64_t align) {
  return (n + align - 1) / align * align;
}

}  // namespace

Error refuse(std::string_view file, std::string_view rule, const std::string& what,
             std::string_view cure) {
  std::string text(file);
  text.append(": refused by rule ").append(rule).append(": ").append(what);
  text.append("; cure: ").append(cure);
  return Error(Code::kRefused, std::move(text));
}

// Fills an ElfFile in the order in which each part needs the ones before it.
class ElfFile::Reader {
 public:
  explicit Reader(ElfFile& file) : file_(file), bytes_(file.bytes()) {}

  Result<void> run() {
    BATON_TRY(header());
    BATON_TRY(segments());
    BATON_TRY(load_segments());
    BATON_TRY(notes());
    BATON_TRY(dynamic());
    BATON_TRY(needed());
    BATON_TRY(symbol_versions());
    BATON_TRY(dynamic_symbols());
    BATON_TRY(relocations());
    BATON_TRY(initialisers());
    return static_symbols();
  }

 private:
  Error broken(std::string_view rule, const std::string& what) const {
    return refuse(file_.name_, rule, what, kRebuild);
  }

  Result<std::string_view> file_range(std::uint64_t offset, std::uint64_t size,
                                      std::string_view rule, const std::string& what) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset)
      return broken(rule, what + " at " + hex_number(offset) + " with " + number(size) +
                              " bytes passes the end of the file (" + number(bytes_.size()) +
                              " bytes)");
    return bytes_.substr(offset, size);
  }

  // What the loader will find at an address: bytes of one loaded segment that come from the file.
  Result<std::string_view> mapped_range(std::uint64_t address, std::uint64_t size,
                                        const std::string& what) const {
    for (const Segment& s : file_.segments_)
      if (s.type == PT_LOAD && address >= s.address && address - s.address <= s.file_size &&
          size <= s.file_size - (address - s.address))
        return bytes_.substr(s.offset + (address - s.address), size);
    return broken("dynamic-table", what + " at address " + hex_number(address) + " with " +
                                       number(size) + " bytes lies outside the loaded segments");
  }

  Result<std::string_view> text(std::string_view strings, std::uint64_t offset,
                                std::string_view rule, const std::string& what) const {
    if (offset >= strings.size())
      return broken(rule,
                    what + ": its string " + hex_number(offset) + " is outside the string table");
    std::string_view rest = strings.substr(offset, kSymbolNameMax + 1);
    std::size_t end = rest.find('\0');
    if (end == rest.npos)
      return broken(rule, what + ": its string " + hex_number(offset) + " has no end within " +
                              number(kSymbolNameMax) + " bytes");
    return rest.substr(0, end);
  }

  Result<void> header() {
    if (bytes_.size() < EI_NIDENT || bytes_.substr(0, SELFMAG) != ELFMAG)
      return refuse(file_.name_, "elf-file", "it does not start as an ELF file",
                    "give the shared library that baton_add_module() builds");
    const auto byte = [&](int i) {
      return static_cast<unsigned char>(bytes_[static_cast<std::size_t>(i)]);
    };
    if (byte(EI_CLASS) != ELFCLASS64)
      return refuse(file_.name_, "elf-class",
                    "class " + number(byte(EI_CLASS)) + " is not 64-bit (2)",
                    "build the module for 64-bit " + std::string(kMachineName));
    if (byte(EI_DATA) != ELFDATA2LSB || byte(EI_VERSION) != EV_CURRENT)
      return refuse(file_.name_, "elf-class", "it is not little-endian ELF version 1",
                    "build the module for " + std::string(kMachineName));
    if (byte(EI_OSABI) != ELFOSABI_SYSV && byte(EI_OSABI) != ELFOSABI_GNU)
      return refuse(file_.name_, "os-abi",
                    "OS ABI " + number(byte(EI_OSABI)) + " is not Linux (0 or 3)",
                    "build the module for Linux");
    if (byte(EI_ABIVERSION) != 0)
      return refuse(file_.name_, "os-abi",
                    "ABI version " + number(byte(EI_ABIVERSION)) + " is not 0",
                    "build the module for Linux");
    if (bytes_.size() < sizeof(Elf64_Ehdr))
      return broken("elf-header", "the file ends inside the ELF header");
    header_ = load<Elf64_Ehdr>(bytes_, 0);
    if (header_.e_machine != kMachine)
      return refuse(file_.name_, "machine",
                    "machine " + number(header_.e_machine) + " is not this host's " + kMachineName +
                        " (" + number(kMachine) + ")",
                    "build the module for " + std::string(kMachineName));
    if (header_.e_type != ET_DYN)
      return refuse(file_.name_, "elf-type",
                    "type " + number(header_.e_type) + " is not a shared library (3)",
                    "link the module with -shared");
    if (header_.e_version != EV_CURRENT || header_.e_ehsize != sizeof(Elf64_Ehdr))
      return broken("elf-header", "e_version or e_ehsize is not that of ELF64");
    return {};
  }

  Result<void> segments() {
    if (header_.e_phentsize != sizeof(Elf64_Phdr) || header_.e_phnum == 0 ||
        header_.e_phnum > kSegmentsMax)
      return broken("elf-header", "e_phnum " + number(header_.e_phnum) + " of size " +
                                      number(header_.e_phentsize) + " is not 1 to " +
                                      number(kSegmentsMax) + " program headers of 56 bytes");
    BATON_ASSIGN(std::string_view table,
                 file_range(header_.e_phoff, header_.e_phnum * sizeof(Elf64_Phdr), "elf-header",
                            "the table of program headers"));
    for (std::size_t i = 0; i < header_.e_phnum; ++i) {
      const auto p = load<Elf64_Phdr>(table, i * sizeof(Elf64_Phdr));
      const std::string what = "program header " + number(i);
      // The stack's header describes no bytes, whatever it says.
      if (p.p_type != PT_GNU_STACK)
        BATON_TRY(file_range(p.p_offset, p.p_filesz, "program-headers", what));
      if (p.p_memsz > kModuleMappedBytesMax || p.p_vaddr > kModuleMappedBytesMax)
        return broken("program-headers",
                      what + " is mapped past " + number(kModuleMappedBytesMax) + " bytes");
      if (p.p_align > 1 && !std::has_single_bit(p.p_align))
        return broken("program-headers",
                      what + ": p_align " + number(p.p_align) + " is no power of two");
      if (p.p_type == PT_LOAD &&
          (p.p_memsz < p.p_filesz || (p.p_align > 1 && (p.p_vaddr - p.p_offset) % p.p_align != 0)))
        return broken(
            "program-headers",
            what + ": its size or alignment in memory does not fit its place in the file");
      if (p.p_type == PT_INTERP)
        return refuse(file_.name_, "elf-type",
                      "it names a program interpreter, so it is an executable",
                      "link the module with -shared");
      file_.segments_.push_back(
          {p.p_type, p.p_flags, p.p_offset, p.p_vaddr, p.p_filesz, p.p_memsz});
      aligns_.push_back(p.p_align);
    }
    for (std::uint32_t once : {PT_DYNAMIC, PT_GNU_STACK, PT_GNU_RELRO, PT_TLS, PT_GNU_EH_FRAME})
      if (std::count_if(file_.segments_.begin(), file_.segments_.end(),
                        [&](const Segment& s) { return s.type == once; }) > 1)
        return broken("program-headers", "segment type " + hex_number(once) + " stands twice");
    return {};
  }

  Result<void> load_segments() {
    const Segment* last = nullptr;
    for (const Segment& s : file_.segments_) {
      if (s.type != PT_LOAD) continue;
      // The loader maps whole pages, each with the flags of the segment that comes last.
      if (last && s.address / kPageBytes * kPageBytes < last->address + last->memory_size)
        return broken("program-headers",
                      "the loaded segments overlap, share a page or are out of order");
      last = &s;
    }
    if (!last) return broken("program-headers", "no segment is loaded");
    // What the loader reads through these headers is the memory at their address, not the file at
    // their offset.
    for (const Segment& placed : file_.segments_) {
      const Segment* const s = &placed;
      const std::uint32_t type = s->type;
      // A note of another place would be judged here and be another one in memory.
      constexpr std::uint32_t kPlaced[] = {PT_DYNAMIC, PT_GNU_RELRO, PT_TLS, PT_GNU_EH_FRAME,
                                           PT_NOTE};
      if (std::count(std::begin(kPlaced), std::end(kPlaced), type) == 0) continue;
      bool fits = false;
      for (const Segment& l : file_.segments_) {
        if (l.type != PT_LOAD || s->address < l.address) continue;
        const std::uint64_t delta = s->address - l.address;
        // RELRO is rounded up to a page and so may pass the end; thread-local bss occupies no
        // memory here.
        const bool ends = type == PT_GNU_RELRO
                              ? delta + s->file_size <= l.memory_size
                              : delta <= l.file_size && s->file_size <= l.file_size - delta;
        fits = fits || (ends && (s->file_size == 0 || s->offset == l.offset + delta));
      }
      if (!fits)
        return broken("program-headers",
                      "segment type " + hex_number(type) + " lies outside the loaded ones");
    }
    return {};
  }

  Result<void> notes() {
    for (std::size_t i = 0; i < file_.segments_.size(); ++i) {
      const Segment& s = file_.segments_[i];
      if (s.type != PT_NOTE) continue;
      const std::uint64_t align = aligns_[i] == 8 ? 8 : 4;
      const std::string_view all = bytes_.substr(s.offset, s.file_size);
      for (std::uint64_t at = 0; at < all.size();) {
        if (file_.notes_.size() == kNotesMax)
          return broken("notes", "more than " + number(kNotesMax) + " notes");
        if (all.size() - at < sizeof(Elf64_Nhdr))
          return broken("notes", "a note ends inside its header");
        const auto n = load<Elf64_Nhdr>(all, at);
        const std::uint64_t text_at = at + sizeof(Elf64_Nhdr);
        const std::uint64_t descriptor_at = padded(text_at + n.n_namesz, align);
        if (descriptor_at > all.size() || n.n_descsz > all.size() - descriptor_at)
          return broken(
              "notes", "a note at " + hex_number(s.offset + at) + " passes the end of its segment");
        std::string_view owner = all.substr(text_at, n.n_namesz);
        while (owner.ends_with('\0')) owner.remove_suffix(1);
        const std::string_view descriptor = all.substr(descriptor_at, n.n_descsz);
        file_.notes_.push_back({owner, n.n_type, descriptor});
        if (owner == "GNU" && n.n_type == NT_GNU_BUILD_ID) {
          if (!file_.build_id_.empty()) return broken("build-id", "the file has two build ids");
          file_.build_id_ = descriptor;
        }
        at = padded(descriptor_at + n.n_descsz, align);
      }
    }
    return {};
  }

  Result<void> dynamic() {
    const Segment* s = file_.segment(PT_DYNAMIC);
    if (!s) return broken("dynamic-table", "the file has no dynamic table");
    const std::string_view table = bytes_.substr(s->offset, s->file_size);
    bool ended = false;
    for (std::size_t at = 0; !ended; at += sizeof(Elf64_Dyn)) {
      if (table.size() - at < sizeof(Elf64_Dyn))
        return broken("dynamic-table", "it has no end (DT_NULL)");
      const auto d = load<Elf64_Dyn>(table, at);
      ended = d.d_tag == DT_NULL;
      if (ended) break;
      if (file_.dynamic_.size() == kDynamicEntriesMax)
        return broken("dynamic-table", "more than " + number(kDynamicEntriesMax) + " entries");
      if (d.d_tag != DT_NEEDED && file_.dynamic(d.d_tag))
        return broken("dynamic-table",
                      "tag " + hex_number(static_cast<std::uint64_t>(d.d_tag)) + " stands twice");
      file_.dynamic_.push_back(d);
    }
    for (auto [tag, size, what] : {std::tuple{DT_SYMENT, sizeof(Elf64_Sym), "DT_SYMENT"},
                                   std::tuple{DT_RELAENT, sizeof(Elf64_Rela), "DT_RELAENT"},
                                   std::tuple{DT_RELRENT, sizeof(std::uint64_t), "DT_RELRENT"},
                                   std::tuple{DT_PLTREL, std::size_t{DT_RELA}, "DT_PLTREL"}})
      if (file_.dynamic(tag).value_or(size) != size)
        return broken("dynamic-table", std::string(what) + " is " + number(*file_.dynamic(tag)) +
                                           ", not " + number(size));
    if (file_.dynamic(DT_REL))
      return broken("dynamic-table", "relocations without addends (DT_REL) are not this machine's");
    if (!file_.dynamic(DT_STRTAB) || !file_.dynamic(DT_STRSZ) || !file_.dynamic(DT_SYMTAB))
      return broken("dynamic-table", "DT_STRTAB, DT_STRSZ or DT_SYMTAB is missing");
    BATON_ASSIGN(
        file_.dynamic_strings_,
        mapped_range(*file_.dynamic(DT_STRTAB), *file_.dynamic(DT_STRSZ), "the string table"));
    for (std::int64_t tag :
         {DT_SONAME, DT_RPATH, DT_RUNPATH, DT_AUDIT, DT_DEPAUDIT, DT_FILTER, DT_AUXILIARY})
      if (auto offset = file_.dynamic(tag))
        BATON_TRY(text(file_.dynamic_strings_, *offset, "dynamic-table",
                       "tag " + hex_number(static_cast<std::uint64_t>(tag))));
    return {};
  }

  Result<void> needed() {
    for (const Elf64_Dyn& d : file_.dynamic_) {
      if (d.d_tag != DT_NEEDED) continue;
      BATON_ASSIGN(std::string_view name,
                   text(file_.dynamic_strings_, d.d_un.d_val, "dynamic-table", "DT_NEEDED"));
      file_.needed_.push_back(name);
    }
    return {};
  }

  // DT_VERNEED: which version of which needed library each version index of an import means.
  Result<void> symbol_versions() {
    const auto start = file_.dynamic(DT_VERNEED);
    if (!start) return {};
    const std::uint64_t count = file_.dynamic(DT_VERNEEDNUM).value_or(0);
    if (count > kVersionsMax) return broken("symbol-versions", "DT_VERNEEDNUM is " + number(count));
    std::uint64_t at = *start;
    for (std::uint64_t i = 0; i < count; ++i) {
      BATON_ASSIGN(std::string_view range, mapped_range(at, sizeof(Elf64_Verneed), "DT_VERNEED"));
      const auto need = load<Elf64_Verneed>(range, 0);
      BATON_ASSIGN(std::string_view library,
                   text(file_.dynamic_strings_, need.vn_file, "symbol-versions", "a library"));
      // The loader asserts this, and would end the host.
      if (std::find(file_.needed_.begin(), file_.needed_.end(), library) == file_.needed_.end())
        return broken("symbol-versions",
                      "versions of " + std::string(library) + ", which is not needed");
      if (need.vn_version != 1)
        return broken("symbol-versions", "DT_VERNEED has version " + number(need.vn_version));
      std::uint64_t version_at = at + need.vn_aux;
      for (std::size_t j = 0; j < need.vn_cnt; ++j) {
        BATON_ASSIGN(std::string_view bytes,
                     mapped_range(version_at, sizeof(Elf64_Vernaux), "DT_VERNEED"));
        const auto version = load<Elf64_Vernaux>(bytes, 0);
        BATON_ASSIGN(std::string_view name, text(file_.dynamic_strings_, version.vna_name,
                                                 "symbol-versions", "a version"));
        if (versions_.size() == kVersionsMax)
          return broken("symbol-versions", "more than " + number(kVersionsMax));
        versions_[version.vna_other & 0x7fff] = name;
        if (version.vna_next == 0 && j + 1 < need.vn_cnt)
          return broken("symbol-versions", "the list of versions ends early");
        version_at += version.vna_next;
      }
      if (need.vn_next == 0 && i + 1 < count)
        return broken("symbol-versions", "the list of libraries ends early");
      at += need.vn_next;
    }
    return {};
  }

  // Nothing in the file says how many dynamic symbols there are but the hash table that finds them.
  Result<std::uint64_t> symbol_count() {
    if (auto at = file_.dynamic(DT_GNU_HASH)) {
      BATON_ASSIGN(std::string_view head, mapped_range(*at, 16, "DT_GNU_HASH"));
      const std::uint64_t buckets = load<std::uint32_t>(head, 0),
                          first = load<std::uint32_t>(head, 4),
                          bloom = load<std::uint32_t>(head, 8);
      if (buckets == 0 || first > kSymbolsMax || buckets > kSymbolsMax ||
          !std::has_single_bit(bloom))
        return broken("dynamic-table", "DT_GNU_HASH has " + number(buckets) +
                                           " buckets from symbol " + number(first));
      const std::uint64_t bucket_at = *at + 16 + bloom * 8, chain_at = bucket_at + buckets * 4;
      BATON_TRY(mapped_range(*at, 16 + bloom * 8, "DT_GNU_HASH"));
      BATON_ASSIGN(std::string_view heads, mapped_range(bucket_at, buckets * 4, "DT_GNU_HASH"));
      std::uint64_t last = 0;
      for (std::uint64_t i = 0; i < buckets; ++i) {
        const std::uint64_t head_symbol = load<std::uint32_t>(heads, i * 4);
        if (head_symbol != 0 && head_symbol < first)
          return broken("dynamic-table", "DT_GNU_HASH: a bucket begins before its first symbol");
        last = std::max(last, head_symbol);
      }
      // An empty table does not even say how many imports precede it.
      if (last == 0)
        return refuse(file_.name_, "exports",
                      "it exports nothing, so baton_module_entry is not exported",
                      "end the module with BATON_MODULE (in C: define the function and export it)");
      for (;; ++last) {  // the chain of the last bucket ends the table
        if (last >= kSymbolsMax)
          return broken("dynamic-table", "more than " + number(kSymbolsMax) + " symbols");
        BATON_ASSIGN(std::string_view link,
                     mapped_range(chain_at + (last - first) * 4, 4, "DT_GNU_HASH"));
        if (load<std::uint32_t>(link, 0) & 1) return last + 1;
      }
    }
    if (auto at = file_.dynamic(DT_HASH)) {
      BATON_ASSIGN(std::string_view head, mapped_range(*at, 8, "DT_HASH"));
      const std::uint64_t buckets = load<std::uint32_t>(head, 0),
                          chains = load<std::uint32_t>(head, 4);
      BATON_TRY(mapped_range(*at, 8 + (buckets + chains) * 4, "DT_HASH"));
      return chains;
    }
    return broken("dynamic-table",
                  "DT_GNU_HASH and DT_HASH are missing, so no symbol could be found");
  }

  Result<Symbol> symbol(const Elf64_Sym& s, std::string_view strings, std::string_view rule,
                        std::uint64_t index) const {
    BATON_ASSIGN(std::string_view name, text(strings, s.st_name, rule, "symbol " + number(index)));
    return Symbol{name,
                  {},
                  s.st_value,
                  s.st_size,
                  static_cast<std::uint8_t>(ELF64_ST_BIND(s.st_info)),
                  static_cast<std::uint8_t>(ELF64_ST_TYPE(s.st_info)),
                  static_cast<std::uint8_t>(ELF64_ST_VISIBILITY(s.st_other)),
                  s.st_shndx};
  }

  Result<void> dynamic_symbols() {
    BATON_ASSIGN(const std::uint64_t count, symbol_count());
    if (count == 0 || count > kSymbolsMax)
      return broken("dynamic-table", number(count) + " dynamic symbols");
    BATON_ASSIGN(std::string_view table,
                 mapped_range(*file_.dynamic(DT_SYMTAB), count * sizeof(Elf64_Sym), "DT_SYMTAB"));
    std::string_view indices;
    if (auto at = file_.dynamic(DT_VERSYM)) {
      BATON_ASSIGN(indices, mapped_range(*at, count * 2, "DT_VERSYM"));
    }
    for (std::uint64_t i = 0; i < count; ++i) {
      BATON_ASSIGN(Symbol s, symbol(load<Elf64_Sym>(table, i * sizeof(Elf64_Sym)),
                                    file_.dynamic_strings_, "dynamic-table", i));
      const std::uint16_t version =
          indices.empty() ? 0 : load<std::uint16_t>(indices, i * 2) & 0x7fff;
      if (s.is_import() && version > VER_NDX_GLOBAL) {
        auto known = versions_.find(version);
        if (known == versions_.end())
          return broken("symbol-versions",
                        std::string(s.name) + " has the unknown version index " + number(version));
        s.version = known->second;
      }
      file_.dynamic_symbols_.push_back(s);
    }
    return {};
  }

  Result<void> relocate(std::uint64_t address, std::uint32_t type, std::uint32_t symbol,
                        std::uint64_t addend) {
    if (file_.relocations_.size() == kRelocationsMax)
      return broken("relocations", "more than " + number(kRelocationsMax));
    if (symbol >= file_.dynamic_symbols_.size())
      return broken("relocations", "one names symbol " + number(symbol) + " of " +
                                       number(file_.dynamic_symbols_.size()));
    for (const Segment& s : file_.segments_)
      if (s.type == PT_LOAD && address >= s.address && address - s.address < s.memory_size) {
        file_.relocations_.push_back({address, type, symbol, addend});
        return {};
      }
    return broken("relocations",
                  "one at address " + hex_number(address) + " lies outside the loaded segments");
  }

  // A relative relocation whose addend is the word that stands there.
  Result<void> relocate_in_place(std::uint64_t address) {
    BATON_ASSIGN(std::string_view word, mapped_range(address, 8, "a word of DT_RELR"));
    return relocate(address, kRelative, 0, load<std::uint64_t>(word, 0));
  }

  Result<void> relocations() {
    for (auto [tag, size_tag] :
         {std::pair{DT_RELA, DT_RELASZ}, std::pair{DT_JMPREL, DT_PLTRELSZ}}) {
      const auto at = file_.dynamic(tag), size = file_.dynamic(size_tag);
      if (!at && !size) continue;
      if (!at || !size || *size % sizeof(Elf64_Rela) != 0)
        return broken("relocations", "the table's address or size is missing or odd");
      BATON_ASSIGN(std::string_view table, mapped_range(*at, *size, "the relocations"));
      for (std::size_t i = 0; i < table.size(); i += sizeof(Elf64_Rela)) {
        const auto r = load<Elf64_Rela>(table, i);
        BATON_TRY(relocate(r.r_offset, static_cast<std::uint32_t>(ELF64_R_TYPE(r.r_info)),
                           static_cast<std::uint32_t>(ELF64_R_SYM(r.r_info)),
                           static_cast<std::uint64_t>(r.r_addend)));
      }
    }
    const auto at = file_.dynamic(DT_RELR), size = file_.dynamic(DT_RELRSZ);
    if (!at && !size) return {};
    if (!at || !size || *size % 8 != 0)
      return broken("relocations", "DT_RELR's address or size is missing or odd");
    BATON_ASSIGN(std::string_view table, mapped_range(*at, *size, "DT_RELR"));
    // An even entry is an address; an odd one a bitmap of which of the next 63 words are relative
    // too.
    std::uint64_t next = 0;
    for (std::size_t i = 0; i < table.size(); i += 8) {
      const auto entry = load<std::uint64_t>(table, i);
      if ((entry & 1) == 0) {
        BATON_TRY(relocate_in_place(entry));
        next = entry + 8;
        continue;
      }
      for (unsigned bit = 1; bit < 64; ++bit)
        if (entry >> bit & 1) BATON_TRY(relocate_in_place(next + (bit - 1) * 8));
      next += 63 * 8;
    }
    return {};
  }

  Result<void> initialisers() {
    for (auto [tag, size_tag, what] :
         {std::tuple{DT_INIT_ARRAY, DT_INIT_ARRAYSZ, "DT_INIT_ARRAY"},
          std::tuple{DT_FINI_ARRAY, DT_FINI_ARRAYSZ, "DT_FINI_ARRAY"}}) {
      const auto at = file_.dynamic(tag), size = file_.dynamic(size_tag);
      if (!at && !size) continue;
      if (!at || !size || *size % 8 != 0)
        return broken("dynamic-table", std::string(what) + "'s address or size is missing or odd");
      BATON_TRY(mapped_range(*at, *size, what));
    }
    for (std::int64_t tag : {DT_INIT, DT_FINI}) {
      const auto at = file_.dynamic(tag);
      if (!at) continue;
      const bool is_code =
          std::any_of(file_.segments_.begin(), file_.segments_.end(), [&](const Segment& s) {
            return s.type == PT_LOAD && s.is_executable() && *at >= s.address &&
                   *at - s.address < s.file_size;
          });
      if (!is_code) return broken("dynamic-table", "DT_INIT or DT_FINI points outside the code");
    }
    return {};
  }

  Result<void> static_symbols() {
    if (header_.e_shoff == 0 || header_.e_shnum == 0) return {};
    if (header_.e_shentsize != sizeof(Elf64_Shdr))
      return broken("section-headers", "e_shentsize is " + number(header_.e_shentsize));
    BATON_ASSIGN(std::string_view table,
                 file_range(header_.e_shoff, header_.e_shnum * sizeof(Elf64_Shdr),
                            "section-headers", "the table of section headers"));
    for (std::size_t i = 0; i < header_.e_shnum; ++i) {
      const auto section = load<Elf64_Shdr>(table, i * sizeof(Elf64_Shdr));
      const std::string what = "section " + number(i);
      if (section.sh_type != SHT_NOBITS && section.sh_type != SHT_NULL)
        BATON_TRY(file_range(section.sh_offset, section.sh_size, "section-headers", what));
      if (section.sh_type != SHT_SYMTAB || file_.has_static_symbols_) continue;
      if (section.sh_entsize != sizeof(Elf64_Sym) || section.sh_size % sizeof(Elf64_Sym) != 0 ||
          section.sh_link >= header_.e_shnum)
        return broken("section-headers",
                      what + ": the symbol table's entry size or its string table is wrong");
      const auto strings = load<Elf64_Shdr>(table, section.sh_link * sizeof(Elf64_Shdr));
      BATON_ASSIGN(std::string_view text_table,
                   file_range(strings.sh_offset,
                              strings.sh_type == SHT_STRTAB ? strings.sh_size : ~std::uint64_t{0},
                              "section-headers", what + "'s string table"));
      const std::string_view symbols = bytes_.substr(section.sh_offset, section.sh_size);
      if (symbols.size() / sizeof(Elf64_Sym) > kSymbolsMax)
        return broken("section-headers", "more than " + number(kSymbolsMax) + " symbols");
      file_.has_static_symbols_ = true;
      for (std::size_t at = 0; at < symbols.size(); at += sizeof(Elf64_Sym)) {
        BATON_ASSIGN(Symbol s, symbol(load<Elf64_Sym>(symbols, at), text_table, "section-headers",
                                      at / sizeof(Elf64_Sym)));
        file_.static_symbols_.push_back(s);
      }
    }
    return {};
  }

  ElfFile& file_;
  const std::string_view bytes_;
  Elf64_Ehdr header_{};
  std::vector<std::uint64_t> aligns_;  // p_align of each segment
  std::map<std::uint16_t, std::string_view> versions_;
};

Result<ElfFile> ElfFile::read(int fd, std::string name) {
  struct stat status {};
  if (::fstat(fd, &status) != 0)
    return Error(Code::kFailed, name + ": cannot be read: " + std::strerror(errno));
  if (!S_ISREG(status.st_mode))
    return refuse(name, "elf-file", "it is not a regular file", "give the shared library itself");
  if (static_cast<std::uint64_t>(status.st_size) > kModuleBytesMax)
    return refuse(name, "elf-file",
                  "it has " + number(static_cast<std::uint64_t>(status.st_size)) +
                      " bytes, more than " + number(kModuleBytesMax),
                  "build without debug information or split the module");
  std::vector<char> bytes(static_cast<std::size_t>(status.st_size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error(Code::kFailed, name + ": cannot be read: " + std::strerror(errno));
    if (n == 0) return Error(Code::kFailed, name + ": it shrank while it was read");
    done += static_cast<std::size_t>(n);
  }
  return parse(std::move(bytes), std::move(name));
}

Result<ElfFile> ElfFile::parse(std::vector<char> bytes, std::string name) {
  if (bytes.size() > kModuleBytesMax)
    return refuse(name, "elf-file", "it has more than " + number(kModuleBytesMax) + " bytes",
                  "build without debug information or split the module");
  ElfFile file(std::move(bytes), std::move(name));
  BATON_TRY(Reader(file).run());
  return file;
}

const ElfFile::Segment* ElfFile::segment(std::uint32_t type) const {
  for (const Segment& s : segments_)
    if (s.type == type) return &s;
  return nullptr;
}

std::optional<std::uint64_t> ElfFile::dynamic(std::int64_t tag) const {
  for (const Elf64_Dyn& d : dynamic_)
    if (d.d_tag == tag) return d.d_un.d_val;
  return std::nullopt;
}

std::optional<std::string_view> ElfFile::dynamic_text(std::int64_t tag) const {
  const auto offset = dynamic(tag);
  if (!offset) return std::nullopt;
  // Its end was checked when the table was read.
  return std::string_view(dynamic_strings_.data() + *offset);
}

}  // namespace baton::module
