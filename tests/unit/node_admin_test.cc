// The admin interface alone, with verbs of the test's own: who gets a place, how long for, and what
// comes of a request that is no request.
#include "base/clock.h"
#include "base/unix_socket.h"
#include "node/admin.h"
#include "support/no_threads.h"
#include "support/temporary_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <vector>

namespace baton::node {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr seconds kDeadline{20};
constexpr uid_t kStranger = 65534;

Deadline soon() { return std::chrono::steady_clock::now() + kDeadline; }

class AdminTest : public testing::Test {
 protected:
  void SetUp() override {
    Log::Options options;
    options.file = root_ / "log";
    log_ = *Log::open(options, clock_);
    verbs_["echo"] = [](const json::object& arguments, const Caller&) -> Result<json::value> {
      return json::value(arguments);
    };
    verbs_["who"] = [](const json::object&, const Caller& caller) -> Result<json::value> {
      return json::value(json::string(caller.name));
    };
    verbs_["throw"] = [](const json::object&, const Caller&) -> Result<json::value> {
      throw std::runtime_error("out of luck");
    };
    verbs_["wait"] = [this](const json::object&, const Caller& caller) -> Result<json::value> {
      std::unique_lock lock(mutex_);
      ++waiting_;
      changed_.notify_all();
      changed_.wait_for(lock, caller.leaving, kDeadline, [this] { return may_go_; });
      return json::value("waited");
    };
  }
  void TearDown() override {
    let_go();
    admin_.reset();
  }

  void open(const AdminLimits& limits = {}) {
    auto opened = Admin::open(path(), verbs_, *log_, limits);
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    admin_ = std::move(opened).value();
  }
  std::string path() const { return root_ / "admin.sock"; }

  ScopedFd connect() {
    auto socket = connect_unix(path(), soon());
    EXPECT_TRUE(socket.ok()) << socket.error().message();
    return socket.ok() ? std::move(socket).value() : ScopedFd();
  }
  /// As somebody else; needs root.
  ScopedFd connect_as_stranger() {
    EXPECT_EQ(::chmod(root_.path().c_str(), 0755), 0);
    EXPECT_EQ(::chmod(path().c_str(), 0666), 0);
    EXPECT_EQ(::seteuid(kStranger), 0);
    ScopedFd socket = connect();
    EXPECT_EQ(::seteuid(0), 0);
    return socket;
  }
  static void say(const ScopedFd& socket, const std::string& text) {
    EXPECT_TRUE(write_all(socket.get(), text, soon()).ok());
  }
  static std::string request(const std::string& verb, const std::string& body = "{}") {
    return "POST /v1/" + verb +
           " HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
  /// Until the end of one answer's body; what there was if the connection ends before.
  static std::string hear(const ScopedFd& socket) {
    std::string heard;
    char byte;
    while (!heard.ends_with("}\n")) {
      const auto count = read_some(socket.get(), &byte, 1, soon());
      if (!count.ok() || *count == 0) break;
      heard += byte;
    }
    return heard;
  }
  static bool is_cut_off(const ScopedFd& socket) {
    char byte;
    const auto count = read_some(socket.get(), &byte, 1, soon());
    return count.ok() ? *count == 0 : count.error().code() == Code::kUnreachable;
  }
  void await_waiting(int count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kDeadline, [&] { return waiting_ >= count; }));
  }
  void let_go() {
    std::lock_guard lock(mutex_);
    may_go_ = true;
    changed_.notify_all();
  }

  TemporaryDirectory root_;
  RealClock clock_;
  std::unique_ptr<Log> log_;
  Verbs verbs_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  int waiting_ = 0;      // guarded by mutex_
  bool may_go_ = false;  // guarded by mutex_
  std::unique_ptr<Admin> admin_;
};

