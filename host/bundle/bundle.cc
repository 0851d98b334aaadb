#include "bundle/bundle.h"

#include <algorithm>

namespace baton::bundle {

namespace {

constexpr std::size_t kCopyBytes = 64 * 1024;

Error refused(const std::string& message) { return Error(Code::kRefused, message); }

/// The gate, and that the file is the module that stands in the description.
Result<module::ModuleFacts> judge_module(const module::ElfFile& elf, const module::GateRules& rules,
                                         const std::string& name, const std::string& version) {
  BATON_ASSIGN(module::ModuleFacts facts, module::gate(elf, rules));
  if (facts.note.module != name || facts.note.version != version)
    return refused(elf.name() + ": expected the module " + name + " " + version +
                   ", the file's note says " + facts.note.module + " " + facts.note.version +
                   "; correct the name or the folder, and build it again");
  return facts;
}

/// That the note has every behaviour that the children of this supervisor ask of the module.
Result<void> check_behaviours(const description::SupervisorDescription& supervisor,
                              const std::string& module, const module::ModuleNote& note,
                              const std::string& file) {
  for (const description::ChildDescription& child : supervisor.children) {
    BATON_TRY(check_behaviours(child.supervisor, module, note, file));
    if (child.module != module || note.behaviour(child.behaviour) != nullptr) continue;
    return refused(file + ": the child \"" + child.id + "\" asks for the behaviour \"" +
                   child.behaviour + "\", which module " + module + " " + note.version +
                   " does not have");
  }
  return {};
}

/// Writes the outer tar.
class BundleWriter {
 public:
  explicit BundleWriter(Sink sink) : sink_(std::move(sink)) {}

  Result<void> begin(const char* name, std::uint64_t size) {
    left_ = size;
    size_ = size;
    return sink_(tar_header({name, size, kFileMode}));
  }
  Result<void> write(std::string_view bytes) {
    BATON_CHECK(bytes.size() <= left_);
    left_ -= bytes.size();
    return sink_(bytes);
  }
  Result<void> end() {
    BATON_CHECK(left_ == 0);
    return sink_(std::string(tar_padding(size_), '\0'));
  }
  Result<void> add(const char* name, std::string_view content) {
    BATON_TRY(begin(name, content.size()));
    BATON_TRY(write(content));
    return end();
  }
  Result<void> finish() { return sink_(std::string(kTarEndBytes, '\0')); }

