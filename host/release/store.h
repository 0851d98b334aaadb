// ReleaseStore: the releases of one host on disk, and the truth about where each stands.
//
//   ROOT/store/SHA256/module.so    every module file of every release here; read-only, never
//                                  overwritten
//   ROOT/releases/NAME-VERSION/    manifest.yaml and manifest.minisig of an unpacked release
//   ROOT/journal                   what happened; all else follows from it. When it has grown
//                                  large, it is replaced by what follows from it.
//   ROOT/keys/                     trusted and revoked public keys
//   ROOT/staging/                  what is being unpacked; worthless after a crash
//
// Files come first, then the record that makes them count; in removing, the record comes first. A
// crash between the two leaves files that no release names, which collect_garbage removes.
//
// Invariants:
//   (1) A release is in releases() exactly if the journal says so; its files are then complete, or
//       were damaged by others: its `damage` says how, and it cannot be installed.
//   (2) After a failed call, and after a crash and a new open, the releases are those before the
//       call or those after it.
//   (3) Nothing is written outside ROOT.
// Ownership: borrows Files and Clock, owns the journal (and with it the root: a second host is
//            refused).
// Threads:   one at a time.
// Fails:     kRefused for a bundle at fault; kNotFound for an unknown release; kBusy when another
//            host has the root; kUsage for an action that the status does not allow; errors of
//            Files.
#pragma once

#include "base/clock.h"
#include "base/files.h"
#include "base/result.h"
#include "bundle/bundle.h"
#include "bundle/keys.h"
#include "release/journal.h"
#include "release/status.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace baton::release {

/// Releases that may be unpacked at the same time.
inline constexpr std::size_t kReleasesMax = 100;
/// A journal of this size is replaced by what follows from it before more is added.
inline constexpr std::uint64_t kJournalCompactBytes = std::uint64_t{4} << 20;
/// Bytes of a reason that is recorded: escaped they fit a record, whatever they are.
inline constexpr std::size_t kWhoBytesMax = 256;
inline constexpr std::size_t kWhyBytesMax = 4096;
/// What an upgrade may have to record after the disk filled up: that it is current, and then that
/// it is permanent, or failed.
inline constexpr std::uint64_t kRoomOfAnUpgrade = 3 * (kRecordBytesMax + 64);

/// Who asked for a change, and why, for the journal. What is longer than the limits is cut there.
struct Reason {
  std::string who;
  std::string why;              // may be empty
  std::uint64_t operation = 0;  // that the change is a part of; 0: none
};

struct Release {
  std::string name;
  std::string version;
  Status status = Status::kUnpacked;
  std::uint64_t sequence = 0;
  Digest digest;           // of the manifest
  std::string key;         // the id of the key that signed it
  std::string changed_at;  // when it got its status, and by whom
  std::string changed_by;
  std::string why;
  std::string damage;  // what was wrong with its manifest when the store was opened; empty: nothing
};

/// What is said of a release that is not unpacked here: `release` as its name and version, or one
/// of them.
Error no_such_release(std::string_view release);

class ReleaseStore {
 public:
  /// Opens a root, or makes one. Removes nothing but a torn end of the journal, and needs no room
  /// on the disk unless the root is new.
  static Result<std::unique_ptr<ReleaseStore>> open(Files& files, const Clock& clock,
                                                    const std::string& root);

  /// Unpacked releases in the order they were unpacked.
  const std::vector<Release>& releases() const { return releases_; }
  const Release* find(std::string_view name, std::string_view version) const;
  const Release* permanent() const { return with_status(Status::kPermanent); }
  const Release* current() const { return with_status(Status::kCurrent); }
  /// The one that runs: the current one if there is one, else the permanent one; null on a fresh
  /// host.
  const Release* running() const { return current() != nullptr ? current() : permanent(); }
  /// The highest sequence that was ever unpacked of a release of this name, and its manifest's
  /// digest.
  struct Sequence {
    std::uint64_t number = 0;
    Digest digest;
  };
  Sequence highest_sequence(std::string_view name) const;

