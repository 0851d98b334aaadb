// Connection: one TCP connection of the client, its model, and the requests under way on it.
//
// It is opened once. What ends it, whoever ends it, ends it for good: the client never reconnects.
//
// Ownership: owns its socket and its model.
// Threads:   one.
// Fails:     open(), when nobody listens; afterwards a lost connection is reported, not an error.
#pragma once

#include "base/result.h"
#include "load/model.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace baton::load {

struct Address {
  std::string host;  // an IPv4 address
  std::uint16_t port = 0;
  std::string text() const { return host + ":" + std::to_string(port); }
};
/// Reads "127.0.0.1:6379".
Result<Address> parse_address(const std::string& text);

class Connection {
 public:
  /// Given the verdict on each reply and when its request was sent.
  using Replied = std::function<void(const Answer&, std::uint64_t sent_ns)>;

  static Result<Connection> open(const Address& address, std::unique_ptr<Model> model);
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;
  ~Connection();

  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  Model& model() { return *model_; }
  std::size_t in_flight() const { return sent_ns_.size(); }
  /// When the oldest unanswered request was sent. Requires: in_flight() > 0.
  std::uint64_t oldest_ns() const { return sent_ns_.front(); }
  bool wants_write() const { return written_ < out_.size(); }

  /// Queues a request; flush() sends it. Requires: is_open().
  void ask(const std::string& bytes, std::uint64_t now_ns);
  /// Sends and receives what the socket takes and has. Returns why the connection is lost, empty
  /// where it lives; once lost it is closed.
  std::string flush();
  std::string receive(const Replied& replied);
  void close();

 private:
  Connection(int fd, std::unique_ptr<Model> model) : fd_(fd), model_(std::move(model)) {}
  std::string judge(const Replied& replied);
  std::string lost(const std::string& why);

  int fd_;
  std::unique_ptr<Model> model_;
  std::string out_;
  std::size_t written_ = 0;
  std::string in_;
  std::size_t judged_ = 0;
  std::deque<std::uint64_t> sent_ns_;
};

}  // namespace baton::load
