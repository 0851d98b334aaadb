#include "release/status.h"

#include "base/check.h"

namespace baton::release {

namespace {

struct Row {
  Status status;
  Action action;
  Status next;
};
// The table of the header.
constexpr Row kTable[] = {
    {Status::kAbsent, Action::kUnpack, Status::kUnpacked},
    {Status::kUnpacked, Action::kInstall, Status::kCurrent},
    {Status::kUnpacked, Action::kRemove, Status::kAbsent},
    {Status::kCurrent, Action::kMakePermanent, Status::kPermanent},
    {Status::kCurrent, Action::kInstallOther, Status::kOld},
    {Status::kCurrent, Action::kMakeOtherPermanent, Status::kOld},
    {Status::kCurrent, Action::kFailProbation, Status::kFailedInProbation},
    {Status::kCurrent, Action::kNodeCrash, Status::kFailedInProbation},
    {Status::kCurrent, Action::kNodeStop, Status::kUnpacked},
    {Status::kPermanent, Action::kInstall, Status::kPermanent},
    {Status::kPermanent, Action::kInstallOther, Status::kPermanent},
    {Status::kPermanent, Action::kMakeOtherPermanent, Status::kOld},
    {Status::kOld, Action::kInstall, Status::kCurrent},
    {Status::kOld, Action::kRemove, Status::kAbsent},
    {Status::kFailedInProbation, Action::kInstall, Status::kCurrent},
    {Status::kFailedInProbation, Action::kRemove, Status::kAbsent},
};

constexpr const char* kStatusNames[] = {"absent",    "unpacked", "current",
                                        "permanent", "old",      "failed_in_probation"};
constexpr const char* kActionNames[] = {
    "unpack",         "install",    "install_other", "make_permanent", "make_other_permanent",
    "fail_probation", "node_crash", "node_stop",     "remove"};

}  // namespace

const char* status_name(Status status) { return kStatusNames[static_cast<int>(status)]; }
const char* action_name(Action action) { return kActionNames[static_cast<int>(action)]; }

std::optional<Action> parse_action(std::string_view name) {
  for (Action action : kActions)
    if (name == action_name(action)) return action;
  return std::nullopt;
}

std::optional<Status> parse_status(std::string_view name) {
  for (Status status : kStatuses)
    if (name == status_name(status)) return status;
  return std::nullopt;
}

std::optional<Status> next_status(Status status, Action action) {
  for (const Row& row : kTable)
    if (row.status == status && row.action == action) return row.next;
  return std::nullopt;
}

std::optional<Action> action_on_others(Action action) {
  switch (action) {
    case Action::kInstall: return Action::kInstallOther;
    case Action::kMakePermanent: return Action::kMakeOtherPermanent;
    default: return std::nullopt;
  }
}

}  // namespace baton::release