TEST_F(AdminTest, OneConnectionAsksOneThingAfterTheOther) {
  open();
  const ScopedFd socket = connect();

  say(socket, request("echo", R"({"a":1})") + request("who"));

  EXPECT_THAT(hear(socket), HasSubstr(R"({"api":"baton/1","ok":true,"data":{"a":1}})"));
  EXPECT_THAT(hear(socket), HasSubstr("\"uid:" + std::to_string(::geteuid()) + "\""));
}

TEST_F(AdminTest, WhatIsNoRequestIsAnsweredOrCutOff) {
  open();
  const std::pair<std::string, std::string> wrong[] = {
      {request("nothing"), "no such verb: nothing"},
      {"POST /v2/echo HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n",
       "this host speaks version 1 of its interface, and was asked in 2; use the command line of "
       "the host's version"},
      {"POST /v1a/echo HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n",
       "expected POST /v1/VERB"},
      {request("echo", "[1]"), "the body must be one JSON object"},
      {request("echo", "{"), "the body must be one JSON object"},
      {"GET /v1/echo HTTP/1.1\r\nHost: test\r\n\r\n", "expected POST /v1/VERB"},
      {"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n", "expected POST /v1/VERB"}};
  for (const auto& [text, answer] : wrong) {
    const ScopedFd socket = connect();
    say(socket, text);
    EXPECT_THAT(hear(socket), HasSubstr(answer)) << text;
  }
  const ScopedFd socket = connect();
  say(socket, "hello there\r\n\r\n");
  EXPECT_TRUE(is_cut_off(socket));
}

TEST_F(AdminTest, ABodyBeyondTheLimitIsNotRead) {
  open({.body_bytes_max = 1000});
  const ScopedFd small = connect(), large = connect();

  say(small, request("echo", "{\"a\":\"" + std::string(900, 'x') + "\"}"));
  say(large, "POST /v1/echo HTTP/1.1\r\nHost: test\r\nContent-Length: 1001\r\n\r\n");

  EXPECT_THAT(hear(small), HasSubstr("\"ok\":true"));
  EXPECT_TRUE(is_cut_off(large));
}

TEST_F(AdminTest, WhoeverComesWhileTheSystemHasNoThreadIsTurnedAway) {
  // The exception ended the host.
  if (!test::kCanRunOutOfThreads) GTEST_SKIP();
  open();
  {
    const test::NoThreads none;
    EXPECT_THAT(hear(connect()), HasSubstr("the system has no thread for another connection"));
  }

  const ScopedFd socket = connect();
  say(socket, request("who"));
  EXPECT_THAT(hear(socket), HasSubstr("\"ok\":true"));
}

TEST_F(AdminTest, AnExceptionCostsItsRequestAndNoMore) {
  // Nobody caught what a verb threw on a connection's thread: it ended the host.
  open();
  const ScopedFd socket = connect();

  say(socket, request("throw"));
  EXPECT_THAT(hear(socket), HasSubstr("the request failed: out of luck"));

  say(socket, request("echo"));
  EXPECT_THAT(hear(socket), HasSubstr("\"ok\":true"));
}

TEST_F(AdminTest, ASilentConnectionIsCutOffInTime) {
  // The time-out set on the socket did not end Asio's synchronous reads.
  open({.idle_timeout = milliseconds(20), .request_timeout = milliseconds(20)});
  const ScopedFd silent = connect(), half = connect();
  say(half, "POST /v1/echo HTTP/1.1\r\nHost: te");

  EXPECT_TRUE(is_cut_off(silent));
  EXPECT_TRUE(is_cut_off(half));
}

