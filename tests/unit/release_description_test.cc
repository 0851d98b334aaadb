#include "description/release_description.h"

#include "base/files.h"

#include <gtest/gtest.h>

#include <set>

namespace baton::description {
namespace {

using namespace std::chrono_literals;

constexpr const char* kFull = R"(name: demo
version: 1.1.0-rc1
sequence: 7
channel: beta
description: A key-value store and an order desk.
host: {min: 0.1.0, max: 1.0.0}
upgrade_from: [1.0.0, 1.0.1]
modules:
  - {name: kv, version: 1.1.0}
  - {name: web, version: 1.0.0}
applications:
  - name: kv
    type: transient
    env:
      shards: 4
      ratio: 1.5
      verbose: true
      greeting: hello "you"
      quoted: "5"
      list: [1, two, {deep: -3}]
    supervisor:
      strategy: rest_for_one
      intensity: 3
      period: 10s
      children:
        - {id: store, module: kv, behaviour: store, args: "[{size, 10}]", name: kv_store,
           shutdown: 2s}
        - id: connections
          type: supervisor
          strategy: simple_one_for_one
          name: kv_connections
          children:
            - {id: connection, module: kv, behaviour: connection, restart: temporary,
               shutdown: brutal_kill}
listeners:
  - {name: kv, address: "127.0.0.1:6379", connections_max: 100, idle_timeout: 5m}
  - {name: web, protocol: http, address: "[::1]:8080", body_bytes_max: 1MiB}
probation:
  duration: 30s
  min_samples: 100
  when_inconclusive: roll_back
  crash_rate: {max: 2, per: 5s}
  health:
    - {listener: web, path: /health, status: 204, interval: 500ms, timeout: 1s, failures: 2}
    - {listener: kv}
    - {address: "127.0.0.1:9", failures: 1}
)";

TEST(ReleaseDescription, EveryPartIsRead) {
  Result<ReleaseDescription> read = parse_release(kFull, "demo.yaml");
  ASSERT_TRUE(read.ok()) << read.error().message();
  const ReleaseDescription& release = *read;
  EXPECT_EQ(release.version, "1.1.0-rc1");
  EXPECT_EQ(release.sequence, 7u);
  EXPECT_EQ(release.upgrade_from, (std::vector<std::string>{"1.0.0", "1.0.1"}));
  EXPECT_EQ(release.module("web")->version, "1.0.0");
  EXPECT_EQ(release.module("none"), nullptr);

  const ApplicationDescription& kv = release.applications.at(0);
  EXPECT_EQ(kv.type, ApplicationType::kTransient);
  EXPECT_EQ(kv.supervisor.strategy, Strategy::kRestForOne);
  EXPECT_EQ(kv.supervisor.period, 10s);
  const ChildDescription& store = kv.supervisor.children.at(0);
  EXPECT_EQ(store.args, "[{size, 10}]");
  EXPECT_EQ(store.shutdown.timeout, 2s);
  const ChildDescription& connections = kv.supervisor.children.at(1);
  EXPECT_EQ(connections.shutdown.kind, Shutdown::Kind::kInfinity);
  EXPECT_EQ(connections.supervisor.name, "kv_connections");
  EXPECT_EQ(connections.supervisor.children.at(0).shutdown.kind, Shutdown::Kind::kBrutalKill);
  EXPECT_EQ(connections.supervisor.children.at(0).restart, RestartType::kTemporary);

  EXPECT_EQ(release.listener("kv")->idle_timeout, 5min);
  EXPECT_EQ(release.listener("web")->idle_timeout, kHttpIdleTimeout);
  EXPECT_EQ(release.listener("kv")->memory_max, 0u);
  EXPECT_EQ(release.listener("web")->address.host, "::1");
  EXPECT_EQ(release.listener("web")->address.text(), "[::1]:8080");
  EXPECT_EQ(release.listener("web")->body_bytes_max, 1u << 20);

  EXPECT_EQ(release.probation.crashes_max, 2u);
  EXPECT_EQ(release.probation.when_inconclusive, WhenInconclusive::kRollBack);
  EXPECT_EQ(release.probation.health.at(0).protocol, Protocol::kHttp);
  EXPECT_EQ(release.probation.health.at(0).status, 204u);
  EXPECT_EQ(release.probation.health.at(1).protocol, Protocol::kTcp);
  EXPECT_EQ(release.probation.health.at(2).address.port, 9);
}

TEST(ReleaseDescription, OurOwnReleasesAreReadAndNamedAsTheirFiles) {
  auto files = real_files();
  std::set<std::uint64_t> sequences;
  const std::vector<std::string> names = *files->list_directory(BATON_RELEASES);
  for (const std::string& name : names) {
    if (!name.ends_with(".yaml")) continue;
    const std::string file = std::string(BATON_RELEASES) + "/" + name;
    Result<ReleaseDescription> release = parse_release(*read_file(*files, file, 1 << 20), file);
    ASSERT_TRUE(release.ok()) << release.error().message();
    EXPECT_EQ(name, release->name + "-" + release->version + ".yaml");
    EXPECT_TRUE(sequences.insert(release->sequence).second) << name;
  }
  EXPECT_GE(sequences.size(), 4u);
}

TEST(ReleaseDescription, EnvironmentValuesBecomeErlangTerms) {
  const auto env = parse_release(kFull, "demo.yaml")->applications.at(0).env;
  EXPECT_EQ(env.at(4).term, "4");
  EXPECT_EQ(std::stod(env.at(3).term), 1.5);
  EXPECT_NE(env.at(3).term.find('.'), std::string::npos);
  EXPECT_EQ(env.at(5).term, "true");
  EXPECT_EQ(env.at(0).term, "<<\"hello \\\"you\\\"\">>");
  EXPECT_EQ(env.at(2).term, "<<\"5\">>");
  EXPECT_EQ(env.at(1).term, "[1,<<\"two\">>,#{<<\"deep\">>=>-3}]");
}

TEST(ReleaseDescription, EqualTextsMeanEqualDescriptionsAndAChangedChildADifferentOne) {
  std::string changed = kFull;
  changed.replace(changed.find("size, 10"), 8, "size, 11");
  EXPECT_EQ(*parse_release(kFull, "a"), *parse_release(kFull, "b"));
  EXPECT_FALSE(*parse_release(kFull, "a") == *parse_release(changed, "a"));
}

TEST(Address, ExcludesTheOneThatCannotBeBoundBesideIt) {
  // The parser compared texts and the plan took every 0.0.0.0 for all; a release whose listeners
  // exclude each other was taken over, and failed then.
  struct Case {
    const char *a, *b;
    bool excludes;
  };
  for (const Case& test : {Case{"127.0.0.1:80", "127.0.0.1:80", true},
                           {"127.0.0.1:80", "127.0.0.1:81", false},
                           {"127.0.0.1:80", "127.0.0.2:80", false},
                           {"127.0.0.1:0", "127.0.0.1:0", false},
                           {"0.0.0.0:80", "127.0.0.1:80", true},
                           {"0.0.0.0:80", "[::1]:80", false},
                           {"0.0.0.0:80", "[::]:80", true},
                           {"[::]:80", "127.0.0.1:80", true},
                           {"[::]:80", "[::1]:80", true},
                           {"[::1]:80", "[0:0:0:0:0:0:0:1]:80", true},
                           {"[::ffff:127.0.0.1]:80", "127.0.0.1:80", true}}) {
    SCOPED_TRACE(std::string(test.a) + " " + test.b);
    const Address a = Address::parse(test.a).value(), b = Address::parse(test.b).value();
    EXPECT_EQ(excludes(a, b), test.excludes);
    EXPECT_EQ(excludes(b, a), test.excludes);
  }
}

TEST(ReleaseDescription, MistakesAreNamedWithTheirPlaceAndCure) {
  struct Case {
    const char* from;
    const char* to;
    const char* message;
  };
  for (const Case& c : {
           Case{"name: demo", "name: Demo-1",
                "demo.yaml:1:7: name: expected a name of lower-case letters"},
           Case{"version: 1.1.0-rc1", "version: v1",
                "expected a version such as \"1.0.0\", got \"v1\""},
           Case{"sequence: 7", "sequence: 9223372036854775808",
                "sequence: expected an integer from 1 to"},
           Case{"sequence: 7", "seqence: 7", "the key \"sequence\" is missing"},
           Case{"  - {name: web, version: 1.0.0}", "  - {name: kv, version: 1.0.0}",
                "the module \"kv\" stands twice"},
           Case{"module: kv, behaviour: store", "module: kw, behaviour: store",
                "the module \"kw\" is not in the release's list of modules"},
           Case{"strategy: rest_for_one", "strategy: rest_for_all",
                "expected one of one_for_one, one_for_all"},
           Case{"period: 10s", "period: 10", "expected a duration such as \"30s\", got \"10\""},
           Case{"period: 10s", "period: 0s", "expected a duration above zero"},
           Case{"id: connections", "id: store", "the id \"store\" stands twice in this supervisor"},
           Case{"name: kv_connections", "name: kv_store", "is registered by another child too"},
           Case{"name: kv_connections", "name: undefined", "stands for no name"},
           Case{"{id: connection, ", "{id: connection, name: one, ",
                "cannot share a registered name"},
           Case{"behaviour: connection, ", "", "the key \"behaviour\" is missing"},
           Case{"restart: temporary", "significant: true",
                "a permanent child cannot be significant"},
           Case{"restart: temporary", "restart: transient, significant: true",
                "whose auto_shutdown is not never"},
           Case{"shutdown: 2s", "shutdown: 2", "expected brutal_kill, infinity or a duration"},
           Case{"type: supervisor", "type: supervisor\n          module: kv",
                "module: the key is not known here"},
           Case{"address: \"127.0.0.1:6379\"", "address: \"localhost:6379\"",
                "expected an address and port"},
           Case{"address: \"127.0.0.1:6379\"", "address: \"[::1]:8080\"",
                "is taken by another listener"},
           Case{"name: kv, address", "name: web, address", "the listener \"web\" stands twice"},
           Case{"connections_max: 100", "body_bytes_max: 1MiB", "the key is not known here"},
           Case{"listener: kv}", "listener: kw}", "the release has no listener \"kw\""},
           Case{"listener: kv}", "failures: 2}",
                "expected either a listener of this release or an address"},
           Case{"path: /health", "path: health", "expected a path such as \"/health\""},
           Case{"interval: 500ms", "interval: 0s", "expected a duration above zero"},
           Case{"when_inconclusive: roll_back", "when_inconclusive: rollback",
                "expected one of pause, roll_back"},
           Case{"shards: 4", "shards: ~",
                "applications[0].env.shards: expected a value, got nothing"},
       }) {
    std::string text = kFull;
    ASSERT_NE(text.find(c.from), std::string::npos) << c.from;
    text.replace(text.find(c.from), std::string(c.from).size(), c.to);
    Result<ReleaseDescription> read = parse_release(text, "demo.yaml");
    ASSERT_FALSE(read.ok()) << c.to;
    EXPECT_NE(read.error().message().find(c.message), std::string::npos) << read.error().message();
    EXPECT_EQ(read.error().message().rfind("demo.yaml:", 0), 0u);
  }
}

TEST(ReleaseDescription, ASimpleOneForOneSupervisorHasOneChild) {
  std::string text = kFull;
  text.replace(text.find("rest_for_one"), 12, "simple_one_for_one");
  EXPECT_NE(parse_release(text, "f").error().message().find("has exactly one child"),
            std::string::npos);
}

TEST(ReleaseDescription, SupervisorsNestUntilTheLimitOfTheYaml) {
  std::string text =
      "name: demo\nversion: 1.0.0\nsequence: 1\nmodules: []\napplications:\n- name: a\n  "
      "supervisor: ";
  for (int i = 0; i < 200; ++i)
    text += "{children: [{id: x, type: supervisor, strategy: one_for_all, x: ";
  EXPECT_FALSE(parse_release(text, "f").ok());
}

TEST(Version, ComparesByNumbersAndPutsAPreReleaseFirst) {
  EXPECT_LT(compare_versions("1.9.0", "1.10.0"), 0);
  EXPECT_LT(compare_versions("1.0.0-rc1", "1.0.0"), 0);
  EXPECT_LT(compare_versions("1.0.0-rc1", "1.0.0-rc2"), 0);
  EXPECT_EQ(compare_versions("1.0.0", "1.0.0"), 0);
  EXPECT_LT(compare_versions("1.0", "1.0.1"), 0);
  EXPECT_GT(compare_versions("2", "1.99"), 0);
}

}  // namespace
}  // namespace baton::description
