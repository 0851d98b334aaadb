// HttpReader: one connection's bytes, read into requests.
//
// A request that lies in one read whole is not copied: what it says are views into that read. Only
// what is cut off is kept here until the rest comes.
//
// Ownership: owns what it keeps; the requests it gives borrow from it and from the input.
// Threads:   one at a time.
// Fails:     kRefused, with the status for the client; nothing more can be read then.
#pragma once

#include "net/http_body.h"
#include "net/http_head.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace baton::net {

struct HttpLimits {
  std::uint64_t header_bytes_max;
  std::uint64_t body_bytes_max;
};

class HttpReader {
 public:
  enum class Progress { kMore, kRequest, kRefused };

  /// Takes one request, or what there is of it, off the front of `input`. After kRequest `head` and
  /// `body` say what it is, until the next call of this or of drop_request. After kMore `input` is
  /// empty.
  Progress next(std::string_view& input, const HttpLimits& limits, HttpHead& head,
                std::string_view& body);
  int refused() const { return refused_; }
  /// The request that was given is not looked at any more.
  void drop_request() {
    if (is_kept_done_) free_kept();
  }
  /// The memory of what is kept of a request.
  std::size_t kept_bytes() const { return kept_.capacity() + body_.kept_bytes(); }
  /// No request is half read.
  bool is_idle() const { return !is_in_body_ && (kept_.empty() || is_kept_done_); }
  /// The client waits to be told to send the body. True once.
  bool take_continue() { return std::exchange(wants_continue_, false); }

 private:
  void free_kept();
  Progress read_body(std::string_view& input, HttpHead& head, std::string_view& body);
  Progress refuse(int status) {
    refused_ = status;
    return Progress::kRefused;
  }

  HttpHeadScanner scanner_;
  std::string kept_;           // of a head; all of it while its body comes in
  bool is_kept_done_ = false;  // what is kept was given out
  bool is_in_body_ = false;
  bool wants_continue_ = false;
  int refused_ = 0;
  HttpBody body_;
};

}  // namespace baton::net
