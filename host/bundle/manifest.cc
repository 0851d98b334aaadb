#include "bundle/manifest.h"

#include <algorithm>
#include <cstdio>
#include <set>

namespace baton::bundle {

using description::yaml_quote;
using description::YamlMapping;
using description::YamlNode;

namespace {

constexpr std::size_t kBuildTagBytesMax = 255;
constexpr std::size_t kBuildIdBytesMax = 128;

bool is_path_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-' || c == '+' || c == '/';
}

/// The path for a message: what is not printable ASCII as \xNN.
std::string shown(std::string_view path) {
  std::string text;
  for (char c : path.substr(0, 80)) {
    if (c > ' ' && c < 127) {
      text += c;
    } else {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned char>(c));
      text += escape;
    }
  }
  return "\"" + text + (path.size() > 80 ? "...\"" : "\"");
}

Result<std::string> read_path(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kScalar) return node.expected("a path");
  Result<void> good = check_path(node.text);
  if (!good.ok()) return node.error(good.error().message());
  return node.text;
}

void require_digest(YamlMapping& mapping, std::string_view key, Digest& out) {
  const YamlNode* node = mapping.required(key);
  if (node == nullptr) return;
  std::optional<Digest> digest = Digest::parse(node->text);
  if (!digest) return mapping.fail(node->expected("64 lower-case hexadecimal digits"));
  out = *digest;
}

Result<ManifestFile> read_file_entry(const YamlNode& node) {
  YamlMapping mapping(node);
  ManifestFile file;
  if (const YamlNode* path = mapping.required("path")) mapping.take(read_path(*path), file.path);
  if (const YamlNode* size = mapping.required("size"))
    mapping.take(size->as_count(0, kFileBytesMax), file.size);
  if (const YamlNode* mode = mapping.required("mode"); mode != nullptr && mode->text != "0444")
    mapping.fail(mode->expected("the mode \"0444\""));
  require_digest(mapping, "sha256", file.sha256);
  BATON_TRY(mapping.finish());
  return file;
}

Result<std::string> read_limited(const YamlNode& node, std::size_t bytes_max) {
  BATON_ASSIGN(std::string text, node.as_text());
  if (text.size() > bytes_max)
    return node.expected("at most " + std::to_string(bytes_max) + " bytes");
  return text;
}

Result<std::string> read_note_line(const YamlNode& node) {
  BATON_ASSIGN(std::string line, node.as_text());
  if (line.find('\n') != std::string::npos) return node.expected("one line");
  return line;
}

void read_abi(YamlMapping& mapping, ManifestModule& module) {
  const YamlNode* abi = mapping.required("abi");
  if (abi == nullptr) return;
  unsigned major = 0, minor = 0;
  int used = 0;
  const bool shaped = std::sscanf(abi->text.c_str(), "%5u.%5u%n", &major, &minor, &used) == 2 &&
                      static_cast<std::size_t>(used) == abi->text.size();
  if (!shaped || major > 65535 || minor > 65535)
    return mapping.fail(abi->expected("MAJOR.MINOR such as \"1.0\""));
  module.abi_major = static_cast<std::uint16_t>(major);
  module.abi_minor = static_cast<std::uint16_t>(minor);
}

Result<ManifestModule> read_module_entry(const YamlNode& node) {
  YamlMapping mapping(node);
  ManifestModule module;
  if (const YamlNode* name = mapping.required("name")) mapping.take(name->as_text(), module.name);
  if (const YamlNode* version = mapping.required("version"))
    mapping.take(version->as_text(), module.version);
  if (const YamlNode* path = mapping.required("path")) mapping.take(read_path(*path), module.path);
  read_abi(mapping, module);
  if (const YamlNode* build = mapping.optional("build"))
    mapping.take(read_limited(*build, kBuildTagBytesMax), module.build);
  if (const YamlNode* id = mapping.required("build_id"))
    mapping.take(read_limited(*id, kBuildIdBytesMax), module.build_id);
  std::vector<std::string> lines;
  mapping.list("note", kNoteLinesMax, lines, read_note_line);
  for (const std::string& line : lines) module.note += line + "\n";
  BATON_TRY(mapping.finish());
  return module;
}

/// Invariants (1) and (3).
Result<void> check_files(const YamlNode& list, const std::vector<ManifestFile>& files) {
  std::set<std::string> folded;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const YamlNode& at = *list.children[i]->find("path");
    if (i > 0 && files[i].path == files[i - 1].path) return at.error("the file stands twice");
    if (!folded.insert(fold_case(files[i].path)).second)
      return at.error("differs only in case from another file of the bundle");
    if (i > 0 && files[i].path < files[i - 1].path)
      return at.error("the files are not sorted by path");
    total += files[i].size;
    if (total > kPayloadBytesMax)
      return at.error("the files together are larger than " + std::to_string(kPayloadBytesMax) +
                      " bytes");
  }
  return {};
}

/// Invariant (2).
Result<void> check_modules(const YamlNode& root, const Manifest& manifest) {
  const YamlNode& list = *root.find("modules");
  const auto& wanted = manifest.release.modules;
  if (manifest.modules.size() != wanted.size() || manifest.files.size() != wanted.size())
    return list.error("expected one module and one file for each of the release's " +
                      std::to_string(wanted.size()) + " modules, got " +
                      std::to_string(manifest.modules.size()) + " modules and " +
                      std::to_string(manifest.files.size()) + " files");
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const ManifestModule& module = manifest.modules[i];
    const YamlNode& at = *list.children[i];
    if (module.name != wanted[i].name || module.version != wanted[i].version)
      return at.error("expected the release's module " + wanted[i].name + " " + wanted[i].version +
                      ", got " + module.name + " " + module.version);
    if (module.path != module_path(module.name, module.version))
      return at.find("path")->expected("\"" + module_path(module.name, module.version) + "\"");
    if (manifest.file(module.path) == nullptr)
      return at.find("path")->error("is not in the list of files");
  }
  return {};
}

