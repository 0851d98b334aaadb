#include "support/net_fixture.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <atomic>
#include <future>

namespace baton::net {
namespace {

class Tcp : public NetFixture {
 protected:
  /// Writes each message into the journal, as text; opens what it gets with `active`.
  Callback watch(std::int32_t active) {
    return [this, active](baton_context* context, const baton_message* message) {
      const Seen seen(message);
      if (seen.is("tcp_accepted")) {
        port_ = seen.port();
        tcp().set_active(context, seen.port(), active);
        journal_.write("accepted");
      } else if (seen.is("tcp")) {
        journal_.write(seen.bytes());
      } else if (seen.is("tcp_passive")) {
        journal_.write("passive");
      } else if (seen.is("tcp_closed")) {
        journal_.write("closed");
      } else if (seen.is("tcp_error")) {
        journal_.write("error " + term::print(seen[2], atoms_));
      } else if (seen.is("again")) {
        journal_.write("active " + std::to_string(tcp().set_active(
                                       context, port_, static_cast<std::int32_t>(seen.number(1)))));
      }
      return +BATON_OK;
    };
  }
  /// Tells such a process to call set_active.
  void set_active(baton_term pid, std::int32_t count) {
    const baton_term words[] = {term::make_header(BATON_KIND_TUPLE, 2), term::atom("again"),
                                term::make_int(count)};
    send(pid, term::boxed_at(words));
  }

