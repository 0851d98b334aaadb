#include "load/resp_frame.h"

#include <charconv>

namespace baton::load {
namespace {

std::size_t frame_size(std::string_view bytes, int depth) {
  if (bytes.empty()) return kRespIncomplete;
  const std::size_t line_end = bytes.find("\r\n");
  const char kind = bytes[0];
  if (kind != '+' && kind != '-' && kind != ':' && kind != '$' && kind != '*') {
    return kRespMalformed;
  }
  if (line_end == std::string_view::npos) return kRespIncomplete;
  const std::size_t head = line_end + 2;
  if (kind == '+' || kind == '-') return head;

  long number = 0;
  const char* digits_end = bytes.data() + line_end;
  const auto parsed = std::from_chars(bytes.data() + 1, digits_end, number);
  if (parsed.ec != std::errc() || parsed.ptr != digits_end) return kRespMalformed;
  if (kind == ':' || number == -1) return head;
  if (number < 0 || number > kRespLengthMax) return kRespMalformed;

  if (kind == '$') {
    const std::size_t whole = head + static_cast<std::size_t>(number) + 2;
    if (bytes.size() < whole) return kRespIncomplete;
    return bytes.substr(whole - 2, 2) == "\r\n" ? whole : kRespMalformed;
  }
  if (depth >= kRespDepthMax) return kRespMalformed;
  std::size_t whole = head;
  for (long i = 0; i < number; ++i) {
    const std::size_t item = frame_size(bytes.substr(whole), depth + 1);
    if (item == kRespIncomplete || item == kRespMalformed) return item;
    whole += item;
  }
  return whole;
}

}  // namespace

std::size_t resp_frame_size(std::string_view bytes) { return frame_size(bytes, 0); }

}  // namespace baton::load