Result<Manifest> read_manifest(const YamlNode& root) {
  YamlMapping mapping(root);
  Manifest manifest;
  if (const YamlNode* format = mapping.required("format")) {
    std::uint64_t number = 0;
    mapping.take(format->as_count(0, description::kSequenceMax), number);
    if (!mapping.failed() && number != kManifestFormat)
      mapping.fail(format->error("this host reads format " + std::to_string(kManifestFormat) +
                                 ", the bundle has " + std::to_string(number) +
                                 "; use a host of the version that packed it"));
  }
  if (const YamlNode* release = mapping.required("release"))
    mapping.take(description::read_release(*release), manifest.release);
  if (const YamlNode* expires = mapping.optional("expires")) {
    WallTime time{};
    mapping.take(expires->as_time(), time);
    manifest.expires = time;
  }
  require_digest(mapping, "payload_sha256", manifest.payload);
  mapping.required("files");
  mapping.list("files", kFilesMax, manifest.files, read_file_entry);
  mapping.required("modules");
  mapping.list("modules", description::kModulesMax, manifest.modules, read_module_entry);
  BATON_TRY(mapping.finish());
  BATON_TRY(check_files(*root.find("files"), manifest.files));
  BATON_TRY(check_modules(root, manifest));
  return manifest;
}

}  // namespace

const ManifestFile* Manifest::file(std::string_view path) const {
  auto at = std::lower_bound(files.begin(), files.end(), path,
                             [](const ManifestFile& f, std::string_view p) { return f.path < p; });
  return at != files.end() && at->path == path ? &*at : nullptr;
}

const ManifestModule* Manifest::module(std::string_view name) const {
  for (const ManifestModule& m : modules)
    if (m.name == name) return &m;
  return nullptr;
}

const ManifestFile& Manifest::file_of(const ManifestModule& module) const {
  const ManifestFile* found = file(module.path);
  BATON_CHECK(found != nullptr, module.path);
  return *found;
}

Result<Manifest> parse_manifest(std::string_view text, const std::string& file) {
  auto parse = [&]() -> Result<Manifest> {
    BATON_ASSIGN(description::YamlDocument document, description::YamlDocument::parse(text, file));
    return read_manifest(document.root());
  };
  Result<Manifest> manifest = parse();
  // What is wrong with a manifest is a reason to refuse the bundle, not a mistake in a command.
  if (!manifest.ok()) return Error(Code::kRefused, manifest.error().message());
  return manifest;
}

std::string write_manifest(const Manifest& manifest, const YamlNode& release) {
  std::string out = "format: " + std::to_string(kManifestFormat) + "\nrelease:";
  out += description::write_yaml(release, 2);
  if (manifest.expires) out += "expires: " + yaml_quote(format_time(*manifest.expires)) + "\n";
  out += "payload_sha256: " + yaml_quote(manifest.payload.hex()) + "\n";
  out += manifest.files.empty() ? "files: []\n" : "files:\n";
  for (const ManifestFile& file : manifest.files) {
    out += "  - path: " + yaml_quote(file.path) + "\n";
    out += "    size: " + std::to_string(file.size) + "\n";
    out += "    mode: \"0444\"\n";
    out += "    sha256: " + yaml_quote(file.sha256.hex()) + "\n";
  }
  out += manifest.modules.empty() ? "modules: []\n" : "modules:\n";
  for (const ManifestModule& module : manifest.modules) {
    out += "  - name: " + yaml_quote(module.name) + "\n";
    out += "    version: " + yaml_quote(module.version) + "\n";
    out += "    path: " + yaml_quote(module.path) + "\n";
    out += "    abi: " +
           yaml_quote(std::to_string(module.abi_major) + "." + std::to_string(module.abi_minor)) +
           "\n";
    out += "    build: " + yaml_quote(module.build) + "\n";
    out += "    build_id: " + yaml_quote(module.build_id) + "\n";
    out += "    note:\n";
    for (std::string_view rest = module.note; !rest.empty();) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      out += "      - " + yaml_quote(rest.substr(0, end)) + "\n";
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return out;
}

std::string module_path(std::string_view name, std::string_view version) {
  return "modules/" + std::string(name) + "/" + std::string(version) + "/" + std::string(name) +
         ".so";
}

Result<void> check_path(std::string_view path) {
  auto wrong = [&](const char* what) {
    return Error(Code::kRefused, "the path " + shown(path) + what);
  };
  if (path.empty()) return wrong(" is empty");
  if (path.size() > kPathBytesMax) return wrong(" is too long");
  if (path.find('\0') != std::string_view::npos) return wrong(" contains a zero byte");
  if (path[0] == '/') return wrong(" is absolute");
  if (!std::all_of(path.begin(), path.end(), is_path_character))
    return wrong(" contains a character that is not taken: use letters, digits and . _ - +");
  for (std::string_view rest = path;;) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty()) return wrong(" has an empty part");
    if (part == "..") return wrong(" escapes the bundle");
    if (part == ".") return wrong(" has a part that is a dot");
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
}

std::string fold_case(std::string_view path) {
  std::string folded(path);
  for (char& c : folded)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return folded;
}

}  // namespace baton::bundle
