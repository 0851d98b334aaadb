#include "code/library.h"

#define BOOST_DLL_USE_STD_FS
#include "base/check.h"
#include "base/crash.h"
#include "base/files.h"
#include "code/behaviour.h"
#include "module/elf.h"
#include "module/schema.h"

#include <boost/dll/shared_library.hpp>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <vector>

namespace baton::code {

namespace {

constexpr const char* kEntry = "baton_module_entry";

// The sizes of ABI 1.0, below which no module's tables can be; later minors only add behind them.
constexpr std::uint32_t kModuleBytesMin = offsetof(baton_module, fini) + sizeof(void*);
constexpr std::uint32_t kBehaviourBytesMin = offsetof(baton_behaviour, terminate) + sizeof(void*);
// That of ABI 1.2.
constexpr std::uint32_t kHooksBytesMin = offsetof(baton_message_hooks, revert) + sizeof(void*);

std::string loader_error() {
  const char* text = ::dlerror();
  return text == nullptr ? "no reason given" : text;
}

// Whether the loader has a library of this name. Changes nothing, if the name is of one that was
// loaded: the loader keeps any other name for a file that it knows, as one more name of it.
bool is_known_to_loader(const std::string& name) {
  void* handle = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  if (handle == nullptr) return false;
  ::dlclose(handle);
  return true;
}

struct MappedImage {
  ElfW(Addr) address;
  ElfW(Addr) end = 0;    // behind its last segment
  std::string build_id;  // raw bytes
  bool is_found = false;
};

// Reads extent and build id of one mapped image, whose notes the gate has found sound in the file.
int read_image(dl_phdr_info* info, std::size_t, void* data) {
  auto& image = *static_cast<MappedImage*>(data);
  if (info->dlpi_addr != image.address) return 0;
  image.is_found = true;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type == PT_LOAD)
      image.end = std::max(image.end, info->dlpi_addr + segment.p_vaddr + segment.p_memsz);
    if (segment.p_type != PT_NOTE) continue;
    const std::size_t align = segment.p_align == 8 ? 8 : 4;
    const auto padded = [&](std::size_t n) { return (n + align - 1) / align * align; };
    const char* start = reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr);
    for (std::size_t at = 0; at + sizeof(ElfW(Nhdr)) <= segment.p_memsz;) {
      ElfW(Nhdr) note;
      std::memcpy(&note, start + at, sizeof note);
      const std::size_t owner = at + sizeof note, descriptor = padded(owner + note.n_namesz);
      if (descriptor + note.n_descsz > segment.p_memsz) break;
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
          std::memcmp(start + owner, "GNU", 4) == 0)
        image.build_id.assign(start + descriptor, note.n_descsz);
      at = padded(descriptor + note.n_descsz);
    }
  }
  return 1;
}

bool is_same_text(const char* text, const std::string& expected) {
  return text != nullptr && text == expected;
}

std::string shown(const char* text) {
  return text == nullptr ? "null" : "\"" + std::string(text) + "\"";
}

// What is wrong with the behaviour's hooks of messages, which must be those that the note names.
std::optional<std::string> wrong_hooks(const module::BehaviourNote& note,
                                       const baton_behaviour& behaviour, std::uint32_t stride) {
  if (stride >= kHookedBehaviourBytes && behaviour.hook_count > 0 &&
      (behaviour.hooks == nullptr || behaviour.hook_count > note.messages.size() ||
       behaviour.hook_stride < kHooksBytesMin ||
       behaviour.hook_stride % alignof(baton_message_hooks) != 0))
    return "its table of hooks does not fit the ABI";
  std::uint32_t named = 0;
  for (std::uint32_t i = 0; i < note.messages.size(); ++i) {
    const module::ContractMessage& message = note.messages[i];
    const baton_message_hooks* const hooks = message_hooks(behaviour, stride, i);
    if (hooks != nullptr) ++named;
    if (message.has_change != (hooks != nullptr && hooks->change != nullptr) ||
        message.has_revert != (hooks != nullptr && hooks->revert != nullptr))
      return "the hooks of its message " + message.name + " are not the note's";
  }
  if (stride >= kHookedBehaviourBytes && named != behaviour.hook_count)
    return "it has hooks of messages that the note does not name";
  return std::nullopt;
}

// The plan is made from the note and carried out by the tables, so they must say the same.
std::optional<std::string> difference(const module::SchemaDescription& note,
                                      const module::SchemaDescription& table) {
  if (note.name != table.name) return "name";
  if (note.fingerprint != table.fingerprint) return "fingerprint";
  if (note.size != table.size || note.align != table.align) return "size or align";
  if (note.revision != table.revision) return "revision";
  if (note.dropped != table.dropped) return "dropped fields";
  if (note.has_change != table.has_change || note.has_revert != table.has_revert ||
      note.has_loss != table.has_loss)
    return "hooks";
  if (note.fields.size() != table.fields.size()) return "number of fields";
  for (std::size_t i = 0; i < note.fields.size(); ++i) {
    const module::FieldDescription &a = note.fields[i], &b = table.fields[i];
    if (a.name != b.name || a.type != b.type || a.offset != b.offset || a.size != b.size ||
        a.scalar != b.scalar || a.flags != b.flags || a.renamed_from != b.renamed_from ||
        a.type_text != b.type_text)
      return "field " + a.name;
  }
  return std::nullopt;
}

}  // namespace

