#include "term/external.h"
#include "term/external_tags.h"
#include "term/layout.h"
#include "term/map_keys.h"
#include "term/utf8.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <vector>

namespace baton::term {

namespace {

constexpr std::size_t kReferenceWordsMax = 5;

// Reads bytes in order; what is not there is an error that says where.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  std::size_t at() const { return at_; }
  std::size_t left() const { return bytes_.size() - at_; }
  std::string_view since(std::size_t start) const { return bytes_.substr(start, at_ - start); }
  std::string_view from(std::size_t start) const { return bytes_.substr(start); }
  Error wrong(const std::string& what) const {
    return Error(Code::kFailed, "byte " + std::to_string(at_) + ": " + what);
  }

  Result<std::string_view> take(std::uint64_t count) {
    if (count > left())
      return wrong("expected " + std::to_string(count) + " more bytes, found " +
                   std::to_string(left()));
    at_ += count;
    return bytes_.substr(at_ - count, count);
  }
  Result<std::uint64_t> number(std::size_t bytes) {
    BATON_ASSIGN(const std::string_view taken, take(bytes));
    std::uint64_t value = 0;
    for (unsigned char byte : taken) value = value << 8 | byte;
    return value;
  }
  // A count of 4 bytes, of things that take at least that many bytes each.
  Result<std::uint64_t> count(std::size_t bytes_each) {
    BATON_ASSIGN(const std::uint64_t value, number(4));
    if (value * bytes_each > left())
      return wrong(std::to_string(value) + " elements announced, but only " +
                   std::to_string(left()) + " bytes left");
    return value;
  }

 private:
  const std::string_view bytes_;
  std::size_t at_ = 0;
};

// A pid, reference or port as read, whichever of its forms it had.
struct Identifier {
  external::Tag kind;  // kNewPid, kNewerReference or kV4Port
  std::string node;
  std::uint64_t creation = 0;
  std::vector<std::uint64_t> numbers;  // pid: id, serial; reference: words; port: id

  bool is_of(const NodeName& ours) const {
    return creation == ours.creation && atom(node) == ours.name;
  }

  // In the newest form, for EXTERNAL.
  std::string bytes() const {
    std::string out;
    const auto big_endian = [&](std::uint64_t value, int count) {
      for (int shift = 8 * (count - 1); shift >= 0; shift -= 8)
        out += static_cast<char>(value >> shift);
    };
    big_endian(kind, 1);
    if (kind == external::kNewerReference) big_endian(numbers.size(), 2);
    big_endian(external::kSmallAtomUtf8, 1);
    big_endian(node.size(), 1);
    out += node;
    if (kind == external::kNewerReference) big_endian(creation, 4);
    for (std::uint64_t number : numbers) big_endian(number, kind == external::kV4Port ? 8 : 4);
    if (kind != external::kNewerReference) big_endian(creation, 4);
    return out;
  }
};

// What both passes share: reading the parts of a term.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : cursor(bytes) {}

  Cursor cursor;

  // The text in UTF-8; it lives until the next call.
  Result<std::string_view> atom_text(std::uint64_t tag) {
    const bool is_short = tag == external::kSmallAtom || tag == external::kSmallAtomUtf8;
    BATON_ASSIGN(const std::uint64_t size, cursor.number(is_short ? 1 : 2));
    BATON_ASSIGN(std::string_view text, cursor.take(size));
    if (tag == external::kSmallAtom || tag == external::kAtom) {
      latin1_.clear();
      for (unsigned char c : text) append_utf8(latin1_, c);
      text = latin1_;
    }
    if (text.size() > kAtomBytesMax)
      return cursor.wrong("an atom of " + std::to_string(text.size()) + " bytes; at most " +
                          std::to_string(kAtomBytesMax) + " are allowed");
    if (!is_utf8(text)) return cursor.wrong("an atom that is not UTF-8");
    return text;
  }

