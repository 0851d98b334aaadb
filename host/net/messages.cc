#include "net/messages.h"

#include "runtime/primitives.h"
#include "term/layout.h"

#include <cerrno>
#include <cstring>

namespace baton::net {

namespace {

constexpr std::size_t words_of(std::size_t bytes) { return (bytes + 7) / 8; }

// Puts boxed terms one behind the other into a message with room for them.
class Writer {
 public:
  explicit Writer(baton_term* at) : at_(at) {}

  /// A header with `words` words behind it, for the caller to fill.
  baton_term* box(unsigned kind, std::size_t size, std::size_t words) {
    baton_term* const box = at_;
    *box = term::make_header(kind, size);
    at_ += 1 + words;
    return box;
  }
  /// The bytes of a binary, its padding set to 0.
  char* bytes(std::size_t size, baton_term& made) {
    const std::size_t words = words_of(size);
    baton_term* const binary = box(BATON_KIND_BINARY, size, words);
    if (words != 0) binary[words] = 0;
    made = term::boxed_at(binary);
    return reinterpret_cast<char*>(binary + 1);
  }
  baton_term binary(std::string_view text) {
    baton_term made;
    char* const to = bytes(text.size(), made);
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    return made;
  }

 private:
  baton_term* at_;
};

constexpr std::size_t binary_words(std::size_t bytes) { return 1 + words_of(bytes); }

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool equal_names(std::string_view a, std::string_view b) {
  if (a.size() != b.size() || lower(a[0]) != lower(b[0])) return false;
  for (std::size_t i = 1; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}

// Headers of one name, joined: the first stands for all, its list goes on by `next`.
struct Joined {
  static constexpr std::uint8_t kNone = 255;
  static_assert(kHttpHeadersMax < kNone);

  explicit Joined(const HttpHead& head) {
    for (std::uint8_t i = 0; i < head.header_count; ++i) {
      const HttpHeader& header = head.headers[i];
      next[i] = kNone;
      value_size[i] = static_cast<std::uint32_t>(header.value.size());
      std::uint8_t same = 0;
      while (same < i && !(is_first[same] && equal_names(head.headers[same].name, header.name)))
        ++same;
      is_first[i] = same == i;
      if (is_first[i]) {
        ++count;
        last[i] = i;
      } else {
        next[last[same]] = i;
        last[same] = i;
        value_size[same] += static_cast<std::uint32_t>(2 + header.value.size());
      }
    }
  }

  std::size_t count = 0;
  bool is_first[kHttpHeadersMax];
  std::uint8_t next[kHttpHeadersMax];
  std::uint8_t last[kHttpHeadersMax];
  std::uint32_t value_size[kHttpHeadersMax];
};

}  // namespace

void intern_atoms(term::AtomTable& table) {
  for (const char* text : {"tcp",          "tcp_accepted", "tcp_closed",
                           "tcp_error",    "tcp_passive",  "http",
                           "idle_timeout", "send_timeout", "send_queue_full",
                           "shed",         "memory_full",  "econnreset",
                           "econnaborted", "epipe",        "etimedout",
                           "ehostunreach", "enetunreach",  "enobufs",
                           "enomem",       "eio",          "GET",
                           "HEAD",         "POST",         "PUT",
                           "DELETE",       "OPTIONS",      "PATCH"})
    BATON_CHECK(table.intern(text).ok());
}

baton_term atom_of_error(int error) {
  switch (error) {
    case ECONNRESET: return term::atom("econnreset");
    case ECONNABORTED: return term::atom("econnaborted");
    case EPIPE: return term::atom("epipe");
    case ETIMEDOUT: return term::atom("etimedout");
    case EHOSTUNREACH: return term::atom("ehostunreach");
    case ENETUNREACH: return term::atom("enetunreach");
    case ENOBUFS: return term::atom("enobufs");
    case ENOMEM: return term::atom("enomem");
    default: return term::atom("eio");
  }
}

runtime::Message* message_of(runtime::Context& context, baton_term name, baton_term a) {
  runtime::Message* message = context.allocate(3);
  message->word[0] = term::make_header(BATON_KIND_TUPLE, 2);
  message->word[1] = name;
  message->word[2] = a;
  message->root = term::boxed_at(message->word);
  return message;
}

runtime::Message* message_of(runtime::Context& context, baton_term name, baton_term a,
                             baton_term b) {
  runtime::Message* message = context.allocate(4);
  message->word[0] = term::make_header(BATON_KIND_TUPLE, 3);
  message->word[1] = name;
  message->word[2] = a;
  message->word[3] = b;
  message->root = term::boxed_at(message->word);
  return message;
}

runtime::Message* tcp_message(runtime::Context& context, baton_term port, std::string_view bytes) {
  runtime::Message* message =
      context.allocate(static_cast<std::uint32_t>(4 + binary_words(bytes.size())));
  Writer writer(message->word);
  baton_term* const tuple = writer.box(BATON_KIND_TUPLE, 3, 3);
  tuple[1] = atoms::kTcp;
  tuple[2] = port;
  tuple[3] = writer.binary(bytes);
  message->root = term::boxed_at(tuple);
  return message;
}

runtime::Message* http_message(runtime::Context& context, baton_term port, std::int64_t request,
                               const HttpHead& head, std::string_view body) {
  const Joined joined(head);
  std::size_t words =
      8 + binary_words(head.target.size()) + 1 + 2 * joined.count + binary_words(body.size());
  for (std::size_t i = 0; i < head.header_count; ++i)
    if (joined.is_first[i])
      words += binary_words(head.headers[i].name.size()) + binary_words(joined.value_size[i]);

  runtime::Message* message = context.allocate(static_cast<std::uint32_t>(words));
  Writer writer(message->word);
  baton_term* const tuple = writer.box(BATON_KIND_TUPLE, 7, 7);
  tuple[1] = atoms::kHttp;
  tuple[2] = port;
  tuple[3] = term::make_int(request);
  tuple[4] = head.method;
  tuple[5] = writer.binary(head.target);
  baton_term* const map = writer.box(BATON_KIND_MAP, joined.count, 2 * joined.count);
  tuple[6] = term::boxed_at(map);
  baton_term* pair = map + 1;
  for (std::uint8_t i = 0; i < head.header_count; ++i) {
    if (!joined.is_first[i]) continue;
    const std::string_view name = head.headers[i].name;
    char* to = writer.bytes(name.size(), pair[0]);
    for (char c : name) *to++ = lower(c);
    const char* const separator = equals_lower(name, "cookie") ? "; " : ", ";
    to = writer.bytes(joined.value_size[i], pair[1]);
    for (std::uint8_t same = i; same != Joined::kNone; same = joined.next[same]) {
      if (same != i) {
        *to++ = separator[0];
        *to++ = separator[1];
      }
      const std::string_view value = head.headers[same].value;
      to += value.copy(to, value.size());
    }
    pair += 2;
  }
  tuple[7] = writer.binary(body);
  message->root = term::boxed_at(tuple);
  return message;
}

}  // namespace baton::net
