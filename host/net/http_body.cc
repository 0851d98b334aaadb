#include "net/http_body.h"

#include <algorithm>
#include <utility>

namespace baton::net {

void HttpBody::begin(const HttpHead& head, std::uint64_t bytes_max,
                     std::uint64_t trailer_bytes_max) {
  reset();
  bytes_max_ = bytes_max;
  trailer_left_ = trailer_bytes_max;
  if (head.is_chunked) {
    part_ = Part::kSizeLine;
    return;
  }
  part_ = Part::kLength;
  left_ = head.content_length.value_or(0);
  // Not all of what is only announced: it costs the client nothing.
  bytes_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(left_, kChunkBytesMax)));
}

void HttpBody::reset() {
  part_ = Part::kDone;
  left_ = 0;
  line_.clear();
  is_line_done_ = false;
  refused_ = 0;
  bytes_.clear();
  if (bytes_.capacity() > kKeptBufferBytesMax) bytes_.shrink_to_fit();
}

HttpBody::Progress HttpBody::refuse(int status) {
  refused_ = status;
  return Progress::kRefused;
}

HttpBody::Progress HttpBody::take_data(std::string_view& input, Part next) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
  bytes_.append(input.data(), size);
  input.remove_prefix(size);
  left_ -= size;
  if (left_ != 0) return Progress::kMore;
  part_ = next;
  return Progress::kDone;
}

// True: line_ is a whole line, without its end. False: more is needed, or it is refused.
bool HttpBody::take_line(std::string_view& input, std::size_t bytes_max) {
  if (std::exchange(is_line_done_, false)) line_.clear();
  const std::size_t end = input.find('\n');
  const std::size_t size = end == input.npos ? input.size() : end + 1;
  if (line_.size() + size > bytes_max) {
    refused_ = 400;
    return false;
  }
  line_.append(input.data(), size);
  input.remove_prefix(size);
  if (end == input.npos) return false;
  if (line_.size() < 2 || line_[line_.size() - 2] != '\r') {
    refused_ = 400;
    return false;
  }
  line_.resize(line_.size() - 2);
  is_line_done_ = true;
  return true;
}

// HEX [;extensions]
HttpBody::Progress HttpBody::take_size_line() {
  constexpr std::size_t kDigitsMax = 15;
  std::uint64_t size = 0;
  std::size_t digits = 0;
  for (; digits < line_.size(); ++digits) {
    const char c = line_[digits];
    int digit = 0;
    if (c >= '0' && c <= '9')
      digit = c - '0';
    else if (c >= 'a' && c <= 'f')
      digit = c - 'a' + 10;
    else if (c >= 'A' && c <= 'F')
      digit = c - 'A' + 10;
    else
      break;
    if (digits == kDigitsMax) return refuse(413);
    size = size * 16 + static_cast<std::uint64_t>(digit);
  }
  if (digits == 0) return refuse(400);
  const std::string_view rest = std::string_view(line_).substr(digits);
  if (!rest.empty() && (rest.front() != ';' || !is_header_text(rest))) return refuse(400);
  if (size > bytes_max_ - bytes_.size()) return refuse(413);
  left_ = size;
  part_ = size == 0 ? Part::kTrailers : Part::kData;
  return Progress::kMore;
}

HttpBody::Progress HttpBody::take(std::string_view& input) {
  for (;;) {
    switch (part_) {
      case Part::kLength: return take_data(input, Part::kDone);
      case Part::kSizeLine:
        if (!take_line(input, kHttpChunkLineBytesMax))
          return refused_ != 0 ? Progress::kRefused : Progress::kMore;
        if (take_size_line() == Progress::kRefused) return Progress::kRefused;
        break;
      case Part::kData:
        if (take_data(input, Part::kDataEnd) == Progress::kMore) return Progress::kMore;
        break;
      case Part::kDataEnd:
        if (!take_line(input, 2)) return refused_ != 0 ? Progress::kRefused : Progress::kMore;
        part_ = Part::kSizeLine;
        break;
      case Part::kTrailers:
        // They are read for the framing's sake only.
        if (!take_line(input, static_cast<std::size_t>(trailer_left_))) {
          if (refused_ != 0) refused_ = 431;
          return refused_ != 0 ? Progress::kRefused : Progress::kMore;
        }
        trailer_left_ -= std::min<std::uint64_t>(trailer_left_, line_.size() + 2);
        if (line_.empty()) part_ = Part::kDone;
        break;
      case Part::kDone: return Progress::kDone;
    }
  }
}

}  // namespace baton::net