  Result<Identifier> identifier(std::uint64_t tag) {
    using namespace external;
    Identifier found;
    const bool is_reference = tag == kReference || tag == kNewReference || tag == kNewerReference;
    const bool is_pid = tag == kPid || tag == kNewPid;
    found.kind = is_reference ? kNewerReference : is_pid ? kNewPid : kV4Port;
    std::uint64_t words = is_pid ? 2 : 1;
    if (tag == kNewReference || tag == kNewerReference) {
      BATON_ASSIGN(words, cursor.number(2));
      if (words == 0 || words > kReferenceWordsMax)
        return cursor.wrong("a reference of " + std::to_string(words) + " words; it has 1 to " +
                            std::to_string(kReferenceWordsMax));
    }
    BATON_ASSIGN(const std::uint64_t node_tag, cursor.number(1));
    if (!is_atom_tag(node_tag)) return cursor.wrong("expected a node's name");
    BATON_ASSIGN(const std::string_view node, atom_text(node_tag));
    found.node = node;
    const bool is_old = tag == kReference || tag == kNewReference || tag == kPid || tag == kPort;
    const std::size_t creation_bytes = is_old ? 1 : 4;
    const bool creation_first = tag == kNewReference || tag == kNewerReference;
    if (creation_first) {
      BATON_ASSIGN(found.creation, cursor.number(creation_bytes));
    }
    for (std::uint64_t i = 0; i < words; ++i) {
      BATON_ASSIGN(const std::uint64_t number, cursor.number(tag == kV4Port ? 8 : 4));
      found.numbers.push_back(number);
    }
    if (!creation_first) {
      BATON_ASSIGN(found.creation, cursor.number(creation_bytes));
    }
    return found;
  }

  // The immediate of an identifier of our own.
  Result<baton_term> local(const Identifier& id) {
    switch (id.kind) {
      case external::kNewPid:
        if (id.numbers[0] > kPidIndexMax) break;
        return make_pid(static_cast<std::uint32_t>(id.numbers[0]),
                        static_cast<std::uint32_t>(id.numbers[1]));
      case external::kV4Port:
        if (id.numbers[0] >> 56 != 0) break;
        return id.numbers[0] << 8 | kPortWord;
      default:
        if (id.numbers.size() != 3 || id.numbers[0] >> 18 != 0 || id.numbers[2] >> 11 != 0) break;
        return (id.numbers[2] << 50 | id.numbers[1] << 18 | id.numbers[0]) << 3 | BATON_TAG_REF;
    }
    return cursor.wrong("a pid, reference or port with our name that we never made");
  }

  Result<double> real(std::uint64_t tag) {
    double value = 0;
    if (tag == external::kNewFloat) {
      BATON_ASSIGN(const std::uint64_t bits, cursor.number(8));
      value = std::bit_cast<double>(bits);
    } else {
      constexpr std::size_t kFloatTextBytes = 31;
      BATON_ASSIGN(std::string_view text, cursor.take(kFloatTextBytes));
      text = text.substr(0, text.find('\0'));
      const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
      if (read.ec != std::errc() || read.ptr != text.data() + text.size())
        return cursor.wrong("a float in text that is none");
    }
    if (!std::isfinite(value)) return cursor.wrong("a float that is infinite or no number");
    return value;
  }

  struct BigBytes {
    bool negative;
    std::string_view bytes;  // least significant first, none of them zero on top
    std::size_t limbs() const { return (bytes.size() + 7) / 8; }
    std::uint64_t limb(std::size_t i) const {
      std::uint64_t value = 0;
      std::memcpy(&value, bytes.data() + 8 * i, std::min<std::size_t>(8, bytes.size() - 8 * i));
      return value;
    }
    // As an INT, if it is one.
    std::optional<baton_term> small() const {
      if (bytes.empty()) return make_int(0);
      if (limbs() > 1) return std::nullopt;
      const std::uint64_t magnitude = limb(0);
      if (magnitude > static_cast<std::uint64_t>(BATON_INT_MAX) + (negative ? 1 : 0))
        return std::nullopt;
      const auto value = static_cast<std::int64_t>(magnitude);
      return make_int(negative ? -value : value);
    }
  };
  Result<BigBytes> big(std::uint64_t tag) {
    BATON_ASSIGN(const std::uint64_t size, cursor.number(tag == external::kSmallBig ? 1 : 4));
    if (size > 8 * kIntegerLimbsMax)
      return cursor.wrong("an integer of " + std::to_string(size) + " bytes; at most " +
                          std::to_string(8 * kIntegerLimbsMax) + " are allowed");
    BATON_ASSIGN(const std::uint64_t sign, cursor.number(1));
    BATON_ASSIGN(std::string_view bytes, cursor.take(size));
    while (!bytes.empty() && bytes.back() == 0) bytes.remove_suffix(1);
    return BigBytes{sign != 0, bytes};
  }

  static bool is_atom_tag(std::uint64_t tag) {
    return tag == external::kAtom || tag == external::kSmallAtom || tag == external::kAtomUtf8 ||
           tag == external::kSmallAtomUtf8;
  }

 private:
  std::string latin1_;
};

