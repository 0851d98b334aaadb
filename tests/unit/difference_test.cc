#include "description/difference.h"

#include "support/random_release.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::description {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;
using test::RandomRelease;
using testing::ElementsAre;
using testing::HasSubstr;

ChildDescription worker(const std::string& id) {
  ChildDescription child;
  child.id = id;
  child.module = "counter";
  child.behaviour = "server";
  return child;
}
ChildDescription supervisor(const std::string& id, std::vector<ChildDescription> children) {
  ChildDescription child;
  child.id = id;
  child.type = ChildType::kSupervisor;
  child.shutdown = {Shutdown::Kind::kInfinity, 0s};
  child.supervisor.children = std::move(children);
  return child;
}
ListenerDescription listener(const std::string& name, std::uint16_t port) {
  ListenerDescription made;
  made.name = name;
  made.address = {"127.0.0.1", port};
  return made;
}
ApplicationDescription application(const std::string& name,
                                   std::vector<ChildDescription> children) {
  ApplicationDescription made;
  made.name = name;
  made.supervisor.children = std::move(children);
  return made;
}
/// One application `shop` with children a, s (with b and c) and i (simple_one_for_one), and two
/// listeners.
ReleaseDescription shop() {
  ReleaseDescription release;
  release.name = "shop";
  release.version = "1.0.0";
  ChildDescription items = supervisor("i", {worker("item")});
  items.supervisor.strategy = Strategy::kSimpleOneForOne;
  release.applications = {
      application("shop", {worker("a"), supervisor("s", {worker("b"), worker("c")}), items})};
  release.applications[0].env = {{"limit", "1"}, {"mode", "fast"}};
  release.listeners = {listener("web", 7001), listener("api", 7002)};
  return release;
}

std::vector<std::string> texts(const std::vector<Change>& changes) {
  std::vector<std::string> all;
  for (const Change& change : changes)
    all.push_back(change.text() + (change.restarts() ? " !" : ""));
  return all;
}

/// Carries all out on the one, and back.
void expect_forth_and_back(const ReleaseDescription& from, const ReleaseDescription& to) {
  const auto changes = difference(from, to);
  ASSERT_TRUE(changes.ok()) << changes.error().message();
  ReleaseDescription now = from;
  for (const Change& change : *changes) {
    EXPECT_EQ(change.inverse().inverse(), change);
    EXPECT_EQ(change.restarts(), change.inverse().restarts());
    EXPECT_FALSE(change.text().empty());
    carry_out(change, now);
  }
  const ReleaseDescription wanted = test::normalised(to), there = test::normalised(now);
  EXPECT_EQ(there.applications, wanted.applications);
  EXPECT_EQ(there.listeners, wanted.listeners);
  for (auto change = changes->rbegin(); change != changes->rend(); ++change)
    carry_out(change->inverse(), now);
  const ReleaseDescription old = test::normalised(from), back = test::normalised(now);
  EXPECT_EQ(back.applications, old.applications);
  EXPECT_EQ(back.listeners, old.listeners);
}

// ---- One kind at a time

struct Case {
  const char* name;
  void (*edit)(ReleaseDescription&);
  std::vector<std::string> texts;  // " !" behind what restarts
};

SupervisorDescription& top(ReleaseDescription& release) {
  return release.applications[0].supervisor;
}
SupervisorDescription& nested(ReleaseDescription& release) {
  return top(release).children[1].supervisor;
}
SupervisorDescription& simple(ReleaseDescription& release) {
  return top(release).children[2].supervisor;
}

