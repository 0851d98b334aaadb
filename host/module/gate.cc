#include "module/gate.h"

#include "base/hash.h"
#include "module/imports.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <tuple>

namespace baton::module {

namespace {

constexpr std::string_view kEntry = "baton_module_entry";
constexpr std::string_view kNoteOwner = "baton";
constexpr std::string_view kUseAddModule = "build the module with baton_add_module()";
constexpr std::string_view kNoThreadLocal =
    "hold per-process data in the state, not in a thread_local";
constexpr std::size_t kBuildIdBytesMin = 8;
constexpr std::size_t kBuildIdBytesMax = 64;
constexpr std::uint64_t kPointerBytes = 8;
constexpr std::size_t kNamesShownMax = 4;
constexpr std::size_t kNameShownBytesMax = 120;
// What crtbegin's and the linker's alignment may add to .data and .bss beside named variables.
constexpr std::uint64_t kUnnamedBytesMax = 64;

// Flags that ask the loader for nothing special: bind at once, and an $ORIGIN that no RPATH uses.
constexpr std::uint64_t kPlainFlags1 = DF_1_NOW | DF_1_ORIGIN;

#if defined(__x86_64__)
constexpr std::uint32_t kIndirectRelocation = R_X86_64_IRELATIVE;
constexpr std::uint32_t kThreadLocalRelocations[] = {R_X86_64_DTPMOD64, R_X86_64_DTPOFF64,
                                                     R_X86_64_TPOFF64, R_X86_64_TLSDESC};
#elif defined(__aarch64__)
constexpr std::uint32_t kIndirectRelocation = R_AARCH64_IRELATIVE;
constexpr std::uint32_t kThreadLocalRelocations[] = {R_AARCH64_TLS_DTPMOD, R_AARCH64_TLS_DTPREL,
                                                     R_AARCH64_TLS_TPREL, R_AARCH64_TLSDESC};
#endif

// A symbol that breaks a rule, and how a message names it.
struct Found {
  std::string_view symbol;  // empty where it is none
  std::string shown;
};

// "a, b and 3 more"
std::string list(const std::vector<Found>& found) {
  std::string text;
  for (std::size_t i = 0; i < found.size() && i < kNamesShownMax; ++i)
    text += (i == 0 ? "" : ", ") + found[i].shown;
  if (found.size() > kNamesShownMax)
    text += " and " + std::to_string(found.size() - kNamesShownMax) + " more";
  return text;
}

// The name as its author wrote it, without the namespace that BATON_BUILD is and without tags.
std::string written(std::string_view symbol) {
  std::string text(symbol);
  if (!text.starts_with("_Z")) return text;
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(text.c_str(), nullptr, nullptr, &status), &std::free);
  if (status != 0 || name == nullptr) return text;
  text = name.get();
  constexpr std::string_view kTagBegins = "::b_";
  constexpr std::size_t kTagBytes = kTagBegins.size() + 16;
  for (std::size_t at = 0; (at = text.find(kTagBegins, at)) != text.npos; ++at)
    if (text.compare(at + kTagBytes, 2, "::") == 0) text.erase(at, kTagBytes);
  constexpr std::string_view kAbiTag = "[abi:cxx11]";
  for (std::size_t at = 0; (at = text.find(kAbiTag, at)) != text.npos;)
    text.erase(at, kAbiTag.size());
  if (text.size() > kNameShownBytesMax) text.replace(kNameShownBytesMax, text.npos, "...");
  return text;
}

Found found_as(const ElfFile::Symbol& symbol) {
  std::string text = written(symbol.name);
  if (!symbol.version.empty()) text.append("@").append(symbol.version);
  return {symbol.name, std::move(text)};
}

class Gate {
 public:
  Gate(const ElfFile& file, const GateRules& rules) : file_(file), rules_(rules) {}

  Result<ModuleFacts> run() {
    ModuleFacts facts;
    BATON_ASSIGN(const std::string_view descriptor, note_descriptor());
    BATON_ASSIGN(facts.note, ModuleNote::parse(descriptor, file_.name()));
    facts.note_text = descriptor.substr(0, descriptor.find('\0'));
    if (!facts.note_text.ends_with('\n')) facts.note_text += '\n';
    BATON_TRY(build_id());
    facts.build_id = hex_of(file_.build_id());
    BATON_TRY(unique_symbols());
    BATON_TRY(thread_local_storage());
    if (!facts.note.stateful_globals) BATON_TRY(writable_globals());
    BATON_TRY(indirect_functions());
    BATON_TRY(constructors(facts.note.stateful_globals));
    BATON_TRY(loading_flags());
    BATON_TRY(text_relocations());
    BATON_TRY(executable_stack());
    BATON_TRY(search_paths());
    BATON_TRY(dependencies());
    BATON_TRY(exports());
    BATON_TRY(imports());
    return facts;
  }

