#include "runtime/primitives.h"
#include "support/net_fixture.h"

#include <atomic>
#include <future>

namespace baton::net {
namespace {

class Http : public NetFixture {
 protected:
  static std::string get(const std::string& target, const std::string& more = "") {
    return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + more + "\r\n";
  }
  static std::string body_of(const std::string& answer) {
    const std::size_t at = answer.find("\r\n\r\n");
    return at == answer.npos ? "(no answer)" : answer.substr(at + 4);
  }
  static int status_of(const std::string& answer) {
    return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9)) : 0;
  }
};

TEST_F(Http, AnswersOneRequestAfterTheOther) {
  const auto address = open_http();
  serve("web", 0, mirror());
  Client client(address);

  for (const char* target : {"/a", "/b?c=d", "/"}) {
    client.send(get(target));
    const std::string answer = client.receive_answer();
    EXPECT_EQ(answer.substr(0, 17), "HTTP/1.1 200 OK\r\n");
    EXPECT_NE(answer.find("\r\ndate: "), answer.npos);
    EXPECT_EQ(answer.find("connection:"), answer.npos);
    EXPECT_EQ(body_of(answer), std::string(target) + "|");
  }
  EXPECT_EQ(statistics("web").http_requests, 3u);
  EXPECT_EQ(statistics("web").http_responses[1], 3u);
}

TEST_F(Http, GivesTheRequestAsATerm) {
  const auto address = open_http();
  serve("web", 0, [&](baton_context* context, const baton_message* message) {
    const Seen seen(message);
    journal_.write(term::print(seen[3], atoms_) + " " + term::print(seen[5], atoms_));
    respond(context, seen, 204, "");
    return +BATON_OK;
  });
  Client client(address);

  client.send(
      "POST /x HTTP/1.1\r\nHost: h\r\nX-A:  1 \r\nCookie: a=b\r\nx-a: 2\r\nCookie: c=d\r\n"
      "Content-Length: 0\r\n\r\n");
  const std::string seen = journal_.next();
  EXPECT_TRUE(seen.starts_with("'POST' ")) << seen;
  for (const char* pair :
       {"<<\"host\">> => <<\"h\">>", "<<\"x-a\">> => <<\"1, 2\">>",
        "<<\"cookie\">> => <<\"a=b; c=d\">>", "<<\"content-length\">> => <<\"0\">>"})
    EXPECT_NE(seen.find(pair), seen.npos) << seen << " has no " << pair;
  const std::string answer = client.receive_answer();
  EXPECT_EQ(status_of(answer), 204);
  EXPECT_EQ(answer.find("content-length"), answer.npos);
}

TEST_F(Http, AnswersPipelinedRequestsInTheirOrderHoweverTheyAreCut) {
  const auto address = open_http();
  serve("web", 0, mirror());
  const std::string stream =
      get("/1") + "POST /2 HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc" +
      "POST /3 HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n2\r\nxy\r\n0\r\n\r\n" +
      get("/4");
  const std::vector<std::string> expected = {"/1|", "/2|abc", "/3|xy", "/4|"};
  Client client(address);

  for (std::size_t cut = 0; cut < stream.size(); cut += 3) {
    client.send(stream.substr(0, cut));
    client.send(stream.substr(cut));
    for (const std::string& body : expected)
      ASSERT_EQ(body_of(client.receive_answer()), body) << "cut at " << cut;
  }
}

TEST_F(Http, KeepsTheOrderOfTheRequestsWhenAnswersComeInAnother) {
  const auto address = open_http();
  std::vector<std::pair<baton_term, std::int64_t>> asked;
  serve("web", 0, [&](baton_context* context, const baton_message* message) {
    const Seen seen(message);
    asked.emplace_back(seen.port(), seen.number(2));
    if (asked.size() < 3) return +BATON_OK;
    for (int i : {2, 0, 1}) {
      const std::string body = std::to_string(asked[static_cast<std::size_t>(i)].second);
      http().respond(context, asked[static_cast<std::size_t>(i)].first,
                     asked[static_cast<std::size_t>(i)].second, 200, nullptr, 0, body.data(),
                     body.size());
    }
    // Each only once.
    journal_.write(std::to_string(respond(context, seen, 200, "")));
    return +BATON_OK;
  });
  Client client(address);
  client.send(get("/1") + get("/2") + get("/3"));

  for (const char* body : {"1", "2", "3"}) EXPECT_EQ(body_of(client.receive_answer()), body);
  EXPECT_EQ(journal_.next(), std::to_string(BATON_NET_CLOSED));
}