TEST_F(AdminTest, ARequestThatTricklesHasOneTimeForAllOfIt) {
  open({.request_timeout = milliseconds(200)});
  const ScopedFd socket = connect();
  const auto start = std::chrono::steady_clock::now();

  bool is_open = true;
  for (char c : request("echo", std::string(100'000, ' '))) {
    is_open = write_all(socket.get(), {&c, 1}, soon()).ok();
    if (!is_open || std::chrono::steady_clock::now() - start > kDeadline) break;
    std::this_thread::sleep_for(milliseconds(2));
  }

  EXPECT_FALSE(is_open);
}

TEST_F(AdminTest, AClientThatDoesNotReadIsGivenUp) {
  verbs_["much"] = [](const json::object&, const Caller&) -> Result<json::value> {
    return json::value(json::string(std::string(64 << 20, 'x')));
  };
  open({.connections_max = 1, .reserved_connections = 0, .answer_timeout = milliseconds(20)});
  const ScopedFd deaf = connect();
  say(deaf, request("much"));

  // Its place is free again once it is given up.
  std::string heard;
  const Deadline deadline = soon();
  while (heard.find("\"ok\":true") == std::string::npos &&
         std::chrono::steady_clock::now() < deadline) {
    const ScopedFd socket = connect();
    if (write_all(socket.get(), request("echo"), soon()).ok()) heard = hear(socket);
  }
  EXPECT_THAT(heard, HasSubstr("\"ok\":true"));
}

TEST_F(AdminTest, WithoutAPlaceTheOneThatWaitsLongestGoes) {
  open({.connections_max = 3, .reserved_connections = 1});
  const ScopedFd first = connect(), second = connect(), third = connect();

  const ScopedFd fourth = connect();
  say(fourth, request("echo"));

  EXPECT_THAT(hear(fourth), HasSubstr("\"ok\":true"));
  EXPECT_TRUE(is_cut_off(first));
  say(second, request("echo"));
  EXPECT_THAT(hear(second), HasSubstr("\"ok\":true"));
}

TEST_F(AdminTest, WithoutAPlaceAndWithAllBusyItSaysSo) {
  open({.connections_max = 2, .reserved_connections = 0});
  const ScopedFd first = connect(), second = connect();
  say(first, request("wait"));
  say(second, request("wait"));
  await_waiting(2);

  const ScopedFd third = connect();
  EXPECT_THAT(hear(third), HasSubstr("too many connections"));

  let_go();
  EXPECT_THAT(hear(first), HasSubstr("waited"));
  EXPECT_THAT(hear(second), HasSubstr("waited"));
}

TEST_F(AdminTest, StrangersLeaveAPlaceToTheHostsOwnUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can connect as somebody else";
  open({.connections_max = 3, .reserved_connections = 1});
  const ScopedFd first = connect_as_stranger(), second = connect_as_stranger();
  say(first, request("wait"));
  say(second, request("wait"));
  await_waiting(2);

  const ScopedFd third = connect_as_stranger();
  EXPECT_THAT(hear(third), HasSubstr("too many connections"));

  const ScopedFd own = connect();
  say(own, request("who"));
  EXPECT_THAT(hear(own), HasSubstr("uid:0"));
  // And no stranger puts the own user out.
  const ScopedFd fourth = connect_as_stranger();
  EXPECT_THAT(hear(fourth), HasSubstr("too many connections"));
  say(own, request("who"));
  EXPECT_THAT(hear(own), HasSubstr("uid:0"));
}

TEST_F(AdminTest, ItsEndDoesNotWaitForThoseThatWait) {
  // Stopping the host took as long as the longest call that somebody waited for.
  open();
  const ScopedFd socket = connect();
  say(socket, request("wait"));
  await_waiting(1);
  const auto start = std::chrono::steady_clock::now();

  admin_.reset();

  EXPECT_LT(std::chrono::steady_clock::now() - start, kDeadline / 2);
  EXPECT_EQ(::access(path().c_str(), F_OK), -1);
}

TEST_F(AdminTest, ASocketThatIsAnsweredIsNotTaken) {
  open();
  const auto another = Admin::open(path(), verbs_, *log_);
  ASSERT_FALSE(another.ok());
  EXPECT_EQ(another.error().code(), Code::kBusy);
}

TEST_F(AdminTest, ASocketLeftBehindIsReplaced) {
  ASSERT_TRUE(listen_unix(path(), 0600).ok());
  open();
  struct stat facts {};
  ASSERT_EQ(::stat(path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0660u);
}

}  // namespace
}  // namespace baton::node
