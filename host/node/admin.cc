#include "node/admin.h"

#include "base/unix_socket.h"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <list>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

namespace baton::node {

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;
using Request = http::request<http::string_body>;
using std::chrono::steady_clock;

// The protocol's version is in the path and, as "baton/1", in the envelope. Bump both when older
// clients could not make sense of it.
constexpr std::string_view kPrefix = "/v1/";
constexpr std::uint32_t kSocketMode = 0660;
constexpr std::size_t kReadBytes = 16 * 1024;

http::status status_of(Code code) {
  switch (code) {
    case Code::kUsage: return http::status::bad_request;
    case Code::kNotFound: return http::status::not_found;
    case Code::kDenied: return http::status::forbidden;
    case Code::kBusy: return http::status::conflict;
    case Code::kRefused: return http::status::unprocessable_entity;
    default: return http::status::internal_server_error;
  }
}

// The version in /vN/... if it is none that we speak; else empty.
std::string other_version(std::string_view target) {
  if (!target.starts_with("/v") || target.starts_with(kPrefix)) return {};
  const std::string_view version = target.substr(2, target.find('/', 2) - 2);
  const bool is_number = version.find_first_not_of("0123456789") == version.npos;
  return is_number ? std::string(version) : std::string();
}

// The answer as it goes over the socket.
std::string written(const Result<json::value>& result, bool keep_alive) {
  json::object envelope{{"api", "baton/1"}, {"ok", result.ok()}};
  if (result.ok())
    envelope["data"] = *result;
  else
    envelope["error"] = json::object{{"code", code_name(result.error().code())},
                                     {"message", result.error().message()}};
  const std::string body = json::serialize(envelope) + "\n";
  const http::status status = result.ok() ? http::status::ok : status_of(result.error().code());
  return "HTTP/1.1 " + std::to_string(static_cast<unsigned>(status)) + " " +
         std::string(http::obsolete_reason(status)) +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         (keep_alive ? "" : "\r\nConnection: close") + "\r\n\r\n" + body;
}

std::optional<uid_t> peer_of(int fd) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
  return credentials.uid;
}

// Whether somebody listens at the path.
bool is_answered(const std::string& path) {
  constexpr std::chrono::seconds kPatience{1};
  const auto connected = connect_unix(path, steady_clock::now() + kPatience);
  // A host whose queue is full answers, too.
  return connected.ok() || connected.error().code() == Code::kTimedOut;
}

}  // namespace

struct Admin::Server {
  enum class State { kWaiting, kBusy, kOver };
  struct Connection {
    ScopedFd socket;
    Caller caller;
    bool is_own = false;  // of the host's user, or root
    std::atomic<State> state{State::kWaiting};
    std::atomic<bool> is_done{false};
    steady_clock::time_point waits_since;  // guarded by mutex
    std::thread thread;
  };

  Server(ScopedFd listening_of, std::string path_of, const Verbs& verbs_of, Log& log_of,
         const AdminLimits& limits_of)
      : listening(std::move(listening_of)),
        path(std::move(path_of)),
        verbs(verbs_of),
        log(log_of),
        limits(limits_of) {}

  void accept_all();
  void take(ScopedFd socket);
  void turn_away(const ScopedFd& socket, const std::string& why);
  bool make_room(bool is_own);
  void serve(Connection& connection);
  std::optional<Request> next_request(Connection& connection, beast::flat_buffer& buffer);
  std::string answer(const Request& request, const Caller& caller);
  Result<json::value> ask_verb(const Request& request, const Caller& caller);
  void reap();

  const ScopedFd listening;
  const uid_t own_uid = geteuid();
  const std::string path;
  const Verbs& verbs;
  Log& log;
  const AdminLimits limits;
  std::stop_source stopping;
  std::thread thread;
  std::mutex mutex;
  std::list<Connection> connections;  // changed by the accepting thread, and after it has ended
};

