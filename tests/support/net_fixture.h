// NetFixture: a runtime with a Net, processes whose callback is a function of the test, and
// clients.
//
// Threads: a Client is its thread's; Journal: any thread.
#pragma once

#include "net/net.h"
#include "runtime/native.h"
#include "runtime/primitives.h"
#include "runtime/runtime.h"
#include "term/atom.h"
#include "term/layout.h"
#include "term/text.h"

#include <baton/net.h>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace baton::net {

inline constexpr std::chrono::seconds kPatience{20};

/// What processes saw, told to the test's thread in order.
class Journal {
 public:
  void write(std::string line) {
    std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
    written_.notify_all();
  }
  /// The next line; "(nothing)" if none comes.
  std::string next() {
    std::unique_lock lock(mutex_);
    if (!written_.wait_for(lock, kPatience, [&] { return !lines_.empty(); })) return "(nothing)";
    std::string line = std::move(lines_.front());
    lines_.pop_front();
    return line;
  }
  bool is_empty() {
    std::lock_guard lock(mutex_);
    return lines_.empty();
  }

 private:
  std::mutex mutex_;
  std::condition_variable written_;
  std::deque<std::string> lines_;
};

/// A process's callback: a BATON_ code for a message. init comes as a message of kind BATON_SPAWN.
using Callback = std::function<int(baton_context*, const baton_message*)>;

namespace scripted {

struct State {
  const Callback* callback = nullptr;
};
inline int init(baton_context* context, void* state, const baton_message* args) {
  auto& self = *static_cast<State*>(state);
  self.callback = reinterpret_cast<const Callback*>(args->word[0]);
  return (*self.callback)(context, args);
}
inline int handle(baton_context* context, void* state, const baton_message* message) {
  return (*static_cast<State*>(state)->callback)(context, message);
}
inline constexpr baton_schema kSchema = runtime::native_schema<State>("scripted");
inline constexpr baton_behaviour kBehaviour = runtime::native_behaviour(kSchema, init, handle);
inline constexpr baton_module kModule{.struct_size = sizeof(baton_module),
                                      .abi_major = BATON_ABI_MAJOR,
                                      .abi_minor = BATON_ABI_MINOR,
                                      .name = "scripted",
                                      .version = "1.0.0",
                                      .build = "test",
                                      .behaviour_count = 1,
                                      .behaviour_stride = sizeof(baton_behaviour),
                                      .behaviours = &kBehaviour,
                                      .init = nullptr,
                                      .fini = nullptr};

}  // namespace scripted

/// A message of net.h, looked at: {name, ...}.
struct Seen {
  explicit Seen(const baton_message* message)
      : elements(term::words_at(message->root) + 1,
                 term::header_size(*term::words_at(message->root))) {}
  bool is(std::string_view name) const { return elements[0] == term::atom(name); }
  baton_term port() const { return elements[is("tcp_accepted") ? 2 : 1]; }
  baton_term operator[](std::size_t i) const { return elements[i]; }
  std::string bytes(std::size_t i = 2) const { return std::string(*term::as_binary(elements[i])); }
  std::int64_t number(std::size_t i) const { return *term::as_int(elements[i]); }

  std::span<const baton_term> elements;
};

class Client {
 public:
  enum class Connect { kNow, kLater };
  explicit Client(const description::Address& address, Connect when = Connect::kNow) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{kPatience.count(), 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (when == Connect::kNow) connect(address);
  }
  void connect(const description::Address& address) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(address.port);
    inet_pton(AF_INET, address.host.c_str(), &to.sin_addr);
    is_connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  Client(Client&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), is_connected_(other.is_connected_) {}
  ~Client() { close(); }

