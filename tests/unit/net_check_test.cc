#include "support/net_fixture.h"

#include <poll.h>
#include <sys/resource.h>

namespace baton::net {
namespace {

class Check : public NetFixture {
 protected:
  /// What comes by the line, up to so many bytes, within the patience.
  std::string receive(std::size_t size) {
    std::string bytes;
    while (bytes.size() < size) {
      pollfd waiting{line_->own_end(), POLLIN, 0};
      if (poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) != 1)
        break;
      char buffer[256];
      const ssize_t got =
          recv(line_->own_end(), buffer, std::min(size - bytes.size(), sizeof buffer), 0);
      if (got <= 0) break;
      bytes.append(buffer, static_cast<std::size_t>(got));
    }
    return bytes;
  }
  void send_by_line(std::string_view bytes) {
    EXPECT_EQ(::send(line_->own_end(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  std::shared_ptr<CheckLine> line_ = *CheckLine::make();
};

// A stranger who held all connections made the host's own checks fail.
TEST_F(Check, GetsIntoAFullListener) {
  auto small = description("echo", description::Protocol::kTcp);
  small.connections_max = 1;
  const auto address = open(small);
  serve("echo", 0, echo());
  Client first(address);
  first.send("x");
  EXPECT_EQ(first.receive(1), "x");

  const auto check = net_.connect("echo", line_);
  ASSERT_TRUE(check.ok());
  send_by_line("y");
  EXPECT_EQ(receive(1), "y");
  Client stranger(address);
  EXPECT_EQ(stranger.receive_all(), "");

  net_.hang_up(*check);
  EXPECT_EQ(statistics("echo").open, 1u);
}

TEST_F(Check, NeedsNoDescriptorHoweverOftenItComes) {
  open_http();
  serve("web", 0, mirror());
  open_tcp();
  serve("echo", 0, echo());
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  const rlimit none{3, files.rlim_max};  // poll wants one
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);

  for (int i = 0; i < 100; ++i) {
    const std::string closes = i % 2 == 0 ? "connection: close\r\n" : "";
    const auto check = net_.connect("web", line_);
    ASSERT_TRUE(check.ok());
    send_by_line("GET /" + std::to_string(i) + " HTTP/1.1\r\nhost: a\r\n" + closes + "\r\n");
    EXPECT_EQ(receive(12), "HTTP/1.1 200");
    net_.hang_up(*check);
    const auto other = net_.connect("echo", line_);
    ASSERT_TRUE(other.ok());
    send_by_line("y");
    EXPECT_EQ(receive(1), "y");
    net_.hang_up(*other);
  }
  setrlimit(RLIMIT_NOFILE, &files);
}

TEST_F(Check, IsToldThatNobodyServes) {
  EXPECT_EQ(net_.connect("echo", line_).error().code(), Code::kNotFound);
  open_tcp();
  EXPECT_EQ(net_.connect("echo", line_).error().code(), Code::kUnreachable);
  serve("echo", 0, echo());
  ASSERT_TRUE(net_.suspend("echo").ok());
  EXPECT_EQ(net_.connect("echo", line_).error().code(), Code::kUnreachable);
  ASSERT_TRUE(net_.resume("echo").ok());
  const auto check = net_.connect("echo", line_);
  ASSERT_TRUE(check.ok());
  net_.hang_up(*check);
}

TEST_F(Check, EndsForTheOwnerAsAClientDoes) {
  open_tcp();
  serve("echo", 0, [this](baton_context* context, const baton_message* message) {
    const Seen seen(message);
    if (seen.is("tcp_accepted")) {
      char peer[64] = {};
      tcp().peer(context, seen.port(), peer, sizeof peer);
      journal_.write("accepted from " + std::string(peer));
    }
    if (seen.is("tcp_error")) journal_.write("error");
    if (seen.is("tcp_closed")) journal_.write("closed");
    return +BATON_OK;
  });
  const auto check = net_.connect("echo", line_);
  ASSERT_TRUE(check.ok());
  EXPECT_EQ(journal_.next(), "accepted from 127.0.0.1:0");

  net_.hang_up(*check);
  EXPECT_EQ(journal_.next(), "closed");
  net_.hang_up(*check);
}

TEST_F(Check, HearsNothingOfAnEarlierOne) {
  open_tcp();
  serve("echo", 0, echo());
  const auto first = net_.connect("echo", line_);
  ASSERT_TRUE(first.ok());
  send_by_line("old");
  EXPECT_EQ(receive(1), "o");
  net_.hang_up(*first);

  const auto second = net_.connect("echo", line_);
  ASSERT_TRUE(second.ok());
  send_by_line("new");
  EXPECT_EQ(receive(3), "new");
  net_.hang_up(*second);
}

}  // namespace
}  // namespace baton::net
