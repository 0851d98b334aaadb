#include "module/evolution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace baton::module {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Kind {
  std::uint8_t scalar;
  std::uint32_t size;
};
Kind kind_of(const std::string& text) {
  const std::string base =
      text.starts_with("enum(") ? text.substr(5, text.find_first_of(":)") - 5) : text;
  const std::pair<const char*, Kind> rows[] = {
      {"i8", {BATON_SCALAR_I8, 1}},    {"i16", {BATON_SCALAR_I16, 2}},
      {"i32", {BATON_SCALAR_I32, 4}},  {"i64", {BATON_SCALAR_I64, 8}},
      {"u8", {BATON_SCALAR_U8, 1}},    {"u16", {BATON_SCALAR_U16, 2}},
      {"u32", {BATON_SCALAR_U32, 4}},  {"u64", {BATON_SCALAR_U64, 8}},
      {"f32", {BATON_SCALAR_F32, 4}},  {"f64", {BATON_SCALAR_F64, 8}},
      {"bool", {BATON_SCALAR_BOOL, 1}}};
  for (const auto& [name, kind] : rows)
    if (base == name) return kind;
  return {BATON_SCALAR_NONE, 32};
}

FieldDescription field(const std::string& name, const std::string& type,
                       const std::string& renamed_from = "", std::uint8_t flags = 0) {
  const Kind kind = kind_of(type);
  return {name,        std::hash<std::string>()(type), type, 0, kind.size, kind.scalar, flags,
          renamed_from};
}

SchemaDescription schema(std::vector<FieldDescription> fields) {
  SchemaDescription s;
  s.name = "state";
  s.align = 8;
  std::string text;
  for (FieldDescription& f : fields) {
    f.offset = s.size;
    s.size += 32;
    text += f.name + f.type_text;
  }
  s.fingerprint = std::hash<std::string>()(text);
  s.fields = std::move(fields);
  return s;
}

std::vector<std::string> texts(const StateChange& change) {
  std::vector<std::string> all;
  for (const FieldAction& a : change.actions) all.push_back(a.text);
  return all;
}

TEST(Evolution, AnEqualFingerprintIsAdopted) {
  const auto s = schema({field("a", "i64")});
  const StateChange m = compare(s, s, Direction::kUp);
  EXPECT_EQ(m.outcome, Outcome::kAdopt);
  EXPECT_TRUE(m.actions.empty());
}

TEST(Evolution, EachFieldIsCopiedMovedConvertedOrFreshByItsName) {
  const auto older =
      schema({field("count", "i32"), field("names", "vector<string>"), field("on", "bool")});
  const auto newer = schema({field("names", "vector<string>"), field("count", "i64"),
                             field("on", "bool"), field("limit", "u32")});

  const StateChange m = compare(older, newer, Direction::kUp);

  EXPECT_EQ(m.outcome, Outcome::kMigrate);
  EXPECT_EQ(m.hook, Hook::kNone);
  EXPECT_THAT(texts(m), ElementsAre("names: vector<string> moved", "count: i32 -> i64 converted",
                                    "on: bool copied", "limit: u32 with its default"));
  EXPECT_EQ(m.actions[0].from, 1u);
  EXPECT_EQ(m.actions[0].to, 0u);
  EXPECT_EQ(m.actions[3].from, kNoField);
  EXPECT_FALSE(m.actions[1].is_checked);
}

TEST(Evolution, TheWayDownChecksNarrowingsAndNamesWhatWouldBeLost) {
  const auto older = schema({field("count", "i32"), field("gone", "string")});
  auto newer = schema({field("count", "i64"), field("expiry", "map<string,i64>"),
                       field("hits", "u64", "", BATON_FIELD_DISPOSABLE)});
  newer.dropped = {"gone"};

  const StateChange m = compare(newer, older, Direction::kDown);

  EXPECT_EQ(m.outcome, Outcome::kMigrate);
  EXPECT_THAT(
      texts(m),
      ElementsAre("count: i64 -> i32 converted if the value fits", "gone: string with its default",
                  "expiry: map<string,i64> lost unless it is at its default", "hits: u64 dropped"));
  EXPECT_TRUE(m.actions[0].is_checked);
  EXPECT_TRUE(m.actions[2].is_lossy);
  EXPECT_FALSE(m.actions[3].is_lossy);
}

