#include "net/memory.h"
#include "support/net_fixture.h"

namespace baton::net {
namespace {

using Level = Memory::Level;

TEST(Memory, IsHighFromAPartOfItsLimitOnAndFullAtIt) {
  Memory memory(4000);
  EXPECT_EQ(memory.high(), 3000u);
  memory.add(2999);
  EXPECT_EQ(memory.level(), Level::kCalm);
  memory.add(1);
  EXPECT_EQ(memory.level(), Level::kHigh);
  EXPECT_TRUE(memory.has_room(1000));
  EXPECT_FALSE(memory.has_room(1001));
  memory.add(1000);
  EXPECT_EQ(memory.level(), Level::kFull);
  EXPECT_FALSE(memory.has_room(0));
  memory.set_max(40'000);
  EXPECT_EQ(memory.level(), Level::kCalm);
  memory.subtract(4000);
  EXPECT_EQ(memory.used(), 0u);
}

TEST(Memory, CountsForItsParentAndIsNoBetterOffThanIt) {
  Memory host(4000);
  Memory one(4000, &host), other(40'000, &host);
  one.add(1000);
  other.add(2000);
  EXPECT_EQ(host.used(), 3000u);
  EXPECT_EQ(one.level(), Level::kHigh);
  EXPECT_EQ(other.level(), Level::kHigh);
  EXPECT_FALSE(other.has_room(1001));
  other.subtract(2000);
  EXPECT_EQ(one.level(), Level::kCalm);
  EXPECT_EQ(host.used(), 1000u);
}

TEST(Memory, HasAnExcessAfterItsPatienceAndAtOnceWhenItIsFull) {
  Memory memory(4000);
  memory.add(3500);
  EXPECT_EQ(memory.excess(10), 0u);
  EXPECT_EQ(memory.excess(9 + kMemoryPatienceNs), 0u);
  EXPECT_EQ(memory.excess(10 + kMemoryPatienceNs), 501u);
  // What follows has its time as well,
  EXPECT_EQ(memory.excess(11 + kMemoryPatienceNs), 0u);
  // and time in which requests end does not count.
  memory.subtract(1000);
  memory.add(1000);
  EXPECT_EQ(memory.excess(15 + 2 * kMemoryPatienceNs), 0u);
  memory.subtract(1000);
  EXPECT_EQ(memory.excess(20 + 5 * kMemoryPatienceNs), 0u);
  memory.add(1000);
  EXPECT_EQ(memory.excess(21 + 5 * kMemoryPatienceNs), 0u);
  memory.add(500);
  EXPECT_EQ(memory.excess(22 + 5 * kMemoryPatienceNs), 1001u);
}

TEST(Memory, TheNewestLargeHoldersGoAndTheFirstStaysUnlessItAloneIsTooMuch) {
  const std::vector<LargeHolder> holders{{30, 3, 100}, {10, 1, 100}, {20, 2, 100}};
  EXPECT_EQ(newest_for(holders, 0), std::vector<baton_term>{});
  EXPECT_EQ(newest_for(holders, 100), (std::vector<baton_term>{3}));
  EXPECT_EQ(newest_for(holders, 101), (std::vector<baton_term>{3, 2}));
  EXPECT_EQ(newest_for(holders, 1000), (std::vector<baton_term>{3, 2}));
  EXPECT_EQ(newest_for({{10, 1, 100}}, 1), (std::vector<baton_term>{1}));
}

class ConnectionMemory : public NetFixture {
 protected:
  static constexpr std::uint64_t kMax = 4 << 20;

  description::Address open_small(const std::string& name, description::Protocol protocol) {
    auto small = description(name, protocol);
    small.memory_max = kMax;
    return open(small);
  }
  Memory& memory(std::string_view listener) { return net_.listener(listener)->memory(); }

  // Sends as far as it goes without waiting.
  static std::size_t push(Client& client, std::string_view bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t size = ::send(client.fd(), bytes.data() + sent, bytes.size() - sent,
                                  MSG_NOSIGNAL | MSG_DONTWAIT);
      if (size <= 0) break;
      sent += static_cast<std::size_t>(size);
    }
    return sent;
  }
  static std::string post(std::size_t size) {
    return "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: " + std::to_string(size) + "\r\n\r\n";
  }
};

// What connections held was counted nowhere.
TEST_F(ConnectionMemory, UnfinishedRequestsStopAtTheLimitAndSmallOnesAreServed) {
  const auto address = open_small("web", description::Protocol::kHttp);
  serve("web", 0, mirror());
  const std::string body(7 << 20, 'x');
  std::vector<Client> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back(address);
    clients.back().send(post(8 << 20));
  }
  std::vector<std::size_t> sent(clients.size());
  std::uint64_t most = 0;
  const auto end =
      std::chrono::steady_clock::now() + 2 * std::chrono::nanoseconds(kMemoryPatienceNs);
  while (std::chrono::steady_clock::now() < end) {
    for (std::size_t i = 0; i < clients.size(); ++i)
      sent[i] += push(clients[i], std::string_view(body).substr(sent[i], 256 << 10));
    most = std::max(most, memory("web").used());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  // A body's buffer may double while it grows.
  EXPECT_LT(most, 3 * kMax);
  EXPECT_GT(statistics("web").memory, 0u);

  Client small(address);
  small.send("GET /small HTTP/1.1\r\nhost: h\r\n\r\n");
  EXPECT_NE(small.receive_answer().find("200 OK"), std::string::npos);
  clients.clear();
  EXPECT_TRUE(eventually([&] { return memory("web").used() == 0; }));
  EXPECT_EQ(net_.memory().used(), 0u);
}

TEST_F(ConnectionMemory, ManyLargeRequestsAreServedOneAfterTheOther) {
  // given: room for some of them at once, and above the mark for one and what others read meanwhile
  auto small = description("web", description::Protocol::kHttp);
  small.memory_max = 16 << 20;
  const auto address = open(small);
  serve("web", 0, [&](baton_context* context, const baton_message* message) {
    const Seen seen(message);
    respond(context, seen, 200, std::to_string(seen.bytes(6).size()));
    return +BATON_OK;
  });
  const std::string request = post(1 << 20) + std::string(1 << 20, 'x');
  std::vector<std::future<std::string>> answers;
  for (int i = 0; i < 24; ++i)
    answers.push_back(std::async(std::launch::async, [&] {
      Client client(address);
      client.send(request);
      return client.receive_answer();
    }));
  for (auto& answer : answers) EXPECT_NE(answer.get().find("1048576"), std::string::npos);
}

TEST_F(ConnectionMemory, TheNewestLargeRequestIsRefusedWhenTheFirstDoesNotEnd) {
  auto small = description("web", description::Protocol::kHttp);
  small.memory_max = 1 << 20;
  const auto address = open(small);
  serve("web", 0, mirror());
  Client first(address), second(address);
  const std::string part(450'000, 'x');
  first.send(post(520'000) + part);
  ASSERT_TRUE(eventually([&] { return memory("web").used() > 400'000; }));
  second.send(post(520'000) + part);

  EXPECT_NE(second.receive_answer().find("503"), std::string::npos);
  first.send(std::string(70'000, 'y'));
  EXPECT_NE(first.receive_answer().find("200 OK"), std::string::npos);
  EXPECT_EQ(statistics("web").memory, 1u);
}

TEST_F(ConnectionMemory, AReplyThatThereIsNoRoomForClosesItsConnection) {
  const auto address = open_small("echo", description::Protocol::kTcp);
  static const std::string large(32 << 20, 'x');
  serve("echo", 0, [&](baton_context* context, const baton_message* message) {
    const Seen seen(message);
    if (seen.is("tcp_accepted")) tcp().send(context, seen.port(), large.data(), large.size());
    if (seen.is("tcp_error")) journal_.write(term::print(seen[2], atoms_));
    return +BATON_OK;
  });
  Client client(address);

  EXPECT_EQ(journal_.next(), "memory_full");
  EXPECT_EQ(statistics("echo").memory, 1u);
  EXPECT_EQ(memory("echo").used(), 0u);
}

TEST_F(ConnectionMemory, AnOwnerThatHoldsTooMuchIsToldAndTheConnectionIsNotRead) {
  const auto address = open_small("echo", description::Protocol::kTcp);
  serve("echo", 0, [&](baton_context* context, const baton_message* message) {
    const Seen seen(message);
    if (seen.is("tcp_accepted")) {
      journal_.write(std::to_string(tcp().account(context, seen.port(), 0, kMax / 2)));
      journal_.write(std::to_string(tcp().account(context, seen.port(), 0, kMax)));
      tcp().set_active(context, seen.port(), BATON_ACTIVE_ALWAYS);
    }
    if (seen.is("tcp")) journal_.write("read");
    if (seen.is("tcp_error")) journal_.write(term::print(seen[2], atoms_));
    return +BATON_OK;
  });
  Client client(address);
  client.send("x");

  EXPECT_EQ(journal_.next(), std::to_string(BATON_NET_OK));
  EXPECT_EQ(journal_.next(), std::to_string(BATON_NET_NO_MEMORY));
  EXPECT_EQ(journal_.next(), "memory_full");
  EXPECT_TRUE(eventually([&] { return memory("echo").used() == 0; }));
}

// A client that took a little now and then held its replies for ever.
TEST_F(ConnectionMemory, AReaderThatTricklesIsClosedByADeadline) {
  const auto address = open(description("echo", description::Protocol::kTcp));
  ListenerLimits& limits = net_.listener("echo")->limits();
  limits.send_timeout_ns = 300'000'000;
  limits.send_bytes_per_second_min = 64u << 20;
  static const std::string large(24 << 20, 'x');
  serve("echo", 0, [&](baton_context* context, const baton_message* message) {
    const Seen seen(message);
    if (seen.is("tcp_accepted")) tcp().send(context, seen.port(), large.data(), large.size());
    if (seen.is("tcp_error")) journal_.write(term::print(seen[2], atoms_));
    return +BATON_OK;
  });
  Client client(address);
  std::size_t received = 0;
  while (journal_.is_empty() && received < large.size()) {
    received += client.receive(128 << 10).size();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // some 6 MB a second
  }
  EXPECT_EQ(journal_.next(), "send_timeout");
  EXPECT_LT(received, large.size());
}

}  // namespace
}  // namespace baton::net
