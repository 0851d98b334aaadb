#include "baton/client.h"

#include "base/unix_socket.h"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>

namespace baton::cli {

namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;

constexpr std::uint64_t kAnswerBytesMax = std::uint64_t{64} << 20;
constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kDepthMax = 1100;   // more than a term is deep (term/limits.h)
constexpr std::int64_t kWaitMs = 10'000;  // the host answers a wait at this interval at the latest
// What the host takes beside what it was told to wait.
constexpr std::chrono::seconds kPatience{15};

// By when the host has to have answered.
Deadline deadline_of(const json::object& arguments) {
  Deadline deadline = std::chrono::steady_clock::now() + kPatience;
  for (const char* wait : {"timeout_ms", "wait_ms"})
    if (const json::value* ms = arguments.if_contains(wait); ms != nullptr && ms->is_int64())
      deadline += std::chrono::milliseconds(std::clamp<std::int64_t>(ms->as_int64(), 0, 3'600'000));
  return deadline;
}

constexpr Code kCodes[] = {Code::kFailed, Code::kUsage,   Code::kUnreachable, Code::kNotFound,
                           Code::kDenied, Code::kRefused, Code::kRolledBack,  Code::kStuck,
                           Code::kBusy,   Code::kTimedOut};

Error error_of(const json::value& error) {
  const json::object* object = error.if_object();
  if (object == nullptr || !object->contains("code") || !object->contains("message"))
    return Error(Code::kFailed, "the host's answer holds an error without code or message");
  const std::string_view name(object->at("code").as_string());
  for (Code code : kCodes)
    if (name == code_name(code)) return Error(code, std::string(object->at("message").as_string()));
  return Error(Code::kFailed, std::string(object->at("message").as_string()));
}

}  // namespace

Result<std::string> Client::exchange(const std::string& request, Deadline deadline) const {
  auto socket = connect_unix(socket_path_, deadline);
  if (!socket.ok()) {
    const Code code = socket.error().code();
    if (code == Code::kDenied || code == Code::kUsage) return std::move(socket).error();
    if (code == Code::kTimedOut) return does_not_answer();
    return Error(Code::kUnreachable,
                 "no host answers at " + socket_path_ + " (" + socket.error().message() +
                     "); start one with batond, or name its --root or --socket");
  }
  http::response_parser<http::string_body> response;
  response.body_limit(kAnswerBytesMax);
  response.eager(true);
  beast::flat_buffer buffer;
  // One that refuses us may not read what we say, but has said why.
  auto written = write_all(socket->get(), request, deadline);
  while (!response.is_done()) {
    const auto space = buffer.prepare(kReadBytes);
    const auto count =
        read_some(socket->get(), static_cast<char*>(space.data()), space.size(), deadline);
    if (!count.ok() && count.error().code() == Code::kTimedOut) return does_not_answer();
    if (!count.ok() || *count == 0)
      return Error(Code::kUnreachable,
                   "the host hung up" + (written.ok() ? "" : ": " + written.error().message()));
    buffer.commit(*count);
    boost::system::error_code error;
    buffer.consume(response.put(buffer.data(), error));
    if (error && error != http::error::need_more)
      return Error(Code::kFailed, "the host's answer is no HTTP: " + error.message());
  }
  return std::move(response.get().body());
}

Error Client::does_not_answer() const {
  return Error(Code::kUnreachable, "the host at " + socket_path_ + " does not answer");
}

Result<json::value> Client::ask(const std::string& verb, const json::object& arguments) {
  const std::string body = json::serialize(arguments);
  BATON_ASSIGN(const std::string answer,
               exchange("POST /v1/" + verb +
                            " HTTP/1.1\r\nHost: baton\r\nContent-Type: application/json\r\n"
                            "Connection: close\r\nContent-Length: " +
                            std::to_string(body.size()) + "\r\n\r\n" + body,
                        deadline_of(arguments)));
  boost::system::error_code error;
  json::parse_options deep;
  deep.max_depth = kDepthMax;
  const json::value envelope = json::parse(answer, error, {}, deep);
  if (error || !envelope.is_object() || !envelope.as_object().contains("ok"))
    return Error(Code::kFailed, "the host answered something else than JSON of baton/1");
  const json::object& object = envelope.as_object();
  if (!object.contains("api") || object.at("api") != "baton/1")
    return Error(Code::kFailed,
                 "the host speaks " +
                     (object.contains("api") ? json::serialize(object.at("api")) : "no version") +
                     " of its interface, and this command line baton/1; use that of the host's "
                     "version");
  if (object.at("ok").as_bool()) return object.at("data");
  return error_of(object.at("error"));
}

Result<json::value> Client::follow(std::int64_t id, const Show& show) {
  std::int64_t next_line = 0;
  for (;;) {
    BATON_ASSIGN(json::value answer,
                 ask("operation", {{"id", id}, {"first_line", next_line}, {"wait_ms", kWaitMs}}));
    const json::object& operation = answer.as_object();
    for (const json::value& line : operation.at("lines").as_array()) show(line.as_object());
    next_line = operation.at("next_line").to_number<std::int64_t>();
    if (!operation.at("done").as_bool()) continue;
    if (!operation.at("error").is_null()) return error_of(operation.at("error"));
    return answer;
  }
}

}  // namespace baton::cli
