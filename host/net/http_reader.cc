#include "net/http_reader.h"

#include "base/check.h"

namespace baton::net {

HttpReader::Progress HttpReader::next(std::string_view& input, const HttpLimits& limits,
                                      HttpHead& head, std::string_view& body) {
  if (is_in_body_) return read_body(input, head, body);
  if (is_kept_done_) free_kept();

  const bool is_cut = !kept_.empty();
  if (is_cut) kept_.append(input);
  const std::string_view text = is_cut ? kept_ : input;
  int refused = 0;
  const std::size_t end = scanner_.find_end(text, limits.header_bytes_max, refused);
  if (refused != 0) return refuse(refused);
  if (end == 0) {
    if (!is_cut) kept_.assign(input);
    input = {};
    return Progress::kMore;
  }
  // What lies behind the head came with this input.
  input.remove_prefix(input.size() - (text.size() - end));
  const std::string_view whole = text.substr(scanner_.begin(), end - scanner_.begin());
  scanner_.reset();
  if (refused = read_head(whole, head); refused != 0) return refuse(refused);
  is_kept_done_ = is_cut;

  const std::uint64_t length = head.content_length.value_or(0);
  if (length > limits.body_bytes_max) return refuse(413);
  if (!head.is_chunked && length <= input.size()) {
    body = input.substr(0, static_cast<std::size_t>(length));
    input.remove_prefix(static_cast<std::size_t>(length));
    return Progress::kRequest;
  }
  // The head is read again when the body is there: the views into it do not last so long.
  kept_ = std::string(whole);
  is_kept_done_ = false;
  is_in_body_ = true;
  wants_continue_ = head.expects_continue;
  body_.begin(head, limits.body_bytes_max, limits.header_bytes_max);
  return read_body(input, head, body);
}

void HttpReader::free_kept() {
  is_kept_done_ = false;
  kept_.clear();
  if (kept_.capacity() > kKeptBufferBytesMax) kept_.shrink_to_fit();
  body_.reset();
}

HttpReader::Progress HttpReader::read_body(std::string_view& input, HttpHead& head,
                                           std::string_view& body) {
  if (!input.empty()) wants_continue_ = false;  // it did not wait
  switch (body_.take(input)) {
    case HttpBody::Progress::kMore: return Progress::kMore;
    case HttpBody::Progress::kRefused: return refuse(body_.refused());
    case HttpBody::Progress::kDone: break;
  }
  is_in_body_ = false;
  is_kept_done_ = true;
  BATON_CHECK(read_head(kept_, head) == 0, "a head that was well-formed is so no more");
  body = body_.bytes();
  return Progress::kRequest;
}

}  // namespace baton::net
