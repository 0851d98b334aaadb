// Block: terms written straight into the memory of one message.
//
// Two passes: a Measure counts the words that a value needs, then a Cursor writes them in place;
// nothing is built in between. Codecs (baton/codec.h) do both; authors meet only TermValue, a term
// that owns its block and may be kept in a State.
//
// Ownership: a baton_message belongs to whoever holds it until it is sent; OwnedMessage says so in
//            a type.
// Threads:   the context's; TermValue is a value type.
// Fails:     std::bad_alloc when the host gives no memory.
#pragma once

#include <baton/term.h>

#include <new>

namespace baton::inline v1 {

/// Binaries from this size on travel as shared bytes, so that passing them on never copies.
inline constexpr std::size_t kSharedBinaryBytesMin = 4096;

constexpr std::size_t words_of(std::size_t bytes) { return (bytes + 7) / 8; }

/// What a message will need.
struct Measure {
  std::size_t words = 0;
  bool has_shared = false;

  void binary(std::size_t bytes) {
    if (bytes < kSharedBinaryBytesMin) {
      words += 1 + words_of(bytes);
    } else {
      words += 3;
      has_shared = true;
    }
  }
};

/// Where the next word goes. Requires: a Measure of the same value made the room.
class Cursor {
 public:
  /// Without a host, binaries of any size are written in place.
  explicit Cursor(baton_term* at, const baton_host* host = nullptr) : at_(at), host_(host) {}

  /// Room for a header and `size` words behind it, which the caller fills.
  baton_term* box(unsigned kind, std::size_t size, std::size_t words) {
    baton_term* box = at_;
    box[0] = static_cast<baton_term>(size) << 8 | kind << 3 | BATON_TAG_HEADER;
    at_ += 1 + words;
    return box;
  }
  baton_term* cell() { return std::exchange(at_, at_ + 2); }

  baton_term binary(std::string_view bytes) {
    if (host_ != nullptr && bytes.size() >= kSharedBinaryBytesMin) return shared(bytes);
    const std::size_t words = words_of(bytes.size());
    baton_term* const to = box(BATON_KIND_BINARY, bytes.size(), words);
    if (words > 0) to[words] = 0;  // the padding is part of what may be compared or sent on
    if (!bytes.empty()) std::memcpy(to + 1, bytes.data(), bytes.size());
    return reinterpret_cast<baton_term>(to);
  }
  /// Takes a further reference to bytes that are shared already.
  baton_term shared(baton_binary* binary, std::size_t size) {
    host_->binary_retain(binary);
    return chain(binary, size);
  }
  baton_term* at() const { return at_; }
  const baton_host* host() const { return host_; }
  /// The first SHARED header, 0 if there is none.
  baton_term first_shared() const { return first_shared_; }

 private:
  baton_term shared(std::string_view bytes) {
    baton_binary* const binary = host_->binary_new(bytes.size());
    if (binary == nullptr) throw std::bad_alloc();
    std::memcpy(binary->bytes, bytes.data(), bytes.size());
    return chain(binary, bytes.size());
  }
  baton_term chain(baton_binary* binary, std::size_t size) {
    baton_term* const to = box(BATON_KIND_SHARED, size, 2);
    to[1] = reinterpret_cast<baton_term>(binary);
    to[2] = std::exchange(first_shared_, reinterpret_cast<baton_term>(to));
    return first_shared_;
  }

