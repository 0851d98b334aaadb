// What kv can do from 1.2.0 on.
#include "list.h"
#include "migration.h"
#include "support/kv_server.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace kv {
namespace {

TEST(KvLists, AreReadAndTakenFromBothEnds) {
  KvServer server;
  EXPECT_EQ(server("RPUSH l a b"), ":2\r\n");
  EXPECT_EQ(server("LPUSH l y z"), ":4\r\n");
  EXPECT_EQ(server("LRANGE l 0 -1"), "*4\r\n$1\r\nz\r\n$1\r\ny\r\n$1\r\na\r\n$1\r\nb\r\n");
  EXPECT_EQ(server("LRANGE l -2 9"), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  EXPECT_EQ(server("LRANGE l 3 1"), "*0\r\n");
  EXPECT_EQ(server("LPOP l"), "$1\r\nz\r\n");
  EXPECT_EQ(server("RPOP l 2"), "*2\r\n$1\r\nb\r\n$1\r\na\r\n");
  EXPECT_EQ(server("LPOP l 0"), "*0\r\n");
  EXPECT_EQ(server("LLEN l"), ":1\r\n");
}

TEST(KvLists, AListThatIsEmptiedIsNoKey) {
  KvServer server;
  server("RPUSH l a");
  server("EXPIRE l 100");
  EXPECT_EQ(server("RPOP l"), "$1\r\na\r\n");
  EXPECT_EQ(server("EXISTS l"), ":0\r\n");
  EXPECT_EQ(server("LPOP l"), "$-1\r\n");
  EXPECT_EQ(server("LPOP l 1"), "*-1\r\n");
  EXPECT_TRUE(server.state().expiries.empty());
}

TEST(KvLists, CommandsForAnotherTypeAreRefused) {
  const std::string refusal =
      "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
  KvServer server;
  server("RPUSH l a");
  server("SET s v");
  for (const char* line : {"GET l", "SET l v GET", "INCR l", "APPEND l x", "LPUSH s x", "RPUSH s x",
                           "LPOP s", "RPOP s 1", "LLEN s", "LRANGE s 0 1"}) {
    EXPECT_EQ(server(line), refusal) << line;
  }
  EXPECT_EQ(server("MGET l s"), "*2\r\n$-1\r\n$1\r\nv\r\n");
  EXPECT_EQ(server("TYPE l"), "+list\r\n");
  EXPECT_EQ(server("SET l v"), "+OK\r\n");
  EXPECT_EQ(server("TYPE l"), "+string\r\n");
}

TEST(KvLists, AListIsADequeByOtherMeans) {
  std::mt19937 random(7);
  List list;
  std::deque<std::string> model;
  for (int i = 0; i < 20'000; ++i) {
    const std::string element = std::to_string(i);
    // In turns of a thousand it grows, then shrinks.
    const bool grows = random() % 10 < (i / 1000 % 2 == 0 ? 7 : 3);
    const bool is_front = random() % 2 == 0;
    if (grows) {
      is_front ? list.push_front(element) : list.push_back(element);
      is_front ? model.push_front(element) : model.push_back(element);
    } else if (!model.empty()) {
      EXPECT_EQ(is_front ? list.pop_front() : list.pop_back(),
                is_front ? model.front() : model.back());
      is_front ? model.pop_front() : model.pop_back();
    }
    ASSERT_EQ(list.size(), model.size());
    if (model.empty()) continue;
    const std::size_t at = static_cast<std::size_t>(i) % model.size();
    ASSERT_EQ(list[at], model[at]);
  }
}

TEST(KvLists, AQueueDoesNotGrowWithWhatWentThroughIt) {
  List list;
  for (int i = 0; i < 100'000; ++i) {
    list.push_back("x");
    if (list.size() > 10) list.pop_front();
  }
  EXPECT_LT(list.items.capacity(), 100u);
}

TEST(KvMigration, StringsBecomeValuesAndBack) {
  const Strings strings{{"a", "1"}, {"b", std::string(100, 'x')}, {"", ""}};
  const auto values = values_of(strings);
  EXPECT_EQ(values.size(), 3u);
  EXPECT_EQ(std::get<std::string>(values.at("b")), std::string(100, 'x'));
  EXPECT_EQ(strings_of(values), strings);
}

TEST(KvMigration, GoingDownCountsListsAndGivesThemUpOnlyWhenAsked) {
  KvServer server;
  server("SET s v");
  server("RPUSH l a");
  server("RPUSH m b");
  server("EXPIRE m 100");
  EXPECT_EQ(State::loss(server.state(), "1.1.0").count, 2u);
  EXPECT_EQ(State::loss(server.state(), "1.1.0").what, "lists");
  EXPECT_EQ(strings_of(server.state().entries), (Strings{{"s", "v"}}));
  State::discard(server.state(), "1.1.0");
  EXPECT_EQ(State::loss(server.state(), "1.1.0").count, 0u);
  EXPECT_TRUE(server.state().expiries.empty());
  EXPECT_EQ(server("DBSIZE"), ":1\r\n");
}

TEST(KvMigration, GoingDownToAVersionWithoutExpiriesLosesThoseToo) {
  KvServer server;
  server("SET s v EX 100");
  server("RPUSH l a");
  server("RPUSH m b");
  server("EXPIRE m 100");
  EXPECT_EQ(State::loss(server.state(), "1.0.0").count, 3u);
  State::discard(server.state(), "1.0.0");
  EXPECT_TRUE(server.state().entries.empty());
}

}  // namespace
}  // namespace kv