 private:
  Error refused(std::string_view rule, const std::string& what, std::string_view cure) const {
    return refuse(file_.name(), rule, what, cure);
  }
  // The same for symbols; says what they come from where that is known.
  Error refused(std::string_view rule, const std::vector<Found>& found, std::string_view because,
                std::string_view cure) const {
    for (const Found& f : found)
      if (const auto known = culprit(f.symbol))
        return refused(rule,
                       std::string(known->what).append(" (" + list(found) + ")").append(because),
                       known->cure);
    return refused(rule, list(found).append(because), cure);
  }
  static std::string hex_of(std::string_view bytes) {
    return to_hex(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }

  Result<std::string_view> note_descriptor() const {
    const ElfFile::Note* found = nullptr;
    for (const ElfFile::Note& n : file_.notes()) {
      if (n.owner != kNoteOwner || n.type != BATON_NOTE_TYPE) continue;
      if (found != nullptr)
        return refused("note", "it has two notes of owner baton",
                       "use BATON_MODULE or BATON_NOTE in one source file only");
      found = &n;
    }
    if (found == nullptr)
      return refused(
          "note", "it has no note of owner baton, so it is no baton module",
          "name the module with BATON_MODULE (in C: BATON_NOTE) and keep the section .note.baton");
    BATON_ASSIGN(const AbiVersion abi, ModuleNote::read_abi(found->descriptor, file_.name()));
    const auto text = [](AbiVersion v) {
      return std::to_string(v.major) + "." + std::to_string(v.minor);
    };
    if (abi.major != rules_.abi.major)
      return refused(
          "abi",
          "the note's abi " + text(abi) + " has another major than the host's " + text(rules_.abi),
          "rebuild the module with the SDK of this host");
    if (abi.minor > rules_.abi.minor)
      return refused(
          "abi", "the note's abi " + text(abi) + " is newer than the host's " + text(rules_.abi),
          "upgrade the host first, or rebuild the module with the SDK of this host");
    return found->descriptor;
  }

  Result<void> build_id() const {
    const std::string_view id = file_.build_id();
    if (id.size() < kBuildIdBytesMin || id.size() > kBuildIdBytesMax)
      return refused("build-id",
                     id.empty() ? "it has no build id (.note.gnu.build-id)"
                                : "its build id has " + std::to_string(id.size()) + " bytes",
                     "link with -Wl,--build-id=sha1, as baton_add_module() does");
    if (!rules_.build_id.empty() && rules_.build_id != hex_of(id))
      return refused(
          "build-id",
          "its build id " + hex_of(id) + " is not the " + rules_.build_id + " of the manifest",
          "pack the release again from the files that were built");
    return {};
  }

  Result<void> unique_symbols() const {
    std::vector<Found> found;
    for (const ElfFile::Symbol& s : file_.dynamic_symbols())
      if (s.binding == STB_GNU_UNIQUE) found.push_back(found_as(s));
    if (found.empty()) return {};
    return refused("unique-symbols", found, " would be one for all versions, and pin this one",
                   "compile with -fno-gnu-unique -fvisibility=hidden, as baton_add_module() does");
  }

  Result<void> thread_local_storage() const {
    std::vector<Found> found;
    const auto collect = [&](const std::vector<ElfFile::Symbol>& symbols) {
      for (const ElfFile::Symbol& s : symbols) {
        const bool is_call = s.is_import() && (s.name.find("cxa_thread_atexit") != s.name.npos ||
                                               s.name == "__tls_get_addr");
        if (s.type == STT_TLS || is_call) found.push_back(found_as(s));
      }
    };
    collect(file_.static_symbols());  // these have the author's own names
    if (found.empty()) collect(file_.dynamic_symbols());
    if (file_.segment(PT_TLS) != nullptr && found.empty())
      found.push_back({"", "a segment PT_TLS"});
    if ((file_.flags() & DF_STATIC_TLS) != 0 && found.empty())
      found.push_back({"", "the flag DF_STATIC_TLS"});
    for (const ElfFile::Relocation& r : file_.relocations())
      if (found.empty() && std::count(std::begin(kThreadLocalRelocations),
                                      std::end(kThreadLocalRelocations), r.type) != 0)
        found.push_back({"", "a relocation of thread-local kind"});
    if (found.empty()) return {};
    return refused("thread-local", found,
                   ": thread-local data outlives the library on each thread that touched it",
                   kNoThreadLocal);
  }

  // Variables that every library has: the handle for __cxa_atexit, crtbegin's flag, the table of
  // addresses if calls are bound late, references to type information and, where its destructor is
  // taken back, the object of each file that includes <iostream>.
  bool is_start_file_variable(std::string_view name) const {
    return name == "__dso_handle" || name == "completed.0" || name == "__TMC_END__" ||
           name == "_GLOBAL_OFFSET_TABLE_" || name.starts_with("DW.ref.") ||
           (name == "_ZStL8__ioinit" && takes_exit_handlers_back());
  }

  // Only the compiler's start files do: they call __cxa_finalize when the library is unloaded.
  bool takes_exit_handlers_back() const {
    const auto& symbols = file_.dynamic_symbols();
    return std::any_of(symbols.begin(), symbols.end(), [](const ElfFile::Symbol& s) {
      return s.is_import() && s.name == "__cxa_finalize";
    });
  }

  // The parts of memory that stay writable once the loader is done, as [from, to).
  std::vector<std::pair<std::uint64_t, std::uint64_t>> writable_ranges() const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    const ElfFile::Segment* relro = file_.segment(PT_GNU_RELRO);
    const std::uint64_t relro_end = relro ? relro->address + relro->memory_size : 0;
    for (const ElfFile::Segment& s : file_.segments()) {
      if (s.type != PT_LOAD || !s.is_writable()) continue;
      const std::uint64_t end = s.address + s.memory_size;
      if (!relro || relro->address >= end || relro_end <= s.address) {
        ranges.push_back({s.address, end});
        continue;
      }
      if (relro->address > s.address) ranges.push_back({s.address, relro->address});
      if (relro_end < end) ranges.push_back({relro_end, end});
    }
    return ranges;
  }

