// The commands that every version of kv has.
#include "commands.h"
#include "support/kv_server.h"

#include <gtest/gtest.h>

namespace kv {
namespace {

TEST(KvCommands, AValueSetIsTheValueGot) {
  KvServer server;
  EXPECT_EQ(server("SET name \"a b\""), "+OK\r\n");
  EXPECT_EQ(server("get name"), "$3\r\na b\r\n");
  EXPECT_EQ(server("GET other"), "$-1\r\n");
  EXPECT_EQ(server("TYPE name"), "+string\r\n");
  EXPECT_EQ(server("TYPE other"), "+none\r\n");
}

TEST(KvCommands, SeveralKeysAtOnceAreEachAnswered) {
  KvServer server;
  EXPECT_EQ(server("MSET a 1 b 2 a 3"), "+OK\r\n");
  EXPECT_EQ(server("MGET a nosuch b"), "*3\r\n$1\r\n3\r\n$-1\r\n$1\r\n2\r\n");
  EXPECT_EQ(server("EXISTS a a b nosuch"), ":3\r\n");
  EXPECT_EQ(server("DEL a a nosuch"), ":1\r\n");
  EXPECT_EQ(server("DBSIZE"), ":1\r\n");
}

TEST(KvCommands, FlushAllRemovesEveryKey) {
  KvServer server;
  server("MSET a 1 b 2");
  EXPECT_EQ(server("FLUSHALL maybe"), "-ERR syntax error\r\n");
  EXPECT_EQ(server("DBSIZE"), ":2\r\n");
  EXPECT_EQ(server("FLUSHALL ASYNC"), "+OK\r\n");
  EXPECT_EQ(server("DBSIZE"), ":0\r\n");
}

TEST(KvCommands, ALongValueDoesNotKeepItsMemoryForAShortOne) {
  KvServer server;
  server.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\n" + std::string(100'000, 'x') + "\r\n");
  server("SET k short");
  EXPECT_EQ(server("GET k"), "$5\r\nshort\r\n");
  const std::string& value = reinterpret_cast<const std::string&>(server.state().entries.at("k"));
  EXPECT_LT(value.capacity(), 1000u);
}

TEST(KvCommands, AReplyThatWouldBeTooLongIsAnError) {
  KvServer server;
  const std::size_t size = 1 << 20;
  server.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1048576\r\n" + std::string(size, 'x') + "\r\n");
  std::string line = "MGET";
  for (std::size_t i = 0; i <= kCommandReplyBytesMax / size; ++i) line += " k";
  EXPECT_EQ(server(line), "-ERR the reply would be longer than 256 MiB: ask for less\r\n");
  EXPECT_EQ(server("PING"), "+PONG\r\n");
}

TEST(KvCommands, WrongCallsAreNamed) {
  KvServer server;
  EXPECT_EQ(server("GET"), "-ERR wrong number of arguments for 'get' command\r\n");
  EXPECT_EQ(server("MSET a 1 b"), "-ERR wrong number of arguments for 'mset' command\r\n");
  EXPECT_EQ(server("PING a b"), "-ERR wrong number of arguments for 'ping' command\r\n");
  EXPECT_EQ(server("SELECT x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(server("SELECT 1"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(server("CLIENT NOSUCH"), "-ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP.\r\n");
  EXPECT_EQ(server("CONFIG GET"), "-ERR wrong number of arguments for 'config|get' command\r\n");
  EXPECT_EQ(server("nosuch \"a\\nb\" c"),
            "-ERR unknown command 'nosuch', with args beginning with: 'a b' 'c' \r\n");
}

TEST(KvCommands, AnErrorRepeatsOnlySoMuchOfWhatWasSent) {
  KvServer server;
  const std::string reply = server(std::string(5000, 'n') + " " + std::string(5000, 'a') + " b");
  EXPECT_LT(reply.size(), 400u);
  EXPECT_EQ(reply.find(" 'b'"), std::string::npos);
}

TEST(KvCommands, TheConnectionHasANumberAndAName) {
  KvServer server;
  EXPECT_EQ(server("CLIENT ID"), ":1\r\n");
  EXPECT_EQ(server("CLIENT GETNAME"), "$-1\r\n");
  EXPECT_EQ(server("CLIENT SETNAME \"a b\"").substr(0, 5), "-ERR ");
  EXPECT_EQ(server("CLIENT SETNAME me"), "+OK\r\n");
  EXPECT_EQ(server("CLIENT GETNAME"), "$2\r\nme\r\n");
}

TEST(KvCommands, NothingIsDoneAfterQuit) {
  KvServer server;
  EXPECT_EQ(server.send("SET a 1\r\nQUIT\r\nSET b 2\r\n"), "+OK\r\n+OK\r\n");
  EXPECT_TRUE(server.is_closed());
  EXPECT_EQ(server.state().entries.count("b"), 0u);
}

TEST(KvCommands, ABrowsersRequestIsNotObeyed) {
  KvServer server;
  EXPECT_EQ(server.send("POST / HTTP/1.1\r\nHost: here\r\n\r\nSET a 1\r\n"), "");
  EXPECT_TRUE(server.is_closed());
  EXPECT_TRUE(server.state().entries.empty());
}

TEST(KvCommands, ConfigGetAnswersWhatBenchmarksAsk) {
  KvServer server;
  EXPECT_EQ(server("CONFIG GET save"), "*2\r\n$4\r\nsave\r\n$0\r\n\r\n");
  EXPECT_EQ(server("CONFIG GET APPEND*"), "*2\r\n$10\r\nappendonly\r\n$2\r\nno\r\n");
  EXPECT_EQ(server("CONFIG GET t?meou*t* save").substr(0, 4), "*4\r\n");
  EXPECT_EQ(server("CONFIG GET nosuch"), "*0\r\n");
  EXPECT_EQ(server("CONFIG GET " + std::string(50'000, '*')).substr(0, 5), "*10\r\n");
}

TEST(KvCommands, InfoShowsTheSectionsAskedFor) {
  KvServer server;
  server("SET a 1");
  EXPECT_EQ(server("INFO keyspace"), "$44\r\n# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=0\r\n\r\n");
  EXPECT_EQ(server("INFO nosuch"), "$0\r\n\r\n");
  EXPECT_NE(server("INFO").find("total_commands_processed:4\r\n"), std::string::npos);
}

TEST(KvCommands, EveryCommandIsInTheTableOnceAndDescribesItself) {
  KvServer server;
  EXPECT_EQ(server("COMMAND COUNT"), ":" + std::to_string(commands().size()) + "\r\n");
  for (const Command& entry : commands()) {
    EXPECT_EQ(find_command(entry.name), &entry) << entry.name;
    EXPECT_FALSE(entry.summary.empty()) << entry.name;
    EXPECT_EQ(server("COMMAND INFO " + std::string(entry.name)).substr(0, 9), "*1\r\n*10\r\n");
  }
  EXPECT_EQ(server("COMMAND DOCS get nosuch").substr(0, 4), "*2\r\n");
  EXPECT_EQ(server("COMMAND INFO nosuch"), "*1\r\n$-1\r\n");
}

}  // namespace
}  // namespace kv