struct Library::Image {
  boost::dll::shared_library library;
};

Library::Library(std::string path, ScopedFd file, MappedFile mapped_file, module::ModuleFacts facts)
    : path_(std::move(path)),
      file_(std::move(file)),
      loader_name_("/proc/self/fd/" + std::to_string(file_.get())),
      mapped_file_(std::move(mapped_file)),
      facts_(std::move(facts)) {}

Library::~Library() {
  if (image_ == nullptr) return;
  finish();
  close();
}

const baton_module* Library::module() const {
  BATON_CHECK(image_ != nullptr, path_);
  return module_;
}

Error Library::refused(const std::string& what) const {
  return Error(
      Code::kRefused,
      path_ + ": refused: " + what +
          "; cure: build the module again with one SDK, so that its note and its tables agree");
}

Result<std::unique_ptr<Library>> Library::open(const std::string& path, const LibraryRules& rules) {
  if (!std::filesystem::path(path).is_absolute())
    return Error(Code::kUsage, path + ": the path of a module must be absolute");
  // Opening a pipe would wait for somebody who writes. That it is none is looked at on reading.
  ScopedFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.is_open())
    return Error(errno == ENOENT ? Code::kNotFound : Code::kFailed,
                 path + ": cannot be opened: " + std::strerror(errno));
  BATON_ASSIGN(module::ElfFile file, module::ElfFile::read(fd.get(), path));
  if (rules.digest && sha256(file.bytes()) != *rules.digest)
    return Error(Code::kRefused, path + ": its SHA-256 " + sha256(file.bytes()).hex() +
                                     " is not the expected " + rules.digest->hex() +
                                     "; cure: remove the release and unpack its bundle again");
  BATON_ASSIGN(module::ModuleFacts facts, module::gate(file, rules.gate));
  if (!rules.note.empty() && rules.note != facts.note_text)
    return Error(Code::kRefused,
                 path +
                     ": refused: its note is not the one in the manifest, by which the upgrade was "
                     "planned; cure: remove the release and unpack its bundle again");
  BATON_ASSIGN(MappedFile mapped, mapped_file(fd.get()));
  std::unique_ptr<Library> library(
      new Library(path, std::move(fd), std::move(mapped), std::move(facts)));
  BATON_TRY(library->load());
  // From here on a failure closes the library by its destructor.
  BATON_TRY(library->check_image());
  BATON_TRY(library->describe(rules));
  return library;
}

Result<void> Library::load() {
  BATON_ASSIGN(const std::size_t mappings, mappings_of(mapped_file_));
  if (!module::kHostIsSanitized && mappings != 0)
    return Error(Code::kBusy,
                 path_ +
                     ": this file is loaded already, or an earlier load of it is pinned; "
                     "cure: close it first, or restart the host");
  auto image = std::make_unique<Image>();
  boost::dll::fs::error_code error;
  image->library.load(loader_name_,
                      boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local, error);
  if (error) return Error(Code::kFailed, path_ + ": cannot be loaded: " + loader_error());
  image_ = std::move(image);
  return {};
}

// What the loader mapped must be what we judged.
Result<void> Library::check_image() {
  link_map* map = nullptr;
  if (::dlinfo(image_->library.native(), RTLD_DI_LINKMAP, &map) != 0 || map == nullptr)
    return Error(Code::kFailed, path_ + ": the loader does not know it: " + loader_error());
  MappedImage image{map->l_addr, map->l_addr, {}, false};
  ::dl_iterate_phdr(read_image, &image);
  const std::string mapped =
      to_hex(reinterpret_cast<const std::uint8_t*>(image.build_id.data()), image.build_id.size());
  if (!image.is_found || mapped != facts_.build_id)
    return refused("the image in memory has the build id \"" + mapped +
                   "\", the file that was judged " + facts_.build_id);
  BATON_ASSIGN(const std::vector<Mapping> all, mappings());
  if (!are_of_file(all, image.address, image.end, mapped_file_))
    return refused("the image in memory is not mapped from the file that was judged");
  base_ = map->l_addr;
  name_image(base_, facts_.note.module, facts_.note.version);
  return {};
}