  /// Verifies a bundle and takes it in, as `unpacked`. What `policy` says of sequence and digest is
  /// replaced by what the journal knows. The same bundle again is success and changes nothing. The
  /// pointer is good until the next change.
  Result<const Release*> unpack(const std::string& bundle_file, const bundle::Acceptance& policy,
                                const Reason& reason);
  /// Performs an action on one release, and what follows from it for the others, as one record.
  /// Requires: not kUnpack nor kRemove, which have functions of their own.
  Result<void> change(std::string_view name, std::string_view version, Action action,
                      const Reason& reason, Room room = Room::kOrdinary);
  /// Forgets a release and deletes what no other one needs.
  Result<void> remove(std::string_view name, std::string_view version, const Reason& reason);

  /// A release's manifest, checked against the journal.
  Result<bundle::Manifest> manifest(std::string_view name, std::string_view version) const;
  /// Refuses a release that is expired, or whose signer's key was revoked since it was unpacked:
  /// see bundle::check_in_force.
  Result<void> check_in_force(const Release& release, const bundle::Manifest& manifest) const;
  /// Where a module's file stands in the store.
  std::string module_file(const Digest& digest) const;
  /// Opens a module's file after comparing its content with its digest: load it through this
  /// descriptor.
  Result<ScopedFd> open_module(const Digest& digest) const;

  /// Deletes what no release names. For the start of the host; unpack and remove call it
  /// themselves. While a manifest is damaged no module is deleted: it may be one of that release.
  Result<void> collect_garbage();

  bundle::KeyDirectory& keys() { return keys_; }
  /// For `release history`, and for the release handler's own records of its steps: see note.
  const Journal& journal() const { return journal_; }
  /// Adds a record that changes no status, such as a phase of a take-over. Its kind is under the
  /// key "step".
  Result<void> note(const std::string& step, JournalRecord record, Room room = Room::kOrdinary);
  /// Makes sure that kRoomOfAnUpgrade can be recorded with Room::kKept.
  Result<void> keep_room() { return journal_.keep_room(kRoomOfAnUpgrade); }
  void give_up_room();
  /// The highest number of an operation that the journal knows.
  std::uint64_t last_operation() const { return last_operation_; }
  /// What the last change of a status was; kUnpack before there was any.
  Action last_action() const { return last_action_; }

 private:
  ReleaseStore(Files& files, const Clock& clock, std::string root, Journal journal);

  const Release* with_status(Status status) const;
  Release* find_mutable(std::string_view name, std::string_view version);
  /// Brings the releases up to date with one record, or says why it cannot follow from those
  /// before.
  Result<void> apply(const JournalRecord& record);
  Result<void> apply_action(const JournalRecord& record);
  Result<void> apply_snapshot(const JournalRecord& record);
  Result<void> commit(const JournalRecord& record, Room room);
  /// The shortest journal from which the same follows.
  std::vector<JournalRecord> snapshot() const;
  Result<void> bring_to_format();
  JournalRecord record_of(std::string_view name, std::string_view version, Action action,
                          const Reason& reason) const;
  Result<void> bring_in(bundle::Bundle& bundle);
  Result<void> bring_in_module(const std::string& file, const Digest& digest);
  Result<void> check_module(const Digest& digest) const;
  std::string release_directory(std::string_view name, std::string_view version) const;

  Files& files_;
  const Clock& clock_;
  const std::string root_;
  bundle::KeyDirectory keys_;
  Journal journal_;
  std::map<std::string, Sequence, std::less<>> sequences_;  // the highest ever unpacked, by name
  std::uint64_t last_operation_ = 0;
  Action last_action_ = Action::kUnpack;
  std::vector<Release> releases_;
};

}  // namespace baton::release