TEST(Evolution, ARenamedFieldIsFoundBothWays) {
  const auto older = schema({field("total", "i64"), field("other", "i64")});
  const auto newer = schema({field("other", "i64"), field("sum", "i64", "total")});

  const StateChange up = compare(older, newer, Direction::kUp);
  const StateChange down = compare(newer, older, Direction::kDown);

  EXPECT_THAT(texts(up), ElementsAre("other: i64 copied", "sum (was total): i64 copied"));
  EXPECT_THAT(texts(down), ElementsAre("total (was sum): i64 copied", "other: i64 copied"));
  EXPECT_EQ(up.outcome, Outcome::kMigrate);
  EXPECT_EQ(down.outcome, Outcome::kMigrate);
}

TEST(Evolution, AFieldThatDisappearsUndeclaredIsRefused) {
  const auto older = schema({field("a", "i64"), field("b", "string")});
  auto newer = schema({field("a", "i64")});

  const StateChange undeclared = compare(older, newer, Direction::kUp);
  newer.dropped = {"b"};
  const StateChange declared = compare(older, newer, Direction::kUp);

  EXPECT_EQ(undeclared.outcome, Outcome::kImpossible);
  EXPECT_THAT(undeclared.reasons,
              ElementsAre(HasSubstr("field b is gone; cure: declare it dropped")));
  EXPECT_EQ(declared.outcome, Outcome::kMigrate);
}

TEST(Evolution, AChangedTypeNeedsTheNewerVersionsHookEachWay) {
  const auto older = schema({field("data", "map<string,string>")});
  auto newer = schema({field("data", "map<string,variant<string,list>>")});
  EXPECT_EQ(compare(older, newer, Direction::kUp).outcome, Outcome::kImpossible);

  newer.has_change = true;
  const StateChange up = compare(older, newer, Direction::kUp);
  const StateChange down = compare(newer, older, Direction::kDown);

  EXPECT_EQ(up.outcome, Outcome::kMigrate);
  EXPECT_EQ(up.hook, Hook::kChange);
  EXPECT_EQ(up.actions[0].step, FieldStep::kHook);
  EXPECT_EQ(down.outcome, Outcome::kImpossible);
  EXPECT_THAT(down.reasons, ElementsAre(HasSubstr("code_revert")));
  newer.has_revert = true;
  EXPECT_EQ(compare(newer, older, Direction::kDown).hook, Hook::kRevert);
}

TEST(Evolution, AHookOfTheOlderVersionIsNeverUsed) {
  auto older = schema({field("data", "string")});
  const auto newer = schema({field("data", "i64")});
  older.has_change = older.has_revert = true;
  EXPECT_EQ(compare(older, newer, Direction::kUp).outcome, Outcome::kImpossible);
  EXPECT_EQ(compare(newer, older, Direction::kDown).outcome, Outcome::kImpossible);
}

TEST(Evolution, ABehaviourThatCannotKeepItsStateIsRestarted) {
  ModuleNote from, to;
  from.version = "1", to.version = "2";
  from.behaviours = {{"gone", BATON_GEN_SERVER, "", schema({field("a", "i64")}), {}},
                     {"loop", BATON_PROCESS, "", std::nullopt, {}},
                     {"kept", BATON_GEN_SERVER, "", schema({field("a", "i64")}), {}}};
  to.behaviours = {{"loop", BATON_PROCESS, "", std::nullopt, {}},
                   {"kept", BATON_GEN_SERVER, "", schema({field("a", "i64")}), {}},
                   {"new", BATON_PROCESS, "", std::nullopt, {}}};

  const auto all = compare(from, to, Direction::kUp).behaviours;

  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].there.outcome, Outcome::kRestart);
  EXPECT_THAT(all[0].there.reasons, ElementsAre("version 2 has no behaviour gone"));
  EXPECT_EQ(all[1].there.outcome, Outcome::kRestart);
  EXPECT_EQ(all[2].there.outcome, Outcome::kAdopt);
}

TEST(Evolution, GivesEveryBehaviourItsWayThereAndItsWayBackAtOnce) {
  ModuleNote from, to;
  from.version = "1", to.version = "2";
  from.behaviours = {{"kv", BATON_GEN_SERVER, "", schema({field("data", "string")}), {}}};
  auto newer = schema({field("data", "i64")});
  newer.has_change = true;
  to.behaviours = {{"kv", BATON_GEN_SERVER, "", newer, {}}};

  const Evolution up = compare(from, to, Direction::kUp);

  ASSERT_NE(up.behaviour("kv"), nullptr);
  EXPECT_EQ(up.behaviour("kv")->there.outcome, Outcome::kMigrate);
  EXPECT_EQ(up.behaviour("kv")->there.direction, Direction::kUp);
  EXPECT_EQ(up.behaviour("kv")->back.outcome, Outcome::kImpossible);
  EXPECT_EQ(up.behaviour("kv")->back.direction, Direction::kDown);
  EXPECT_THAT(up.behaviour("kv")->back.reasons, ElementsAre(HasSubstr("code_revert")));
  EXPECT_EQ(up.behaviour("nothing"), nullptr);
}