const Case kCases[] = {
    {"Nothing", [](ReleaseDescription&) {}, {}},
    {"TheOrderOfListenersMeansNothing",
     [](ReleaseDescription& to) { std::swap(to.listeners[0], to.listeners[1]); },
     {}},
    {"AnApplicationStarts",
     [](ReleaseDescription& to) { to.applications.push_back(application("mail", {worker("m")})); },
     {"application mail: starts"}},
    {"AnApplicationStops",
     [](ReleaseDescription& to) { to.applications.clear(); },
     {"application shop: stops"}},
    {"ApplicationsChangePlaces",
     [](ReleaseDescription& to) {
       to.applications.insert(to.applications.begin(), application("mail", {}));
       to.applications.push_back(application("till", {}));
     },
     {"application mail: starts", "application till: starts"}},
    {"AnApplicationsType",
     [](ReleaseDescription& to) { to.applications[0].type = ApplicationType::kTemporary; },
     {"application shop: type permanent -> temporary"}},
    {"AnEnvironment",
     [](ReleaseDescription& to) {
       to.applications[0].env = {{"limit", "2"}, {"new", "3"}};
     },
     {"application shop: limit: 1 -> 2, new = 3 is new, mode is removed"}},
    {"TheTopSupervisorsName",
     [](ReleaseDescription& to) { top(to).name = "shop_sup"; },
     {"application shop: stops, to start anew: its registered name changes !",
      "application shop: starts anew: its registered name changes !"}},
    {"AChildStarts",
     [](ReleaseDescription& to) {
       top(to).children.insert(top(to).children.begin() + 1, worker("n"));
     },
     {"child shop/n: starts"}},
    {"AChildStops",
     [](ReleaseDescription& to) { nested(to).children.erase(nested(to).children.begin()); },
     {"child shop/s/b: stops"}},
    {"AChildsArgs",
     [](ReleaseDescription& to) { nested(to).children[0].args = "[1]"; },
     {"child shop/s/b: stops, to start anew: its args change !",
      "child shop/s/b: starts anew: its args change !"}},
    {"AChildsModule",
     [](ReleaseDescription& to) { top(to).children[0].module = "tally"; },
     {"child shop/a: stops, to start anew: its module changes !",
      "child shop/a: starts anew: its module changes !"}},
    {"AChildsBehaviour",
     [](ReleaseDescription& to) { top(to).children[0].behaviour = "other"; },
     {"child shop/a: stops, to start anew: its behaviour changes !",
      "child shop/a: starts anew: its behaviour changes !"}},
    {"AChildsName",
     [](ReleaseDescription& to) { top(to).children[0].name = "alice"; },
     {"child shop/a: stops, to start anew: its registered name changes !",
      "child shop/a: starts anew: its registered name changes !"}},
    {"AChildsType",
     [](ReleaseDescription& to) { top(to).children[0] = supervisor("a", {}); },
     {"child shop/a: stops, to start anew: its type changes !",
      "child shop/a: starts anew: its type changes !"}},
    {"ASupervisorsName",
     [](ReleaseDescription& to) { nested(to).name = "s_sup"; },
     {"child shop/s: stops, to start anew: its registered name changes !",
      "child shop/s: starts anew: its registered name changes !"}},
    {"AStrategyToSimpleOneForOne",
     [](ReleaseDescription& to) {
       nested(to).children.pop_back();
       nested(to).strategy = Strategy::kSimpleOneForOne;
     },
     {"child shop/s: stops, to start anew: its strategy changes from or to simple_one_for_one !",
      "child shop/s: starts anew: its strategy changes from or to simple_one_for_one !"}},
    {"AStrategyFromSimpleOneForOne",
     [](ReleaseDescription& to) { simple(to).strategy = Strategy::kOneForAll; },
     {"child shop/i: stops, to start anew: its strategy changes from or to simple_one_for_one !",
      "child shop/i: starts anew: its strategy changes from or to simple_one_for_one !"}},
    {"ATemplatesModule",
     [](ReleaseDescription& to) { simple(to).children[0].module = "tally"; },
     {"child shop/i: stops, to start anew: the children that it starts are of another module, "
      "behaviour or type !",
      "child shop/i: starts anew: the children that it starts are of another module, behaviour or "
      "type !"}},
    {"ATemplatesArgs",
     [](ReleaseDescription& to) { simple(to).children[0].args = "[1]"; },
     {"supervisor shop/i: a changed template for children that start from now on"}},
    {"ASupervisorsFlags",
     [](ReleaseDescription& to) {
       nested(to).strategy = Strategy::kRestForOne;
       nested(to).intensity = 3;
       nested(to).period = 1500ms;
     },
     {"supervisor shop/s: strategy one_for_one -> rest_for_one, intensity 1 -> 3, period 5s -> "
      "1500ms"}},
    {"SpecsAndFlagsThatNeedEachOther",
     [](ReleaseDescription& to) {
       nested(to).auto_shutdown = AutoShutdown::kAnySignificant;
       nested(to).children[0].restart = RestartType::kTransient;
       nested(to).children[0].significant = true;
     },
     {"supervisor shop/s: auto_shutdown never -> any_significant, child b: restart permanent -> "
      "transient, significant false -> true"}},
    {"TheOrderOfChildren",
     [](ReleaseDescription& to) { std::swap(nested(to).children[0], nested(to).children[1]); },
     {"supervisor shop/s: the order becomes c, b"}},
    {"AShutdown",
     [](ReleaseDescription& to) {
       nested(to).children[1].shutdown = {Shutdown::Kind::kBrutalKill, 0s};
     },
     {"supervisor shop/s: child c: shutdown 5s -> brutal_kill"}},
    {"AListenerOpens",
     [](ReleaseDescription& to) { to.listeners.push_back(listener("new", 7003)); },
     {"listener new: opens at 127.0.0.1:7003"}},
    {"AListenerCloses",
     [](ReleaseDescription& to) { to.listeners.pop_back(); },
     {"listener api: closes"}},
    {"AListenersLimits",
     [](ReleaseDescription& to) {
       to.listeners[0].connections_max = 5;
       to.listeners[0].backlog = 7;
       to.listeners[0].idle_timeout = 9s;
     },
     {"listener web: backlog 1024 -> 7, connections_max 10000 -> 5, idle_timeout 0s -> 9s, for new "
      "connections"}},
    {"AListenerMoves",
     [](ReleaseDescription& to) { to.listeners[0].address.port = 7003; },
     {"listener web: moves from 127.0.0.1:7001 to 127.0.0.1:7003"}},
    {"AListenerMovesToAllAddresses",
     [](ReleaseDescription& to) { to.listeners[0].address.host = "0.0.0.0"; },
     {"listener web: moves from 127.0.0.1:7001 to 0.0.0.0:7001"}},
    {"AListenersProtocol",
     [](ReleaseDescription& to) { to.listeners[0].protocol = Protocol::kHttp; },
     {"listener web: opens anew, protocol tcp -> http"}},
    {"AListenerTakesTheAddressOfOneThatCloses",
     [](ReleaseDescription& to) { to.listeners[0].name = "www"; },
     {"listener web: closes at once, since listener www needs its address",
      "listener www: opens at 127.0.0.1:7001"}},
    {"AListenerTakesTheAddressOfOneThatMoves",
     [](ReleaseDescription& to) {
       to.listeners[0].address.port = 7002;
       to.listeners[1].address.port = 7003;
     },
     {"listener api: moves from 127.0.0.1:7002 to 127.0.0.1:7003 at once, since listener web needs "
      "its address",
      "listener web: moves from 127.0.0.1:7001 to 127.0.0.1:7002"}},
};