  Result<void> writable_globals() const {
    constexpr std::string_view kCure =
        "move it into the state, or make it constexpr (a constexpr std::array for a table); for a "
        "library that cannot do without, baton_add_module(... STATEFUL_GLOBALS), in C the line "
        "stateful_globals of the note";
    const auto ranges = writable_ranges();
    std::uint64_t total = 0;
    for (auto [from, to] : ranges) total += to - from;
    if (total == 0) return {};
    if (!file_.has_static_symbols())
      return refused("writable-globals",
                     std::to_string(total) +
                         " writable bytes cannot be told apart, since .symtab was stripped",
                     "strip with --strip-debug only, or declare stateful_globals in the note");
    std::vector<Found> found;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> known;
    std::string_view source;  // whose local symbols follow
    for (const ElfFile::Symbol& s : file_.static_symbols()) {
      if (s.type == STT_FILE) source = s.name;
      if (s.type != STT_OBJECT || s.is_import()) continue;
      const bool is_writable = std::any_of(ranges.begin(), ranges.end(), [&](auto r) {
        return s.address >= r.first && s.address < r.second;
      });
      if (!is_writable) continue;
      const bool is_sanitizers = rules_.allow_sanitizers &&
                                 (s.name.starts_with("__asan") || s.name.starts_with("__odr_asan"));
      // The guard of a variable in a function stands beside that.
      if (!is_start_file_variable(s.name) && !is_sanitizers && !s.name.starts_with("_ZGV")) {
        found.push_back(found_as(s));
        if (!source.empty()) found.back().shown.append(" in ").append(source);
      }
      known.push_back({s.address, s.address + s.size});
    }
    if (!found.empty()) {
      std::sort(found.begin(), found.end(),
                [](const Found& a, const Found& b) { return a.shown < b.shown; });
      return refused("writable-globals", found, " would be state that no take-over sees", kCure);
    }
    // Writable bytes without a symbol: what is covered by no known one nor written by the loader,
    // but for alignment.
    for (const ElfFile::Relocation& r : file_.relocations())
      if (std::any_of(ranges.begin(), ranges.end(),
                      [&](auto w) { return r.address >= w.first && r.address < w.second; }))
        known.push_back({r.address, r.address + 8});
    std::sort(known.begin(), known.end());
    std::uint64_t covered = 0, reached = 0;
    for (auto [from, to] : known) {
      from = std::max(from, reached);
      if (to > from) covered += to - from, reached = to;
    }
    if (!rules_.allow_sanitizers && total > covered && total - covered > kUnnamedBytesMax)
      return refused("writable-globals",
                     std::to_string(total - covered) + " writable bytes belong to no symbol",
                     kCure);
    return {};
  }

