// ReleaseStatus: where a release stands in its life, and what may happen to it there.
//
// OTP's machine of release_handler, with two additions of ours: a release that failed its probation
// is marked so, and the release that runs cannot be removed.
//
//   status               action                next
//   absent               unpack                unpacked
//   unpacked             install               current
//                        remove                absent
//   current              make_permanent        permanent
//                        install_other         old
//                        make_other_permanent  old
//                        fail_probation        failed_in_probation
//                        node_crash            failed_in_probation   (found at the next start)
//                        node_stop             unpacked
//   permanent            install               permanent             (going back to it)
//                        install_other         permanent
//                        make_other_permanent  old
//   old                  install               current
//                        remove                absent
//   failed_in_probation  install               current               (another try)
//                        remove                absent
//
// An action on one release is at the same time an "other" action on each other one: install is
// install_other to them, make_permanent is make_other_permanent; what stands in no row of those
// leaves them as they are. So at most one release is current and at most one permanent; the one
// that runs is the current one if there is one, else the permanent one.
//
// Threads: any thread.
#pragma once

#include <optional>
#include <string_view>

namespace baton::release {

enum class Status { kAbsent, kUnpacked, kCurrent, kPermanent, kOld, kFailedInProbation };
inline constexpr Status kStatuses[] = {Status::kAbsent,  Status::kUnpacked,
                                       Status::kCurrent, Status::kPermanent,
                                       Status::kOld,     Status::kFailedInProbation};

enum class Action {
  kUnpack,
  kInstall,
  kInstallOther,
  kMakePermanent,
  kMakeOtherPermanent,
  kFailProbation,
  kNodeCrash,
  kNodeStop,
  kRemove
};
inline constexpr Action kActions[] = {Action::kUnpack,
                                      Action::kInstall,
                                      Action::kInstallOther,
                                      Action::kMakePermanent,
                                      Action::kMakeOtherPermanent,
                                      Action::kFailProbation,
                                      Action::kNodeCrash,
                                      Action::kNodeStop,
                                      Action::kRemove};

const char* status_name(Status status);
const char* action_name(Action action);
std::optional<Status> parse_status(std::string_view name);
std::optional<Action> parse_action(std::string_view name);

/// The status after the action; nothing if the action is not allowed there.
std::optional<Status> next_status(Status status, Action action);

/// What the action means for the other releases; nothing if it does not concern them.
std::optional<Action> action_on_others(Action action);

}  // namespace baton::release