Result<std::unique_ptr<Admin>> Admin::open(const std::string& socket_path, const Verbs& verbs,
                                           Log& log, const AdminLimits& limits) {
  if (socket_path.size() > socket_path_bytes_max())
    return Error(Code::kUsage, socket_path + ": the path of a socket has at most " +
                                   std::to_string(socket_path_bytes_max()) +
                                   " bytes; set admin.socket to a shorter one");
  struct stat facts {};
  if (lstat(socket_path.c_str(), &facts) == 0) {
    if (!S_ISSOCK(facts.st_mode))
      return Error(Code::kFailed, socket_path + " is there already and is no socket");
    if (is_answered(socket_path))
      return Error(Code::kBusy, "another host answers at " + socket_path);
    unlink(socket_path.c_str());  // left behind by one that died
  }
  BATON_ASSIGN(ScopedFd listening, listen_unix(socket_path, kSocketMode));
  auto server = std::make_unique<Server>(std::move(listening), socket_path, verbs, log, limits);
  try {
    server->thread = std::thread([raw = server.get()] { raw->accept_all(); });
  } catch (const std::system_error& error) {
    unlink(socket_path.c_str());
    return Error(Code::kFailed, std::string("the admin interface has no thread: ") + error.what());
  }
  return std::unique_ptr<Admin>(new Admin(std::move(server)));
}

Admin::Admin(std::unique_ptr<Server> server) : server_(std::move(server)) {}

Admin::~Admin() {
  server_->stopping.request_stop();
  // Wakes the accept under way, which a close from here would not.
  ::shutdown(server_->listening.get(), SHUT_RDWR);
  server_->thread.join();
  for (Server::Connection& connection : server_->connections)
    ::shutdown(connection.socket.get(), SHUT_RDWR);
  for (Server::Connection& connection : server_->connections) connection.thread.join();
  unlink(server_->path.c_str());
}

// ---- The accepting thread