// The first pass: everything is looked at once, nothing is made, words are counted.
class Scanner {
 public:
  Scanner(std::string_view bytes, const NodeName& node, std::size_t words_max)
      : in_(bytes), node_(node), words_max_(words_max) {}

  Result<void> term(std::size_t depth = 0, std::size_t key_depth = 0) {
    using namespace external;
    if (depth > kTermDepthMax)
      return in_.cursor.wrong("terms are nested more than " + std::to_string(kTermDepthMax) +
                              " deep");
    const std::size_t start = in_.cursor.at();
    BATON_ASSIGN(const std::uint64_t tag, in_.cursor.number(1));
    switch (tag) {
      case kSmallInteger:
        return skip(1);
      case kInteger:
        return skip(4);
      case kNil:
        return {};
      case kNewFloat:
      case kFloat: {
        BATON_ASSIGN([[maybe_unused]] const double value, in_.real(tag));
        return add(2);
      }
      case kSmallBig:
      case kLargeBig: {
        BATON_ASSIGN(const Reader::BigBytes big, in_.big(tag));
        return big.small() ? Result<void>() : add(1 + big.limbs());
      }
      case kAtom:
      case kSmallAtom:
      case kAtomUtf8:
      case kSmallAtomUtf8: {
        BATON_ASSIGN([[maybe_unused]] const std::string_view text, in_.atom_text(tag));
        return {};
      }
      case kSmallTuple: {
        BATON_ASSIGN(const std::uint64_t arity, in_.cursor.number(1));
        BATON_TRY(add(1 + arity));
        return terms(arity, depth, key_depth);
      }
      case kLargeTuple: {
        BATON_ASSIGN(const std::uint64_t arity, in_.cursor.count(1));
        BATON_TRY(add(1 + arity));
        return terms(arity, depth, key_depth);
      }
      case kString: {
        BATON_ASSIGN(const std::uint64_t length, in_.cursor.number(2));
        BATON_TRY(skip(length));
        return add(2 * length);
      }
      case kList: {
        BATON_ASSIGN(const std::uint64_t length, in_.cursor.count(1));
        BATON_TRY(add(2 * length));
        return terms(length + 1, depth, key_depth);
      }
      case kBinary: {
        BATON_ASSIGN(const std::uint64_t size, in_.cursor.number(4));
        BATON_TRY(skip(size));
        return add(1 + (size + 7) / 8);
      }
      case kMap: {
        BATON_ASSIGN(const std::uint64_t size, in_.cursor.count(2));
        BATON_TRY(add(1 + 2 * size));
        return pairs(size, depth, key_depth);
      }
      case kPid:
      case kNewPid:
      case kReference:
      case kNewReference:
      case kNewerReference:
      case kPort:
      case kNewPort:
      case kV4Port: {
        BATON_ASSIGN(const Identifier id, in_.identifier(tag));
        if (!id.is_of(node_)) return add(1 + (id.bytes().size() + 7) / 8);
        BATON_ASSIGN([[maybe_unused]] const baton_term made, in_.local(id));
        return {};
      }
      case kNewFun:
      case kExport:
      case kBitBinary:
        return opaque(tag, start, depth);
      case kCompressed:
        return in_.cursor.wrong("compressed terms are not supported");
      case kAtomCacheRef:
        return in_.cursor.wrong("an atom of the distribution's cache");
      default:
        return in_.cursor.wrong("no kind of term begins with " + std::to_string(tag));
    }
  }

  std::size_t words() const { return words_; }
  std::size_t at() const { return in_.cursor.at(); }

 private:
  Result<void> add(std::uint64_t words) {
    words_ += words;
    if (words_ <= words_max_) return {};
    return in_.cursor.wrong("the term has more than " + std::to_string(words_max_) + " words");
  }
  Result<void> skip(std::uint64_t bytes) {
    BATON_ASSIGN([[maybe_unused]] const std::string_view skipped, in_.cursor.take(bytes));
    return {};
  }
  Result<void> terms(std::uint64_t count, std::size_t depth, std::size_t key_depth) {
    for (std::uint64_t i = 0; i < count; ++i) BATON_TRY(term(depth + 1, key_depth));
    return {};
  }
  Result<void> pairs(std::uint64_t count, std::size_t depth, std::size_t key_depth) {
    if (key_depth > kMapKeyDepthMax)
      return in_.cursor.wrong("maps are nested in keys of maps more than " +
                              std::to_string(kMapKeyDepthMax) + " deep");
    for (std::uint64_t i = 0; i < count; ++i) {
      BATON_TRY(term(depth + 1, key_depth + 1));
      BATON_TRY(term(depth + 1, key_depth));
    }
    return {};
  }

