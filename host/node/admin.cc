#include "node/admin.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <list>
#include <mutex>
#include <thread>

namespace baton::node {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;
using Socket = asio::local::stream_protocol::socket;

constexpr timeval kReadTimeout{30, 0};
constexpr std::string_view kPrefix = "/v1/";

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

json::object envelope_of(const Result<json::value>& result) {
  json::object envelope{{"api", "baton/1"}, {"ok", result.ok()}};
  if (result.ok())
    envelope["data"] = *result;
  else
    envelope["error"] = json::object{{"code", code_name(result.error().code())},
                                     {"message", result.error().message()}};
  return envelope;
}

Caller caller_of(int fd) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return {"unknown"};
  return {"uid:" + std::to_string(credentials.uid)};
}

// Whether somebody listens at the path.
bool is_answered(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const bool answered =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return answered;
}

}  // namespace

struct Admin::Server {
  Server(std::string path_of, const Verbs& verbs_of, Log& log_of)
      : path(std::move(path_of)), verbs(verbs_of), log(log_of) {}

  struct Connection {
    int fd = -1;
    std::thread thread;
    std::atomic<bool> is_done{false};
  };

  void accept_all();
  void serve(Connection& connection, Socket socket);
  Result<json::value> answer(const http::request<http::string_body>& request, const Caller& caller);
  void reap(bool all);

  const std::string path;
  const Verbs& verbs;
  Log& log;
  asio::io_context io{1};
  std::unique_ptr<asio::local::stream_protocol::acceptor> acceptor;
  std::thread thread;
  std::atomic<bool> is_stopping{false};
  std::mutex mutex;
  std::list<Connection> connections;  // guarded by mutex
};

Result<std::unique_ptr<Admin>> Admin::open(const std::string& socket_path, const Verbs& verbs,
                                           Log& log) {
  if (socket_path.size() >= sizeof(sockaddr_un::sun_path))
    return Error(Code::kUsage, socket_path + ": the path of a socket has at most " +
                                   std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                                   " bytes; set admin.socket to a shorter one");
  struct stat facts {};
  if (lstat(socket_path.c_str(), &facts) == 0) {
    if (!S_ISSOCK(facts.st_mode))
      return Error(Code::kFailed, socket_path + " is there already and is no socket");
    if (is_answered(socket_path))
      return Error(Code::kBusy, "another host answers at " + socket_path);
    unlink(socket_path.c_str());  // left behind by one that died
  }
  auto server = std::make_unique<Server>(socket_path, verbs, log);
  const mode_t before = umask(0117);  // so that it never is of a wider mode
  try {
    server->acceptor = std::make_unique<asio::local::stream_protocol::acceptor>(
        server->io, asio::local::stream_protocol::endpoint(socket_path));
  } catch (const boost::system::system_error& error) {
    umask(before);
    return Error(Code::kFailed, socket_path + ": " + error.code().message());
  }
  umask(before);
  server->thread = std::thread([raw = server.get()] { raw->accept_all(); });
  return std::unique_ptr<Admin>(new Admin(std::move(server)));
}

Admin::Admin(std::unique_ptr<Server> server) : server_(std::move(server)) {}

Admin::~Admin() {
  server_->is_stopping = true;
  // Wakes the accept under way, which a close from here would not.
  ::shutdown(server_->acceptor->native_handle(), SHUT_RDWR);
  server_->thread.join();
  server_->reap(true);
  unlink(server_->path.c_str());
}

void Admin::Server::accept_all() {
  while (!is_stopping) {
    Socket socket(io);
    boost::system::error_code error;
    acceptor->accept(socket, error);
    if (is_stopping) return;
    if (error) {
      // Out of descriptors, most likely: wait for some to come back.
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      continue;
    }
    reap(false);
    std::lock_guard lock(mutex);
    if (connections.size() >= kAdminConnectionsMax) continue;  // closed by its destructor
    Connection& connection = connections.emplace_back();
    connection.fd = socket.native_handle();
    setsockopt(connection.fd, SOL_SOCKET, SO_RCVTIMEO, &kReadTimeout, sizeof kReadTimeout);
    setsockopt(connection.fd, SOL_SOCKET, SO_SNDTIMEO, &kReadTimeout, sizeof kReadTimeout);
    connection.thread = std::thread([this, &connection, moved = std::move(socket)]() mutable {
      serve(connection, std::move(moved));
      connection.is_done = true;
    });
  }
}

void Admin::Server::reap(bool all) {
  std::list<Connection> ended;
  {
    std::lock_guard lock(mutex);
    for (auto it = connections.begin(); it != connections.end();) {
      auto next = std::next(it);
      if (all && !it->is_done) ::shutdown(it->fd, SHUT_RDWR);
      if (all || it->is_done) ended.splice(ended.end(), connections, it);
      it = next;
    }
  }
  for (Connection& connection : ended) connection.thread.join();
}

void Admin::Server::serve(Connection&, Socket socket) {
  const Caller caller = caller_of(socket.native_handle());
  beast::flat_buffer buffer;
  boost::system::error_code error;
  while (!is_stopping) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(kAdminBodyBytesMax);
    http::read(socket, buffer, parser, error);
    if (error) return;
    const Result<json::value> result = answer(parser.get(), caller);
    http::response<http::string_body> response(
        result.ok() ? http::status::ok : status_of(result.error().code()), parser.get().version());
    response.set(http::field::content_type, "application/json");
    response.keep_alive(parser.get().keep_alive());
    response.body() = json::serialize(envelope_of(result)) + "\n";
    response.prepare_payload();
    http::write(socket, response, error);
    if (error || !response.keep_alive()) return;
  }
}

Result<json::value> Admin::Server::answer(const http::request<http::string_body>& request,
                                          const Caller& caller) {
  const std::string_view target(request.target().data(), request.target().size());
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
