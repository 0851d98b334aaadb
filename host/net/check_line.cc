#include "net/check_line.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace baton::net {

Result<std::shared_ptr<CheckLine>> CheckLine::make() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
    return Error(Code::kFailed,
                 "no descriptors for the checks of a listener: " + std::string(strerror(errno)));
  return std::shared_ptr<CheckLine>(new CheckLine(ends[0], ends[1]));
}

void CheckLine::clear() {
  for (const int end : {own_.get(), lent_.get()}) {
    char dropped[4096];
    while (recv(end, dropped, sizeof dropped, 0) > 0) continue;
  }
}

}  // namespace baton::net