void Admin::Server::accept_all() {
  while (!stopping.stop_requested()) {
    ScopedFd socket(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (stopping.stop_requested()) return;
    if (socket.is_open()) {
      reap();
      take(std::move(socket));
    } else {
      // Out of descriptors, most likely: wait for some to come back.
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
}

void Admin::Server::take(ScopedFd socket) {
  const auto uid = peer_of(socket.get());
  const bool is_own = uid && (*uid == 0 || *uid == own_uid);
  if (!make_room(is_own))
    return turn_away(socket, "too many connections to the admin interface; try again");
  Connection& connection = connections.emplace_back();
  connection.socket = std::move(socket);
  connection.caller = {uid ? "uid:" + std::to_string(*uid) : "unknown", stopping.get_token()};
  connection.is_own = is_own;
  connection.waits_since = steady_clock::now();
  try {
    connection.thread = std::thread([this, &connection] {
      serve(connection);
      // The descriptor stays until the thread is joined, so that nobody shuts down another's.
      ::shutdown(connection.socket.get(), SHUT_RDWR);
      connection.is_done = true;
    });
  } catch (const std::system_error&) {
    turn_away(connection.socket, "the system has no thread for another connection; try again");
    connections.pop_back();
  }
}

void Admin::Server::turn_away(const ScopedFd& socket, const std::string& why) {
  const std::string text = written(Error(Code::kBusy, why), false);
  // It fits into the socket's buffer, or is not worth waiting for.
  static_cast<void>(write_all(socket.get(), text, steady_clock::now()));
}

// Whether there is a place, if need be that of the one who has waited longest.
bool Admin::Server::make_room(bool is_own) {
  const std::size_t places = limits.connections_max - (is_own ? 0 : limits.reserved_connections);
  while (connections.size() >= places) {
    auto longest = connections.end();
    {
      std::lock_guard lock(mutex);
      for (auto each = connections.begin(); each != connections.end(); ++each)
        if (each->state == State::kWaiting && (is_own || !each->is_own) &&
            (longest == connections.end() || each->waits_since < longest->waits_since))
          longest = each;
    }
    if (longest == connections.end()) return false;
    State waiting = State::kWaiting;
    if (!longest->state.compare_exchange_strong(waiting, State::kOver)) continue;
    ::shutdown(longest->socket.get(), SHUT_RDWR);
    longest->thread.join();
    connections.erase(longest);
  }
  return true;
}

void Admin::Server::reap() {
  std::erase_if(connections, [](Connection& connection) {
    if (!connection.is_done) return false;
    connection.thread.join();
    return true;
  });
}

// ---- A connection's thread

void Admin::Server::serve(Connection& connection) {
  beast::flat_buffer buffer;
  while (!stopping.stop_requested()) {
    const std::optional<Request> request = next_request(connection, buffer);
    State waiting = State::kWaiting;
    if (!request || !connection.state.compare_exchange_strong(waiting, State::kBusy)) return;
    const std::string text = answer(*request, connection.caller);
    const auto sent =
        write_all(connection.socket.get(), text, steady_clock::now() + limits.answer_timeout);
    if (!sent.ok() || !request->keep_alive()) return;
    std::lock_guard lock(mutex);
    connection.waits_since = steady_clock::now();
    connection.state = State::kWaiting;
  }
}

// Nothing: it is not HTTP, too large, too slow, or the client has gone.
std::optional<Request> Admin::Server::next_request(Connection& connection,
                                                   beast::flat_buffer& buffer) {
  http::request_parser<http::string_body> parser;
  parser.body_limit(limits.body_bytes_max);
  parser.eager(true);
  Deadline deadline = steady_clock::now() + limits.idle_timeout;
  bool has_begun = false;
  for (;;) {
    if (buffer.size() != 0) {
      if (!std::exchange(has_begun, true)) deadline = steady_clock::now() + limits.request_timeout;
      boost::system::error_code error;
      buffer.consume(parser.put(buffer.data(), error));
      if (error && error != http::error::need_more) return std::nullopt;
      if (parser.is_done()) return parser.release();
    }
    const auto space = buffer.prepare(kReadBytes);
    const auto count = read_some(connection.socket.get(), static_cast<char*>(space.data()),
                                 space.size(), deadline);
    if (!count.ok() || *count == 0) return std::nullopt;
    buffer.commit(*count);
  }
}

std::string Admin::Server::answer(const Request& request, const Caller& caller) {
  try {
    return written(ask_verb(request, caller), request.keep_alive());
  } catch (const std::exception& exception) {
    // What a library throws over what it was sent: it costs this request, and no more.
    log.write(LogLevel::kError, "a request failed",
              {{"target", std::string(request.target())}, {"why", exception.what()}});
    return written(Error(Code::kFailed, std::string("the request failed: ") + exception.what()),
                   request.keep_alive());
  }
}

Result<json::value> Admin::Server::ask_verb(const Request& request, const Caller& caller) {
  const std::string_view target(request.target().data(), request.target().size());
  if (const std::string other = other_version(target); !other.empty())
    return Error(Code::kRefused, "this host speaks version 1 of its interface, and was asked in " +
                                     other + "; use the command line of the host's version");
  if (request.method() != http::verb::post || target.substr(0, kPrefix.size()) != kPrefix)
    return Error(Code::kUsage, "expected POST /v1/VERB");
  const auto verb = verbs.find(target.substr(kPrefix.size()));
  if (verb == verbs.end())
    return Error(Code::kUsage, "no such verb: " + std::string(target.substr(kPrefix.size())) +
                                   "; is the command line of another version than the host?");
  json::value arguments = json::object{};
  if (!request.body().empty()) {
    boost::system::error_code error;
    arguments = json::parse(request.body(), error);
    if (error || !arguments.is_object())
      return Error(Code::kUsage, "the body must be one JSON object");
  }
  return verb->second(arguments.as_object(), caller);
}

}  // namespace baton::node
