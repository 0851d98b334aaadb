#include "module/contract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::module {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ModuleNote note(std::vector<ContractMessage> messages, const std::string& behaviour = "desk") {
  ModuleNote n;
  n.behaviours.push_back({behaviour, BATON_PROCESS, "", std::nullopt, std::move(messages)});
  return n;
}

std::vector<std::string> texts(const std::vector<ContractChange>& changes) {
  std::vector<std::string> all;
  for (const ContractChange& c : changes) all.push_back(c.text);
  return all;
}

constexpr auto kCall = MessageKind::kCall;
constexpr auto kCast = MessageKind::kCast;

TEST(Contract, TheSameContractHasNoDifference) {
  const auto n = note({{kCall, "add", "{by:i64;}", "i64"}});
  const auto difference = compare_contracts(n, n);
  EXPECT_THAT(difference.breaks, IsEmpty());
  EXPECT_THAT(difference.additions, IsEmpty());
}

TEST(Contract, AMessageOrBehaviourThatIsGoneIsABreakAndANewOneAnAddition) {
  const auto from = note({{kCall, "add", "{}", "i64"}, {kCast, "add", "{}", ""}}),
             to = note({{kCast, "add", "{}", ""}, {kCall, "sub", "{}", "i64"}});
  const auto difference = compare_contracts(from, to);
  EXPECT_THAT(texts(difference.breaks), ElementsAre("call add is no longer taken"));
  EXPECT_EQ(difference.breaks[0].behaviour, "desk");
  EXPECT_EQ(difference.breaks[0].message, "add");
  EXPECT_THAT(texts(difference.additions), ElementsAre("call sub is new"));

  const auto moved = compare_contracts(from, note({}, "shop"));
  EXPECT_THAT(texts(moved.breaks), ElementsAre("behaviour desk is gone"));
  EXPECT_THAT(texts(moved.additions), ElementsAre("behaviour shop is new"));
}

TEST(Contract, EachChangedMemberAndReplyIsNamed) {
  const auto from = note(
      {{kCall, "order", "{id:i32;item:string;where:{x:i8;y:map<string,i32>;};}", "optional<i64>"}});
  const auto to =
      note({{kCall, "order", "{id:i64;where:{x:i8;y:map<string,i64>;};note:string;}", "i64"}});
  const auto difference = compare_contracts(from, to);
  EXPECT_THAT(
      texts(difference.breaks),
      ElementsAre(
          "call order: reply optional<i64> -> i64", "call order: member item is gone",
          "call order: member where: {x:i8;y:map<string,i32>;} -> {x:i8;y:map<string,i64>;}",
          "call order: member note is new, so the message is longer"));
  EXPECT_THAT(texts(difference.additions), ElementsAre("call order: member id: i32 -> i64"));
}

TEST(Contract, AMessageThatIsNoStructIsComparedWhole) {
  EXPECT_THAT(texts(compare_contracts(note({{kCast, "set", "i64", ""}}),
                                      note({{kCast, "set", "string", ""}}))
                        .breaks),
              ElementsAre("cast set: i64 -> string"));
  EXPECT_THAT(
      texts(compare_contracts(note({{kCast, "set", "u8", ""}}), note({{kCast, "set", "u16", ""}}))
                .additions),
      ElementsAre("cast set: u8 -> u16"));
  EXPECT_THAT(texts(compare_contracts(note({{kCast, "set", "{a:i8;b:i8;}", ""}}),
                                      note({{kCast, "set", "{b:i8;a:i8;}", ""}}))
                        .breaks),
              ElementsAre("cast set: its members stand in another order"));
  EXPECT_THAT(texts(compare_contracts(note({{kCast, "set", "{a:i8", ""}}),
                                      note({{kCast, "set", "{a:i16;}", ""}}))
                        .breaks),
              ElementsAre("cast set: {a:i8 -> {a:i16;}"));
}

}  // namespace
}  // namespace baton::module