  // Walks what is kept as bytes, so that nothing broken is passed on to another node.
  Result<void> opaque(std::uint64_t tag, std::size_t start, std::size_t depth) {
    const std::size_t before = words_;
    if (tag == external::kBitBinary) {
      BATON_ASSIGN(const std::uint64_t size, in_.cursor.number(4));
      BATON_ASSIGN(const std::uint64_t bits, in_.cursor.number(1));
      if (size == 0 || bits == 0 || bits > 8)
        return in_.cursor.wrong("a bitstring of no such size");
      BATON_TRY(skip(size));
    } else if (tag == external::kExport) {
      BATON_TRY(terms(3, depth, 0));  // module, function, arity
    } else {
      BATON_ASSIGN(const std::uint64_t size, in_.cursor.number(4));
      BATON_TRY(skip(1 + 16 + 4));  // arity, digest, index
      BATON_ASSIGN(const std::uint64_t free_variables, in_.cursor.count(1));
      BATON_TRY(terms(4, depth, 0));  // module, old index, old digest, creator
      BATON_TRY(terms(free_variables, depth, 0));
      if (in_.cursor.at() - start != 1 + size)
        return in_.cursor.wrong("a fun whose size is not what it says");
    }
    words_ = before;
    return add(1 + (in_.cursor.at() - start + 7) / 8);
  }

  Reader in_;
  const NodeName node_;
  const std::size_t words_max_;
  std::size_t words_ = 0;
};

// The second pass: writes the words that the first one counted, over bytes that it found good. What
// can still fail are the atom table and equal keys.
class Maker {
 public:
  Maker(std::string_view bytes, const NodeName& node, AtomTable& atoms, baton_message& message)
      : in_(bytes),
        node_(node),
        atoms_(atoms),
        next_(message.word),
        end_(message.word + message.words) {}

  Result<baton_term> term() {
    using namespace external;
    const std::size_t start = in_.cursor.at();
    BATON_ASSIGN(const std::uint64_t tag, in_.cursor.number(1));
    switch (tag) {
      case kSmallInteger: {
        BATON_ASSIGN(const std::uint64_t value, in_.cursor.number(1));
        return make_int(static_cast<std::int64_t>(value));
      }
      case kInteger: {
        BATON_ASSIGN(const std::uint64_t value, in_.cursor.number(4));
        return make_int(static_cast<std::int32_t>(static_cast<std::uint32_t>(value)));
      }
      case kNil:
        return BATON_NIL;
      case kNewFloat:
      case kFloat: {
        BATON_ASSIGN(const double value, in_.real(tag));
        baton_term* to = take(2);
        to[0] = make_header(BATON_KIND_FLOAT, 1);
        std::memcpy(to + 1, &value, sizeof value);
        return boxed_at(to);
      }
      case kSmallBig:
      case kLargeBig: {
        BATON_ASSIGN(const Reader::BigBytes big, in_.big(tag));
        if (const auto small = big.small()) return *small;
        baton_term* to = take(1 + big.limbs());
        to[0] = make_header(big.negative ? BATON_KIND_NEGATIVE : BATON_KIND_POSITIVE, big.limbs());
        for (std::size_t i = 0; i < big.limbs(); ++i) to[1 + i] = big.limb(i);
        return boxed_at(to);
      }
      case kAtom:
      case kSmallAtom:
      case kAtomUtf8:
      case kSmallAtomUtf8: {
        BATON_ASSIGN(const std::string_view text, in_.atom_text(tag));
        return atoms_.intern(text);
      }
      case kSmallTuple:
      case kLargeTuple: {
        BATON_ASSIGN(const std::uint64_t arity, in_.cursor.number(tag == kSmallTuple ? 1 : 4));
        return container(BATON_KIND_TUPLE, arity, arity);
      }
      case kMap: {
        BATON_ASSIGN(const std::uint64_t size, in_.cursor.number(4));
        BATON_ASSIGN(const baton_term map, container(BATON_KIND_MAP, size, 2 * size));
        if (has_equal_keys(*as_map(map))) return in_.cursor.wrong("a key stands twice in a map");
        return map;
      }
      case kString:
        return string();
      case kList:
        return list();
      case kBinary: {
        BATON_ASSIGN(const std::uint64_t size, in_.cursor.number(4));
        BATON_ASSIGN(const std::string_view bytes, in_.cursor.take(size));
        return bytes_of(BATON_KIND_BINARY, bytes);
      }
      case kNewFun:
      case kExport:
      case kBitBinary: {
        Scanner extent(in_.cursor.from(start), node_, kTermWordsMax);
        BATON_TRY(extent.term());
        BATON_TRY(in_.cursor.take(extent.at() - 1));  // all but the tag
        return bytes_of(BATON_KIND_EXTERNAL, in_.cursor.since(start));
      }
      default: {
        BATON_ASSIGN(const Identifier id, in_.identifier(tag));
        if (id.is_of(node_)) return in_.local(id);
        return bytes_of(BATON_KIND_EXTERNAL, id.bytes());
      }
    }
  }

