// Admin: the host's administrative interface: HTTP/1.1 with JSON on a Unix socket.
//
// A request is POST /v1/VERB with a JSON object; the answer is one envelope, for success and error
// alike:
//   {"api":"baton/1","ok":true,"data":...}
//   {"api":"baton/1","ok":false,"error":{"code":"busy","message":"..."}}
// Who may connect is decided by the file system: the socket is of mode 0660 from its first moment.
// Each connection has a thread; one that sends slowly or nothing is cut off.
//
// Ownership: borrows the verbs. Owns the socket file, which it removes at its end.
// Threads:   its own.
// Fails:     open: kBusy if another host answers there; kFailed.
#pragma once

#include "base/log.h"
#include "base/result.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace baton::node {

inline constexpr std::size_t kAdminConnectionsMax = 64;
inline constexpr std::size_t kAdminBodyBytesMax = std::size_t{1} << 20;

/// Who asks, from the socket's peer credentials: "uid:1000".
struct Caller {
  std::string name;
};
using Verb =
    std::function<Result<boost::json::value>(const boost::json::object& arguments, const Caller&)>;
using Verbs = std::map<std::string, Verb, std::less<>>;

class Admin {
 public:
  static Result<std::unique_ptr<Admin>> open(const std::string& socket_path, const Verbs& verbs,
                                             Log& log);
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