TEST(Evolution, HasAnInverseThatIsTheComparisonTheOtherWay) {
  ModuleNote from, to;
  from.version = "1", to.version = "2";
  from.behaviours = {{"kv",
                      BATON_GEN_SERVER,
                      "",
                      schema({field("n", "i32")}),
                      {{MessageKind::kCast, "put", "{n:i32;}", ""}}}};
  to.behaviours = {{"kv",
                    BATON_GEN_SERVER,
                    "",
                    schema({field("n", "i64")}),
                    {{MessageKind::kCast, "put", "{n:i64;}", ""}}}};

  const Evolution inverse = compare(from, to, Direction::kUp).inverse();
  const Evolution down = compare(to, from, Direction::kDown);

  EXPECT_EQ(inverse.direction, Direction::kDown);
  EXPECT_EQ(texts(inverse.behaviours.at(0).there), texts(down.behaviours.at(0).there));
  EXPECT_EQ(texts(inverse.behaviours.at(0).back), texts(down.behaviours.at(0).back));
  EXPECT_TRUE(inverse.contract_back.breaks.empty());
  ASSERT_EQ(inverse.contract.breaks.size(), 1u);
  EXPECT_EQ(inverse.contract.breaks[0].text, down.contract.breaks.at(0).text);
}

// A behaviour whose contract these lines of a note are.
BehaviourNote desk(const std::string& lines) {
  auto note = ModuleNote::parse(
      "baton-note 1\nmodule m\nversion 1.0.0\nabi 1.1\nbuild b\nbehaviour desk process\n" + lines,
      "m.so");
  if (!note.ok()) {
    ADD_FAILURE() << note.error().message();
    return {};
  }
  return note->behaviours.at(0);
}

MessageChange only(const BehaviourNote& from, const BehaviourNote& to,
                   Direction direction = Direction::kUp) {
  auto changes = compare_mail(from, to, direction);
  EXPECT_EQ(changes.size(), 1u);
  return changes.empty() ? MessageChange() : std::move(changes[0]);
}

std::vector<std::string> texts(const MessageChange& change) {
  std::vector<std::string> all;
  for (const FieldAction& a : change.actions) all.push_back(a.text);
  return all;
}

TEST(MailEvolution, AFormThatTheOtherVersionTakesIsTheSame) {
  const auto both = desk("call add {by:i64;} -> i64\n");
  EXPECT_EQ(only(both, both).outcome, MessageOutcome::kSame);
  EXPECT_EQ(only(desk("info u8 u8\n"), desk("info u16 u16\n")).outcome, MessageOutcome::kSame);
  EXPECT_EQ(only(desk("info gone {}\n"), desk("info term term\n")).outcome, MessageOutcome::kSame);
  EXPECT_EQ(only(desk("cast gone {}\n"), desk("info term term\n")).outcome,
            MessageOutcome::kImpossible);
}

TEST(MailEvolution, MembersAreCopiedConvertedFreshAndDroppedByTheirNames) {
  const auto older = desk("cast say {line:string;n:i32;colour:i8;}\nmember_default colour 7\n");
  const auto newer = desk(
      "cast say {n:i64;text:string;lang:string;loud:bool;}\nmember_was text line\n"
      "member_default lang <<101,110>>\nmember_default loud false\nmember_dropped colour\n");

  const MessageChange up = only(older, newer);
  EXPECT_EQ(up.outcome, MessageOutcome::kDerivable);
  EXPECT_THAT(texts(up), ElementsAre("n: i32 -> i64 converted", "text (was line): string copied",
                                     "lang: string with its default, <<101,110>>",
                                     "loud: bool with its default, false", "colour: i8 dropped"));

  const MessageChange down = only(newer, older, Direction::kDown);
  EXPECT_EQ(down.outcome, MessageOutcome::kDerivable);
  EXPECT_THAT(
      texts(down),
      ElementsAre("line (was text): string copied", "n: i64 -> i32 converted if the value fits",
                  "colour: i8 with its default, 7", "lang: string dropped", "loud: bool dropped"));
  EXPECT_TRUE(down.actions[1].is_checked);
  EXPECT_TRUE(down.actions[3].is_lossy);
}

