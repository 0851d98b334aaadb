#include "term/atom.h"
#include "term/compare.h"
#include "term/integer.h"
#include "term/layout.h"
#include "term/text.h"
#include "term/utf8.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <vector>

namespace baton::term {

namespace {

// Beyond this, base 16: decimal takes quadratic time.
constexpr std::size_t kDecimalLimbsMax = 1024;

// Erlang's reserved words, sorted.
constexpr std::string_view kReserved[] = {
    "after", "and",  "andalso", "band",   "begin",   "bnot", "bor", "bsl",  "bsr",
    "bxor",  "case", "catch",   "cond",   "div",     "end",  "fun", "if",   "let",
    "not",   "of",   "or",      "orelse", "receive", "rem",  "try", "when", "xor"};

bool is_lower(std::uint32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 0xdf && c <= 0xff && c != 0xf7);
}
bool is_alphanumeric(std::uint32_t c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '@' ||
         (c >= 0xc0 && c <= 0xde && c != 0xd7);
}

bool needs_quotes(std::string_view text) {
  if (std::binary_search(std::begin(kReserved), std::end(kReserved), text)) return true;
  const auto first = next_code_point(text);
  if (!first || !is_lower(*first)) return true;
  while (const auto c = next_code_point(text))
    if (!is_alphanumeric(*c)) return true;
  return false;
}

bool is_printable_latin1(std::uint32_t c) {
  return (c >= ' ' && c <= '~') || (c >= '\b' && c <= '\r') || c == 27 || (c >= 0xa0 && c <= 0xff);
}
bool is_printable(std::uint32_t c) {
  return is_printable_latin1(c) || (c >= 0x100 && (c & 0xfffe) != 0xfffe);
}

void append_quoted(std::string& out, std::uint32_t c, char quote) {
  switch (c) {
    case '\b': out += "\\b"; return;
    case '\t': out += "\\t"; return;
    case '\n': out += "\\n"; return;
    case '\v': out += "\\v"; return;
    case '\f': out += "\\f"; return;
    case '\r': out += "\\r"; return;
    case 27: out += "\\e"; return;
    case 127: out += "\\d"; return;
    default: break;
  }
  if (c == static_cast<unsigned char>(quote) || c == '\\') out += '\\';
  if (c < ' ' || (c > 127 && c < 0xa0)) {
    char octal[8];
    std::snprintf(octal, sizeof octal, "\\%03o", c);
    out += octal;
  } else {
    append_utf8(out, c);
  }
}

enum class Bytes { kNotPrintable, kAscii, kUtf8 };
Bytes kind_of(std::string_view bytes) {
  Bytes kind = bytes.empty() ? Bytes::kNotPrintable : Bytes::kAscii;
  while (!bytes.empty()) {
    const auto c = next_code_point(bytes);
    if (!c || !is_printable(*c)) return Bytes::kNotPrintable;
    if (*c > 127) kind = Bytes::kUtf8;
  }
  return kind;
}

bool is_string(baton_term t) {
  for (; is_cell(t); t = tail(t)) {
    const auto c = as_int(head(t));
    if (!c || *c < 0 || *c > 0xff || !is_printable_latin1(static_cast<std::uint32_t>(*c)))
      return false;
  }
  return is_nil(t);
}

class Printer {
 public:
  Printer(const AtomTable& atoms, PrintLimits limits) : atoms_(atoms), limits_(limits) {}

  std::string run(baton_term t) && {
    print_below(t, limits_.depth);
    if (out_.size() > limits_.bytes) {
      out_.resize(limits_.bytes);
      while (!out_.empty() && !is_utf8(last_character())) out_.pop_back();
      out_ += "...";
    }
    return std::move(out_);
  }

 private:
  // From the last byte that begins a character.
  std::string_view last_character() const {
    std::size_t at = out_.size() - 1;
    while (at > 0 && (out_[at] & 0xc0) == 0x80) --at;
    return std::string_view(out_).substr(at);
  }
  bool is_full() const { return out_.size() > limits_.bytes; }
  void number(std::uint64_t n) { out_ += std::to_string(n); }

  void print_below(baton_term t, std::size_t depth) {
    if (is_full()) return;
    switch (tag_of(t)) {
      case BATON_TAG_INT: out_ += std::to_string(*as_int(t)); return;
      case BATON_TAG_ATOM: print_atom(t); return;
      case BATON_TAG_PID: {
        const Pid pid = *as_pid(t);
        out_ += "<0.", number(pid.index), out_ += '.', number(pid.generation), out_ += '>';
        return;
      }
      case BATON_TAG_REF: {
        const Ref ref = *as_ref(t);
        out_ += "#Ref<0.", number(ref.counter), out_ += '.', number(ref.maker), out_ += '>';
        return;
      }
      case BATON_TAG_SPECIAL:
        if (is_nil(t)) {
          out_ += "[]";
        } else {
          out_ += "#Port<0.", number(t >> 8), out_ += '>';
        }
        return;
      case BATON_TAG_LIST: print_list(t, depth); return;
      default: print_boxed(t, depth);
    }
  }

  void print_boxed(baton_term t, std::size_t depth) {
    if (t == BATON_NO_TERM) {
      out_ += "#NoTerm<>";
    } else if (const auto binary = as_binary(t)) {
      print_binary(*binary);
    } else if (const auto real = as_float(t)) {
      if (std::isfinite(*real)) {
        out_ += print_float(*real);
      } else {
        print_hex("#Float<", std::bit_cast<std::uint64_t>(*real));
      }
    } else if (const auto big = as_big(t)) {
      if (big->negative) out_ += '-';
      out_ += big->limbs.size() <= kDecimalLimbsMax ? to_decimal(big->limbs)
                                                    : "16#" + to_hexadecimal(big->limbs);
    } else if (const auto external = as_external(t)) {
      out_ += "#External<";
      for (unsigned char byte : *external) append_hex_byte(byte);
      out_ += '>';
    } else if (const auto tuple = as_tuple(t)) {
      out_ += '{';
      print_elements(*tuple, depth);
      out_ += '}';
    } else if (const auto map = as_map(t)) {
      print_map(*map, depth);
    }
  }