  // The loader calls the resolver of an indirect function while it relocates the library.
  Result<void> indirect_functions() const {
    constexpr std::string_view kCure =
        "choose in the module's init, by __builtin_cpu_supports, instead of by ifunc or "
        "target_clones";
    for (const auto* symbols : {&file_.static_symbols(), &file_.dynamic_symbols()})
      for (const ElfFile::Symbol& s : *symbols)
        if (s.type == STT_GNU_IFUNC && !s.is_import())
          return refused("indirect-functions",
                         found_as(s).shown + " is resolved by code that runs inside dlopen", kCure);
    for (const ElfFile::Relocation& r : file_.relocations())
      if (r.type == kIndirectRelocation)
        return refused("indirect-functions",
                       "a relocation of indirect kind calls code inside dlopen", kCure);
    return {};
  }

  // What crtbegin, the initialisers of a file's variables and sanitizers put there.
  bool is_start_file_function(std::string_view name) const {
    return name == "frame_dummy" || name == "__do_global_dtors_aux" ||
           name.starts_with("_GLOBAL__") ||
           (rules_.allow_sanitizers &&
            (name.starts_with("_sub_I_") || name.starts_with("_sub_D_") ||
             name.find("san.module_") != name.npos));
  }

  const ElfFile::Symbol* function_at(std::uint64_t address) const {
    for (const ElfFile::Symbol& s : file_.static_symbols())
      if (s.type == STT_FUNC && s.address == address && !s.is_import()) return &s;
    return nullptr;
  }

  // An initialiser of a file's variables. writable_globals judges the variables, but one that the
  // compiler did away with leaves the code behind that made it. Only what <iostream> leaves in each
  // file that includes it passes without a declaration, known by its object and by its length.
  Result<void> file_initialiser(const ElfFile::Symbol& function) const {
    constexpr std::uint64_t kOfIostreamBytesMax = 64;
    const auto is_of_iostream = [](const ElfFile::Symbol& s) { return s.name == "_ZStL8__ioinit"; };
    const auto& symbols = file_.static_symbols();
    if (function.size <= kOfIostreamBytesMax &&
        std::any_of(symbols.begin(), symbols.end(), is_of_iostream))
      return {};
    return refused("constructors",
                   std::string(function.name) +
                       " initialises a file's variables inside dlopen, and so runs code that no "
                       "variable shows",
                   "make those variables constexpr or set them in init, or declare "
                   "stateful_globals in the note");
  }

  // DT_INIT and DT_FINI are what the compiler's start files have there, and nothing put in between.
  Result<void> start_functions() const {
    for (auto [tag, what] : {std::pair{DT_INIT, "DT_INIT"}, std::pair{DT_FINI, "DT_FINI"}}) {
      const auto address = file_.dynamic(tag);
      if (address && !is_start_file_code(*address, tag == DT_INIT))
        return refused("constructors",
                       std::string(what) + " names code that is not the compiler's own",
                       "leave the sections .init and .fini and the options -init and -fini alone; "
                       "do it in the module's init and fini");
    }
    if (file_.dynamic(DT_PREINIT_ARRAY) || file_.dynamic(DT_PREINIT_ARRAYSZ))
      return refused("constructors", "DT_PREINIT_ARRAY is for executables",
                     "do it in the module's init");
    return {};
  }

#if defined(__x86_64__)
  bool is_start_file_code(std::uint64_t address, bool is_init) const {
    // sub $8,%rsp; mov SLOT(%rip),%rax; test %rax,%rax; je 1f; call *%rax; 1: add $8,%rsp; ret
    constexpr std::string_view kEndbr("\xf3\x0f\x1e\xfa", 4), kEnter("\x48\x83\xec\x08", 4),
        kLoad("\x48\x8b\x05", 3), kCall("\x48\x85\xc0\x74\x02\xff\xd0", 7),
        kLeave("\x48\x83\xc4\x08\xc3", 5);
    constexpr std::uint64_t kSlotBytes = 4;
    std::string_view code = code_at(address);
    const std::size_t before = code.size();
    const auto next = [&](std::string_view wanted) {
      if (!code.starts_with(wanted)) return false;
      code.remove_prefix(wanted.size());
      return true;
    };
    next(kEndbr);
    if (!next(kEnter)) return false;
    if (!is_init) return next(kLeave);
    if (!next(kLoad) || code.size() < kSlotBytes) return false;
    std::int32_t distance;
    std::memcpy(&distance, code.data(), kSlotBytes);
    code.remove_prefix(kSlotBytes);
    const std::uint64_t slot =
        address + (before - code.size()) + static_cast<std::uint64_t>(std::int64_t{distance});
    const bool is_profilers =
        std::any_of(file_.relocations().begin(), file_.relocations().end(), [&](const auto& r) {
          return r.address == slot && file_.dynamic_symbols()[r.symbol].name == "__gmon_start__";
        });
    return is_profilers && next(kCall) && next(kLeave);
  }