TEST(MailEvolution, ARenamedMessageIsFoundBothWays) {
  const auto older = desk("info tell {text:string;}\n"),
             newer = desk("info say {text:string;}\nmessage_was tell\n");
  EXPECT_EQ(only(older, newer).outcome, MessageOutcome::kDerivable);
  EXPECT_EQ(only(older, newer).to.name, "say");
  EXPECT_EQ(only(newer, older, Direction::kDown).to.name, "tell");
  // Nobody but the newer version may say it.
  EXPECT_EQ(only(newer, older, Direction::kUp).outcome, MessageOutcome::kImpossible);
}

TEST(MailEvolution, EachReasonNamesTheMemberAndTheCure) {
  EXPECT_THAT(only(desk("cast a {}\n"), desk("")).reasons,
              ElementsAre("cast a is no longer taken; cure: keep it in the contract for one more "
                          "version"));
  EXPECT_THAT(only(desk("cast a {x:i8;}\n"), desk("cast a {x:string;}\n")).reasons,
              ElementsAre(HasSubstr("member x: i8 -> string cannot be derived")));
  EXPECT_THAT(only(desk("cast a {x:i16;}\n"), desk("cast a {x:i8;}\n")).reasons,
              ElementsAre(HasSubstr("member x: i16 -> i8 cannot be derived")));
  EXPECT_THAT(only(desk("cast a {}\n"), desk("cast a {x:i8;}\n")).reasons,
              ElementsAre(HasSubstr("its note has no default")));
  EXPECT_THAT(only(desk("cast a {x:i8;}\n"), desk("cast a {}\n")).reasons,
              ElementsAre(HasSubstr("member x is gone; cure: declare it dropped")));
}

TEST(MailEvolution, TwoFormsAlikeInShapeButNotInMeaningAreRefused) {
  const auto alike = HasSubstr("alike in shape but not in meaning");
  EXPECT_THAT(only(desk("cast a {x:i8;y:i8;}\n"), desk("cast a {y:i8;x:i8;}\n")).reasons,
              ElementsAre(alike));
  EXPECT_THAT(only(desk("cast a {x:i8;}\n"),
                   desk("cast a {y:i64;}\nmember_default y 0\nmember_dropped x\n"))
                  .reasons,
              ElementsAre(alike));
  EXPECT_THAT(only(desk("cast a {x:optional<pid>;y:vector<i8>;}\n"),
                   desk("cast a {y:vector<i8>;x:optional<pid>;}\n"))
                  .reasons,
              testing::IsEmpty());  // a list is no pid, so the two can be told apart
  // The same members under other names, in their places, are the same in any form.
  EXPECT_EQ(only(desk("cast a {x:i8;}\n"), desk("cast a {y:i16;}\nmember_was y x\n")).outcome,
            MessageOutcome::kDerivable);
}

TEST(MailEvolution, WhatCannotBeDerivedIsForTheHooksOfTheNewerVersion) {
  const auto older = desk("cast kept {}\ncast meet {at:string;who:string;}\n");
  const auto newer = desk(
      "call first {} -> ok\ncast kept {}\ncast meet {who:string;minutes:i64;at:i32;}\n"
      "message_hooks change revert\n");

  const auto up = compare_mail(older, newer, Direction::kUp);
  EXPECT_EQ(up.at(1).outcome, MessageOutcome::kByHook);
  EXPECT_EQ(up[1].hook, 2u) << "of the newer version's messages";
  EXPECT_THAT(texts(up[1]), ElementsAre("who: string copied", "minutes: i64 by message_change",
                                        "at: string -> i32 by message_change"));
  EXPECT_EQ(up[1].actions[1].step, FieldStep::kHook);
  EXPECT_EQ(up[0].hook, kNoField);

  const auto down = compare_mail(newer, older, Direction::kDown);
  EXPECT_EQ(down.at(2).outcome, MessageOutcome::kByHook);
  EXPECT_EQ(down[2].hook, 2u);
  EXPECT_THAT(texts(down[2]), ElementsAre("at: i32 -> string by message_revert",
                                          "who: string copied", "minutes: i64 dropped"));
}

TEST(MailEvolution, AHookOfTheOlderVersionIsNoneOfTheNewerOne) {
  const auto older = desk("cast meet {at:string;}\nmessage_hooks change revert\n"),
             newer = desk("cast meet {at:i64;}\n");
  EXPECT_THAT(only(older, newer).reasons,
              ElementsAre(HasSubstr("cure: give the message another name, or the newer version "
                                    "message_change")));
  EXPECT_THAT(only(newer, older, Direction::kDown).reasons,
              ElementsAre(HasSubstr("or the newer version message_revert")));
}

