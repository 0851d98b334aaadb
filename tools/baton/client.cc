#include "baton/client.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace baton::cli {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;

constexpr std::uint64_t kAnswerBytesMax = std::uint64_t{64} << 20;
constexpr std::int64_t kWaitMs = 10'000;  // the host answers a wait at this interval at the latest

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

Result<json::value> Client::ask(const std::string& verb, const json::object& arguments) {
  asio::io_context io;
  asio::local::stream_protocol::socket socket(io);
  boost::system::error_code error;
  socket.connect(asio::local::stream_protocol::endpoint(socket_path_), error);
  if (error == boost::system::errc::permission_denied)
    return Error(Code::kDenied, socket_path_ + ": " + error.message());
  if (error)
    return Error(Code::kUnreachable,
                 "no host answers at " + socket_path_ + " (" + error.message() +
                     "); start one with batond, or name its --root or --socket");
  http::request<http::string_body> request(http::verb::post, "/v1/" + verb, 11);
  request.set(http::field::host, "baton");
  request.set(http::field::content_type, "application/json");
  request.keep_alive(false);
  request.body() = json::serialize(arguments);
  request.prepare_payload();
  http::write(socket, request, error);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> response;
  response.body_limit(kAnswerBytesMax);
  if (!error) http::read(socket, buffer, response, error);
  if (error) return Error(Code::kUnreachable, "the host hung up: " + error.message());

  const json::value envelope = json::parse(response.get().body(), error);
  if (error || !envelope.is_object() || !envelope.as_object().contains("ok"))
    return Error(Code::kFailed, "the host answered something else than JSON of baton/1");
  const json::object& object = envelope.as_object();
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
