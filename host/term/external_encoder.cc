#include "term/external.h"
#include "term/external_tags.h"
#include "term/layout.h"

#include <bit>
#include <cmath>
#include <vector>

namespace baton::term {

namespace {

constexpr std::size_t kStringLengthMax = 65535;
constexpr std::uint64_t kCountMax = 0xffffffff;

class Encoder {
 public:
  Encoder(const AtomTable& atoms, const NodeName& node, std::string& out)
      : atoms_(atoms), node_(node), out_(out) {}

  // Terms may be of any depth: what is left to write waits in frames.
  Result<void> run(baton_term t) {
    for (;;) {
      BATON_TRY(write(t));
      for (;;) {
        if (frames_.empty()) return {};
        Frame& top = frames_.back();
        if (top.left != 0) {
          --top.left;
          t = *top.at++;
          break;
        }
        if (is_cell(top.list)) {
          t = head(top.list);
          top.list = tail(top.list);
          break;
        }
        t = top.list;
        frames_.pop_back();
        if (t != BATON_NO_TERM) break;  // a list's tail
      }
    }
  }

 private:
  // Either the elements of a tuple or map, or (left is 0) what is left of a list, tail included.
  struct Frame {
    const baton_term* at;
    std::uint64_t left;
    baton_term list;
  };

  void u8(std::uint64_t value) { out_ += static_cast<char>(value); }
  void big_endian(std::uint64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) u8(value >> shift);
  }
  Result<void> count(std::uint64_t value, const char* what) {
    if (value > kCountMax)
      return Error(Code::kFailed, std::string(what) + " is too long to encode");
    big_endian(value, 4);
    return {};
  }

  Result<void> write(baton_term t) {
    switch (tag_of(t)) {
      case BATON_TAG_INT: return write_int(*as_int(t)), Result<void>();
      case BATON_TAG_ATOM: return write_atom(t);
      case BATON_TAG_PID: {
        const Pid pid = *as_pid(t);
        u8(external::kNewPid);
        BATON_TRY(write_atom(node_.name));
        big_endian(pid.index, 4);
        big_endian(pid.generation, 4);
        big_endian(node_.creation, 4);
        return {};
      }
      case BATON_TAG_REF: return write_ref(t >> 3);
      case BATON_TAG_LIST: return write_list(t);
      case BATON_TAG_SPECIAL:
        if (is_nil(t)) return u8(external::kNil), Result<void>();
        u8(external::kV4Port);
        BATON_TRY(write_atom(node_.name));
        big_endian(t >> 8, 8);
        big_endian(node_.creation, 4);
        return {};
      default: return write_boxed(t);
    }
  }

  void write_int(std::int64_t value) {
    if (value >= 0 && value <= 255) {
      u8(external::kSmallInteger);
      u8(static_cast<std::uint64_t>(value));
    } else if (value >= INT32_MIN && value <= INT32_MAX) {
      u8(external::kInteger);
      big_endian(static_cast<std::uint64_t>(value), 4);
    } else {
      const auto bits = static_cast<std::uint64_t>(value);
      const std::uint64_t limb = value < 0 ? 0 - bits : bits;
      write_small_big(value < 0, {&limb, 1});
    }
  }

  static std::size_t bytes_of(std::span<const std::uint64_t> limbs) {
    return 8 * limbs.size() - static_cast<std::size_t>(std::countl_zero(limbs.back())) / 8;
  }
  void write_small_big(bool negative, std::span<const std::uint64_t> limbs) {
    u8(external::kSmallBig);
    u8(bytes_of(limbs));
    u8(negative);
    write_limbs(limbs);
  }
  void write_limbs(std::span<const std::uint64_t> limbs) {
    for (std::size_t i = 0; i < bytes_of(limbs); ++i) u8(limbs[i / 8] >> 8 * (i % 8));
  }

  Result<void> write_atom(baton_term t) {
    const auto text = atoms_.text(t);
    if (!text)
      return Error(Code::kFailed,
                   "an atom whose text is not known here cannot be encoded; name it in the note of"
                   " its module, or intern it");
    u8(external::kSmallAtomUtf8);
    u8(text->size());
    out_ += *text;
    return {};
  }

  // The 61 bits of a reference as words, the first of which may have 18 bits only.
  Result<void> write_ref(std::uint64_t value) {
    u8(external::kNewerReference);
    big_endian(3, 2);
    BATON_TRY(write_atom(node_.name));
    big_endian(node_.creation, 4);
    big_endian(value & 0x3ffff, 4);
    big_endian(value >> 18 & 0xffffffff, 4);
    big_endian(value >> 50, 4);
    return {};
  }

  Result<void> write_list(baton_term list) {
    std::uint64_t length = 0;
    bool is_string = true;
    baton_term rest = list;
    for (; is_cell(rest); rest = tail(rest), ++length) {
      const auto byte = as_int(head(rest));
      is_string = is_string && byte && *byte >= 0 && *byte <= 255;
    }
    if (is_string && is_nil(rest) && length <= kStringLengthMax) {
      u8(external::kString);
      big_endian(length, 2);
      for (baton_term byte : elements(list)) u8(byte >> 3);
      return {};
    }
    u8(external::kList);
    BATON_TRY(count(length, "a list"));
    frames_.push_back({nullptr, 0, list});
    return {};
  }

  Result<void> write_boxed(baton_term t) {
    if (const auto tuple = as_tuple(t)) {
      if (tuple->size() <= 255) {
        u8(external::kSmallTuple);
        u8(tuple->size());
      } else {
        u8(external::kLargeTuple);
        BATON_TRY(count(tuple->size(), "a tuple"));
      }
      frames_.push_back({tuple->data(), tuple->size(), BATON_NO_TERM});
    } else if (const auto binary = as_binary(t)) {
      u8(external::kBinary);
      BATON_TRY(count(binary->size(), "a binary"));
      out_ += *binary;
    } else if (const auto real = as_float(t)) {
      if (!std::isfinite(*real))
        return Error(Code::kFailed, "a float that is infinite or no number cannot be encoded");
      u8(external::kNewFloat);
      big_endian(std::bit_cast<std::uint64_t>(*real), 8);
    } else if (const auto big = as_big(t)) {
      const std::size_t bytes = bytes_of(big->limbs);
      if (bytes <= 255) {
        write_small_big(big->negative, big->limbs);
      } else {
        u8(external::kLargeBig);
        BATON_TRY(count(bytes, "an integer"));
        u8(big->negative);
        write_limbs(big->limbs);
      }
    } else if (const auto map = as_map(t)) {
      u8(external::kMap);
      BATON_TRY(count(map->size(), "a map"));
      frames_.push_back({words_at(t) + 1, 2 * map->size(), BATON_NO_TERM});
    } else if (const auto bytes = as_external(t)) {
      out_ += *bytes;
    } else {
      return Error(Code::kFailed, "no term to encode");
    }
    return {};
  }

  const AtomTable& atoms_;
  const NodeName node_;
  std::string& out_;
  std::vector<Frame> frames_;
};

}  // namespace

Result<void> encode_external(baton_term t, const AtomTable& atoms, std::string& out,
                             const EncodeOptions& options) {
  const std::size_t before = out.size();
  if (options.version) out += static_cast<char>(kExternalVersion);
  auto written = Encoder(atoms, options.node, out).run(t);
  if (!written.ok()) out.resize(before);
  return written;
}

}  // namespace baton::term