TEST(MailEvolution, AHookIsForFormsThatDiffer) {
  const std::string hooks = "message_hooks change revert\n";
  EXPECT_EQ(only(desk("cast a {x:i8;}\n"), desk("cast a {x:i8;}\n" + hooks)).outcome,
            MessageOutcome::kSame);
  EXPECT_EQ(only(desk("cast a {x:i8;}\n"), desk("cast a {x:i64;}\n" + hooks)).outcome,
            MessageOutcome::kByHook)
      << "also where all could be derived, as of states";
}

TEST(MailEvolution, AHookDoesNotTellFormsThatAreAlikeFromEachOther) {
  const std::string hooks = "message_hooks change revert\n";
  const auto alike = ElementsAre(HasSubstr("alike in shape but not in meaning"));
  EXPECT_THAT(only(desk("cast a {x:i8;y:i8;}\n"), desk("cast a {y:i8;x:i8;}\n" + hooks)).reasons,
              alike);
  EXPECT_THAT(only(desk("cast a {x:u16;}\n"), desk("cast a {x:u8;}\n" + hooks)).reasons, alike);
  EXPECT_EQ(
      only(desk("cast a {x:u16;}\n"), desk("cast b {x:u8;}\nmessage_was a\n" + hooks)).outcome,
      MessageOutcome::kByHook);
}

TEST(MailEvolution, AMemberThatIsGoneIsDeclaredAlsoWhereThereIsAHook) {
  const auto older = desk("cast a {x:string;}\n");
  EXPECT_THAT(only(older, desk("cast a {y:i8;}\nmessage_hooks change\n")).reasons,
              ElementsAre(HasSubstr("member x is gone; cure: declare it dropped")));
  EXPECT_EQ(only(older, desk("cast a {y:i8;}\nmember_dropped x\nmessage_hooks change\n")).outcome,
            MessageOutcome::kByHook);
}

TEST(MailEvolution, OfTwoFormsOfOneNameEachFindsItsOwn) {
  const auto first = desk("cast say {text:string;}\n"),
             both = desk(
                 "cast say {text:string;}\n"
                 "cast say {text:string;lang:string;}\nmember_default lang <<>>\n"),
             second = desk("cast say {text:string;lang:string;}\nmember_default lang <<>>\n");
  EXPECT_EQ(only(first, both).outcome, MessageOutcome::kSame);
  const auto on = compare_mail(both, second, Direction::kUp);
  ASSERT_EQ(on.size(), 2u);
  EXPECT_EQ(on[0].outcome, MessageOutcome::kDerivable);
  EXPECT_EQ(on[1].outcome, MessageOutcome::kSame);
  const auto back = compare_mail(both, first, Direction::kDown);
  EXPECT_EQ(back.at(0).outcome, MessageOutcome::kSame);
  EXPECT_EQ(back.at(1).outcome, MessageOutcome::kDerivable);
}

TEST(MailEvolution, StandsBesideTheStatesBothWays) {
  ModuleNote from, to;
  from.behaviours = {{"kv",
                      BATON_GEN_SERVER,
                      "",
                      schema({field("n", "i32")}),
                      {{MessageKind::kCast, "put", "{n:i32;}", ""}}}};
  to.behaviours = {
      {"kv",
       BATON_GEN_SERVER,
       "",
       schema({field("n", "i64")}),
       {{MessageKind::kCast, "put", "{n:i64;}", ""}, {MessageKind::kCast, "more", "{}", ""}}}};
  const Evolution up = compare(from, to, Direction::kUp);
  EXPECT_EQ(up.behaviours.at(0).mail_there.at(0).outcome, MessageOutcome::kDerivable);
  EXPECT_EQ(up.behaviours[0].mail_back.size(), 2u);
  EXPECT_EQ(up.behaviours[0].mail_back[1].outcome, MessageOutcome::kImpossible);
  EXPECT_EQ(up.inverse().behaviours[0].mail_there.size(), 2u);
}

TEST(MailEvolution, IsKnownOfCoroutineProcessesToo) {
  ModuleNote from, to;
  from.behaviours = {desk("info say {n:i32;}\n")};
  to.behaviours = {desk("info say {n:i32;m:i8;}\nmember_default m 1\n")};
  const Evolution up = compare(from, to, Direction::kUp);
  EXPECT_EQ(up.behaviours.at(0).there.outcome, Outcome::kRestart);
  EXPECT_EQ(up.behaviours[0].mail_there.at(0).outcome, MessageOutcome::kDerivable);
  EXPECT_EQ(up.behaviours[0].mail_back.at(0).outcome, MessageOutcome::kDerivable);
}

}  // namespace
}  // namespace baton::module
