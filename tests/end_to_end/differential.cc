// differential: kv and a real Redis answer the same commands, and every reply is compared.
//
// Usage: differential [--seed=N] [--rounds=N] --level=1.0.0|1.1.0|1.2.0 (--port=N | --program=PATH)
//
//   --port      where kv listens on 127.0.0.1
//   --program   a program that prints "listening on PORT" and ends with its standard input
//   --level     the newest commands to send: those of this version of kv
//   --seed      replays a run; without it the seed is drawn, and printed either way
//
// In each round random commands, some of them wrong, go out pipelined and cut at random places, on
// one of several connections, the same to both. Replies must be equal byte for byte; of an error
// the first word only, which is what programs look at. At the end both must hold the same data.
//
// Exit: 0 no difference, 1 a difference, 2 usage or set-up, 77 there is no redis-server to compare
//       with.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr int kExitDifference = 1;
constexpr int kExitSetUp = 2;
constexpr int kExitSkipped = 77;
constexpr int kReplyTimeoutMs = 20'000;
constexpr int kConnections = 4;
constexpr int kRedisStartLinesMax = 100;
constexpr int kKeys = 24;
constexpr std::size_t kShownBytesMax = 1000;

// ---- Programs and sockets

// A child process that is ended with its owner.
class Program {
 public:
  explicit Program(const std::vector<std::string>& words) {
    int in[2];
    int out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    pid_ = fork();
    if (pid_ == 0) {
      dup2(in[0], STDIN_FILENO);
      dup2(out[1], STDOUT_FILENO);
      std::vector<char*> argv;
      for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
      argv.push_back(nullptr);
      execvp(argv[0], argv.data());
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    in_ = in[1];
    out_ = out[0];
  }
  ~Program() {
    close(in_);
    close(out_);
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // The next line of its output; empty at its end.
  std::string read_line() {
    std::string line;
    char c = 0;
    while (read(out_, &c, 1) == 1 && c != '\n') line += c;
    return line;
  }

 private:
  pid_t pid_ = 0;
  int in_ = -1;
  int out_ = -1;
};

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd, generic, size) != 0 || getsockname(fd, generic, &size) != 0) {
    throw std::runtime_error("no free port");
  }
  close(fd);
  return ntohs(address.sin_port);
}

// One reply, as received.
struct Reply {
  std::string bytes;
  bool is_end = false;  // the server closed the connection instead

  bool is_error() const { return !bytes.empty() && bytes[0] == '-'; }
  // What must be equal.
  std::string_view essence() const {
    if (!is_error()) return bytes;
    return std::string_view(bytes).substr(0, bytes.find_first_of(" \r"));
  }
};

class Client {
 public:
  explicit Client(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in address = loopback(port);
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      close(fd_);
      throw std::runtime_error("cannot connect to port " + std::to_string(port));
    }
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Sends, taking in replies meanwhile so that neither side waits for the other.
  void send_bytes(std::string_view bytes) {
    while (!bytes.empty()) {
      pollfd poll_fd{fd_, POLLIN | POLLOUT, 0};
      if (poll(&poll_fd, 1, kReplyTimeoutMs) <= 0) throw std::runtime_error("cannot send");
      if ((poll_fd.revents & POLLIN) != 0 && !take_in()) return;
      if ((poll_fd.revents & POLLOUT) != 0) {
        const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN) return;  // closed: the replies will tell
        if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      }
    }
  }

  Reply read_reply() {
    while (true) {
      const std::size_t end = reply_end(at_);
      if (end != std::string::npos) {
        Reply reply{received_.substr(at_, end - at_)};
        at_ = end;
        return reply;
      }
      received_.erase(0, at_);
      at_ = 0;
      pollfd poll_fd{fd_, POLLIN, 0};
      if (poll(&poll_fd, 1, kReplyTimeoutMs) <= 0) {
        throw std::runtime_error("no reply within 20 s, but \"" + received_ + "\"");
      }
      if (!take_in()) return Reply{received_, true};
    }
  }

 private:
  bool take_in() {
    char chunk[64 << 10];
    const ssize_t size = recv(fd_, chunk, sizeof chunk, 0);
    if (size <= 0) return false;
    received_.append(chunk, static_cast<std::size_t>(size));
    return true;
  }

  // Where the reply that begins here ends; npos when not all of it is there.
  std::size_t reply_end(std::size_t from) const {
    const std::size_t line_end = received_.find("\r\n", from);
    if (line_end == std::string::npos) return line_end;
    const std::size_t next = line_end + 2;
    const long count = std::strtol(received_.c_str() + from + 1, nullptr, 10);
    if (received_[from] == '$' && count >= 0) {
      const std::size_t end = next + static_cast<std::size_t>(count) + 2;
      return end <= received_.size() ? end : std::string::npos;
    }
    std::size_t end = next;
    for (long i = 0; received_[from] == '*' && i < count && end != std::string::npos; ++i) {
      end = reply_end(end);
    }
    return end;
  }

  int fd_;
  std::string received_;
  std::size_t at_ = 0;
};

