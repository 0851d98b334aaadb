// ElfFile: what the ELF64 shared object in one file says about itself, read without running any of
// it.
//
// The gate judges a module by it before dlopen sees the file. Everything that the dynamic loader
// acts on is found the loader's way, through program headers and the dynamic table; section headers
// only serve to name the module's own variables. The file is untrusted: each offset, size, count
// and string is checked before it is followed, and what does not fit together is refused rather
// than guessed.
//
// Ownership: holds the whole file in memory; every string_view that it gives lives as long as it
//            (moves included).
// Threads:   a value type; const members from any thread.
// Fails:     kRefused with rule, symbol and cure (refuse()); kFailed when reading the file fails.
#pragma once

#include "base/result.h"

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace baton::module {

inline constexpr std::size_t kModuleBytesMax = std::size_t{256} << 20;
/// What a module may occupy once mapped; a larger span would only be an attack on the address
/// space.
inline constexpr std::uint64_t kModuleMappedBytesMax = std::uint64_t{1} << 30;
inline constexpr std::size_t kSegmentsMax = 64;
inline constexpr std::size_t kSectionsMax = 65535;
inline constexpr std::size_t kDynamicEntriesMax = 1024;
inline constexpr std::size_t kSymbolsMax = std::size_t{1} << 20;
inline constexpr std::size_t kSymbolNameMax = 65535;
inline constexpr std::size_t kNotesMax = 1024;

/// The one form of every refusal: "FILE: refused by rule RULE: WHAT; cure: CURE".
Error refuse(std::string_view file, std::string_view rule, const std::string& what,
             std::string_view cure);

class ElfFile {
 public:
  struct Segment {
    std::uint32_t type;
    std::uint32_t flags;
    std::uint64_t offset;
    std::uint64_t address;
    std::uint64_t file_size;
    std::uint64_t memory_size;
    bool is_writable() const { return (flags & PF_W) != 0; }
    bool is_executable() const { return (flags & PF_X) != 0; }
  };
  struct Symbol {
    std::string_view name;
    std::string_view version;  // as "GLIBC_2.14"; empty if the file gives none
    std::uint64_t address;
    std::uint64_t size;
    std::uint8_t binding;     // STB_*
    std::uint8_t type;        // STT_*
    std::uint8_t visibility;  // STV_*
    std::uint16_t section;    // SHN_UNDEF: an import
    bool is_import() const { return section == SHN_UNDEF; }
    /// Bound by name across libraries: any binding but a local one.
    bool is_global() const { return binding != STB_LOCAL; }
  };
  struct Relocation {
    std::uint64_t address;
    std::uint32_t type;
    std::uint32_t symbol;  // index in dynamic_symbols(), 0 is none
    std::uint64_t addend;
  };
  struct Note {
    std::string_view owner;
    std::uint32_t type;
    std::string_view descriptor;
  };

  /// Reads the whole file behind `fd` from its start; `name` stands for it in messages.
  static Result<ElfFile> read(int fd, std::string name);
  /// The same over bytes in memory.
  static Result<ElfFile> parse(std::vector<char> bytes, std::string name);

  ElfFile(ElfFile&&) = default;
  ElfFile& operator=(ElfFile&&) = default;
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  const std::string& name() const { return name_; }
  /// The very bytes that were judged: whoever needs the file's hash takes it over these.
  std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }

  const std::vector<Segment>& segments() const { return segments_; }
  const Segment* segment(std::uint32_t type) const;
  /// The value of a dynamic tag that may stand once.
  std::optional<std::uint64_t> dynamic(std::int64_t tag) const;
  /// DT_FLAGS and DT_FLAGS_1; 0 when absent.
  std::uint64_t flags() const { return dynamic(DT_FLAGS).value_or(0); }
  std::uint64_t flags_1() const { return dynamic(DT_FLAGS_1).value_or(0); }
  /// The string that a dynamic tag such as DT_RUNPATH names.
  std::optional<std::string_view> dynamic_text(std::int64_t tag) const;
  const std::vector<std::string_view>& needed() const { return needed_; }
  /// Index 0 is the empty symbol, as in the file.
  const std::vector<Symbol>& dynamic_symbols() const { return dynamic_symbols_; }
  const std::vector<Relocation>& relocations() const { return relocations_; }
  const std::vector<Note>& notes() const { return notes_; }
  /// The linker's build id, raw bytes; empty if there is none.
  std::string_view build_id() const { return build_id_; }

  /// Whether the file has kept its .symtab (it may be stripped), and that table.
  bool has_static_symbols() const { return has_static_symbols_; }
  const std::vector<Symbol>& static_symbols() const { return static_symbols_; }

 private:
  class Reader;

  ElfFile(std::vector<char> bytes, std::string name)
      : bytes_(std::move(bytes)), name_(std::move(name)) {}

  // Constant after construction.
  std::vector<char> bytes_;
  std::string name_;
  std::vector<Segment> segments_;
  std::vector<Elf64_Dyn> dynamic_;
  std::string_view dynamic_strings_;
  std::vector<std::string_view> needed_;
  std::vector<Symbol> dynamic_symbols_;
  std::vector<Relocation> relocations_;
  std::vector<Note> notes_;
  std::string_view build_id_;
  bool has_static_symbols_ = false;
  std::vector<Symbol> static_symbols_;
};

}  // namespace baton::module
