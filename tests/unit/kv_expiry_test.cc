// What kv can do from 1.1.0 on.
#include "expiry.h"
#include "support/kv_server.h"

#include <gtest/gtest.h>

namespace kv {
namespace {

TEST(KvExpiry, AKeyIsGoneWhenItsTimeIsUp) {
  KvServer server;
  server("SET k v PX 1500");
  EXPECT_EQ(server("TTL k"), ":2\r\n");
  server.pass_ms(1499);
  EXPECT_EQ(server("GET k"), "$1\r\nv\r\n");
  server.pass_ms(1);
  EXPECT_EQ(server("GET k"), "$-1\r\n");
  EXPECT_EQ(server("TTL k"), ":-2\r\n");
  EXPECT_EQ(server("DEL k"), ":0\r\n");
}

TEST(KvExpiry, AnyNewValueLivesForGoodAndAnAlteredOneAsLongAsBefore) {
  KvServer server;
  server("SET a 1 EX 10");
  server("INCR a");
  server("APPEND a 0");
  EXPECT_EQ(server("TTL a"), ":10\r\n");
  server("MSET a 1");
  EXPECT_EQ(server("TTL a"), ":-1\r\n");
  server("EXPIRE a 10");
  server("SET a 2");
  EXPECT_EQ(server("TTL a"), ":-1\r\n");
  EXPECT_TRUE(server.state().expiries.empty());
}

TEST(KvExpiry, ExpireObeysItsConditions) {
  KvServer server;
  server("SET k v");
  EXPECT_EQ(server("EXPIRE k 10 XX"), ":0\r\n");
  EXPECT_EQ(server("EXPIRE k 10 GT"), ":0\r\n");
  EXPECT_EQ(server("EXPIRE k 10 NX"), ":1\r\n");
  EXPECT_EQ(server("EXPIRE k 5 GT"), ":0\r\n");
  EXPECT_EQ(server("EXPIRE k 20 LT"), ":0\r\n");
  EXPECT_EQ(server("EXPIRE k 20 GT XX"), ":1\r\n");
  EXPECT_EQ(server("EXPIRE k 5 NX GT").substr(0, 5), "-ERR ");
  EXPECT_EQ(server("EXPIRE nosuch 5"), ":0\r\n");
  EXPECT_EQ(server("PERSIST k"), ":1\r\n");
  EXPECT_EQ(server("PERSIST k"), ":0\r\n");
}

TEST(KvExpiry, ATimeInThePastRemovesTheKey) {
  KvServer server;
  server("SET k v");
  EXPECT_EQ(server("EXPIRE k -1"), ":1\r\n");
  EXPECT_EQ(server("EXISTS k"), ":0\r\n");
  server("SET k v");
  EXPECT_EQ(server("EXPIRE k -9223372036854775"), ":1\r\n");
  EXPECT_EQ(server("DBSIZE"), ":0\r\n");
}

TEST(KvExpiry, TimesThatOverflowAreRefused) {
  KvServer server;
  server("SET k v");
  EXPECT_EQ(server("EXPIRE k 9223372036854775807"),
            "-ERR invalid expire time in 'expire' command\r\n");
  EXPECT_EQ(server("SET k w EX 9223372036854775807"),
            "-ERR invalid expire time in 'set' command\r\n");
  EXPECT_EQ(server("SET k w PX 9223372036854775807"),
            "-ERR invalid expire time in 'set' command\r\n");
  EXPECT_EQ(server("SET k w EX 0"), "-ERR invalid expire time in 'set' command\r\n");
  EXPECT_EQ(server("GET k"), "$1\r\nv\r\n");
}

// The range was that of the host's clock, which is near 0, and not of the wall clock.
TEST(KvExpiry, TakesTheTimesThatFitTheWallClockAndNoLaterOne) {
  KvServer server;
  server("SET k v");
  constexpr std::int64_t kLatest = kNumberMax - KvServer::kUnixMs;
  const std::string seconds = std::to_string(kLatest / 1000);
  const std::string later_seconds = std::to_string(kLatest / 1000 + 1);
  EXPECT_EQ(server("EXPIRE k " + seconds), ":1\r\n");
  EXPECT_EQ(server("EXPIRE k " + later_seconds),
            "-ERR invalid expire time in 'expire' command\r\n");
  EXPECT_EQ(server("SET k v EX " + later_seconds), "-ERR invalid expire time in 'set' command\r\n");
  EXPECT_EQ(server("SET k v PX " + std::to_string(kLatest)), "+OK\r\n");
  EXPECT_EQ(server("SET k v PX " + std::to_string(kLatest + 1)),
            "-ERR invalid expire time in 'set' command\r\n");
  EXPECT_EQ(server("SET k v PXAT 9223372036854775807"), "+OK\r\n");
  EXPECT_EQ(server("SET k v EXAT 9223372036854775"), "+OK\r\n");
  EXPECT_EQ(server("SET k v EXAT 9223372036854776"),
            "-ERR invalid expire time in 'set' command\r\n");
  EXPECT_EQ(server("SET k v PXAT 0"), "-ERR invalid expire time in 'set' command\r\n");
}

TEST(KvExpiry, ADateIsOneOfTheWallClock) {
  KvServer server;
  EXPECT_EQ(server("SET k v PXAT " + std::to_string(KvServer::kUnixMs + 1500)), "+OK\r\n");
  EXPECT_EQ(server("TTL k"), ":2\r\n");
  server.pass_ms(1499);
  EXPECT_EQ(server("EXISTS k"), ":1\r\n");
  server.pass_ms(1);
  EXPECT_EQ(server("EXISTS k"), ":0\r\n");
  EXPECT_EQ(server("SET k v EXAT " + std::to_string(KvServer::kUnixMs / 1000 + 9)), "+OK\r\n");
  EXPECT_EQ(server("TTL k"), ":9\r\n");
  EXPECT_EQ(server("SET k v EXAT 1"), "+OK\r\n");
  EXPECT_EQ(server("GET k"), "$-1\r\n");
}

TEST(KvExpiry, SetKeepsATtlAndTellsTheValueBefore) {
  KvServer server;
  EXPECT_EQ(server("SET k 1 GET EX 100"), "$-1\r\n");
  EXPECT_EQ(server("SET k 2 KEEPTTL GET"), "$1\r\n1\r\n");
  EXPECT_EQ(server("TTL k"), ":100\r\n");
  EXPECT_EQ(server("SET k 3 NX GET"), "$1\r\n2\r\n");
  EXPECT_EQ(server("SET none 3 XX GET"), "$-1\r\n");
  EXPECT_EQ(server("MGET k none"), "*2\r\n$1\r\n2\r\n$-1\r\n");
  EXPECT_EQ(server("SET k 3 KEEPTTL EX 1"), "-ERR syntax error\r\n");
  EXPECT_EQ(server("SET k 3 PXAT 1 KEEPTTL"), "-ERR syntax error\r\n");
  // What had ended already keeps nothing.
  server.pass_ms(100'000);
  EXPECT_EQ(server("SET k 4 KEEPTTL"), "+OK\r\n");
  EXPECT_EQ(server("TTL k"), ":-1\r\n");
}

TEST(KvExpiry, SetKeepsToItsConditions) {
  KvServer server;
  EXPECT_EQ(server("SET k v XX"), "$-1\r\n");
  EXPECT_EQ(server("SET k v NX PX 5"), "+OK\r\n");
  EXPECT_EQ(server("SET k w NX"), "$-1\r\n");
  server.pass_ms(5);
  EXPECT_EQ(server("SET k w XX"), "$-1\r\n");
  EXPECT_EQ(server("SET k w NX"), "+OK\r\n");
  EXPECT_EQ(server("SET k w NX XX"), "-ERR syntax error\r\n");
  EXPECT_EQ(server("SET k w EX"), "-ERR syntax error\r\n");
  EXPECT_EQ(server("SET k w EX 1 PX 1"), "-ERR syntax error\r\n");
}

TEST(KvExpiry, ASweepRemovesWhatNobodyLooksForAndOnlyThat) {
  KvServer server;
  for (int i = 0; i < 5000; ++i) server("SET key:" + std::to_string(i) + " v PX 10");
  server("SET other v");
  server("SET later v EX 100");
  server.pass_ms(10);
  EXPECT_EQ(server.state().entries.size(), 5002u);
  const std::size_t sweeps = server.state().expiries.bucket_count() / kSweepBucketsMax + 1;
  for (std::size_t i = 0; i < sweeps; ++i) sweep(server.state(), server.now_ms());
  EXPECT_EQ(server("DBSIZE"), ":2\r\n");
  EXPECT_EQ(server.state().expiries.size(), 1u);
  EXPECT_NE(server("INFO stats").find("expired_keys:5000\r\n"), std::string::npos);
}

TEST(KvExpiry, GoingDownToAVersionWithoutExpiriesMakesNoKeyImmortal) {
  KvServer server;
  server("MSET a 1 b 2 c 3");
  server("EXPIRE a 100");
  server("EXPIRE b 100");
  EXPECT_EQ(State::loss(server.state(), "1.0.0").count, 2u);
  EXPECT_EQ(State::loss(server.state(), "1.1.1").count, 0u);
  State::discard(server.state(), "1.0.0");
  EXPECT_EQ(State::loss(server.state(), "1.0.0").count, 0u);
  EXPECT_EQ(server("MGET a b c"), "*3\r\n$-1\r\n$-1\r\n$1\r\n3\r\n");
}

TEST(KvCounters, CountFromNothingAndRefuseWhatIsNoNumber) {
  KvServer server;
  EXPECT_EQ(server("INCR n"), ":1\r\n");
  EXPECT_EQ(server("INCRBY n -3"), ":-2\r\n");
  EXPECT_EQ(server("DECR n"), ":-3\r\n");
  EXPECT_EQ(server("GET n"), "$2\r\n-3\r\n");
  server("SET n 1x");
  EXPECT_EQ(server("INCR n"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(server("INCRBY m 1.5"), "-ERR value is not an integer or out of range\r\n");
}

TEST(KvCounters, AnOverflowChangesNothing) {
  KvServer server;
  server("SET n 9223372036854775807");
  EXPECT_EQ(server("INCR n"), "-ERR increment or decrement would overflow\r\n");
  EXPECT_EQ(server("GET n"), "$19\r\n9223372036854775807\r\n");
}

TEST(KvCounters, AppendMakesAValueAndEndsAtTheLimit) {
  KvServer server;
  EXPECT_EQ(server("APPEND k ab"), ":2\r\n");
  EXPECT_EQ(server("APPEND k cd"), ":4\r\n");
  const std::string size = std::to_string(kBulkBytesMax);
  const std::string most(static_cast<std::size_t>(kBulkBytesMax), 'x');
  EXPECT_EQ(server.send("*3\r\n$6\r\nAPPEND\r\n$1\r\nk\r\n$" + size + "\r\n" + most + "\r\n"),
            "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n");
  EXPECT_EQ(server("GET k"), "$4\r\nabcd\r\n");
}

}  // namespace
}  // namespace kv