Result<void> Library::describe(const LibraryRules& rules) {
  const module::ModuleNote& note = facts_.note;
  if (!rules.module.empty() && rules.module != note.module)
    return Error(Code::kRefused,
                 path_ + ": refused: it is the module " + note.module + ", not " + rules.module);
  if (!rules.version.empty() && rules.version != note.version)
    return Error(Code::kRefused, path_ + ": refused: it is version " + note.version + " of " +
                                     note.module + ", not " + rules.version);
  if (!image_->library.has(kEntry))
    return refused(std::string(kEntry) + " is not found by the loader");
  module_ = image_->library.get<const baton_module*()>(kEntry)();
  if (module_ == nullptr) return refused(std::string(kEntry) + " returned null");
  if (module_->struct_size < kModuleBytesMin)
    return refused("baton_module.struct_size " + std::to_string(module_->struct_size) +
                   " is below " + std::to_string(kModuleBytesMin));
  if (module_->abi_major != note.abi.major || module_->abi_minor != note.abi.minor)
    return refused("baton_module's ABI " + std::to_string(module_->abi_major) + "." +
                   std::to_string(module_->abi_minor) + " is not the note's " +
                   std::to_string(note.abi.major) + "." + std::to_string(note.abi.minor));
  if (!is_same_text(module_->name, note.module))
    return refused("baton_module.name " + shown(module_->name) + " is not the note's \"" +
                   note.module + "\"");
  if (!is_same_text(module_->version, note.version))
    return refused("baton_module.version " + shown(module_->version) + " is not the note's \"" +
                   note.version + "\"");
  if (!is_same_text(module_->build, note.build))
    return refused("baton_module.build " + shown(module_->build) + " is not the note's \"" +
                   note.build + "\"");
  if (module_->behaviour_count != note.behaviours.size())
    return refused("baton_module.behaviour_count " + std::to_string(module_->behaviour_count) +
                   " is not the note's " + std::to_string(note.behaviours.size()));
  if (module_->behaviour_count > 0 &&
      (module_->behaviours == nullptr || module_->behaviour_stride < kBehaviourBytesMin ||
       module_->behaviour_stride % alignof(baton_behaviour) != 0))
    return refused("baton_module.behaviours is null or its stride " +
                   std::to_string(module_->behaviour_stride) + " does not fit the ABI");
  for (std::uint32_t i = 0; i < module_->behaviour_count; ++i) {
    const auto* behaviour = reinterpret_cast<const baton_behaviour*>(
        reinterpret_cast<const char*>(module_->behaviours) +
        std::size_t{i} * module_->behaviour_stride);
    const module::BehaviourNote& expected = note.behaviours[i];
    const std::string in = "behaviour " + expected.name + ": ";
    if (!is_same_text(behaviour->name, expected.name))
      return refused(in + "the table has " + shown(behaviour->name) + " in its place");
    if (behaviour->kind != expected.kind)
      return refused(in + "its kind " + std::to_string(behaviour->kind) + " is not the note's");
    if (behaviour->flags != 0)
      return refused(in + "its flags " + std::to_string(behaviour->flags) +
                     " are none of the ABI's");
    const bool is_server = behaviour->kind == BATON_GEN_SERVER;
    if (behaviour->init == nullptr ||
        (is_server ? behaviour->handle == nullptr : behaviour->resume == nullptr))
      return refused(in + "init, handle (of a gen_server) or resume (of a process) is null");
    if (is_server != (behaviour->state != nullptr))
      return refused(in + "a gen_server has a state, a process has none");
    if (auto wrong = wrong_hooks(expected, *behaviour, module_->behaviour_stride))
      return refused(in + *wrong);
    if (!is_server) continue;
    auto schema = module::describe(behaviour->state);
    if (!schema) return refused(in + schema.error().message());
    if (auto field = difference(*expected.schema, *schema))
      return refused(in + "the schema's " + *field + " is not the note's");
  }
  return {};
}

Result<void> Library::start(const baton_host* host) {
  BATON_CHECK(host != nullptr && !has_started_, path_);
  std::array<char, kInitErrorBytesMax> text{};
  baton_error error{kInitErrorBytesMax, 0, text.data()};
  if (module_->init != nullptr && module_->init(host, &error) != 0) {
    text.back() = 0;  // whatever the module left there
    return Error(Code::kFailed,
                 path_ + ": init of " + facts_.note.module + " " + facts_.note.version +
                     " failed: " + (text[0] == 0 ? "it gave no reason" : text.data()));
  }
  has_started_ = true;
  return {};
}

void Library::finish() {
  if (has_started_ && module_->fini != nullptr) module_->fini();
  has_started_ = false;
}

UnloadReport Library::close() {
  BATON_CHECK(image_ != nullptr && !has_started_, path_);
  module_ = nullptr;
  if (module::kHostIsSanitized) {
    void* pin = ::dlopen(loader_name_.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD | RTLD_NODELETE);
    if (pin != nullptr) ::dlclose(pin);
  }
  image_->library.unload();
  image_.reset();
  if (module::kHostIsSanitized) {
    static_cast<void>(file_.release());
    return {false, "the host's sanitizer build, which keeps libraries mapped"};
  }
  // What dlclose says does not count: it may quietly do nothing.
  const bool is_known = is_known_to_loader(loader_name_);
  const auto mappings = mappings_of(mapped_file_);
  if (!is_known && mappings.ok() && *mappings == 0) {
    file_.reset();
    forget_image(base_);
    return {true, {}};
  }
  static_cast<void>(file_.release());
  if (is_known)
    return {false,
            "the dynamic loader (another open of this file, a thread's destructors, or a symbol "
            "bound by another library)"};
  if (!mappings.ok()) return {false, "nobody knows: " + mappings.error().message()};
  return {false, "something that maps its file (" + std::to_string(*mappings) + " mappings)"};
}

}  // namespace baton::code