class EveryKindOfChange : public testing::TestWithParam<Case> {};

TEST_P(EveryKindOfChange, IsFoundAndSaysWhatItDoes) {
  ReleaseDescription to = shop();
  GetParam().edit(to);

  const auto changes = difference(shop(), to);

  ASSERT_TRUE(changes.ok()) << changes.error().message();
  EXPECT_EQ(texts(*changes), GetParam().texts);
}

TEST_P(EveryKindOfChange, LeadsThereAndBack) {
  ReleaseDescription to = shop();
  GetParam().edit(to);

  expect_forth_and_back(shop(), to);
  expect_forth_and_back(to, shop());
}

INSTANTIATE_TEST_SUITE_P(All, EveryKindOfChange, testing::ValuesIn(kCases),
                         [](const auto& one) { return std::string(one.param.name); });

// ---- The order

TEST(Difference, FromNothingEverythingStartsInOrderListenersFirst) {
  ReleaseDescription to = shop();
  to.applications.push_back(application("mail", {}));

  const auto changes = difference({}, to);

  ASSERT_TRUE(changes.ok());
  EXPECT_THAT(texts(*changes), ElementsAre("listener web: opens at 127.0.0.1:7001",
                                           "listener api: opens at 127.0.0.1:7002",
                                           "application shop: starts", "application mail: starts"));
}

TEST(Difference, WhatStopsDoesSoRightToLeftBeforeAnythingStarts) {
  ReleaseDescription from = shop(), to = shop();
  from.applications.push_back(application("mail", {worker("m"), worker("gone")}));
  to.applications.push_back(application("mail", {worker("m"), worker("new")}));
  top(to).children[0].args = "[1]";
  nested(to).children.pop_back();
  to.applications[0].env.clear();
  to.listeners[1] = listener("new", 7003);

  const auto changes = difference(from, to);

  ASSERT_TRUE(changes.ok());
  EXPECT_THAT(texts(*changes), ElementsAre("listener new: opens at 127.0.0.1:7003",
                                           "child mail/gone: stops", "child shop/s/c: stops",
                                           "child shop/a: stops, to start anew: its args change !",
                                           "application shop: limit is removed, mode is removed",
                                           "child shop/a: starts anew: its args change !",
                                           "child mail/new: starts", "listener api: closes"));
}

