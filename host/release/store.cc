#include "release/store.h"

#include "base/hash.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace baton::release {

namespace {

using bundle::Bundle;
using bundle::Manifest;
using bundle::ManifestModule;

constexpr const char* kModuleFile = "module.so";

std::string describe(std::string_view name, std::string_view version) {
  return "release " + std::string(name) + " " + std::string(version);
}

Error not_found(std::string_view name, std::string_view version) {
  return no_such_release(std::string(name) + "-" + std::string(version));
}

Error not_allowed(const Release& release, Action action) {
  return Error(Code::kUsage, describe(release.name, release.version) + " is " +
                                 status_name(release.status) + ": " + action_name(action) +
                                 " is not possible there");
}

std::uint64_t number_of(const std::string& text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

Error no_such_release(std::string_view release) {
  return Error(Code::kNotFound, "there is no release " + std::string(release) +
                                    " here; baton release list shows those that are");
}

ReleaseStore::ReleaseStore(Files& files, const Clock& clock, std::string root, Journal journal)
    : files_(files),
      clock_(clock),
      root_(std::move(root)),
      keys_(files, root_ + "/keys"),
      journal_(std::move(journal)) {}

Result<std::unique_ptr<ReleaseStore>> ReleaseStore::open(Files& files, const Clock& clock,
                                                         const std::string& root) {
  for (const char* directory : {"/store", "/releases", "/keys"})
    BATON_TRY(make_directories(files, root + directory, 0750));
  BATON_ASSIGN(Journal journal, Journal::open(files, root + "/journal"));
  std::unique_ptr<ReleaseStore> store(new ReleaseStore(files, clock, root, std::move(journal)));
  for (const JournalRecord& record : store->journal_.records()) {
    Result<void> applied = store->apply(record);
    if (!applied.ok()) return std::move(applied).error().within(root + "/journal");
  }
  BATON_TRY(store->bring_to_format());
  for (Release& release : store->releases_) {
    auto manifest = store->manifest(release.name, release.version);
    if (!manifest.ok()) release.damage = manifest.error().message();
  }
  return store;
}

Result<void> ReleaseStore::bring_to_format() {
  // A journal of an older format is brought to ours when it is replaced: an older host can still
  // read what we add to it.
  return journal_.count() == 0 ? journal_.append(JournalRecord::of_format()) : Result<void>();
}

// ---- What the journal says

const Release* ReleaseStore::find(std::string_view name, std::string_view version) const {
  for (const Release& release : releases_)
    if (release.name == name && release.version == version) return &release;
  return nullptr;
}

Release* ReleaseStore::find_mutable(std::string_view name, std::string_view version) {
  return const_cast<Release*>(find(name, version));
}

const Release* ReleaseStore::with_status(Status status) const {
  for (const Release& release : releases_)
    if (release.status == status) return &release;
  return nullptr;
}

ReleaseStore::Sequence ReleaseStore::highest_sequence(std::string_view name) const {
  const auto found = sequences_.find(name);
  return found != sequences_.end() ? found->second : Sequence{};
}

Result<void> ReleaseStore::apply(const JournalRecord& record) {
  last_operation_ = std::max(last_operation_, number_of(record.get("operation")));
  if (!record.get("step").empty()) return {};
  if (!record.get("snapshot").empty()) return apply_snapshot(record);
  if (!record.get("format").empty()) return {};
  return apply_action(record);
}

// A journal that was replaced begins with these: one for each release, one for each name's highest
// sequence, and one for the rest.
Result<void> ReleaseStore::apply_snapshot(const JournalRecord& record) {
  const std::string& of = record.get("snapshot");
  const std::optional<Digest> digest = Digest::parse(record.get("digest"));
  const std::uint64_t sequence = number_of(record.get("sequence"));
  if (of == "release") {
    const std::optional<Status> status = parse_status(record.get("status"));
    if (digest && status) {
      releases_.push_back({record.get("name"), record.get("version"), *status, sequence, *digest,
                           record.get("key"), record.get("time"), record.get("who"),
                           record.get("why"), ""});
      return {};
    }
  } else if (of == "sequence") {
    if (digest) {
      sequences_[record.get("name")] = {sequence, *digest};
      return {};
    }
  } else if (of == "host") {
    if (const auto action = parse_action(record.get("action"))) {
      last_action_ = *action;
      return {};
    }
  }
  return Error(Code::kFailed, "a record that says nothing: " + record.text());
}

std::vector<JournalRecord> ReleaseStore::snapshot() const {
  std::vector<JournalRecord> records = {JournalRecord::of_format()};
  for (const Release& release : releases_) {
    JournalRecord record;
    record.set("snapshot", "release")
        .set("name", release.name)
        .set("version", release.version)
        .set("status", status_name(release.status))
        .set("sequence", std::to_string(release.sequence))
        .set("digest", release.digest.hex())
        .set("key", release.key)
        .set("time", release.changed_at)
        .set("who", release.changed_by)
        .set("why", release.why);
    records.push_back(std::move(record));
  }
  for (const auto& [name, highest] : sequences_) {
    JournalRecord record;
    record.set("snapshot", "sequence")
        .set("name", name)
        .set("sequence", std::to_string(highest.number))
        .set("digest", highest.digest.hex());
    records.push_back(std::move(record));
  }
  JournalRecord host;
  host.set("snapshot", "host")
      .set("operation", std::to_string(last_operation_))
      .set("action", action_name(last_action_));
  records.push_back(std::move(host));
  return records;
}

Result<void> ReleaseStore::apply_action(const JournalRecord& record) {
  const std::string& name = record.get("name");
  const std::string& version = record.get("version");
  const std::optional<Action> action = parse_action(record.get("action"));
  if (!action) return Error(Code::kFailed, "a record of an unknown action: " + record.text());
  Release* release = find_mutable(name, version);
  const std::optional<Status> next =
      next_status(release == nullptr ? Status::kAbsent : release->status, *action);
  if (!next)
    return Error(Code::kFailed,
                 "a record that does not follow from those before it: " + record.text());

  if (release == nullptr) {
    const std::optional<Digest> digest = Digest::parse(record.get("digest"));
    if (!digest) return Error(Code::kFailed, "a record without a digest: " + record.text());
    // Kept when the release is removed: that must not open the way for older ones.
    Sequence& highest = sequences_[name];
    const std::uint64_t number = number_of(record.get("sequence"));
    if (number >= highest.number) highest = {number, *digest};
    releases_.push_back({name, version, *next, number, *digest, record.get("key"), "", "", "", ""});
    release = &releases_.back();
  }
  auto set = [&](Release& changed, Status status) {
    changed.status = status;
    changed.changed_at = record.get("time");
    changed.changed_by = record.get("who");
    changed.why = record.get("why");
  };
  set(*release, *next);
  if (std::optional<Action> other_action = action_on_others(*action)) {
    for (Release& other : releases_) {
      if (&other == release) continue;
      const std::optional<Status> other_next = next_status(other.status, *other_action);
      if (other_next && *other_next != other.status) set(other, *other_next);
    }
  }
  if (*action != Action::kUnpack && *action != Action::kRemove) last_action_ = *action;
  if (*next == Status::kAbsent) releases_.erase(releases_.begin() + (release - releases_.data()));
  return {};
}

Result<void> ReleaseStore::commit(const JournalRecord& record, Room room) {
  // One that cannot be replaced now can still be added to.
  if (room == Room::kOrdinary && journal_.size() >= kJournalCompactBytes)
    (void)journal_.rewrite(snapshot());
  BATON_TRY(journal_.append(record, room));
  Result<void> applied = apply(record);
  BATON_CHECK(applied.ok(), "a record was written that does not apply: " + record.text());
  return {};
}

JournalRecord ReleaseStore::record_of(std::string_view name, std::string_view version,
                                      Action action, const Reason& reason) const {
  JournalRecord record;
  record.set("time", format_time(clock_.wall()))
      .set("action", action_name(action))
      .set("name", std::string(name))
      .set("version", std::string(version))
      .set("who", reason.who.substr(0, kWhoBytesMax));
  if (!reason.why.empty()) record.set("why", reason.why.substr(0, kWhyBytesMax));
  if (reason.operation != 0) record.set("operation", std::to_string(reason.operation));
  return record;
}

Result<void> ReleaseStore::note(const std::string& step, JournalRecord record, Room room) {
  BATON_CHECK(!step.empty());
  record.set("step", step).set("time", format_time(clock_.wall()));
  return commit(record, room);
}

void ReleaseStore::give_up_room() {
  const Result<void> given_up = journal_.keep_room(0);
  BATON_CHECK(given_up.ok(), "keeping no room cannot fail");
}

Result<void> ReleaseStore::change(std::string_view name, std::string_view version, Action action,
                                  const Reason& reason, Room room) {
  BATON_CHECK(action != Action::kUnpack && action != Action::kRemove);
  const Release* release = find(name, version);
  if (release == nullptr) return not_found(name, version);
  if (!next_status(release->status, action)) return not_allowed(*release, action);
  return commit(record_of(name, version, action, reason), room);
}

// ---- Taking in and giving up

Result<void> ReleaseStore::check_in_force(const Release& release, const Manifest& manifest) const {
  BATON_ASSIGN(const bundle::TrustedKeys keys, keys_.load());
  return bundle::check_in_force(manifest, release.key, keys, clock_.wall());
}

Result<const Release*> ReleaseStore::unpack(const std::string& bundle_file,
                                            const bundle::Acceptance& policy,
                                            const Reason& reason) {
  BATON_ASSIGN(bundle::TrustedKeys keys, keys_.load());
  BATON_ASSIGN(Bundle bundle, Bundle::open(files_, bundle_file, keys));
  const description::ReleaseDescription& wanted = bundle.manifest().release;
  if (const Release* known = find(wanted.name, wanted.version)) {
    if (known->digest == bundle.digest()) return known;
    return Error(Code::kRefused,
                 bundle_file + ": " + describe(wanted.name, wanted.version) +
                     " is here already with other content; give the new one another version");
  }
  bundle::Acceptance acceptance = policy;
  const Sequence highest = highest_sequence(wanted.name);
  acceptance.sequence = highest.number;
  acceptance.digest = highest.digest;
  Result<void> acceptable = check_acceptable(bundle, acceptance);
  if (!acceptable.ok()) return std::move(acceptable).error().within(bundle_file);
  if (releases_.size() >= kReleasesMax)
    return Error(Code::kFailed,
                 "there are " + std::to_string(kReleasesMax) +
                     " releases here already; remove one with: baton release remove");

  BATON_TRY(collect_garbage());
  auto take_in = [&]() -> Result<void> {
    BATON_TRY(bring_in(bundle));
    JournalRecord record = record_of(wanted.name, wanted.version, Action::kUnpack, reason);
    record.set("sequence", std::to_string(wanted.sequence))
        .set("digest", bundle.digest().hex())
        .set("key", bundle.signer()->key.text());
    return commit(record, Room::kOrdinary);
  };
  Result<void> taken = take_in();
  // What is left in staging, and on failure elsewhere, is nobody's; the next call or start removes
  // it if this one cannot.
  (void)collect_garbage();
  if (!taken.ok()) return std::move(taken).error();
  return find(wanted.name, wanted.version);
}

/// Puts a bundle's files into place, all of them on disk before it returns.
Result<void> ReleaseStore::bring_in(Bundle& bundle) {
  const std::string staging = root_ + "/staging";
  const std::string unpacked = staging + "/bundle";
  BATON_TRY(make_directories(files_, unpacked, 0750));
  BATON_TRY(bundle.extract(unpacked));

  const Manifest& manifest = bundle.manifest();
  for (const ManifestModule& module : manifest.modules)
    BATON_TRY(bring_in_module(unpacked + "/" + module.path, manifest.file_of(module).sha256));
  BATON_TRY(files_.sync_directory(root_ + "/store"));

  const std::string ready = staging + "/release";
  BATON_TRY(files_.make_directory(ready, 0750));
  for (const char* name : {bundle::kManifestName, bundle::kSignatureName})
    BATON_TRY(files_.rename(unpacked + "/" + name, ready + "/" + name));
  BATON_TRY(files_.sync_directory(ready));
  BATON_TRY(
      files_.rename(ready, release_directory(manifest.release.name, manifest.release.version)));
  return files_.sync_directory(root_ + "/releases");
}

Result<void> ReleaseStore::bring_in_module(const std::string& file, const Digest& digest) {
  const std::string place = root_ + "/store/" + digest.hex();
  BATON_ASSIGN(std::optional<FileFacts> there, files_.facts(place));
  if (there) return check_module(digest);
  const std::string ready = root_ + "/staging/" + digest.hex();
  BATON_TRY(files_.make_directory(ready, 0750));
  BATON_TRY(files_.rename(file, ready + "/" + kModuleFile));
  BATON_TRY(files_.sync_directory(ready));
  return files_.rename(ready, place);
}

Result<void> ReleaseStore::remove(std::string_view name, std::string_view version,
                                  const Reason& reason) {
  const Release* release = find(name, version);
  if (release == nullptr) return not_found(name, version);
  if (!next_status(release->status, Action::kRemove)) return not_allowed(*release, Action::kRemove);
  BATON_TRY(commit(record_of(name, version, Action::kRemove, reason), Room::kOrdinary));
  // The release is gone from here on; files that cannot be deleted now are deleted at the next
  // start.
  (void)collect_garbage();
  return {};
}

Result<void> ReleaseStore::collect_garbage() {
  BATON_TRY(remove_tree(files_, root_ + "/staging"));
  std::set<std::string> directories, digests;
  bool is_damaged = false;
  for (const Release& release : releases_) {
    directories.insert(release.name + "-" + release.version);
    const auto kept = manifest(release.name, release.version);
    is_damaged = is_damaged || !kept.ok();
    if (!kept.ok()) continue;
    for (const bundle::ManifestFile& file : kept->files) digests.insert(file.sha256.hex());
  }
  auto sweep = [&](const std::string& directory,
                   const std::set<std::string>& kept) -> Result<void> {
    BATON_ASSIGN(std::vector<std::string> names, files_.list_directory(directory));
    for (const std::string& name : names)
      if (kept.find(name) == kept.end()) BATON_TRY(remove_tree(files_, directory + "/" + name));
    return {};
  };
  BATON_TRY(sweep(root_ + "/releases", directories));
  if (is_damaged) return {};
  return sweep(root_ + "/store", digests);
}

// ---- Reading

Result<Manifest> ReleaseStore::manifest(std::string_view name, std::string_view version) const {
  const Release* release = find(name, version);
  if (release == nullptr) return not_found(name, version);
  const std::string file = release_directory(name, version) + "/" + bundle::kManifestName;
  BATON_ASSIGN(std::string text, read_file(files_, file, bundle::kManifestBytesMax));
  if (sha256(text) != release->digest)
    return Error(Code::kFailed,
                 file +
                     ": its SHA-256 is not the journal's: the file was changed or damaged; "
                     "restore it from a backup");
  return bundle::parse_manifest(text, file);
}

std::string ReleaseStore::release_directory(std::string_view name, std::string_view version) const {
  return root_ + "/releases/" + std::string(name) + "-" + std::string(version);
}

std::string ReleaseStore::module_file(const Digest& digest) const {
  return root_ + "/store/" + digest.hex() + "/" + kModuleFile;
}

Result<ScopedFd> ReleaseStore::open_module(const Digest& digest) const {
  const std::string file = module_file(digest);
  BATON_ASSIGN(ScopedFd fd, files_.open_read(file));
  Sha256 hash;
  std::string buffer(64 * 1024, '\0');
  for (;;) {
    BATON_ASSIGN(std::size_t n, files_.read(fd.get(), buffer.data(), buffer.size()));
    if (n == 0) break;
    hash.update({buffer.data(), n});
  }
  if (hash.finish() != digest)
    return Error(Code::kFailed,
                 file +
                     ": its SHA-256 is not its name: the file was changed or damaged; "
                     "remove the releases that use it and unpack them again");
  return fd;
}

Result<void> ReleaseStore::check_module(const Digest& digest) const {
  BATON_TRY(open_module(digest));
  return {};
}

}  // namespace baton::release