  /// The file's bytes from a place in an executable segment to that segment's end.
  std::string_view code_at(std::uint64_t address) const {
    for (const ElfFile::Segment& s : file_.segments())
      if (s.type == PT_LOAD && s.is_executable() && address >= s.address &&
          address - s.address < s.file_size)
        return file_.bytes().substr(s.offset, s.file_size).substr(address - s.address);
    return {};
  }
#else
  // Known by name: an approximation, since what these start files do there is not fixed.
  bool is_start_file_code(std::uint64_t address, bool is_init) const {
    const ElfFile::Symbol* function = function_at(address);
    return function != nullptr && function->name == (is_init ? "_init" : "_fini");
  }
#endif

  Result<void> constructors(bool may_initialise) const {
    BATON_TRY(start_functions());
    for (auto [tag, size_tag, what] :
         {std::tuple{DT_INIT_ARRAY, DT_INIT_ARRAYSZ, "DT_INIT_ARRAY"},
          std::tuple{DT_FINI_ARRAY, DT_FINI_ARRAYSZ, "DT_FINI_ARRAY"}}) {
      const std::uint64_t from = file_.dynamic(tag).value_or(0),
                          size = file_.dynamic(size_tag).value_or(0);
      if (!file_.has_static_symbols() && size > kPointerBytes)
        return refused("constructors",
                       std::string(what) +
                           " names functions that cannot be told apart, since .symtab was stripped",
                       "strip with --strip-debug only");
      if (!file_.has_static_symbols()) continue;
      for (const ElfFile::Relocation& r : file_.relocations()) {
        if (r.address < from || r.address - from >= size) continue;
        const std::uint64_t base = r.symbol == 0 ? 0 : file_.dynamic_symbols()[r.symbol].address;
        const ElfFile::Symbol* function = function_at(base + r.addend);
        const std::string name(function == nullptr ? "" : function->name);
        if (!is_start_file_function(name))
          return refused("constructors",
                         (name.empty() ? "a function without a name" : name) + " in " + what +
                             " would run while the loader holds its lock",
                         "do it in the module's init and fini");
        if (name.starts_with("_GLOBAL__") && !may_initialise && !rules_.allow_sanitizers)
          BATON_TRY(file_initialiser(*function));
      }
    }
    return {};
  }

  Result<void> loading_flags() const {
    const std::uint64_t flags = file_.flags_1();
    if ((flags & DF_1_NODELETE) != 0)
      return refused("nodelete", "the flag DF_1_NODELETE keeps it loaded for ever",
                     "link without -z nodelete");
    if ((flags & ~kPlainFlags1) != 0) {
      return refused("nodelete",
                     "DT_FLAGS_1 asks for special loading (bits " +
                         std::to_string(flags & ~kPlainFlags1) + ")",
                     "link without -z options other than now and relro");
    }
    return {};
  }

  Result<void> text_relocations() const {
    constexpr std::string_view kCure = "compile everything in it with -fPIC";
    if (file_.dynamic(DT_TEXTREL) || (file_.flags() & DF_TEXTREL) != 0)
      return refused("textrel", "DT_TEXTREL: its code must be written to when it is loaded", kCure);
    for (const ElfFile::Relocation& r : file_.relocations())
      for (const ElfFile::Segment& s : file_.segments())
        if (s.type == PT_LOAD && !s.is_writable() && r.address >= s.address &&
            r.address - s.address < s.memory_size)
          return refused(
              "textrel",
              "a relocation" +
                  (r.symbol == 0 ? std::string()
                                 : " of " + found_as(file_.dynamic_symbols()[r.symbol]).shown) +
                  " lies in a segment that is not writable",
              kCure);
    return {};
  }

