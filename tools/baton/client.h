// Client: asks the host, over its admin socket, and follows an operation to its end.
//
// A host that takes a connection and says nothing is waited for no longer than what it was asked to
// wait itself and some seconds more.
//
// Threads: one.
// Fails:   kUnreachable if no host answers; else the host's own error.
#pragma once

#include "base/result.h"
#include "base/unix_socket.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <string>

namespace baton::cli {

class Client {
 public:
  explicit Client(std::string socket_path) : socket_path_(std::move(socket_path)) {}

  /// What the host answers; its envelope is taken off.
  Result<boost::json::value> ask(const std::string& verb, const boost::json::object& arguments);

  /// Waits for an operation's end; `show` gets each of its lines once. The operation itself as the
  /// host describes it, or its error.
  using Show = std::function<void(const boost::json::object& line)>;
  Result<boost::json::value> follow(std::int64_t id, const Show& show);

 private:
  /// The body of the answer.
  Result<std::string> exchange(const std::string& request, Deadline deadline) const;
  Error does_not_answer() const;

  const std::string socket_path_;
};

}  // namespace baton::cli