  void print_elements(TupleView elements, std::size_t depth) {
    if (depth == 0 && !elements.empty()) {
      out_ += "...";
      return;
    }
    for (std::size_t i = 0; i < elements.size() && !is_full(); ++i) {
      if (i != 0) out_ += ',';
      print_below(elements[i], depth - 1);
    }
  }

  void print_list(baton_term t, std::size_t depth) {
    if (is_string(t)) {
      out_ += '"';
      for (; is_cell(t) && !is_full(); t = tail(t))
        append_quoted(out_, static_cast<std::uint32_t>(*as_int(head(t))), '"');
      out_ += '"';
      return;
    }
    if (depth == 0) {
      out_ += "[...]";
      return;
    }
    char before = '[';
    for (; is_cell(t) && !is_full(); t = tail(t), before = ',') {
      out_ += before;
      print_below(head(t), depth - 1);
    }
    if (!is_nil(t) && !is_full()) {
      out_ += '|';
      print_below(t, depth - 1);
    }
    out_ += ']';
  }

  void print_map(MapView map, std::size_t depth) {
    out_ += "#{";
    if (depth == 0 && map.size() != 0) {
      out_ += "...}";
      return;
    }
    std::vector<std::size_t> at(map.size());
    for (std::size_t i = 0; i < at.size(); ++i) at[i] = i;
    std::sort(at.begin(), at.end(), [&](std::size_t i, std::size_t j) {
      return key_order(map.key(i), map.key(j), atoms_) < 0;
    });
    for (std::size_t i = 0; i < at.size() && !is_full(); ++i) {
      if (i != 0) out_ += ',';
      print_below(map.key(at[i]), depth - 1);
      out_ += " => ";
      print_below(map.value(at[i]), depth - 1);
    }
    out_ += '}';
  }

  void print_atom(baton_term t) {
    const auto text = atoms_.text(t);
    if (!text) return print_hex("#Atom<", t);
    if (!needs_quotes(*text)) {
      out_ += *text;
      return;
    }
    out_ += '\'';
    std::string_view rest = *text;
    while (const auto c = next_code_point(rest)) append_quoted(out_, *c, '\'');
    out_ += '\'';
  }

  void print_binary(std::string_view bytes) {
    out_ += "<<";
    const Bytes kind = kind_of(bytes);
    if (kind == Bytes::kNotPrintable) {
      for (std::size_t i = 0; i < bytes.size() && !is_full(); ++i) {
        if (i != 0) out_ += ',';
        number(static_cast<unsigned char>(bytes[i]));
      }
    } else {
      out_ += '"';
      while (!is_full()) {
        const auto c = next_code_point(bytes);
        if (!c) break;
        append_quoted(out_, *c, '"');
      }
      out_ += kind == Bytes::kUtf8 ? "\"/utf8" : "\"";
    }
    out_ += ">>";
  }

  void append_hex_byte(unsigned char byte) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    out_ += kDigits[byte >> 4];
    out_ += kDigits[byte & 15];
  }
  void print_hex(std::string_view kind, std::uint64_t word) {
    out_ += kind;
    for (int shift = 56; shift >= 0; shift -= 8)
      append_hex_byte(static_cast<unsigned char>(word >> shift));
    out_ += '>';
  }

  const AtomTable& atoms_;
  const PrintLimits limits_;
  std::string out_;
};

}  // namespace

std::string print(baton_term t, const AtomTable& atoms, PrintLimits limits) {
  return Printer(atoms, limits).run(t);
}

// As Erlang shows it: the shorter of 12300.0 and 1.23e4, the former when they are equally long;
// always the latter from 2^53 on, where the digits of the former would claim a precision that is
// not there.
std::string print_float(double value) {
  char text[32];
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  std::string_view scientific(text, static_cast<std::size_t>(end - text));
  const bool negative = scientific.front() == '-';
  if (negative) scientific.remove_prefix(1);
  const std::size_t e = scientific.find('e');
  int exponent = 0;
  std::from_chars(scientific.data() + e + (scientific[e + 1] == '+' ? 2 : 1), end, exponent);
  std::string digits(1, scientific[0]);
  if (e > 2) digits += scientific.substr(2, e - 2);

  const auto n = static_cast<int>(digits.size());
  std::string shorter =
      digits.substr(0, 1) + "." + (n > 1 ? digits.substr(1) : "0") + "e" + std::to_string(exponent);
  constexpr int kDecimalExponentMax = 16;
  if (std::abs(value) < 9007199254740992.0 && std::abs(exponent) < kDecimalExponentMax) {
    std::string decimal;
    if (exponent < 0) {
      decimal = "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
    } else if (n <= exponent + 1) {
      decimal = digits + std::string(static_cast<std::size_t>(exponent + 1 - n), '0') + ".0";
    } else {
      const auto point = static_cast<std::size_t>(exponent + 1);
      decimal = digits.substr(0, point) + "." + digits.substr(point);
    }
    // Zero has no exponent worth showing.
    if (decimal.size() <= shorter.size() || value == 0) shorter = decimal;
  }
  return (negative ? "-" : "") + shorter;
}

}  // namespace baton::term