TEST_F(Http, TakesMoreRequestsThanItKeepsWaitingAtOnce) {
  const auto address = open_http();
  serve("web", 0, mirror());
  Client client(address);
  constexpr int kRequests = 5000;
  std::string all;
  for (int i = 0; i < kRequests; ++i) all += get("/" + std::to_string(i));
  auto sending = std::async(std::launch::async, [&] { return client.send(all); });

  for (int i = 0; i < kRequests; ++i)
    ASSERT_EQ(body_of(client.receive_answer()), "/" + std::to_string(i) + "|");
  EXPECT_TRUE(sending.get());
}

TEST_F(Http, StopsReadingWhenThePipelineIsFull) {
  const auto address = open_http();
  std::vector<std::pair<baton_term, std::int64_t>> asked;
  std::atomic<std::size_t> count{0};
  const baton_term pid = serve("web", 0, [&](baton_context* context, const baton_message* message) {
    if (term::is_atom(message->root)) {
      for (const auto& [port, number] : std::exchange(asked, {}))
        http().respond(context, port, number, 200, nullptr, 0, "ok", 2);
      return +BATON_OK;
    }
    const Seen seen(message);
    asked.emplace_back(seen.port(), seen.number(2));
    count = asked.size();
    return +BATON_OK;
  });
  Client client(address);
  std::string all;
  for (std::size_t i = 0; i < kPipelinedRequestsMax + 10; ++i) all += get("/");
  client.send(all);

  EXPECT_TRUE(eventually([&] { return count == kPipelinedRequestsMax; }));
  EXPECT_EQ(statistics("web").http_requests, kPipelinedRequestsMax);
  send(pid, term::atom("answer"));
  for (std::size_t i = 0; i < kPipelinedRequestsMax; ++i)
    ASSERT_EQ(body_of(client.receive_answer()), "ok");
  EXPECT_TRUE(eventually([&] { return count == 10; }));
  send(pid, term::atom("answer"));
  for (std::size_t i = 0; i < 10; ++i) ASSERT_EQ(body_of(client.receive_answer()), "ok");
}

TEST_F(Http, CloseIsObeyedFromEitherSide) {
  const auto address = open_http();
  serve("web", 0, [&](baton_context* context, const baton_message* message) {
    const Seen seen(message);
    const baton_http_header close{"Connection", 10, "close", 5};
    const bool ends = seen.bytes(4) == "/last";
    http().respond(context, seen.port(), seen.number(2), 200, &close, ends ? 1 : 0, "x", 1);
    return +BATON_OK;
  });

  Client asks(address);
  asks.send(get("/", "Connection: close\r\n") + get("/never"));
  const std::string answer = asks.receive_all();
  EXPECT_NE(answer.find("connection: close\r\n"), answer.npos);
  EXPECT_EQ(body_of(answer), "x");
  Client told(address);
  told.send(get("/last") + get("/never"));
  EXPECT_EQ(body_of(told.receive_all()), "x");
  Client old(address);
  old.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(body_of(old.receive_all()), "x");
  EXPECT_FALSE(asks.was_reset() || told.was_reset() || old.was_reset());
}

TEST_F(Http, AnswersAClientThatHasEndedItsStream) {
  const auto address = open_http();
  serve("web", 0, mirror());
  Client client(address);

  client.send(get("/a") + get("/b"));
  client.shutdown_output();
  EXPECT_EQ(body_of(client.receive_answer()), "/a|");
  EXPECT_EQ(body_of(client.receive_all()), "/b|");
  EXPECT_FALSE(client.was_reset());
}

TEST_F(Http, HeadHasTheHeadersOfGetAndNoBody) {
  const auto address = open_http();
  serve("web", 0, mirror());
  Client client(address);

  client.send("HEAD /four HTTP/1.1\r\nhost: h\r\n\r\n" + get("/next"));
  EXPECT_NE(client.receive_answer(false).find("content-length: 6\r\n"), std::string::npos);
  EXPECT_EQ(body_of(client.receive_answer()), "/next|");
}

