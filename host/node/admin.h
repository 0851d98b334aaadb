// Admin: the host's administrative interface: HTTP/1.1 with JSON on a Unix socket.
//
// A request is POST /v1/VERB with a JSON object; the answer is one envelope, for success and error
// alike:
//   {"api":"baton/1","ok":true,"data":...}
//   {"api":"baton/1","ok":false,"error":{"code":"busy","message":"..."}}
// Who may connect is decided by the file system: the socket is of mode 0660 from its first moment.
//
// A connection waits for a request, is busy with one, or is over:
//   state     event                           next
//   waiting   a whole request has come        busy
//   waiting   too slow, or ended by the peer  over
//   waiting   no place is left                over       of all, the one that waits longest
//   busy      answered                        waiting
//   busy      not taken, or the last one      over
//
// Invariants:
//   (1) At most connections_max at a time; all but reserved_connections of them may be those of
//       others than the host's own user and root.
//   (2) No exception leaves a request.
// Ownership: borrows the verbs. Owns the socket file, which it removes at its end.
// Threads:   its own: one that accepts, and one for each connection.
// Fails:     open: kBusy if another host answers there; kFailed.
#pragma once

#include "base/log.h"
#include "base/result.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>

namespace baton::node {

struct AdminLimits {
  std::size_t connections_max = 64;
  std::size_t reserved_connections = 8;
  std::size_t body_bytes_max = std::size_t{1} << 20;
  std::chrono::milliseconds idle_timeout{30'000};     // for the first byte of a request
  std::chrono::milliseconds request_timeout{10'000};  // from there on for the whole of it
  std::chrono::milliseconds answer_timeout{30'000};   // for the client to take all of an answer
};

/// Who asks, from the socket's peer credentials: "uid:1000".
struct Caller {
  std::string name;
  /// Whoever waits in his name gives up when it is told to stop: the interface ends.
  std::stop_token leaving = {};
};
using Verb =
    std::function<Result<boost::json::value>(const boost::json::object& arguments, const Caller&)>;
using Verbs = std::map<std::string, Verb, std::less<>>;

class Admin {
 public:
  static Result<std::unique_ptr<Admin>> open(const std::string& socket_path, const Verbs& verbs,
                                             Log& log, const AdminLimits& limits = {});
  /// Ends the connections.
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

 private:
  struct Server;
  explicit Admin(std::unique_ptr<Server> server);
  std::unique_ptr<Server> server_;
};

}  // namespace baton::node
