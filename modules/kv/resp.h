// Resp: the Redis protocol, version 2: commands out of a connection's bytes, replies into a buffer.
//
// Bytes arrive cut at any place. Parser reads commands where they lie in the chunk just received;
// what is left of a command that is not whole yet is kept in the connection's Input, together with
// how far it was read, so that no byte is looked at twice and a take-over in the middle of a
// command loses nothing.
//
// Protocol:
//   *2\r\n$3\r\nGET\r\n$1\r\nk\r\n     an array of bulk strings: one command
//   get k\r\n                          an inline command: words, quoted where needed
// Invariants:
//   (1) Input::pending starts where the command begins that Input::arguments belong to.
//   (2) Arguments are valid until the parser's next call.
// Threads: a value type.
// Fails:   a breach of the protocol or of a limit is Step::kError with the error's text, after
//          which the connection must be closed: what follows cannot be told apart.
#pragma once

#include <baton/state.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kv::inline BATON_BUILD {

/// The longest argument. Redis calls it proto-max-bulk-len; there it is 512 MiB.
constexpr std::int64_t kBulkBytesMax = 32 << 20;
/// The most arguments a command may have.
constexpr std::int64_t kArgumentsMax = 1 << 20;
/// The longest command, all arguments together.
constexpr std::size_t kRequestBytesMax = 64 << 20;
/// The longest inline command, and the longest line that gives a count.
constexpr std::size_t kInlineBytesMax = 64 << 10;

/// What a connection has sent of a command that is not complete yet. Part of the server's state.
struct Input {
  std::string pending;
  std::uint64_t parsed = 0;         // bytes of pending that are understood already
  std::int64_t arguments_left = 0;  // of the array begun; 0: none is begun
  std::int64_t bulk_bytes = -1;     // of the argument begun; -1: none is begun
  std::vector<std::pair<std::uint32_t, std::uint32_t>> arguments;  // offset in pending, size

  bool operator==(const Input&) const = default;
};
BATON_STATE(Input, pending, parsed, arguments_left, bulk_bytes, arguments)

/// The words of one command, the name first.
class Arguments {
 public:
  Arguments(const char* base, const std::vector<std::pair<std::uint32_t, std::uint32_t>>& spans)
      : base_(base), spans_(spans) {}
  std::size_t size() const { return spans_.size(); }
  /// Requires: index < size().
  std::string_view operator[](std::size_t index) const {
    return {base_ + spans_[index].first, spans_[index].second};
  }

 private:
  const char* base_;
  const std::vector<std::pair<std::uint32_t, std::uint32_t>>& spans_;
};

/// Reads the commands in one chunk of a connection's input. Borrows both until finish.
class Parser {
 public:
  enum class Step { kCommand, kIncomplete, kError };

  Parser(Input& input, std::string_view chunk);
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  /// The next command, whose words are arguments(). At kIncomplete all whole commands were read.
  Step next();
  Arguments arguments() const { return {base_, input_.arguments}; }
  /// Requires: next returned kError.
  const std::string& error() const { return error_; }
  /// Keeps what next has not consumed in the input, for the next chunk's parser.
  void finish();

 private:
  Step next_in_array();
  Step next_inline();
  Step incomplete();
  Step fail(std::string_view text);
  /// The line at position_ without its end; false when it is not whole. Sets position_ behind it.
  bool read_line(std::string_view& line);
  void begin_request();

  Input& input_;
  std::string_view buffer_;   // all that is not consumed, from an earlier chunk too
  std::size_t start_ = 0;     // of the command being read
  std::size_t position_ = 0;  // read up to here
  bool in_place_;             // buffer_ is the chunk itself, not input_.pending
  bool is_consumed_ = false;  // the command at start_ was handed out
  const char* base_ = nullptr;
  std::string words_;  // of an inline command, unquoted
  std::string error_;
};

/// Reads a decimal integer the strict way: no sign but '-', no leading zero, no blank, nothing
/// else.
bool parse_integer(std::string_view text, std::int64_t& value);

// Replies.
void append_simple(std::string& out, std::string_view text);  // +text
void append_error(std::string& out, std::string_view text);   // -text, line breaks as blanks
void append_integer(std::string& out, std::int64_t value);    // :value
void append_bulk(std::string& out, std::string_view bytes);   // $size bytes
void append_null(std::string& out);                           // $-1
void append_array(std::string& out, std::size_t size);        // *size; the elements follow

}  // namespace kv::inline BATON_BUILD
