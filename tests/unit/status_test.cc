#include "release/status.h"

#include <gtest/gtest.h>

#include <map>

namespace baton::release {
namespace {

// Written out once more, so that a slip in the table is seen.
const std::map<std::pair<Status, Action>, Status> kExpected = {
    {{Status::kAbsent, Action::kUnpack}, Status::kUnpacked},
    {{Status::kUnpacked, Action::kInstall}, Status::kCurrent},
    {{Status::kUnpacked, Action::kRemove}, Status::kAbsent},
    {{Status::kCurrent, Action::kMakePermanent}, Status::kPermanent},
    {{Status::kCurrent, Action::kInstallOther}, Status::kOld},
    {{Status::kCurrent, Action::kMakeOtherPermanent}, Status::kOld},
    {{Status::kCurrent, Action::kFailProbation}, Status::kFailedInProbation},
    {{Status::kCurrent, Action::kNodeCrash}, Status::kFailedInProbation},
    {{Status::kCurrent, Action::kNodeStop}, Status::kUnpacked},
    {{Status::kPermanent, Action::kInstall}, Status::kPermanent},
    {{Status::kPermanent, Action::kInstallOther}, Status::kPermanent},
    {{Status::kPermanent, Action::kMakeOtherPermanent}, Status::kOld},
    {{Status::kOld, Action::kInstall}, Status::kCurrent},
    {{Status::kOld, Action::kRemove}, Status::kAbsent},
    {{Status::kFailedInProbation, Action::kInstall}, Status::kCurrent},
    {{Status::kFailedInProbation, Action::kRemove}, Status::kAbsent},
};

TEST(ReleaseStatus, EveryActionOnEveryStatusDoesWhatTheTableSaysAndNothingElse) {
  for (Status status : kStatuses) {
    for (Action action : kActions) {
      auto row = kExpected.find({status, action});
      const auto expected = row == kExpected.end() ? std::nullopt : std::optional(row->second);
      EXPECT_EQ(next_status(status, action), expected)
          << status_name(status) << " " << action_name(action);
    }
  }
}

TEST(ReleaseStatus, TheReleaseThatRunsCannotBeRemoved) {
  EXPECT_FALSE(next_status(Status::kCurrent, Action::kRemove).has_value());
  EXPECT_FALSE(next_status(Status::kPermanent, Action::kRemove).has_value());
}

TEST(ReleaseStatus, EveryActionIsReadBackFromItsName) {
  for (Action action : kActions) EXPECT_EQ(parse_action(action_name(action)), action);
  EXPECT_FALSE(parse_action("explode").has_value());
}

}  // namespace
}  // namespace baton::release