 private:
  baton_term* take(std::uint64_t words) {
    BATON_CHECK(words <= static_cast<std::uint64_t>(end_ - next_), "the passes disagree");
    return std::exchange(next_, next_ + words);
  }

  baton_term bytes_of(unsigned kind, std::string_view bytes) {
    const baton_term header = make_header(kind, bytes.size());
    const std::uint64_t payload = payload_words(header);
    baton_term* to = take(1 + payload);
    to[0] = header;
    if (payload != 0) to[payload] = 0;
    std::memcpy(to + 1, bytes.data(), bytes.size());
    return boxed_at(to);
  }

  Result<baton_term> container(unsigned kind, std::uint64_t size, std::uint64_t words) {
    baton_term* to = take(1 + words);
    to[0] = make_header(kind, size);
    for (std::uint64_t i = 1; i <= words; ++i) {
      BATON_ASSIGN(to[i], term());
    }
    return boxed_at(to);
  }

  Result<baton_term> string() {
    BATON_ASSIGN(const std::uint64_t length, in_.cursor.number(2));
    BATON_ASSIGN(const std::string_view bytes, in_.cursor.take(length));
    if (bytes.empty()) return BATON_NIL;
    baton_term* cells = take(2 * length);
    for (std::uint64_t i = 0; i < length; ++i) {
      cells[2 * i] = make_int(static_cast<unsigned char>(bytes[i]));
      cells[2 * i + 1] = i + 1 < length ? cell_at(cells + 2 * i + 2) : BATON_NIL;
    }
    return cell_at(cells);
  }

  Result<baton_term> list() {
    BATON_ASSIGN(const std::uint64_t length, in_.cursor.number(4));
    baton_term* cells = take(2 * length);
    for (std::uint64_t i = 0; i < length; ++i) {
      BATON_ASSIGN(cells[2 * i], term());
      if (i + 1 < length) cells[2 * i + 1] = cell_at(cells + 2 * i + 2);
    }
    BATON_ASSIGN(const baton_term rest, term());
    if (length == 0) return rest;
    cells[2 * length - 1] = rest;
    return cell_at(cells);
  }

  Reader in_;
  const NodeName node_;
  AtomTable& atoms_;
  baton_term* next_;
  baton_term* const end_;
};

Result<std::string_view> without_version(std::string_view bytes, bool version) {
  if (!version) return bytes;
  if (bytes.empty()) return Error(Code::kFailed, "byte 0: nothing to decode");
  if (static_cast<unsigned char>(bytes[0]) != kExternalVersion)
    return Error(Code::kFailed, "byte 0: external terms begin with 131, not " +
                                    std::to_string(static_cast<unsigned char>(bytes[0])));
  return bytes.substr(1);
}

}  // namespace

Result<Decoded> decode_external(std::string_view bytes, AtomTable& atoms,
                                const DecodeOptions& options) {
  BATON_ASSIGN(const std::string_view body, without_version(bytes, options.version));
  Scanner scanner(body, options.node, options.words_max);
  BATON_TRY(scanner.term());
  BATON_ASSIGN(Block block, Block::allocate(scanner.words()));
  BATON_ASSIGN(const baton_term root, Maker(body, options.node, atoms, *block.message()).term());
  block.message()->root = root;
  return Decoded{std::move(block), bytes.size() - body.size() + scanner.at()};
}

Result<void> check_opaque(std::string_view bytes) {
  using namespace external;
  const auto tag = bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]);
  // Only the newest forms: they are what equality relies on.
  if (tag != kNewPid && tag != kNewerReference && tag != kV4Port && tag != kNewFun &&
      tag != kExport && tag != kBitBinary)
    return Error(Code::kUsage, "no external pid, reference, port, fun or bitstring");
  Scanner scanner(bytes, NodeName{BATON_NO_TERM, 0}, kTermWordsMax);
  BATON_TRY(scanner.term());
  if (scanner.at() != bytes.size())
    return Error(Code::kUsage, "bytes are left over after the external term");
  return {};
}

}  // namespace baton::term