// ---- Random commands

enum class Level { k10, k11, k12 };

struct Input {
  std::string bytes;
  std::vector<std::string> commands;  // as sent; each has one reply
  bool is_last = false;               // the server closes the connection behind it
  bool is_seconds = false;  // the last reply counts seconds, and the two clocks are not one
  std::string short_lived;  // a key that must be gone before the next round

  void add(const std::string& command) {
    bytes += command;
    commands.push_back(command);
  }
};

class Generator {
 public:
  Generator(std::uint64_t seed, Level level) : random_(seed), level_(level) {}

  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }
  bool one_in(std::size_t n) { return below(n) == 0; }

  // Some commands in one piece of input.
  Input round() {
    Input input;
    const std::size_t commands = 1 + below(one_in(4) ? 60 : 8);
    for (std::size_t i = 0; i < commands; ++i) append(input, command());
    if (one_in(25)) append_last(input);
    if (input.is_last) return input;
    if (level_ >= Level::k11 && one_in(6)) append_time(input);
    return input;
  }

  static std::string key(std::size_t i) { return "key:" + std::to_string(i); }

  static std::string array(const std::vector<std::string>& words) {
    std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words) {
      bytes += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    }
    return bytes;
  }

 private:
  using Words = std::vector<std::string>;

  std::string key() { return key(below(kKeys)); }

  std::string integer() {
    static const char* const kEdges[] = {"0",
                                         "1",
                                         "-1",
                                         "9223372036854775807",
                                         "-9223372036854775808",
                                         "9223372036854775808",
                                         "9223372036854775800",
                                         "9223372036854775",
                                         "9223370399119966",
                                         "9223370000000000",
                                         "-9223372036854775800",
                                         "+1",
                                         "01",
                                         "-0",
                                         " 1",
                                         "1 ",
                                         "",
                                         "1e3",
                                         "0x10",
                                         "--1",
                                         "-",
                                         "3.5",
                                         "abc",
                                         "10000000000000000000000"};
    if (one_in(6)) return kEdges[below(std::size(kEdges))];
    return std::to_string(static_cast<long>(below(2000)) - 1000);
  }

  std::string value() {
    if (one_in(3)) return integer();
    std::size_t size = below(24);
    if (one_in(12)) size = below(3000);
    if (one_in(150)) size = below(200'000);
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) {
      bytes += one_in(8) ? static_cast<char>(below(256)) : static_cast<char>('a' + below(26));
    }
    return bytes;
  }

  Words repeat(Words words, std::size_t times, std::string (Generator::*make)()) {
    for (std::size_t i = 0; i < times; ++i) words.push_back((this->*make)());
    return words;
  }

  std::string some_key() { return key(); }

  Words command() {
    const std::size_t groups = level_ == Level::k10 ? 4 : level_ == Level::k11 ? 7 : 11;
    Words words;
    switch (below(groups)) {
      case 0: words = reading(); break;
      case 1:
      case 2: words = writing(); break;
      case 3: words = talking(); break;
      case 4: words = expiring(); break;
      case 5:
      case 6: words = changing(); break;
      default: words = listing(); break;
    }
    // Too many words; none that is by chance an option of a later version, such as nx.
    if (one_in(40)) words.push_back("surplus-" + value());
    // Too few; but COMMAND alone lists all there are, which here is less.
    if (one_in(40) && words.size() > 1 && words[0] != "COMMAND") words.pop_back();
    return words;
  }

  Words reading() {
    switch (below(6)) {
      case 0: return repeat({"MGET"}, 1 + below(6), &Generator::some_key);
      case 1: return repeat({"EXISTS"}, 1 + below(4), &Generator::some_key);
      case 2: return {"TYPE", key()};
      case 3: return {"DBSIZE"};
      default: return {"GET", key()};
    }
  }

  Words writing() {
    switch (below(10)) {
      case 0: return repeat({"DEL"}, 1 + below(4), &Generator::some_key);
      case 1: {
        Words words{"MSET"};
        for (std::size_t i = 1 + below(4); i > 0; --i) {
          words.push_back(key());
          words.push_back(value());
        }
        return words;
      }
      case 2:
        if (one_in(12)) return one_in(2) ? Words{"FLUSHALL"} : Words{"FLUSHALL", "async"};
        return {"DEL", key()};
      default: return set();
    }
  }

  Words set() {
    Words words{"SET", key(), value()};
    if (level_ == Level::k10) return words;
    if (one_in(4)) words.push_back("NX");
    if (one_in(4)) words.push_back("xx");
    if (one_in(6)) words.push_back("GET");
    if (one_in(6)) words.push_back("keepttl");
    if (one_in(4)) {
      const bool is_date = one_in(2);
      const bool is_seconds = one_in(2);
      words.push_back(is_date ? is_seconds ? "EXAT" : "pxat" : is_seconds ? "EX" : "PX");
      words.push_back(one_in(4) ? integer() : is_date ? far_date(is_seconds) : far_time());
      // A small time to live could end between the two servers, and a date that is past is seen by
      // one before the other.
      if (is_soon(words.back())) words.back() = is_date ? far_date(is_seconds) : far_time();
    }
    if (one_in(30)) words.push_back("WHAT");
    return words;
  }

  Words talking() {
    switch (below(15)) {
      case 0: return {"PING"};
      case 1: return {"PING", value()};
      case 2: return {"ECHO", value()};
      case 3: return {"SELECT", one_in(2) ? "0" : integer()};
      case 4: return {"CLIENT", "SETNAME", one_in(2) ? "tester" : value()};
      case 5: return {"CLIENT", "getname"};
      case 6: return {"CONFIG", "GET", one_in(2) ? "save" : "appendonly"};
      case 7: return {"COMMAND", "INFO", one_in(2) ? "get" : "mset", "nothing"};
      case 8: return {"NOSUCH", value(), value()};
      case 9: return {value()};
      case 10: return {"CLIENT"};
      case 11: return {"CONFIG", "NOSUCH", "x"};
      case 12: return {"FLUSHALL", "nosuch"};
      case 13: return {"COMMAND", "NOSUCH"};
      default: return {"GeT", key()};
    }
  }

  Words expiring() {
    switch (below(4)) {
      case 0: return {"PERSIST", key()};
      case 1: {
        Words words{"EXPIRE", key(), integer()};
        if (is_soon(words[2])) words[2] = far_time();
        static const char* const kConditions[] = {"NX", "XX", "gt", "LT", "WHAT"};
        while (one_in(3)) words.push_back(kConditions[below(std::size(kConditions))]);
        return words;
      }
      default: return {"EXPIRE", key(), far_time()};
    }
  }

  // Far off, and never the same again: which of two equal deadlines is later would be chance.
  std::string far_time() { return std::to_string(1'000'000 + below(1'000'000'000)); }

  std::string far_date(bool is_seconds) {
    const std::size_t seconds =
        static_cast<std::size_t>(std::time(nullptr)) + 1'000'000 + below(1'000'000'000);
    return std::to_string(is_seconds ? seconds : seconds * 1000);
  }

  // A positive time so short that it could end during the run.
  static bool is_soon(const std::string& text) {
    char* end = nullptr;
    const long long value = std::strtoll(text.c_str(), &end, 10);
    return *end == 0 && value > 0 && value < 500'000;
  }

  Words changing() {
    switch (below(4)) {
      case 0: return {"INCR", key()};
      case 1: return {"DECR", key()};
      case 2: return {"INCRBY", key(), integer()};
      default: return {"APPEND", key(), value()};
    }
  }

  Words listing() {
    switch (below(8)) {
      case 0: return repeat({"LPUSH", key()}, 1 + below(6), &Generator::value);
      case 1: return repeat({"RPUSH", key()}, 1 + below(6), &Generator::value);
      case 2: return {"LRANGE", key(), integer(), integer()};
      case 3:
        return {"LRANGE", key(), std::to_string(static_cast<int>(below(12)) - 6),
                std::to_string(static_cast<int>(below(12)) - 6)};
      case 4: return {"LLEN", key()};
      case 5:
        return {one_in(2) ? "LPOP" : "RPOP", key(),
                one_in(4) ? integer() : std::to_string(below(5))};
      case 6: return {"LPOP", key()};
      default: return {"RPOP", key()};
    }
  }

  // Inline commands go as they are typed: quoted, where a word needs it.
  static std::string typed(const Words& words) {
    std::string line;
    for (const std::string& word : words) {
      line += line.empty() ? "\"" : " \"";
      for (const char c : word) {
        char escape[8];
        std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned char>(c));
        line += c >= '0' && c <= 'z' && c != '\\' ? std::string(1, c) : std::string(escape);
      }
      line += '"';
    }
    return line + "\r\n";
  }

  void append(Input& input, const Words& words) {
    std::size_t size = 0;
    for (const std::string& word : words) size += word.size();
    // Redis reads an empty word typed alone as no command at all, and so on: arrays say what is
    // meant.
    const bool can_be_typed = size < 1000 && !words[0].empty();
    input.add(can_be_typed && one_in(8) ? typed(words) : array(words));
    if (one_in(30)) input.bytes += one_in(2) ? "\r\n" : "*0\r\n";  // nothing, which has no reply
  }

  // Something that ends the connection.
  void append_last(Input& input) {
    static const char* const kBreaches[] = {"*x\r\n",
                                            "*1\r\n+3\r\n",
                                            "*1\r\n$-1\r\n",
                                            "*1\r\n$999999999999\r\n",
                                            "get \"a\r\n",
                                            "get 'a'b\r\n",
                                            "QUIT\r\n",
                                            "*99999999999999999999\r\n",
                                            "*2\r\n$4\r\nQUIT\r\n$1\r\na\r\n"};
    input.bytes += kBreaches[below(std::size(kBreaches))];
    input.is_last = true;
  }

  // A command whose effect depends on time, as the last of its round.
  void append_time(Input& input) {
    const std::string name = key();
    if (one_in(2)) {
      append(input, {"TTL", name});
      input.is_seconds = true;
    } else {
      append(input, {"SET", name, "short", "PX", std::to_string(1 + below(5))});
      input.short_lived = name;
    }
  }

  std::mt19937_64 random_;
  const Level level_;
};

// ---- The comparison

class Comparison {
 public:
  Comparison(std::uint64_t seed, Level level, int kv_port, int redis_port)
      : generator_(seed, level), level_(level), kv_port_(kv_port), redis_port_(redis_port) {
    for (auto& pair : pairs_) open(pair);
    exchange_one({"FLUSHALL"});
  }

  // Throws where the replies differ.
  void run_round() {
    Pair& pair = pairs_[generator_.below(kConnections)];
    Input input = generator_.round();
    exchange(pair, input);
    if (input.is_last) open(pair);
    if (input.short_lived.empty()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(12));  // longer than it lives
    exchange_one({"GET", input.short_lived});
  }

  void compare_data() {
    exchange_one({"DBSIZE"});
    for (std::size_t i = 0; i < kKeys; ++i) {
      exchange_one({"TYPE", Generator::key(i)});
      exchange_one({"GET", Generator::key(i)});
      if (level_ == Level::k12) exchange_one({"LRANGE", Generator::key(i), "0", "-1"});
    }
  }

  long replies() const { return replies_; }

 private:
  struct Pair {
    std::unique_ptr<Client> kv;
    std::unique_ptr<Client> redis;
  };

  void open(Pair& pair) {
    pair.kv = std::make_unique<Client>(kv_port_);
    pair.redis = std::make_unique<Client>(redis_port_);
  }

  void send_cut(Client& client, std::string_view bytes) {
    while (!bytes.empty()) {
      std::size_t size = bytes.size();
      if (!generator_.one_in(3))
        size = std::min(size, 1 + generator_.below(generator_.one_in(2) ? 20 : 2000));
      client.send_bytes(bytes.substr(0, size));
      bytes.remove_prefix(size);
      if (generator_.one_in(20)) std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }

  void exchange(Pair& pair, const Input& input) {
    send_cut(*pair.kv, input.bytes);
    send_cut(*pair.redis, input.bytes);
    for (const std::string& command : input.commands) {
      compare(pair, command, input.is_seconds && &command == &input.commands.back());
    }
    if (!input.is_last) return;
    while (!compare(pair, input.bytes, false)) continue;
  }

  void exchange_one(const std::vector<std::string>& words) {
    Input input;
    input.add(Generator::array(words));
    exchange(pairs_[generator_.below(kConnections)], input);
  }

  // Compares the next reply of both; true when both have ended.
  bool compare(Pair& pair, const std::string& command, bool is_seconds) {
    const Reply ours = pair.kv->read_reply();
    const Reply theirs = pair.redis->read_reply();
    ++replies_;
    const bool is_near =
        is_seconds && ours.bytes[0] == ':' && theirs.bytes[0] == ':' &&
        std::abs(std::atol(ours.bytes.c_str() + 1) - std::atol(theirs.bytes.c_str() + 1)) <= 1;
    if (!is_near && (ours.essence() != theirs.essence() || ours.is_end != theirs.is_end)) {
      throw std::runtime_error("kv replied    " + shown(ours.bytes) + "\nRedis replied " +
                               shown(theirs.bytes) + "\nto " + shown(command));
    }
    return ours.is_end;
  }

  static std::string shown(const std::string& bytes) {
    std::string text;
    for (const char c : bytes.substr(0, kShownBytesMax)) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned char>(c));
      text += c == '\r'              ? "\\r"
              : c == '\n'            ? "\\n"
              : c >= ' ' && c <= '~' ? std::string(1, c)
                                     : escape;
    }
    return text;
  }

  Generator generator_;
  const Level level_;
  const int kv_port_;
  const int redis_port_;
  Pair pairs_[kConnections];
  long replies_ = 0;
};

// ---- Set-up

struct Options {
  std::uint64_t seed = 0;
  long rounds = 2000;
  int port = 0;
  std::string program;
  std::string level;
};

bool take(std::string_view argument, std::string_view name, std::string& value) {
  if (argument.substr(0, name.size()) != name) return false;
  value = argument.substr(name.size());
  return true;
}

bool parse(int argc, char** argv, Options& options) {
  std::string value;
  for (int i = 1; i < argc; ++i) {
    if (take(argv[i], "--seed=", value)) {
      options.seed = std::strtoull(value.c_str(), nullptr, 10);
    } else if (take(argv[i], "--rounds=", value)) {
      options.rounds = std::atol(value.c_str());
    } else if (take(argv[i], "--port=", value)) {
      options.port = std::atoi(value.c_str());
    } else if (!take(argv[i], "--program=", options.program) &&
               !take(argv[i], "--level=", options.level)) {
      return false;
    }
  }
  return (options.port != 0) != !options.program.empty() &&
         (options.level == "1.0.0" || options.level == "1.1.0" || options.level == "1.2.0");
}

bool has_redis() { return std::system("command -v redis-server >/dev/null 2>&1") == 0; }

std::unique_ptr<Program> start_redis(int port) {
  auto redis = std::make_unique<Program>(std::vector<std::string>{
      "redis-server", "--port", std::to_string(port), "--bind", "127.0.0.1", "--save", "",
      "--appendonly", "no", "--databases", "1"});
  for (int lines = 0; lines < kRedisStartLinesMax; ++lines) {
    if (redis->read_line().find("Ready to accept connections") != std::string::npos) return redis;
  }
  throw std::runtime_error("redis-server did not start");
}

int run(const Options& options) {
  const Level level = options.level == "1.0.0"   ? Level::k10
                      : options.level == "1.1.0" ? Level::k11
                                                 : Level::k12;
  const std::uint64_t seed = options.seed != 0 ? options.seed : std::random_device{}();
  std::printf("differential: kv %s, --seed=%llu --rounds=%ld\n", options.level.c_str(),
              static_cast<unsigned long long>(seed), options.rounds);
  std::fflush(stdout);
  std::unique_ptr<Program> kv;
  int kv_port = options.port;
  if (!options.program.empty()) {
    kv = std::make_unique<Program>(std::vector<std::string>{options.program});
    const std::string line = kv->read_line();
    if (std::sscanf(line.c_str(), "listening on %d", &kv_port) != 1) {
      throw std::runtime_error(options.program + " does not say where it listens");
    }
  }
  const int redis_port = free_port();
  const auto redis = start_redis(redis_port);
  long round = 0;
  try {
    Comparison comparison(seed, level, kv_port, redis_port);
    for (; round < options.rounds; ++round) comparison.run_round();
    comparison.compare_data();
    std::printf("differential: no difference in %ld replies\n", comparison.replies());
    return 0;
  } catch (const std::exception& difference) {
    std::printf("differential: in round %ld:\n%s\n", round, difference.what());
    return kExitDifference;
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: differential [--seed=N] [--rounds=N] --level=1.0.0|1.1.0|1.2.0 "
                 "(--port=N | --program=PATH)\n");
    return kExitSetUp;
  }
  if (!has_redis()) {
    std::printf("differential: SKIPPED: no redis-server here; tools/setup installs it\n");
    return kExitSkipped;
  }
  try {
    return run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "differential: %s\n", error.what());
    return kExitSetUp;
  }
}
