#include "term/external.h"
#include "term/external_reader.h"
#include "term/external_tags.h"
#include "term/layout.h"
#include "term/map_keys.h"

#include <cstring>
#include <utility>

namespace baton::term {

namespace {

// The first pass: everything is looked at once, nothing is made, words are counted.
class Scanner {
 public:
  Scanner(std::string_view bytes, const NodeName& node, std::size_t words_max)
      : in_(bytes), node_(node), words_max_(words_max) {}

  Result<void> term(std::size_t depth = 0, std::size_t key_depth = 0) {
    using namespace external;
    if (depth > kTermDepthMax)
      return in_.wrong("terms are nested more than " + std::to_string(kTermDepthMax) + " deep");
    const std::size_t start = in_.at();
    BATON_ASSIGN(const std::uint64_t tag, in_.number(1));
    switch (tag) {
      case kSmallInteger: return skip(1);
      case kInteger: return skip(4);
      case kNil: return {};
      case kNewFloat:
      case kFloat: {
        BATON_ASSIGN([[maybe_unused]] const double value, in_.real(tag));
        return add(2);
      }
      case kSmallBig:
      case kLargeBig: {
        BATON_ASSIGN(const BigBytes big, in_.big(tag));
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
        BATON_ASSIGN(const std::uint64_t arity, in_.number(1));
        BATON_TRY(add(1 + arity));
        return terms(arity, depth, key_depth);
      }
      case kLargeTuple: {
        BATON_ASSIGN(const std::uint64_t arity, in_.count(1));
        BATON_TRY(add(1 + arity));
        return terms(arity, depth, key_depth);
      }
      case kString: {
        BATON_ASSIGN(const std::uint64_t length, in_.number(2));
        BATON_TRY(skip(length));
        return add(2 * length);
      }
      case kList: {
        BATON_ASSIGN(const std::uint64_t length, in_.count(1));
        BATON_TRY(add(2 * length));
        return terms(length + 1, depth, key_depth);
      }
      case kBinary: {
        BATON_ASSIGN(const std::uint64_t size, in_.number(4));
        BATON_TRY(skip(size));
        return add(1 + (size + 7) / 8);
      }
      case kMap: {
        BATON_ASSIGN(const std::uint64_t size, in_.count(2));
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
      case kBitBinary: return opaque(tag, start, depth);
      case kCompressed: return in_.wrong("compressed terms are not supported");
      case kAtomCacheRef: return in_.wrong("an atom of the distribution's cache");
      default: return in_.wrong("no kind of term begins with " + std::to_string(tag));
    }
  }

  std::size_t words() const { return words_; }
  std::size_t at() const { return in_.at(); }

 private:
  Result<void> add(std::uint64_t words) {
    words_ += words;
    if (words_ <= words_max_) return {};
    return in_.wrong("the term has more than " + std::to_string(words_max_) + " words");
  }
  Result<void> skip(std::uint64_t bytes) {
    BATON_ASSIGN([[maybe_unused]] const std::string_view skipped, in_.take(bytes));
    return {};
  }
  Result<void> terms(std::uint64_t count, std::size_t depth, std::size_t key_depth) {
    for (std::uint64_t i = 0; i < count; ++i) BATON_TRY(term(depth + 1, key_depth));
    return {};
  }
  Result<void> pairs(std::uint64_t count, std::size_t depth, std::size_t key_depth) {
    if (key_depth > kMapKeyDepthMax)
      return in_.wrong("maps are nested in keys of maps more than " +
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
      BATON_ASSIGN(const std::uint64_t size, in_.number(4));
      BATON_ASSIGN(const std::uint64_t bits, in_.number(1));
      if (size == 0 || bits == 0 || bits > 8) return in_.wrong("a bitstring of no such size");
      BATON_TRY(skip(size));
    } else if (tag == external::kExport) {
      BATON_TRY(terms(3, depth, 0));  // module, function, arity
    } else {
      BATON_ASSIGN(const std::uint64_t size, in_.number(4));
      BATON_TRY(skip(1 + 16 + 4));  // arity, digest, index
      BATON_ASSIGN(const std::uint64_t free_variables, in_.count(1));
      BATON_TRY(terms(4, depth, 0));  // module, old index, old digest, creator
      BATON_TRY(terms(free_variables, depth, 0));
      if (in_.at() - start != 1 + size) return in_.wrong("a fun whose size is not what it says");
    }
    words_ = before;
    return add(1 + (in_.at() - start + 7) / 8);
  }

  ExternalReader in_;
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
    const std::size_t start = in_.at();
    BATON_ASSIGN(const std::uint64_t tag, in_.number(1));
    switch (tag) {
      case kSmallInteger: {
        BATON_ASSIGN(const std::uint64_t value, in_.number(1));
        return make_int(static_cast<std::int64_t>(value));
      }
      case kInteger: {
        BATON_ASSIGN(const std::uint64_t value, in_.number(4));
        return make_int(static_cast<std::int32_t>(static_cast<std::uint32_t>(value)));
      }
      case kNil: return BATON_NIL;
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
        BATON_ASSIGN(const BigBytes big, in_.big(tag));
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
        BATON_ASSIGN(const std::uint64_t arity, in_.number(tag == kSmallTuple ? 1 : 4));
        return container(BATON_KIND_TUPLE, arity, arity);
      }
      case kMap: {
        BATON_ASSIGN(const std::uint64_t size, in_.number(4));
        BATON_ASSIGN(const baton_term map, container(BATON_KIND_MAP, size, 2 * size));
        if (has_equal_keys(*as_map(map))) return in_.wrong("a key stands twice in a map");
        return map;
      }
      case kString: return string();
      case kList: return list();
      case kBinary: {
        BATON_ASSIGN(const std::uint64_t size, in_.number(4));
        BATON_ASSIGN(const std::string_view bytes, in_.take(size));
        return bytes_of(BATON_KIND_BINARY, bytes);
      }
      case kNewFun:
      case kExport:
      case kBitBinary: {
        Scanner extent(in_.from(start), node_, kTermWordsMax);
        BATON_TRY(extent.term());
        BATON_TRY(in_.take(extent.at() - 1));  // all but the tag
        return bytes_of(BATON_KIND_EXTERNAL, in_.since(start));
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
    BATON_ASSIGN(const std::uint64_t length, in_.number(2));
    BATON_ASSIGN(const std::string_view bytes, in_.take(length));
    if (bytes.empty()) return BATON_NIL;
    baton_term* cells = take(2 * length);
    for (std::uint64_t i = 0; i < length; ++i) {
      cells[2 * i] = make_int(static_cast<unsigned char>(bytes[i]));
      cells[2 * i + 1] = i + 1 < length ? cell_at(cells + 2 * i + 2) : BATON_NIL;
    }
    return cell_at(cells);
  }

  Result<baton_term> list() {
    BATON_ASSIGN(const std::uint64_t length, in_.number(4));
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

  ExternalReader in_;
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