  Result<void> executable_stack() const {
    const ElfFile::Segment* stack = file_.segment(PT_GNU_STACK);
    if (stack == nullptr)
      return refused("executable-stack",
                     "PT_GNU_STACK is missing, which asks for an executable stack",
                     "link with -z noexecstack");
    if (stack->is_executable())
      return refused("executable-stack", "PT_GNU_STACK asks for an executable stack",
                     "use no nested functions whose address is taken, mark assembler files with "
                     ".note.GNU-stack, link with -z noexecstack");
    for (const ElfFile::Segment& s : file_.segments())
      if (s.type == PT_LOAD && s.is_writable() && s.is_executable())
        return refused("executable-stack", "PT_LOAD: a segment is both writable and executable",
                       "link without -N and without a linker script of your own");
    return {};
  }

  Result<void> search_paths() const {
    for (auto [tag, name] : {std::pair{DT_RPATH, "DT_RPATH"}, std::pair{DT_RUNPATH, "DT_RUNPATH"}})
      if (auto path = file_.dynamic_text(tag))
        return refused("rpath",
                       std::string(name) + " " + std::string(*path) +
                           " would load libraries that were never judged",
                       "link without -rpath");
    return {};
  }

  Result<void> dependencies() const {
    constexpr std::string_view kCure =
        "link it statically into the module: two versions would share the one that is loaded first";
    for (auto [tag, name] :
         {std::pair{DT_AUDIT, "DT_AUDIT"}, std::pair{DT_DEPAUDIT, "DT_DEPAUDIT"},
          std::pair{DT_FILTER, "DT_FILTER"}, std::pair{DT_AUXILIARY, "DT_AUXILIARY"}})
      if (auto library = file_.dynamic_text(tag))
        return refused("dependencies", std::string(name) + " " + std::string(*library),
                       "link without it");
    for (std::string_view library : file_.needed())
      if (!is_allowed_library(library) &&
          !(rules_.allow_sanitizers && is_sanitizer_library(library)))
        return refused(
            "dependencies", "DT_NEEDED " + std::string(library),
            is_sanitizer_library(library) ? "build without -fsanitize for this host" : kCure);
    return {};
  }

  Result<void> exports() const {
    std::vector<Found> others;
    const ElfFile::Symbol* entry = nullptr;
    for (const ElfFile::Symbol& s : file_.dynamic_symbols()) {
      if (s.is_import() || !s.is_global() || s.visibility == STV_HIDDEN ||
          s.visibility == STV_INTERNAL)
        continue;
      if (s.name == kEntry)
        entry = &s;
      else
        others.push_back(found_as(s));
    }
    if (!others.empty())
      return refused("exports", others, "",
                     "hide it: a version script with { global: baton_module_entry; local: *; }, as "
                     "baton_add_module() has");
    if (entry == nullptr)
      return refused("exports", std::string(kEntry) + " is not exported",
                     "end the module with BATON_MODULE (in C: define the function and export it)");
    const bool is_code =
        entry->type == STT_FUNC && std::any_of(file_.segments().begin(), file_.segments().end(),
                                               [&](const ElfFile::Segment& s) {
                                                 return s.type == PT_LOAD && s.is_executable() &&
                                                        entry->address >= s.address &&
                                                        entry->address - s.address < s.file_size;
                                               });
    if (!is_code)
      return refused("exports", std::string(kEntry) + " is not a function in its code",
                     kUseAddModule);
    return {};
  }

  Result<void> imports() const {
    std::vector<Found> found;
    for (const ElfFile::Symbol& s : file_.dynamic_symbols()) {
      if (!s.is_import() || s.name.empty()) continue;
      const bool would_stay = s.name == "__cxa_atexit" && !takes_exit_handlers_back();
      if (is_allowed_import(s.name) && !would_stay) continue;
      if (rules_.allow_sanitizers && is_sanitizer_import(s.name)) continue;
      found.push_back(found_as(s));
    }
    if (found.empty()) return {};
    const std::string_view first = found.front().symbol;
    return refused(
        "imports", found, "",
        is_sanitizer_import(first) ? "build without -fsanitize for this host" : import_cure(first));
  }

  const ElfFile& file_;
  const GateRules& rules_;
};

}  // namespace

Result<ModuleFacts> gate(const ElfFile& file, const GateRules& rules) {
  return Gate(file, rules).run();
}

}  // namespace baton::module
