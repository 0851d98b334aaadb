// HttpBody: the body of one request while it comes in: by its length, or in chunks.
//
// Invariants: bytes beyond the body are never taken.
// Ownership:  owns the bytes it has taken.
// Threads:    one at a time.
// Fails:      by the status that the client is answered with.
#pragma once

#include "net/http_head.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace baton::net {

class HttpBody {
 public:
  enum class Progress { kMore, kDone, kRefused };

  /// Requires: the head announces a body. `bytes_max` bounds it, `trailer_bytes_max` what follows
  /// the last chunk.
  void begin(const HttpHead& head, std::uint64_t bytes_max, std::uint64_t trailer_bytes_max);
  /// Takes what belongs to it off the front of `input`.
  Progress take(std::string_view& input);
  /// The status, after kRefused.
  int refused() const { return refused_; }
  /// Requires: kDone.
  const std::string& bytes() const { return bytes_; }
  void reset();
  std::size_t kept_bytes() const { return bytes_.capacity(); }

 private:
  // chunk: size line -> data -> its line end -> size line ...;
  // size 0 -> trailers, up to an empty line
  enum class Part { kLength, kSizeLine, kData, kDataEnd, kTrailers, kDone };

  Progress refuse(int status);
  Progress take_data(std::string_view& input, Part next);
  Progress take_size_line();
  bool take_line(std::string_view& input, std::size_t bytes_max);

  Part part_ = Part::kDone;
  std::uint64_t left_ = 0;  // of the body, or of the chunk
  std::uint64_t bytes_max_ = 0;
  std::uint64_t trailer_left_ = 0;
  std::string line_;
  bool is_line_done_ = false;
  int refused_ = 0;
  std::string bytes_;
};

}  // namespace baton::net