  bool is_connected() const { return is_connected_; }
  int fd() const { return fd_; }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
  }
  /// That many bytes, fewer if the stream ends before.
  std::string receive(std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t at = 0;
    while (at < size) {
      const ssize_t got = ::recv(fd_, bytes.data() + at, size - at, 0);
      if (got <= 0) break;
      at += static_cast<std::size_t>(got);
    }
    bytes.resize(at);
    return bytes;
  }
  /// Up to the end of the stream; `was_reset` if it ended by an error.
  std::string receive_all() {
    std::string bytes;
    char buffer[65536];
    for (;;) {
      const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
      if (got < 0) was_reset_ = true;
      if (got <= 0) return bytes;
      bytes.append(buffer, static_cast<std::size_t>(got));
    }
  }
  std::string receive_until(std::string_view end) {
    std::string bytes;
    char c = 0;
    while (!bytes.ends_with(end) && ::recv(fd_, &c, 1, 0) == 1) bytes += c;
    return bytes;
  }
  /// One HTTP answer, by its content-length.
  std::string receive_answer(bool has_body = true) {
    std::string answer = receive_until("\r\n\r\n");
    const std::size_t at = answer.find("content-length: ");
    if (has_body && at != answer.npos) answer += receive(std::stoul(answer.substr(at + 16)));
    return answer;
  }
  bool was_reset() const { return was_reset_; }
  void shutdown_output() { ::shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  /// Closes with a reset.
  void abort() {
    const linger none{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close();
  }

 private:
  int fd_ = -1;
  bool is_connected_ = false;
  bool was_reset_ = false;
};

class NetFixture : public testing::Test {
 protected:
  static constexpr std::uint32_t kSchedulers = 2;

  NetFixture() { runtime_.start(); }
  ~NetFixture() override { runtime_.stop(); }

  static description::ListenerDescription description(const std::string& name,
                                                      description::Protocol protocol) {
    description::ListenerDescription made;
    made.name = name;
    made.protocol = protocol;
    made.address = {"127.0.0.1", 0};
    return made;
  }
  description::Address open(const description::ListenerDescription& description) {
    const auto address = net_.open(description);
    EXPECT_TRUE(address.ok());
    return *address;
  }
  description::Address open_tcp() { return open(description("echo", description::Protocol::kTcp)); }
  description::Address open_http() {
    return open(description("web", description::Protocol::kHttp));
  }

  baton_term spawn(Callback callback) {
    callbacks_.push_back(std::make_unique<Callback>(std::move(callback)));
    runtime::External external(runtime_);
    runtime::Message* args = external.context().allocate(1);
    args->word[0] = reinterpret_cast<baton_term>(callbacks_.back().get());
    return runtime::spawn(external.context(),
                          {.version = &version_, .behaviour = &scripted::kBehaviour, .args = args})
        .pid;
  }
  /// A process that has done its init when this returns.
  baton_term serve(std::string_view listener, std::uint32_t flags, Callback callback) {
    auto result = std::make_shared<std::promise<int>>();
    std::future<int> listening = result->get_future();
    const baton_term pid =
        spawn([this, name = std::string(listener), flags, callback = std::move(callback), result](
                  baton_context* context, const baton_message* message) {
          if (message->kind != BATON_SPAWN) return callback(context, message);
          result->set_value(tcp().listen(context, name.data(), name.size(), flags));
          return +BATON_OK;
        });
    EXPECT_EQ(listening.get(), BATON_NET_OK);
    return pid;
  }
  void send(baton_term pid, baton_term root) {
    runtime::External external(runtime_);
    runtime::send(external.context(), pid, runtime::message_of(external.context(), root));
  }
  /// Ends a process as exit(Pid, kill) does.
  void kill(baton_term pid) {
    runtime::External external(runtime_);
    runtime::Message* reason = external.context().allocate(1);
    reason->root = term::atoms::kKill;
    runtime::exit_signal(external.context(), pid, reason);
  }
  Statistics statistics(std::string_view listener) { return net_.status(listener)->statistics; }
  /// Waits until it holds, looking again and again; false: it did not.
  static bool eventually(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

  const baton_tcp& tcp() const {
    return *static_cast<const baton_tcp*>(runtime_.extension(BATON_TCP));
  }
  const baton_http& http() const {
    return *static_cast<const baton_http*>(runtime_.extension(BATON_HTTP));
  }

  /// Sends everything back.
  Callback echo() {
    return [this](baton_context* context, const baton_message* message) {
      const Seen seen(message);
      if (seen.is("tcp_accepted")) tcp().set_active(context, seen.port(), BATON_ACTIVE_ALWAYS);
      if (seen.is("tcp")) {
        const std::string bytes = seen.bytes();
        tcp().send(context, seen.port(), bytes.data(), bytes.size());
      }
      if (seen.is("tcp_closed")) tcp().close(context, seen.port());
      return +BATON_OK;
    };
  }
  int respond(baton_context* context, const Seen& seen, int status, std::string_view body) {
    return http().respond(context, seen.port(), seen.number(2), status, nullptr, 0, body.data(),
                          body.size());
  }
  /// Answers each request with its target and its body.
  Callback mirror() {
    return [this](baton_context* context, const baton_message* message) {
      const Seen seen(message);
      if (seen.is("http")) respond(context, seen, 200, seen.bytes(4) + "|" + seen.bytes(6));
      return +BATON_OK;
    };
  }

  struct Quiet : runtime::Observer {
    void crashed(baton_term, const code::Version&, const char*, baton_term) override {}
    void log(int, baton_term, const code::Version*, std::string_view) override {}
  };

  term::AtomTable atoms_;
  code::CodeTable code_;
  Quiet observer_;
  code::Version version_{&scripted::kModule};
  std::vector<std::unique_ptr<Callback>> callbacks_;
  Journal journal_;
  runtime::Runtime runtime_{{.schedulers = kSchedulers}, atoms_, code_, observer_};
  Net net_{runtime_};
};

}  // namespace baton::net