 private:
  Sink sink_;
  std::uint64_t size_ = 0;
  std::uint64_t left_ = 0;
};

/// Makes the file at `path` by `write`, which is given a place to write to; whole or not at all.
template <class Write>
Result<void> make_file(Files& files, const std::string& path, Write write) {
  const std::string temporary = path + ".tmp";
  BATON_TRY(remove_tree(files, temporary));
  auto make = [&]() -> Result<void> {
    BATON_ASSIGN(ScopedFd fd, files.create(temporary, 0644));
    BATON_TRY(write([&](std::string_view bytes) { return files.write(fd.get(), bytes); }));
    BATON_TRY(files.sync(fd.get()));
    return files.rename(temporary, path);
  };
  Result<void> made = make();
  if (!made.ok()) {
    // The first error is the one to report; the next try removes what cannot be removed here.
    (void)files.remove_file(temporary);
    return made;
  }
  return files.sync_directory(directory_of(path));
}

std::string trusted_comment(const Manifest& manifest) {
  return "baton release " + manifest.release.name + " " + manifest.release.version + " sequence " +
         std::to_string(manifest.release.sequence);
}

std::uint64_t payload_bytes(const Manifest& manifest) {
  std::uint64_t total = kTarEndBytes;
  for (const ManifestFile& file : manifest.files) total += tar_entry_bytes(file.size);
  return total;
}

}  // namespace

// ---- Opening ------------------------------------------------------------------------------------

Result<Bundle> Bundle::open(Files& files, const std::string& path, const TrustedKeys& keys) {
  BATON_ASSIGN(Bundle bundle, read_head(files, path));
  if (bundle.signature_text_.empty())
    return refused(path + ": the signature is missing; sign it with: baton sign " + path);
  Result<Signer> signer = verify(bundle.manifest_text_, bundle.signature_text_, keys);
  if (!signer.ok()) return std::move(signer).error().within(path);
  bundle.signer_ = *signer;
  BATON_TRY(bundle.read_manifest());
  return bundle;
}

Result<Bundle> Bundle::open_unverified(Files& files, const std::string& path) {
  BATON_ASSIGN(Bundle bundle, read_head(files, path));
  BATON_TRY(bundle.read_manifest());
  return bundle;
}

/// Reads up to the payload's first byte, and understands none of it.
Result<Bundle> Bundle::read_head(Files& files, const std::string& path) {
  BATON_ASSIGN(ScopedFd opened, files.open_read(path));
  Bundle bundle(files, path, std::move(opened));
  // Moving the Bundle keeps the descriptor's number, so the source may hold that.
  bundle.outer_.emplace([&files, fd = bundle.fd_.get()](char* buffer, std::size_t size) {
    return files.read(fd, buffer, size);
  });
  auto read = [&]() -> Result<void> {
    BATON_ASSIGN(std::optional<TarEntry> first, bundle.outer_->next());
    if (!first || first->path != kManifestName)
      return refused("not a bundle: it does not begin with " + std::string(kManifestName));
    if (first->size > kManifestBytesMax)
      return refused(std::string(kManifestName) + ": larger than " +
                     std::to_string(kManifestBytesMax) + " bytes");
    BATON_ASSIGN(bundle.manifest_text_, bundle.read_entry(first->size));
    BATON_ASSIGN(std::optional<TarEntry> second, bundle.outer_->next());
    if (second && second->path == kSignatureName) {
      if (second->size == 0 || second->size > kSignatureBytesMax)
        return refused(std::string(kSignatureName) + ": expected 1 to " +
                       std::to_string(kSignatureBytesMax) + " bytes");
      BATON_ASSIGN(bundle.signature_text_, bundle.read_entry(second->size));
      BATON_ASSIGN(second, bundle.outer_->next());
    }
    if (!second || second->path != kPayloadName)
      return refused("expected " + std::string(kPayloadName) + " next, got " +
                     (second ? second->path : "the end"));
    bundle.payload_size_ = second->size;
    return {};
  };
  Result<void> head = read();
  if (!head.ok()) return std::move(head).error().within(path);
  bundle.digest_ = sha256(bundle.manifest_text_);
  return bundle;
}

Result<std::string> Bundle::read_entry(std::size_t size) {
  std::string content(size, '\0');
  for (std::size_t have = 0; have < size;) {
    BATON_ASSIGN(std::size_t n, outer_->read(content.data() + have, size - have));
    have += n;
  }
  return content;
}

Result<void> Bundle::read_manifest() {
  BATON_ASSIGN(manifest_, parse_manifest(manifest_text_, path_ + ":" + kManifestName));
  return {};
}

// ---- The payload --------------------------------------------------------------------------------

Result<void> Bundle::extract(const std::string& directory) {
  auto write = [&](const char* name, const std::string& content) -> Result<void> {
    const std::string path = directory + "/" + name;
    BATON_ASSIGN(ScopedFd fd, files_->create(path, kFileMode));
    BATON_TRY(files_->write(fd.get(), content));
    return files_->sync(fd.get());
  };
  BATON_TRY(write(kManifestName, manifest_text_));
  if (!signature_text_.empty()) BATON_TRY(write(kSignatureName, signature_text_));
  BATON_TRY(read_payload(&directory));
  for (const ManifestModule& module : manifest_.modules)
    BATON_TRY(judge(module, directory + "/" + module.path));
  return files_->sync_directory(directory);
}

Result<void> Bundle::check_payload() { return read_payload(nullptr); }

Result<void> Bundle::read_payload(const std::string* directory) {
  BATON_CHECK(!is_consumed_, "a payload is read once");
  is_consumed_ = true;
  auto read = [&]() -> Result<void> {
    Sha256 compressed;
    // No more is written than the manifest lists, and no more is read than one entry beyond that.
    Decompressor decompressor(kPayloadBytesMax,
                              [&](char* buffer, std::size_t size) -> Result<std::size_t> {
                                BATON_ASSIGN(std::size_t n, outer_->read(buffer, size));
                                compressed.update({buffer, n});
                                return n;
                              });
    TarReader payload(
        [&](char* buffer, std::size_t size) { return decompressor.read(buffer, size); });
    for (const ManifestFile& file : manifest_.files) BATON_TRY(read_file(payload, file, directory));
    BATON_ASSIGN(std::optional<TarEntry> more, payload.next());
    if (more)
      return refused(more->path + (manifest_.file(more->path) != nullptr
                                       ? ": stands twice in the payload"
                                       : ": is in the payload, but not in the manifest"));
    if (compressed.finish() != manifest_.payload)
      return refused("its SHA-256 is not the manifest's: the bundle was changed or damaged");
    return {};
  };
  Result<void> done = read();
  if (!done.ok()) return std::move(done).error().within(path_ + ":" + kPayloadName);
  Result<std::optional<TarEntry>> end = outer_->next();
  if (!end.ok()) return std::move(end).error().within(path_);
  if (*end) return refused(path_ + ": " + (*end)->path + " has no place in a bundle");
  return {};
}

Result<void> Bundle::read_file(TarReader& payload, const ManifestFile& file,
                               const std::string* directory) {
  BATON_ASSIGN(std::optional<TarEntry> entry, payload.next());
  if (!entry) return refused(file.path + ": is missing from the payload");
  if (entry->path != file.path) {
    const ManifestFile* listed = manifest_.file(entry->path);
    if (fold_case(entry->path) == fold_case(file.path))
      return refused(entry->path + ": differs only in case from " + file.path);
    if (listed == nullptr)
      return refused(entry->path + ": is in the payload, but not in the manifest");
    if (listed < &file) return refused(entry->path + ": stands twice in the payload");
    return refused(file.path + ": is missing from the payload, or out of order");
  }
  if (entry->size != file.size)
    return refused(file.path + ": has " + std::to_string(entry->size) +
                   " bytes, the manifest says " + std::to_string(file.size));
  if (entry->mode != file.mode)
    return refused(file.path + ": its mode is not the manifest's \"0444\"");

  ScopedFd fd;
  const std::string path = directory != nullptr ? *directory + "/" + file.path : "";
  if (directory != nullptr) {
    BATON_TRY(make_directories(*files_, directory_of(path)));
    BATON_ASSIGN(fd, files_->create(path, file.mode));
  }
  Sha256 hash;
  std::string buffer(kCopyBytes, '\0');
  for (;;) {
    BATON_ASSIGN(std::size_t n, payload.read(buffer.data(), buffer.size()));
    if (n == 0) break;
    const std::string_view bytes(buffer.data(), n);
    hash.update(bytes);
    if (fd.is_open()) BATON_TRY(files_->write(fd.get(), bytes));
  }
  if (hash.finish() != file.sha256)
    return refused(file.path +
                   ": its SHA-256 is not the manifest's: the bundle was changed or damaged");
  if (fd.is_open()) BATON_TRY(files_->sync(fd.get()));
  return {};
}

Result<void> Bundle::judge(const ManifestModule& module, const std::string& file) {
  BATON_ASSIGN(ScopedFd fd, files_->open_read(file));
  // In messages the path inside the bundle: the staging directory means nothing to the reader.
  BATON_ASSIGN(module::ElfFile elf, module::ElfFile::read(fd.get(), path_ + ":" + module.path));
  module::GateRules rules;
  rules.build_id = module.build_id;
  BATON_ASSIGN(const module::ModuleFacts facts,
               judge_module(elf, rules, module.name, module.version));
  if (sha256(elf.bytes()) != manifest_.file_of(module).sha256)
    return refused(elf.name() + ": its copy changed while it was judged");
  if (facts.note_text != module.note || facts.note.build != module.build ||
      facts.note.abi.major != module.abi_major || facts.note.abi.minor != module.abi_minor)
    return refused(elf.name() + ": its note is not the one in the manifest; pack the bundle again");
  return {};
}

// ---- Acceptance ---------------------------------------------------------------------------------

namespace {

std::string name_of(const Manifest& manifest) {
  return "release " + manifest.release.name + " " + manifest.release.version + ": ";
}

Result<void> check_not_expired(const Manifest& manifest, WallTime now) {
  if (manifest.expires && now >= *manifest.expires)
    return refused(name_of(manifest) + "expired at " + format_time(*manifest.expires) +
                   "; pack it again with a later time");
  return {};
}

}  // namespace

Result<void> check_in_force(const Manifest& manifest, std::string_view signer,
                            const TrustedKeys& keys, WallTime now) {
  if (auto good = check_not_revoked(signer, keys); !good.ok())
    return std::move(good).error().within(manifest.release.name + " " + manifest.release.version);
  return check_not_expired(manifest, now);
}

Result<void> check_acceptable(const Bundle& bundle, const Acceptance& acceptance) {
  return check_acceptable(bundle.manifest(), bundle.digest(), acceptance);
}

Result<void> check_acceptable(const Manifest& manifest, const Digest& digest,
                              const Acceptance& acceptance) {
  const description::ReleaseDescription& release = manifest.release;
  const std::string what = name_of(manifest);
  BATON_TRY(check_not_expired(manifest, acceptance.now));
  if (!acceptance.product.empty() && release.name != acceptance.product)
    return refused(what + "this host takes releases of " + acceptance.product);
  const auto& channels = acceptance.channels;
  if (!channels.empty() &&
      std::find(channels.begin(), channels.end(), release.channel) == channels.end())
    return refused(what + "of the channel " + release.channel + ", which this host does not take");
  const std::string& host = acceptance.host_version;
  if (!host.empty() && !release.host_min.empty() &&
      description::compare_versions(host, release.host_min) < 0)
    return refused(what + "needs a host of version " + release.host_min + " or later, this is " +
                   host);
  if (!host.empty() && !release.host_max.empty() &&
      description::compare_versions(host, release.host_max) > 0)
    return refused(what + "needs a host of version " + release.host_max + " or earlier, this is " +
                   host);
  if (release.sequence < acceptance.sequence)
    return refused(what + "its sequence " + std::to_string(release.sequence) + " is below " +
                   std::to_string(acceptance.sequence) +
                   ", which was accepted before; to go back use: baton rollback");
  if (release.sequence == acceptance.sequence && acceptance.digest && *acceptance.digest != digest)
    return refused(what + "its sequence " + std::to_string(release.sequence) +
                   " was used before by another content; give it a higher one");
  return {};
}

// ---- Packing ------------------------------------------------------------------------------------

Result<Packed> pack(Files& files, const PackOptions& options) {
  BATON_ASSIGN(std::string text,
               baton::read_file(files, options.description_file, description::kYamlBytesMax));
  BATON_ASSIGN(description::YamlDocument document,
               description::YamlDocument::parse(text, options.description_file));
  Packed packed;
  Manifest& manifest = packed.manifest;
  BATON_ASSIGN(manifest.release, description::read_release(document.root()));
  manifest.expires = options.expires;

  // Sizes first: the frame declares its size before its content.
  for (const description::ModuleReference& reference : manifest.release.modules) {
    ManifestModule module;
    module.name = reference.name;
    module.version = reference.version;
    module.path = module_path(reference.name, reference.version);
    const std::string file = options.modules_directory + module.path.substr(module.path.find('/'));
    BATON_ASSIGN(std::optional<FileFacts> facts, files.facts(file));
    if (!facts)
      return Error(Code::kNotFound, options.description_file + ": module " + module.name + " " +
                                        module.version + " is not built: there is no " + file);
    if (facts->size > kFileBytesMax)
      return refused(file + ": larger than " + std::to_string(kFileBytesMax) + " bytes");
    manifest.files.push_back({module.path, facts->size, kFileMode, {}});
    manifest.modules.push_back(std::move(module));
  }
  std::sort(manifest.files.begin(), manifest.files.end(),
            [](const ManifestFile& a, const ManifestFile& b) { return a.path < b.path; });
  if (payload_bytes(manifest) > kPayloadBytesMax)
    return refused(options.description_file + ": its modules together are larger than " +
                   std::to_string(kPayloadBytesMax) + " bytes");

  std::string payload;
  Compressor compressor(payload_bytes(manifest), [&](std::string_view bytes) -> Result<void> {
    payload += bytes;
    return {};
  });
  for (ManifestFile& file : manifest.files) {
    const auto module = std::find_if(manifest.modules.begin(), manifest.modules.end(),
                                     [&](const ManifestModule& m) { return m.path == file.path; });
    const std::string path = options.modules_directory + file.path.substr(file.path.find('/'));
    BATON_ASSIGN(ScopedFd fd, files.open_read(path));
    BATON_ASSIGN(module::ElfFile elf, module::ElfFile::read(fd.get(), path));
    BATON_ASSIGN(const module::ModuleFacts facts,
                 judge_module(elf, {}, module->name, module->version));
    for (const description::ApplicationDescription& application : manifest.release.applications)
      BATON_TRY(check_behaviours(application.supervisor, module->name, facts.note,
                                 options.description_file));
    if (elf.bytes().size() != file.size)
      return Error(Code::kFailed, path + ": changed while it was packed; try again");
    file.sha256 = sha256(elf.bytes());
    module->abi_major = facts.note.abi.major;
    module->abi_minor = facts.note.abi.minor;
    module->build = facts.note.build;
    module->build_id = facts.build_id;
    module->note = facts.note_text;
    BATON_TRY(compressor.write(tar_header({file.path, file.size, file.mode})));
    BATON_TRY(compressor.write(elf.bytes()));
    BATON_TRY(compressor.write(std::string(tar_padding(file.size), '\0')));
  }
  BATON_TRY(compressor.write(std::string(kTarEndBytes, '\0')));
  BATON_TRY(compressor.finish());
  manifest.payload = sha256(payload);

  const std::string manifest_text = write_manifest(manifest, document.root());
  // What a host will read must be what was meant: the pair check of write and read.
  BATON_TRY(parse_manifest(manifest_text, options.output + ":" + kManifestName));
  auto write = [&](Sink sink) -> Result<void> {
    BundleWriter writer([&](std::string_view bytes) {
      packed.size += bytes.size();
      return sink(bytes);
    });
    BATON_TRY(writer.add(kManifestName, manifest_text));
    if (options.key != nullptr)
      BATON_TRY(
          writer.add(kSignatureName, options.key->sign(manifest_text, trusted_comment(manifest))));
    BATON_TRY(writer.add(kPayloadName, payload));
    return writer.finish();
  };
  BATON_TRY(make_file(files, options.output, write));
  packed.digest = sha256(manifest_text);
  return packed;
}

Result<void> sign(Files& files, const std::string& path, const SecretKey& key) {
  // The payload is copied as it is; a Bundle would decompress it.
  BATON_ASSIGN(ScopedFd fd, files.open_read(path));
  TarReader tar([&](char* buffer, std::size_t size) { return files.read(fd.get(), buffer, size); });
  auto within = [&](auto result) {
    return result.ok() ? std::move(result)
                       : decltype(result)(std::move(result).error().within(path));
  };
  BATON_ASSIGN(Bundle bundle, Bundle::open_unverified(files, path));
  auto write = [&](Sink sink) -> Result<void> {
    BundleWriter writer(std::move(sink));
    BATON_TRY(writer.add(kManifestName, bundle.manifest_text()));
    BATON_TRY(writer.add(kSignatureName,
                         key.sign(bundle.manifest_text(), trusted_comment(bundle.manifest()))));
    std::string buffer(kCopyBytes, '\0');
    for (;;) {
      BATON_ASSIGN(std::optional<TarEntry> entry, within(tar.next()));
      if (!entry) break;
      const bool is_payload = entry->path == kPayloadName;
      if (is_payload) BATON_TRY(writer.begin(kPayloadName, entry->size));
      for (;;) {
        BATON_ASSIGN(std::size_t n, within(tar.read(buffer.data(), buffer.size())));
        if (n == 0) break;
        if (is_payload) BATON_TRY(writer.write({buffer.data(), n}));
      }
      if (is_payload) BATON_TRY(writer.end());
    }
    return writer.finish();
  };
  return make_file(files, path, write);
}

}  // namespace baton::bundle