  baton_term* at_;
  const baton_host* host_;
  baton_term first_shared_ = 0;
};

inline baton_term tagged_cell(const baton_term* cell) {
  return reinterpret_cast<baton_term>(cell) | BATON_TAG_LIST;
}

namespace copying {

// Both walk with a list of what is left, not by recursion: a sender decides how deep a term is.
inline void measure(Measure& measure, Term term, bool keeps_shared) {
  std::vector<Term> left{term};
  while (!left.empty()) {
    term = left.back();
    left.pop_back();
    for (; term.tag() == BATON_TAG_LIST; term = Term(term.cell()[1])) {
      measure.words += 2;
      left.push_back(Term(term.cell()[0]));
    }
    if (!term.is_boxed()) continue;
    switch (term.kind()) {
      case BATON_KIND_TUPLE:
        measure.words += 1 + term.size();
        for (std::size_t i = 0; i < term.size(); ++i) left.push_back(term[i]);
        break;
      case BATON_KIND_MAP:
        measure.words += 1 + 2 * term.size();
        for (auto [key, value] : term.map()) left.insert(left.end(), {key, value});
        break;
      case BATON_KIND_SHARED:
        if (keeps_shared) {
          measure.words += 3;
          measure.has_shared = true;
          break;
        }
        [[fallthrough]];
      case BATON_KIND_BINARY:
      case BATON_KIND_EXTERNAL: measure.words += 1 + words_of(term.size()); break;
      default: measure.words += 1 + term.size();
    }
  }
}

inline baton_term write(Cursor& cursor, Term root) {
  struct Left {
    Term from;
    baton_term* to;
  };
  baton_term copied = 0;
  std::vector<Left> left{{root, &copied}};
  while (!left.empty()) {
    auto [term, to] = left.back();
    left.pop_back();
    for (; term.tag() == BATON_TAG_LIST; term = Term(term.cell()[1])) {
      baton_term* const cell = cursor.cell();
      *to = tagged_cell(cell);
      left.push_back({Term(term.cell()[0]), cell});
      to = cell + 1;
    }
    if (!term.is_boxed()) {
      *to = term.word();
      continue;
    }
    const std::size_t size = term.size();
    if (term.kind() == BATON_KIND_SHARED) {
      *to = cursor.host() != nullptr
                ? cursor.shared(reinterpret_cast<baton_binary*>(term.box()[1]), size)
                : cursor.binary(term.binary());
      continue;
    }
    const bool is_bytes = term.kind() == BATON_KIND_BINARY || term.kind() == BATON_KIND_EXTERNAL;
    const std::size_t words = is_bytes                        ? words_of(size)
                              : term.kind() == BATON_KIND_MAP ? 2 * size
                                                              : size;
    baton_term* const box = cursor.box(term.kind(), size, words);
    *to = reinterpret_cast<baton_term>(box);
    if (term.kind() == BATON_KIND_TUPLE || term.kind() == BATON_KIND_MAP) {
      for (std::size_t i = 1; i <= words; ++i) left.push_back({Term(term.box()[i]), box + i});
    } else {
      std::memcpy(box + 1, term.box() + 1, words * 8);
    }
  }
  return copied;
}

}  // namespace copying

/// A term of its own: a deep copy that outlives the message it came in. Empty is undefined.
/// Shared binaries are copied in, since a value may outlive every context that could release them.
class TermValue {
 public:
  TermValue() = default;
  explicit TermValue(Term term) {
    Measure measure;
    copying::measure(measure, term, false);
    words_.resize(measure.words);
    Cursor cursor(words_.data());
    root_ = copying::write(cursor, term);
  }
  TermValue(const TermValue& other) : TermValue(other.term()) {}
  TermValue(TermValue&& other) noexcept
      : words_(std::move(other.words_)), root_(std::exchange(other.root_, Atom().word)) {
    other.words_.clear();
  }
  TermValue& operator=(TermValue other) noexcept {
    words_.swap(other.words_);
    std::swap(root_, other.root_);
    return *this;
  }

  Term term() const { return Term(root_); }
  operator Term() const { return term(); }  // NOLINT: reading it is what it is for
  friend bool operator==(const TermValue& a, const TermValue& b) { return a.term() == b.term(); }

 private:
  // The root points into the words, whose memory a move hands over as it lies.
  std::vector<baton_term> words_;
  baton_term root_ = Atom().word;
};

/// A message that is ours until it is sent.
class OwnedMessage {
 public:
  OwnedMessage(baton_context* context, baton_message* message)
      : context_(context), message_(message) {}
  OwnedMessage(OwnedMessage&& other) noexcept
      : context_(other.context_), message_(std::exchange(other.message_, nullptr)) {}
  OwnedMessage& operator=(OwnedMessage&&) = delete;
  ~OwnedMessage() {
    if (message_ != nullptr) context_->host->free(context_, message_);
  }
  baton_message* get() const { return message_; }
  baton_message* release() { return std::exchange(message_, nullptr); }

 private:
  baton_context* context_;
  baton_message* message_;
};

}  // namespace baton::inline v1