  std::atomic<baton_term> port_{BATON_NO_TERM};
};

TEST_F(Tcp, EchoesWhatComes) {
  const auto address = open_tcp();
  serve("echo", 0, echo());
  Client client(address);

  client.send("hello");
  EXPECT_EQ(client.receive(5), "hello");
  std::string large(300'000, 'x');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>('a' + i % 23);
  auto sending = std::async(std::launch::async, [&] { return client.send(large); });
  EXPECT_EQ(client.receive(large.size()), large);
  EXPECT_TRUE(sending.get());
}

TEST_F(Tcp, ReportsTheAddressItIsBoundTo) {
  const auto address = open_tcp();

  EXPECT_NE(address.port, 0);
  EXPECT_EQ(net_.status("echo")->address, address);
  serve("echo", 0, echo());
  const std::string text = address.text();
  spawn([this](baton_context* context, const baton_message*) {
    char bound[64];
    const int size = tcp().address(context, "echo", 4, bound, sizeof bound);
    journal_.write(size > 0 ? bound : "?");
    journal_.write(std::to_string(tcp().address(context, "none", 4, bound, sizeof bound)));
    journal_.write(std::to_string(tcp().address(context, "echo", 4, bound, 5)));
    return +BATON_OK;
  });
  EXPECT_EQ(journal_.next(), text);
  EXPECT_EQ(journal_.next(), std::to_string(BATON_NET_CLOSED));
  EXPECT_EQ(journal_.next(), std::to_string(BATON_NET_INVALID));
}

TEST_F(Tcp, TakesNoConnectionBeforeThereIsAnOwner) {
  const auto address = open_tcp();
  Client client(address);
  client.send("early");

  EXPECT_TRUE(client.is_connected());
  EXPECT_EQ(statistics("echo").accepted, 0u);
  serve("echo", 0, echo());
  EXPECT_EQ(client.receive(5), "early");
  EXPECT_EQ(statistics("echo").accepted, 1u);
}

TEST_F(Tcp, GivesAListenerToOneOwnerAtATime) {
  open_tcp();
  const baton_term owner = serve("echo", 0, echo());
  const auto listen_again = [&] {
    spawn([this](baton_context* context, const baton_message*) {
      journal_.write(std::to_string(tcp().listen(context, "echo", 4, 0)));
      return +BATON_STOP;
    });
    return journal_.next();
  };

  EXPECT_EQ(listen_again(), std::to_string(BATON_NET_TAKEN));
  kill(owner);
  EXPECT_TRUE(eventually([&] { return net_.status("echo")->owner == BATON_NO_TERM; }));
  EXPECT_EQ(listen_again(), std::to_string(BATON_NET_OK));
}

TEST_F(Tcp, KnowsOnlyTheListenersOfTheRelease) {
  spawn([this](baton_context* context, const baton_message*) {
    journal_.write(std::to_string(tcp().listen(context, "nowhere", 7, 0)));
    journal_.write(std::to_string(tcp().listen(context, "", 0, 0)));
    return +BATON_OK;
  });

  EXPECT_EQ(journal_.next(), std::to_string(BATON_NET_CLOSED));
  EXPECT_EQ(journal_.next(), std::to_string(BATON_NET_INVALID));
  EXPECT_EQ(net_.close("nowhere").error().code(), Code::kNotFound);
}

TEST_F(Tcp, RefusesAnAddressThatIsTakenByName) {
  const auto address = open_tcp();
  auto second = description("second", description::Protocol::kTcp);
  second.address = address;

  const auto opened = net_.open(second);
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().message().find("second"), std::string::npos);
  EXPECT_NE(opened.error().message().find(address.text()), std::string::npos);
  EXPECT_EQ(net_.open(description("echo", description::Protocol::kTcp)).error().code(),
            Code::kUsage);
}

TEST_F(Tcp, ReadsNothingWhilePassive) {
  const auto address = open_tcp();
  const baton_term pid = serve("echo", 0, watch(BATON_ACTIVE_FALSE));
  Client client(address);
  client.send("later");
  EXPECT_EQ(journal_.next(), "accepted");

  EXPECT_TRUE(journal_.is_empty());
  EXPECT_EQ(statistics("echo").bytes_received, 0u);
  set_active(pid, BATON_ACTIVE_ONCE);
  EXPECT_EQ(journal_.next(), "active 0");
  EXPECT_EQ(journal_.next(), "later");
}

TEST_F(Tcp, ActiveOnceGivesOneMessage) {
  const auto address = open_tcp();
  const baton_term pid = serve("echo", 0, watch(BATON_ACTIVE_ONCE));
  Client client(address);
  EXPECT_EQ(journal_.next(), "accepted");
  client.send("one");
  EXPECT_EQ(journal_.next(), "one");

  client.send("two");
  set_active(pid, BATON_ACTIVE_ONCE);
  EXPECT_EQ(journal_.next(), "active 0");
  EXPECT_EQ(journal_.next(), "two");
}

TEST_F(Tcp, ActiveNGivesThatManyMessagesThenPassive) {
  const auto address = open_tcp();
  const baton_term pid = serve("echo", 0, watch(2));
  Client client(address);
  EXPECT_EQ(journal_.next(), "accepted");

  for (const char* text : {"one", "two"}) {
    client.send(text);
    EXPECT_EQ(journal_.next(), text);
  }
  EXPECT_EQ(journal_.next(), "passive");
  client.send("three");
  set_active(pid, 1);
  EXPECT_EQ(journal_.next(), "active 0");
  EXPECT_EQ(journal_.next(), "three");
  EXPECT_EQ(journal_.next(), "passive");
  set_active(pid, -3);
  EXPECT_EQ(journal_.next(), "active " + std::to_string(BATON_NET_INVALID));
}

TEST_F(Tcp, GivesTheEndOfTheStreamAfterTheLastBytes) {
  const auto address = open_tcp();
  serve("echo", 0, watch(BATON_ACTIVE_ALWAYS));
  Client client(address);
  EXPECT_EQ(journal_.next(), "accepted");

  client.send("last");
  client.close();
  EXPECT_EQ(journal_.next(), "last");
  EXPECT_EQ(journal_.next(), "closed");
}

TEST_F(Tcp, GivesTheEndOfTheStreamToAPassiveOwnerWhenItAsks) {
  const auto address = open_tcp();
  const baton_term pid = serve("echo", 0, watch(BATON_ACTIVE_FALSE));
  Client client(address);
  EXPECT_EQ(journal_.next(), "accepted");
  client.send("last");
  client.shutdown_output();

  set_active(pid, BATON_ACTIVE_ONCE);
  EXPECT_EQ(journal_.next(), "active 0");
  EXPECT_EQ(journal_.next(), "last");
  set_active(pid, BATON_ACTIVE_ONCE);
  EXPECT_EQ(journal_.next(), "active 0");
  EXPECT_EQ(journal_.next(), "closed");
}

TEST_F(Tcp, AnswersAClientThatHasEndedItsStream) {
  const auto address = open_tcp();
  serve("echo", 0, echo());
  Client client(address);

  client.send("answer me");
  client.shutdown_output();
  EXPECT_EQ(client.receive_all(), "answer me");
  EXPECT_FALSE(client.was_reset());
  EXPECT_TRUE(eventually([&] { return statistics("echo").open == 0; }));
}

TEST_F(Tcp, CloseSendsWhatWasQueuedAndDoesNotReset) {
  const auto address = open_tcp();
  static const std::string large(2'000'000, 'z');
  serve("echo", 0, [&](baton_context* context, const baton_message* message) {
    const Seen seen(message);
    if (seen.is("tcp_accepted")) {
      tcp().send(context, seen.port(), large.data(), large.size());
      tcp().close(context, seen.port());
      journal_.write(std::to_string(tcp().send(context, seen.port(), "x", 1)));
    }
    return +BATON_OK;
  });
  Client client(address);
  client.send("this is never read, and must not turn the end into a reset");

  EXPECT_EQ(journal_.next(), std::to_string(BATON_NET_CLOSED));
  EXPECT_EQ(client.receive_all().size(), large.size());
  EXPECT_FALSE(client.was_reset());
  client.close();
  EXPECT_TRUE(eventually([&] { return statistics("echo").closed == 1; }));
}

TEST_F(Tcp, ShutdownEndsOurStreamOnly) {
  const auto address = open_tcp();
  serve("echo", 0, [&](baton_context* context, const baton_message* message) {
    const Seen seen(message);
    if (seen.is("tcp_accepted")) {
      tcp().set_active(context, seen.port(), BATON_ACTIVE_ALWAYS);
      tcp().send(context, seen.port(), "bye", 3);
      tcp().shutdown(context, seen.port());
    } else if (seen.is("tcp")) {
      journal_.write(seen.bytes());
    }
    return +BATON_OK;
  });
  Client client(address);

  EXPECT_EQ(client.receive_all(), "bye");
  client.send("still heard");
  EXPECT_EQ(journal_.next(), "still heard");
  client.close();
  EXPECT_TRUE(eventually([&] { return statistics("echo").open == 0; }));
}

TEST_F(Tcp, AResetIsAnErrorAndAnEnd) {
  const auto address = open_tcp();
  serve("echo", 0, watch(BATON_ACTIVE_ALWAYS));
  Client client(address);
  EXPECT_EQ(journal_.next(), "accepted");

  client.abort();
  EXPECT_EQ(journal_.next(), "error econnreset");
  EXPECT_EQ(journal_.next(), "closed");
  EXPECT_EQ(statistics("echo").errors, 1u);
}

TEST_F(Tcp, TheOwnersEndClosesItsConnectionsAfterSendingWhatWaits) {
  const auto address = open_tcp();
  static const std::string large(1'000'000, 'q');
  serve("echo", 0, [&](baton_context* context, const baton_message* message) {
    const Seen seen(message);
    if (!seen.is("tcp_accepted")) return +BATON_OK;
    tcp().send(context, seen.port(), large.data(), large.size());
    return +BATON_STOP;
  });
  Client client(address);

  EXPECT_EQ(client.receive_all().size(), large.size());
  EXPECT_FALSE(client.was_reset());
}

TEST_F(Tcp, AListenerOutlivesItsOwner) {
  const auto address = open_tcp();
  const baton_term first = serve("echo", 0, echo());
  Client before(address);
  before.send("a");
  EXPECT_EQ(before.receive(1), "a");

  kill(first);
  EXPECT_EQ(before.receive_all(), "");
  Client between(address);
  between.send("b");
  serve("echo", 0, echo());
  EXPECT_EQ(between.receive(1), "b");
}

TEST_F(Tcp, AConnectionMayBePassedOn) {
  const auto address = open_tcp();
  // given: a process that echoes once it has been given the connection
  const baton_term worker = spawn([this](baton_context* context, const baton_message* message) {
    if (message->kind == BATON_SPAWN) return +BATON_OK;
    if (term::is_port(message->root)) {
      tcp().set_active(context, message->root, BATON_ACTIVE_ALWAYS);
      return +BATON_OK;
    }
    return echo()(context, message);
  });
  const baton_term acceptor =
      serve("echo", 0, [&](baton_context* context, const baton_message* message) {
        const Seen seen(message);
        if (!seen.is("tcp_accepted")) return +BATON_OK;
        const int passed = tcp().controlling_process(context, seen.port(), worker);
        journal_.write(std::to_string(passed));
        journal_.write(std::to_string(tcp().set_active(context, seen.port(), BATON_ACTIVE_ONCE)));
        baton_message* ports = context->host->alloc(context, 0);
        ports->root = seen.port();
        context->host->send(context, worker, ports);
        return +BATON_OK;
      });
  Client client(address);
  client.send("to the worker");

  EXPECT_EQ(journal_.next(), std::to_string(BATON_NET_OK));
  EXPECT_EQ(journal_.next(), std::to_string(BATON_NET_NOT_OWNER));
  EXPECT_EQ(client.receive(13), "to the worker");
  // It is no business of the acceptor's any more.
  kill(acceptor);
  EXPECT_TRUE(eventually([&] { return net_.status("echo")->owner == BATON_NO_TERM; }));
  client.send("still");
  EXPECT_EQ(client.receive(5), "still");
  kill(worker);
  EXPECT_EQ(client.receive_all(), "");
}

TEST_F(Tcp, AConnectionCannotBePassedToTheDead) {
  const auto address = open_tcp();
  const baton_term dead = spawn([](baton_context*, const baton_message*) { return +BATON_STOP; });
  ASSERT_TRUE(eventually([&] { return !runtime_.watch_port_owner(dead); }));
  serve("echo", 0, [&](baton_context* context, const baton_message* message) {
    const Seen seen(message);
    if (seen.is("tcp_accepted"))
      journal_.write(std::to_string(tcp().controlling_process(context, seen.port(), dead)));
    return echo()(context, message);
  });
  Client client(address);

  EXPECT_EQ(journal_.next(), std::to_string(BATON_NET_INVALID));
  client.send("mine");
  EXPECT_EQ(client.receive(4), "mine");
}

TEST_F(Tcp, IsNotReadWhileItsClientDoesNotReadTheAnswers) {
  const auto address = open_tcp();
  serve("echo", 0, echo());
  Client client(address);
  // when: a client sends much and reads nothing
  const int small = 16384;
  setsockopt(client.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  constexpr std::size_t kBytes = 64u << 20;
  std::atomic<std::size_t> sent{0};
  auto sending = std::async(std::launch::async, [&] {
    const std::string chunk(1 << 16, 'x');
    while (sent < kBytes && client.send(chunk)) sent += chunk.size();
  });

  // then: the host has read no more than it could send on and keep
  std::uint64_t received = 0;
  EXPECT_TRUE(eventually([&] {
    const std::uint64_t before = std::exchange(received, statistics("echo").bytes_received);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return received > 0 && received == before;
  }));
  EXPECT_LT(received, kBytes / 2);
  // It may go on sending meanwhile, where the machine is slow.
  const net::Statistics now = statistics("echo");
  EXPECT_LE(now.bytes_received,
            now.bytes_sent + kSendQueueBytesHigh + 2 * kReadsMax * kChunkBytesMax);
  // and goes on when the client does
  EXPECT_EQ(client.receive(kBytes).size(), kBytes);
  sending.get();
}

TEST_F(Tcp, AFullSendQueueClosesTheConnection) {
  const auto address = open_tcp();
  net_.listener("echo")->limits().send_queue_bytes_max = 1 << 20;
  static const std::string chunk(1 << 18, 'x');
  serve("echo", 0, [&](baton_context* context, const baton_message* message) {
    const Seen seen(message);
    if (seen.is("tcp_accepted")) {
      std::int64_t waiting = 0;
      while (waiting >= 0 && waiting < (64 << 20))
        waiting = tcp().send(context, seen.port(), chunk.data(), chunk.size());
      journal_.write(std::to_string(waiting));
    } else {
      journal_.write(term::print(message->root, atoms_).substr(0, 10));
      if (seen.is("tcp_error")) journal_.write(term::print(seen[2], atoms_));
    }
    return +BATON_OK;
  });
  Client client(address);

  EXPECT_EQ(journal_.next(), std::to_string(BATON_NET_CLOSED));
  EXPECT_EQ(journal_.next(), "{tcp_error");
  EXPECT_EQ(journal_.next(), "send_queue_full");
  EXPECT_EQ(journal_.next(), "{tcp_close");
}

TEST_F(Tcp, AClientThatNeverReadsIsClosedAfterTheSendTimeout) {
  const auto address = open_tcp();
  net_.listener("echo")->limits().send_timeout_ns = 50'000'000;
  static const std::string large(16 << 20, 'x');
  serve("echo", 0, [&](baton_context* context, const baton_message* message) {
    const Seen seen(message);
    if (seen.is("tcp_accepted")) tcp().send(context, seen.port(), large.data(), large.size());
    if (seen.is("tcp_error")) journal_.write(term::print(seen[2], atoms_));
    return +BATON_OK;
  });
  Client client(address);

  EXPECT_EQ(journal_.next(), "send_timeout");
  EXPECT_EQ(statistics("echo").timeouts, 1u);
}

TEST_F(Tcp, AnIdleConnectionIsClosedAfterTheIdleTimeout) {
  auto idle = description("echo", description::Protocol::kTcp);
  idle.idle_timeout = std::chrono::milliseconds(60);
  const auto address = open(idle);
  serve("echo", 0, watch(BATON_ACTIVE_ALWAYS));
  Client client(address);
  EXPECT_EQ(journal_.next(), "accepted");

  client.send("x");
  EXPECT_EQ(journal_.next(), "x");
  EXPECT_EQ(journal_.next(), "error idle_timeout");
  EXPECT_EQ(journal_.next(), "closed");
  EXPECT_EQ(client.receive_all(), "");
}

TEST_F(Tcp, AcceptsNoMoreThanConnectionsMax) {
  auto small = description("echo", description::Protocol::kTcp);
  small.connections_max = 2;
  const auto address = open(small);
  serve("echo", 0, echo());
  Client first(address), second(address);
  for (Client* client : {&first, &second}) {
    client->send("x");
    EXPECT_EQ(client->receive(1), "x");
  }

  Client third(address);
  EXPECT_EQ(third.receive_all(), "");
  EXPECT_EQ(statistics("echo").refused, 1u);
  first.close();
  EXPECT_TRUE(eventually([&] { return statistics("echo").open == 1; }));
  Client fourth(address);
  fourth.send("y");
  EXPECT_EQ(fourth.receive(1), "y");
}

// Those that waited were counted as refused, again and again, and no connection was.
TEST_F(Tcp, ClientsWaitWhileTheSystemHasNoDescriptorForThem) {
  const auto address = open_tcp();
  serve("echo", 0, echo());
  Client client(address);
  client.send("x");
  ASSERT_EQ(client.receive(1), "x");
  // given: no descriptor beyond those in use
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  Client waiting(address, Client::Connect::kLater);
  const rlimit none{static_cast<rlim_t>(waiting.fd()) + 1, files.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);

  waiting.connect(address);
  waiting.send("y");
  EXPECT_TRUE(eventually([&] { return statistics("echo").deferred > 0; }));
  setrlimit(RLIMIT_NOFILE, &files);
  EXPECT_EQ(waiting.receive(1), "y");
  EXPECT_EQ(statistics("echo").refused, 0u);
}

// Idle clients held all connections of a listener for ever.
TEST_F(Tcp, AFullListenerClosesTheConnectionThatWasIdleLongest) {
  auto small = description("echo", description::Protocol::kTcp);
  small.connections_max = 2;
  const auto address = open(small);
  serve("echo", 0, echo());
  Client first(address), second(address);
  for (Client* client : {&second, &first}) {
    client->send("x");
    EXPECT_EQ(client->receive(1), "x");
  }
  first.send("x");
  EXPECT_EQ(first.receive(1), "x");
  std::this_thread::sleep_for(std::chrono::nanoseconds(kShedIdleNs) * 5 / 4);
  first.send("x");
  EXPECT_EQ(first.receive(1), "x");

  Client third(address);
  third.send("y");
  EXPECT_EQ(third.receive(1), "y");
  EXPECT_EQ(second.receive_all(), "");
  first.send("z");
  EXPECT_EQ(first.receive(1), "z");
  EXPECT_EQ(statistics("echo").shed, 1u);
  EXPECT_EQ(statistics("echo").refused, 0u);
}

// Clients could use up all descriptors: then there was none for the admin interface or a bundle.
TEST_F(Tcp, LeavesDescriptorsToTheHost) {
  const auto address = open_tcp();
  serve("echo", 0, echo());
  std::vector<Client> clients;
  for (int i = 0; i < 100; ++i) clients.emplace_back(address, Client::Connect::kLater);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  // Both ends are in this process: for the host's there are 60 more, but it may use fewer.
  const rlimit few{static_cast<rlim_t>(clients.back().fd()) + 60, files.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  for (Client& client : clients) client.connect(address);

  EXPECT_TRUE(eventually(
      [&] { return statistics("echo").accepted + statistics("echo").refused == clients.size(); }));
  std::vector<int> own;
  for (int fd = 0; fd >= 0; own.push_back(fd)) fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  setrlimit(RLIMIT_NOFILE, &files);
  for (int fd : own) ::close(fd);
  EXPECT_GT(statistics("echo").accepted, 0u);
  EXPECT_GE(own.size(), few.rlim_cur / 4);
}

TEST(LongestIdle, GivesTheLongestIdleFirstAndKeepsNoMoreThanItsMax) {
  LongestIdle idle;
  EXPECT_FALSE(idle.take());
  for (std::uint64_t i = 0; i < 3 * kShedCandidatesMax; ++i) {
    const std::uint64_t since = 1 + i * 7919 % (3 * kShedCandidatesMax);  // each once
    idle.offer({since, since << 8});
  }
  for (std::uint64_t since = 1; since <= kShedCandidatesMax; ++since) {
    const auto taken = idle.take();
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->since_ns, since);
    EXPECT_EQ(taken->port, since << 8);
  }
  EXPECT_FALSE(idle.take());
}

TEST_F(Tcp, ASuspendedListenerHoldsClientsBack) {
  const auto address =
      *net_.open(description("echo", description::Protocol::kTcp), Net::Exposure::kSuspended);
  serve("echo", 0, echo());
  Client client(address);
  client.send("x");

  EXPECT_TRUE(client.is_connected());
  EXPECT_TRUE(net_.status("echo")->is_suspended);
  EXPECT_EQ(statistics("echo").accepted, 0u);
  ASSERT_TRUE(net_.resume("echo").ok());
  EXPECT_EQ(client.receive(1), "x");
}

TEST_F(Tcp, ConnectionsOutliveTheirListenerBeingSuspendedAndClosed) {
  const auto address = open_tcp();
  serve("echo", 0, echo());
  Client client(address);
  client.send("x");
  EXPECT_EQ(client.receive(1), "x");

  ASSERT_TRUE(net_.suspend("echo").ok());
  client.send("y");
  EXPECT_EQ(client.receive(1), "y");
  ASSERT_TRUE(net_.close("echo").ok());
  client.send("z");
  EXPECT_EQ(client.receive(1), "z");
  EXPECT_FALSE(Client(address).is_connected());
  EXPECT_TRUE(net_.list().empty());
}

TEST_F(Tcp, LimitsChangeInPlaceButAddressesDoNot) {
  auto changed = description("echo", description::Protocol::kTcp);
  const auto address = open(changed);
  changed.connections_max = 1;
  ASSERT_TRUE(net_.change(changed).ok());
  changed.address.port = 1;
  EXPECT_EQ(net_.change(changed).error().code(), Code::kUsage);

  serve("echo", 0, echo());
  Client first(address);
  first.send("x");
  EXPECT_EQ(first.receive(1), "x");
  EXPECT_EQ(Client(address).receive_all(), "");
}

TEST_F(Tcp, NamesThePeer) {
  const auto address = open_tcp();
  serve("echo", 0, [&](baton_context* context, const baton_message* message) {
    const Seen seen(message);
    if (seen.is("tcp_accepted")) {
      char text[64];
      journal_.write(tcp().peer(context, seen.port(), text, sizeof text) > 0 ? text : "?");
    }
    return +BATON_OK;
  });
  Client client(address);

  EXPECT_EQ(journal_.next(), address_of(client.fd(), Side::kOwn).text());
}

TEST_F(Tcp, AStalePortIsRefusedEverywhere) {
  const auto address = open_tcp();
  serve("echo", 0, [&](baton_context* context, const baton_message* message) {
    const Seen seen(message);
    if (!seen.is("tcp_accepted")) return +BATON_OK;
    const baton_term port = seen.port();
    tcp().close(context, port);
    const baton_term next_use = port + (std::uint64_t{1} << 32);
    for (baton_term stale : {port, next_use, term::make_port(9999, 1), BATON_NIL}) {
      const bool refused =
          tcp().send(context, stale, "x", 1) == BATON_NET_CLOSED &&
          tcp().set_active(context, stale, 1) == BATON_NET_CLOSED &&
          tcp().shutdown(context, stale) == BATON_NET_CLOSED &&
          tcp().close(context, stale) == BATON_NET_CLOSED &&
          tcp().controlling_process(context, stale, context->self) == BATON_NET_CLOSED &&
          http().respond(context, stale, 1, 200, nullptr, 0, "", 0) == BATON_NET_CLOSED;
      journal_.write(refused ? "refused" : "taken");
    }
    return +BATON_OK;
  });
  Client client(address);

  for (int i = 0; i < 4; ++i) EXPECT_EQ(journal_.next(), "refused");
}

TEST_F(Tcp, ServesThousandsOfConnectionsAndForgetsThem) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  // Both ends are in this process.
  const std::size_t count =
      std::min<std::size_t>(10'000, (files.rlim_cur - kDescriptorsReserved - 200) / 2);
  auto many = description("echo", description::Protocol::kTcp);
  many.connections_max = 20'000;
  many.idle_timeout = std::chrono::minutes(5);
  const auto address = open(many);
  serve("echo", 0, echo());

  std::vector<Client> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.emplace_back(address);
    ASSERT_TRUE(clients.back().is_connected());
    clients.back().send(std::to_string(i));
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::string expected = std::to_string(i);
    ASSERT_EQ(clients[i].receive(expected.size()), expected);
  }
  EXPECT_EQ(statistics("echo").open, count);
  clients.clear();
  EXPECT_TRUE(eventually([&] { return statistics("echo").open == 0; }));
  EXPECT_EQ(statistics("echo").closed, count);
}

}  // namespace
}  // namespace baton::net