TEST(Difference, AListenersMemoryIsNamedAsWhatChanges) {
  // The plan said: "listener web: , for new connections".
  ReleaseDescription to = shop();
  to.listeners[0].memory_max = 1 << 20;

  EXPECT_THAT(texts(difference(shop(), to).value()),
              ElementsAre("listener web: memory_max 0 -> 1048576, for new connections"));
}

TEST(Difference, TwoChildrenThatExchangeTheirNamesBothStopBeforeOneStarts) {
  ReleaseDescription from = shop(), to = shop();
  nested(from).children[0].name = nested(to).children[1].name = "one";
  nested(from).children[1].name = nested(to).children[0].name = "two";

  const auto changes = difference(from, to);

  ASSERT_TRUE(changes.ok());
  EXPECT_THAT(texts(*changes), ElementsAre(HasSubstr("c: stops"), HasSubstr("b: stops"),
                                           HasSubstr("b: starts"), HasSubstr("c: starts")));
}

TEST(Difference, ApplicationsThatChangePlacesStopInTheNewOrder) {
  ReleaseDescription from = shop();
  from.applications.push_back(application("mail", {}));
  ReleaseDescription to = from;
  std::swap(to.applications[0], to.applications[1]);

  const auto changes = difference(from, to);

  ASSERT_TRUE(changes.ok());
  EXPECT_THAT(texts(*changes), ElementsAre("applications: their order becomes mail, shop"));
  expect_forth_and_back(from, to);
}

TEST(Difference, ListenersThatExchangeTheirAddressesAreRefusedByName) {
  ReleaseDescription to = shop();
  std::swap(to.listeners[0].address, to.listeners[1].address);

  const auto changes = difference(shop(), to);

  ASSERT_FALSE(changes.ok());
  EXPECT_EQ(changes.error().code(), Code::kRefused);
  EXPECT_THAT(changes.error().message(), HasSubstr("listeners web, api exchange their addresses"));
}

// ---- Any two

constexpr std::uint64_t kSeeds = 1000;

TEST(Difference, AnEnvironmentsOrderIsNoDifferenceInThisReleaseNorInTheNext) {
  // What ran kept the order of the release before; the next change took it for something else, and
  // the host aborted.
  const auto read = [](const std::string& env) {
    return parse_release(
               "name: shop\nversion: 1.0.0\nsequence: 1\nmodules: []\napplications:\n"
               "  - name: shop\n    env: {" +
                   env + "}\n    supervisor: {children: []}\n",
               "shop.yaml")
        .value();
  };
  const ReleaseDescription first = read("a: 1, b: 2"), second = read("b: 2, a: 1"),
                           third = read("b: 3, a: 1");

  EXPECT_THAT(texts(difference(first, second).value()), ElementsAre());
  ReleaseDescription now = first;
  for (const Change& change : difference(second, third).value()) carry_out(change, now);

  EXPECT_EQ(now, third);
}

TEST(Difference, OneReleaseAfterTheOtherIsCarriedOutOnWhatTheOnesBeforeHaveLeft) {
  ReleaseDescription now, before;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const ReleaseDescription next = RandomRelease(seed).make();
    const auto changes = difference(before, next);
    if (!changes.ok()) continue;  // listeners that exchange their addresses
    for (const Change& change : *changes) carry_out(change, now);
    ASSERT_EQ(test::normalised(now).applications, test::normalised(next).applications);
    ASSERT_EQ(test::normalised(now).listeners, test::normalised(next).listeners);
    before = next;
  }
}

TEST(Difference, AnyTwoReleasesHaveADifferenceThatLeadsThereAndBack) {
  std::uint64_t refused = 0;
  for (std::uint64_t seed = 0; seed < kSeeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomRelease random(seed);
    const ReleaseDescription a = random.make(), b = random.make();

    const auto same = difference(a, a);
    ASSERT_TRUE(same.ok());
    EXPECT_THAT(texts(*same), ElementsAre());
    if (!difference(a, b).ok()) {
      ++refused;  // listeners that exchange their addresses
      EXPECT_FALSE(difference(b, a).ok());
      continue;
    }
    expect_forth_and_back(a, b);
    expect_forth_and_back({}, b);
  }
  EXPECT_LT(refused, kSeeds / 4);
}

}  // namespace
}  // namespace baton::description