TEST_F(Http, TellsAWaitingClientToContinue) {
  const auto address = open_http();
  serve("web", 0, mirror());
  Client client(address);

  client.send("PUT /p HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("body");
  EXPECT_EQ(body_of(client.receive_answer()), "/p|body");
}

TEST_F(Http, RefusesTheMalformedAndEndsThatConnection) {
  const auto address = open_http();
  serve("web", 0, mirror());

  const std::pair<const char*, int> cases[] = {
      {"nonsense\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ntransfer-encoding: "
       "chunked\r\n\r\n0\r\n\r\n",
       400},
      {"GET / HTTP/3.0\r\nhost: h\r\n\r\n", 505},
      {"TRACE / HTTP/1.1\r\nhost: h\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 999999999\r\n\r\n", 413},
  };
  for (const auto& [request, status] : cases) {
    Client client(address);
    client.send(get("/fine") + request + get("/never"));
    EXPECT_EQ(body_of(client.receive_answer()), "/fine|");
    const std::string answer = client.receive_all();
    EXPECT_EQ(status_of(answer), status) << request;
    EXPECT_NE(answer.find("connection: close"), answer.npos);
    EXPECT_EQ(answer.find("/never"), answer.npos);
    EXPECT_FALSE(client.was_reset());
  }
  EXPECT_EQ(statistics("web").http_malformed, std::size(cases));
  Client after(address);
  after.send(get("/on"));
  EXPECT_EQ(body_of(after.receive_answer()), "/on|");
}

TEST_F(Http, ASlowSenderIsAnswered408) {
  auto slow = description("web", description::Protocol::kHttp);
  slow.request_timeout = std::chrono::milliseconds(60);
  const auto address = open(slow);
  serve("web", 0, mirror());

  Client half(address);
  half.send("GET / HTTP/1.1\r\nhost:");
  EXPECT_EQ(status_of(half.receive_all()), 408);
  Client silent(address);
  EXPECT_EQ(silent.receive_all(), "");
  EXPECT_EQ(statistics("web").timeouts, 2u);
}

// The clock of the first request that a chunk cut in two went on for the next ones.
TEST_F(Http, TheTimeoutIsOfOneRequestHoweverChunksAreCut) {
  auto slow = description("web", description::Protocol::kHttp);
  slow.request_timeout = std::chrono::milliseconds(300);
  const auto address = open(slow);
  serve("web", 0, mirror());
  Client client(address);

  const std::string request = get("/"), half = request.substr(0, request.size() / 2),
                    rest = request.substr(half.size());
  client.send(half);
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    client.send(rest + half);
    ASSERT_EQ(status_of(client.receive_answer()), 200) << i;
  }
  EXPECT_EQ(status_of(client.receive_all()), 408);
}

