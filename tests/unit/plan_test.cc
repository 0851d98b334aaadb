#include "release/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::release {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A release of one module, whose contract these lines of its note are.
bundle::Manifest release(const std::string& version, std::uint64_t sequence,
                         const std::string& lines) {
  bundle::Manifest manifest;
  manifest.release.name = "shop";
  manifest.release.version = version;
  manifest.release.sequence = sequence;
  bundle::ManifestModule module;
  module.name = "desk";
  module.version = version;
  module.path = bundle::module_path("desk", version);
  module.note = "baton-note 1\nmodule desk\nversion " + version +
                "\nabi 1.1\nbuild b\nbehaviour till gen_server\n"
                "schema state 0000000000000001 8 8 0 gcc cxx11\n"
                "field a 0000000000000001 0 8 5 0 i64\n" +
                lines;
  bundle::ManifestFile file;
  file.path = module.path;
  file.sha256 = sha256(version);
  manifest.files.push_back(file);
  manifest.modules.push_back(module);
  return manifest;
}

Plan plan(const std::string& from, const std::string& to) {
  const bundle::Manifest before = release("1.0.0", 1, from);
  auto made = make_plan(&before, release("1.1.0", 2, to));
  EXPECT_TRUE(made.ok()) << made.error().message();
  return made.ok() ? *std::move(made) : Plan();
}

std::vector<std::string> texts(const Plan& made) {
  std::vector<std::string> all;
  for (const Break& broken : made.breaks) all.push_back(broken.describe());
  return all;
}

TEST(Plan, AMessageThatIsConvertedBreaksNothing) {
  const Plan made = plan("cast say {text:string;}\ninfo tick {n:i32;}\n",
                         "cast tell {text:string;lang:string;}\nmessage_was say\n"
                         "member_default lang <<>>\ninfo tick {n:i64;}\n");
  EXPECT_THAT(made.breaks, IsEmpty());
  EXPECT_THAT(made.warnings, IsEmpty());
}

TEST(Plan, AMessageThatIsNoLongerTakenIsABreakAndNoWarning) {
  const Plan made = plan("cast say {text:string;}\ncast kept {}\n", "cast kept {}\n");

  EXPECT_THAT(texts(made), ElementsAre("module desk, behaviour till: contract broken: cast say is "
                                       "no longer taken; cast say is no longer taken; cure: keep "
                                       "it in the contract for one more version"));
  EXPECT_EQ(made.breaks[0].form, "cast say");
  EXPECT_THAT(made.warnings, IsEmpty());
}

TEST(Plan, AReplyOfAnotherTypeIsABreakAlsoWhereTheRequestIsConverted) {
  const Plan made =
      plan("call add {n:i64;} -> i64\n", "call add {n:i64;m:i64;} -> string\nmember_default m 0\n");
  EXPECT_THAT(texts(made), ElementsAre(HasSubstr("call add: reply i64 -> string")));
}

TEST(Plan, FormsAlikeInShapeButNotInMeaningAreABreak) {
  const Plan made = plan("cast a {x:i8;y:i8;}\n", "cast a {y:i8;x:i8;}\n");
  EXPECT_THAT(texts(made), ElementsAre(HasSubstr("alike in shape but not in meaning")));
}

TEST(Plan, OfTwoFormsOfOneNameOnlyTheOneThatIsGoneIsABreak) {
  const std::string longer = "cast say {text:string;lang:string;}\nmember_default lang <<>>\n";
  EXPECT_THAT(
      plan("cast say {text:string;}\n" + longer, "cast say {text:string;}\n" + longer).breaks,
      IsEmpty());
  EXPECT_THAT(plan("cast say {n:i8;}\n" + longer, longer).breaks, testing::SizeIs(1))
      << "in three ways";
}

TEST(Plan, OnTheWayDownABrokenContractIsForTheOperatorToKnow) {
  const bundle::Manifest newer = release("1.1.0", 2, "cast a {}\ncast b {}\n");
  const auto down = make_plan(&newer, release("1.0.0", 1, "cast a {}\n"));
  ASSERT_TRUE(down.ok()) << down.error().message();
  EXPECT_THAT(down->breaks, IsEmpty());
  EXPECT_THAT(down->warnings, ElementsAre(HasSubstr("cast b is no longer taken")));
}

TEST(Plan, SaysHowManyMessagesOfABrokenFormWait) {
  Break broken{"desk", "till", "cast say", "cast say is no longer taken", 3};
  EXPECT_EQ(broken.describe(),
            "module desk, behaviour till: contract broken: cast say is no longer taken (3 such "
            "messages wait now)");
}

}  // namespace
}  // namespace baton::release
