// KnownForms: for each module the two versions that it was last taken over between, and how their
// messages become one another: what late mail is converted with.
//
// Mail that waits when a take-over comes by is converted then (mail_swap.h). What arrives later in
// the form of another version, from a process that was left behind or from outside, is converted
// when its receiver finds that no handler takes it, or receives it (baton/mail.h): the common path
// asks nobody.
//
// It holds what the versions' notes said: it is right also when one of the two is long gone. It
// converts up and down: for a process on the newer version what was sent in the older one's form,
// and the other way round. The hooks alone are code, of the newer version: they are called only
// while that is loaded.
//
// Invariants:
//   (1) After forget(version) no hook of it is entered any more; those that are inside count as its
//       guests.
// Checked where a library goes: not while there are guests (Version::release_library).
// Ownership: must outlive all callbacks of the runtime that it is set in.
// Threads:   any.
#pragma once

#include "runtime/runtime.h"
#include "takeover/crossing.h"
#include "takeover/mail_mover.h"

#include <baton/mail.h>

#include <atomic>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace baton::takeover {

class KnownForms {
 public:
  /// Set in the runtime as the extension baton.mail/1. Requires: no module is loaded yet.
  explicit KnownForms(runtime::Runtime& runtime);
  KnownForms(const KnownForms&) = delete;
  KnownForms& operator=(const KnownForms&) = delete;

  /// In place of what was known of these modules.
  void learn(const std::vector<Change>& changes);
  /// The version is about to be unloaded; not before its guests have left.
  void forget(const code::Version& version);

 private:
  struct Table : baton_mail {
    KnownForms* forms;
  };
  static KnownForms& of(runtime::Context& context);
  /// The message in a form that the process's version takes; null: it is in none that is known, or
  /// the context's error says why it cannot be converted.
  runtime::Message* other_form(runtime::Context& context, const runtime::Process& process,
                               const runtime::Message& message);

  using Movers = std::map<std::string, MailMover, std::less<>>;  // by behaviour
  struct Pair {
    std::string from, to;  // version numbers
    Movers there, back;
    code::Version* newer;  // null: it may be gone, and its hooks with it; guarded by mutex_
  };

  Table table_;
  std::atomic<bool> has_any_{false};  // asked before all else, by whoever passes mail over
  std::shared_mutex mutex_;
  std::map<std::string, std::shared_ptr<Pair>, std::less<>> modules_;  // guarded by mutex_
};

}  // namespace baton::takeover
