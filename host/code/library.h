// Library: one module's file, loaded into this process, from the gate to the proof that it is gone.
//
// The seam to Boost.DLL and the dynamic loader. What is loaded is what was judged: the file is
// opened once, hashed and passed through the gate (module/gate.h) from that descriptor, and the
// loader is given the descriptor's name, /proc/self/fd/N, instead of the path. What it then mapped
// must be that very file, with the build id that was judged.
//
//   status   action   next
//   -        open     loaded     gate, note against the manifest's, dlopen, entry, description
//                                against the note
//   -        open     -          refused: whatever was done is undone
//   loaded   start    started    init
//   loaded   start    loaded     init failed
//   started  finish   loaded     fini
//   loaded   close    unloaded   dlclose; absent from the loader's list and from /proc/self/maps
//   loaded   close    pinned     the same, but something keeps it mapped; a fact to report, not an
//                                error
//
// A build with sanitizers keeps libraries mapped, since their reports name code of libraries that
// are gone; there a file may be opened again, and close says pinned.
//
// Invariants:
//   (1) The file was mapped nowhere in this process before open: every load is a fresh one with
//       fresh globals.
//   (2) The descriptor stays open while the library is mapped; if that is pinned, for the life of
//       the host. The loader compares names before it opens anything: a later library whose
//       descriptor had the same number would be taken for this one.
//   (3) Host correctness never depends on an unload; it is done when no lease is left, and
//       measured.
// Ownership: owns the loader's handle and the descriptor; module() and everything it points to dies
//            with close.
// Threads:   the loader's thread only, one library at a time: constructors run on it under the
//            dynamic loader's lock, init and fini without it. module() may be read from any thread
//            while the library is loaded.
// Fails:     kRefused by digest, gate or description, kFailed by the loader or the module's init,
//            kBusy for a file that is loaded or pinned already, kNotFound, kUsage for a path that
//            is not absolute.
#pragma once

#include "base/files.h"
#include "base/hash.h"
#include "base/result.h"
#include "code/mappings.h"
#include "module/gate.h"

#include <baton/abi.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace baton::code {

inline constexpr std::uint32_t kInitErrorBytesMax = 512;

struct LibraryRules {
  module::GateRules gate;
  std::optional<Digest> digest;  // what the file must hash to
  std::string module;            // the name and version that are expected; empty: any
  std::string version;
  std::string note;  // its lines in the manifest, of which plans are made; empty: any
};

struct UnloadReport {
  bool is_unloaded = false;
  std::string pinned_by;  // who keeps it mapped, if it is not unloaded
};

class Library {
 public:
  /// Loads the file at an absolute path in the store.
  static Result<std::unique_ptr<Library>> open(const std::string& path, const LibraryRules& rules);

  /// Closes it, if that was not done, and forgets the report.
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const std::string& path() const { return path_; }
  const module::ModuleNote& note() const { return facts_.note; }
  /// In hexadecimal.
  const std::string& build_id() const { return facts_.build_id; }
  /// Requires: not closed.
  const baton_module* module() const;

  // The module's own part: any thread, one at a time, and it may never return.
  /// Runs its init with the host's table, which must outlive the library.
  Result<void> start(const baton_host* host);
  /// Runs fini, if start succeeded. Requires: nothing of the module in use.
  void finish();

  /// Unloads and looks whether that happened. Requires: not closed, and not started or finished.
  UnloadReport close();

 private:
  struct Image;

  Library(std::string path, ScopedFd file, MappedFile mapped_file, module::ModuleFacts facts);
  Result<void> load();
  Result<void> check_image();
  Result<void> describe(const LibraryRules& rules);
  Error refused(const std::string& what) const;

  // Constant after open.
  const std::string path_;
  ScopedFd file_;
  const std::string loader_name_;  // of file_, for the loader
  const MappedFile mapped_file_;
  const module::ModuleFacts facts_;
  std::unique_ptr<Image> image_;  // null once closed
  const baton_module* module_ = nullptr;
  std::uintptr_t base_ = 0;   // where it is mapped, by which a crash report names it
  bool has_started_ = false;  // init succeeded, so fini is owed
};

}  // namespace baton::code