// A request was refused as slow although it had come, and only waited to be read.
TEST_F(Http, ARequestThatTheHostDoesNotReadIsNotLate) {
  auto slow = description("web", description::Protocol::kHttp);
  slow.request_timeout = std::chrono::milliseconds(50);
  slow.body_bytes_max = 100'000;
  const auto address = open(slow);
  std::vector<std::pair<baton_term, std::int64_t>> asked;
  std::atomic<std::size_t> count{0};
  const baton_term pid = serve("web", 0, [&](baton_context* context, const baton_message* message) {
    if (message->root != term::atom("answer")) {
      const Seen seen(message);
      asked.emplace_back(seen.port(), seen.number(2));
      count = asked.size();
      return +BATON_OK;
    }
    for (const auto& [port, number] : std::exchange(asked, {}))
      http().respond(context, port, number, 200, nullptr, 0, "", 0);
    return +BATON_OK;
  });
  Client client(address);
  const std::string post =
      "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 60000\r\n\r\n" + std::string(60'000, 'x');

  // when: two requests fill the room, and part of a third waits for longer than the time-out
  client.send(post + post + post.substr(0, 40'000));
  ASSERT_TRUE(eventually([&] { return count == 2; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  EXPECT_EQ(statistics("web").timeouts, 0u);
  send(pid, term::atom("answer"));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(status_of(client.receive_answer()), 200);

  // then: it is late from its own beginning on only
  EXPECT_EQ(status_of(client.receive_all()), 408);
  EXPECT_EQ(statistics("web").timeouts, 1u);
}

TEST_F(Http, AnIdleConnectionIsClosedButNotOneThatWaitsForItsAnswer) {
  auto idle = description("web", description::Protocol::kHttp);
  idle.idle_timeout = std::chrono::milliseconds(60);
  const auto address = open(idle);
  serve("web", 0, [&](baton_context* context, const baton_message* message) {
    if (message->kind == BATON_TIMEOUT) {
      respond(context, Seen(message), 200, "late");
      return +BATON_OK;
    }
    const auto copy =
        runtime::message_of(runtime::context_of(context), message->root, BATON_MESSAGE, 1);
    context->host->send_after(context, 200, context->self, copy);
    return +BATON_OK;
  });
  Client client(address);

  client.send(get("/"));
  EXPECT_EQ(body_of(client.receive_answer()), "late");
  EXPECT_EQ(client.receive_all(), "");
}

TEST_F(Http, ARequestWhoseOwnerEndsIsAnswered500AndTheConnectionLives) {
  const auto address = open_http();
  serve("web", 0, [](baton_context*, const baton_message*) { return +BATON_CRASH; });
  Client client(address);

  client.send(get("/crash"));
  EXPECT_EQ(status_of(client.receive_answer()), 500);
  EXPECT_EQ(statistics("web").http_failed, 1u);
  client.send(get("/nobody"));
  EXPECT_EQ(status_of(client.receive_answer()), 503);
  serve("web", 0, mirror());
  client.send(get("/again"));
  EXPECT_EQ(body_of(client.receive_answer()), "/again|");
  EXPECT_EQ(statistics("web").http_responses[4], 2u);
}

TEST_F(Http, AnnouncedConnectionsHaveOwnersOfTheirOwn) {
  const auto address = open_http();
  serve("web", BATON_LISTEN_ANNOUNCE, [&](baton_context* context, const baton_message* message) {
    const Seen seen(message);
    if (seen.is("tcp_accepted")) {
      tcp().set_active(context, seen.port(), BATON_ACTIVE_ALWAYS);
      journal_.write("accepted");
    } else if (seen.is("tcp_closed")) {
      journal_.write("closed");
    }
    return mirror()(context, message);
  });
  Client client(address);

  client.send(get("/a"));
  EXPECT_EQ(journal_.next(), "accepted");
  EXPECT_EQ(body_of(client.receive_answer()), "/a|");
  client.close();
  EXPECT_EQ(journal_.next(), "closed");
}

TEST_F(Http, TheEndOfAConnectionsOwnerAnswersItsRequestsAndClosesIt) {
  const auto address = open_http();
  serve("web", BATON_LISTEN_ANNOUNCE, [&](baton_context* context, const baton_message* message) {
    const Seen seen(message);
    if (!seen.is("tcp_accepted")) return +BATON_CRASH;
    tcp().set_active(context, seen.port(), BATON_ACTIVE_ALWAYS);
    return +BATON_OK;
  });
  Client client(address);

  client.send(get("/a"));
  const std::string answer = client.receive_all();
  EXPECT_EQ(status_of(answer), 500);
  EXPECT_NE(answer.find("connection: close"), answer.npos);
}

TEST_F(Http, ConnectionsOfAClosedListenerEndWithItsOwner) {
  const auto address = open_http();
  const baton_term owner = serve("web", 0, mirror());
  Client client(address);
  client.send(get("/a"));
  EXPECT_EQ(body_of(client.receive_answer()), "/a|");

  ASSERT_TRUE(net_.close("web").ok());
  client.send(get("/b"));
  EXPECT_EQ(body_of(client.receive_answer()), "/b|");
  kill(owner);
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_FALSE(client.was_reset());
}

TEST_F(Http, ConnectionsOfAClosedListenerWithoutAnOwnerEnd) {
  const auto address = open_http();
  const baton_term owner = serve("web", 0, mirror());
  Client client(address);
  client.send(get("/a"));
  client.receive_answer();
  kill(owner);
  ASSERT_TRUE(eventually([&] { return net_.status("web")->owner == BATON_NO_TERM; }));

  ASSERT_TRUE(net_.close("web").ok());
  EXPECT_EQ(client.receive_all(), "");
}

TEST_F(Http, AClientThatTakesNoAnswersIsClosedWhenTheyFillItsQueue) {
  const auto address = open_http();
  net_.listener("web")->limits().send_queue_bytes_max = 1 << 20;
  static const std::string large(4 << 20, 'x');
  serve("web", 0, [&](baton_context* context, const baton_message* message) {
    respond(context, Seen(message), 200, large);
    return +BATON_OK;
  });
  Client client(address);
  std::string all;
  for (int i = 0; i < 60; ++i) all += get("/");
  client.send(all);

  // The error is counted before the connection is gone.
  EXPECT_TRUE(eventually([&] { return statistics("web").errors == 1; }));
  EXPECT_TRUE(eventually([&] { return statistics("web").open == 0; }));
}

TEST_F(Http, BodiesThatWaitForTheirAnswersAreBounded) {
  auto small = description("web", description::Protocol::kHttp);
  small.body_bytes_max = 100'000;
  const auto address = open(small);
  std::atomic<int> asked{0};
  serve("web", 0, [&](baton_context*, const baton_message*) {
    ++asked;
    return +BATON_OK;
  });
  Client client(address);
  const std::string post =
      "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 60000\r\n\r\n" + std::string(60'000, 'x');
  client.send(post + post + post + post);

  // The second one passes the bound, so it is the last that is read.
  EXPECT_TRUE(eventually([&] { return asked == 2; }));
  Client other(address);
  other.send(get("/"));
  EXPECT_TRUE(eventually([&] { return asked == 3; }));
  EXPECT_EQ(statistics("web").http_requests, 3u);
}

TEST_F(Http, AnAnswerThatMayNotBeSentIsRefusedAndCanBeGivenAgain) {
  const auto address = open_http();
  serve("web", 0, [&](baton_context* context, const baton_message* message) {
    const Seen seen(message);
    const auto refused = [&](int status, std::string_view name, std::string_view value) {
      const baton_http_header header{name.data(), name.size(), value.data(), value.size()};
      return http().respond(context, seen.port(), seen.number(2), status, &header, 1, "", 0) ==
             BATON_NET_INVALID;
    };
    const bool all = refused(99, "a", "b") && refused(100, "a", "b") && refused(600, "a", "b") &&
                     refused(200, "", "b") && refused(200, "a b", "c") &&
                     refused(200, "a", "b\r\nset-cookie: c") &&
                     refused(200, "Content-Length", "5") &&
                     refused(200, "transfer-encoding", "chunked");
    respond(context, seen, all ? 200 : 500, "");
    return +BATON_OK;
  });
  Client client(address);

  client.send(get("/"));
  EXPECT_EQ(status_of(client.receive_answer()), 200);
}

TEST_F(Http, LargeBodiesGoBothWays) {
  const auto address = open_http();
  serve("web", 0, mirror());
  Client client(address);
  std::string body(3'000'000, ' ');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('A' + i % 31);
  auto sending = std::async(std::launch::async, [&] {
    return client.send("POST /l HTTP/1.1\r\nhost: h\r\ncontent-length: " +
                       std::to_string(body.size()) + "\r\n\r\n" + body + get("/next"));
  });

  EXPECT_EQ(body_of(client.receive_answer()), "/l|" + body);
  EXPECT_EQ(body_of(client.receive_answer()), "/next|");
  EXPECT_TRUE(sending.get());
}

TEST_F(Http, RefusesConnectionsBeyondTheLimitWith503) {
  auto small = description("web", description::Protocol::kHttp);
  small.connections_max = 1;
  const auto address = open(small);
  serve("web", 0, mirror());
  Client first(address);
  first.send(get("/"));
  first.receive_answer();

  Client second(address);
  EXPECT_EQ(status_of(second.receive_all()), 503);
  EXPECT_EQ(statistics("web").refused, 1u);
}

}  // namespace
}  // namespace baton::net
