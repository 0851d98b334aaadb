#include "term/atom.h"
#include "term/builder.h"
#include "term/external.h"
#include "term/integer.h"
#include "term/layout.h"
#include "term/map_keys.h"
#include "term/text.h"
#include "term/text_reader.h"
#include "term/utf8.h"

#include <baton/abi.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <optional>
#include <span>
#include <vector>

namespace baton::term {

namespace {

class Parser : private TextReader {
 public:
  Parser(std::string_view text, AtomTable& atoms, AtomShare share)
      : TextReader(text), atoms_(atoms), share_(share) {}

  Result<Block> run() {
    if (size() > kTextBytesMax)
      return Error(Code::kFailed, "a text of " + std::to_string(size()) + " bytes; at most " +
                                      std::to_string(kTextBytesMax) + " are allowed for a term");
    BATON_ASSIGN(const baton_term root, term());
    skip_space();
    if (take('.')) skip_space();
    if (!at_end()) return expected("the end of the text");
    for (const NewAtom& atom : new_atoms_) {
      const auto known = atoms_.intern(atom.text, share_);
      if (!known.ok())
        return Error(known.error().code(), place(atom.start) + known.error().message());
    }
    return builder_.finish(root);
  }

 private:
  using Parsed = Result<baton_term>;

  // ---- Tuples, lists and maps ----

  // One that is not closed yet. Its elements are those in elements_ from `first` on; a map's are
  // keys and values in turn.
  struct Open {
    char kind;  // '{', '[', '|' for a list whose tail is being read, '#' for a map
    std::size_t first;
    std::size_t start;
    std::size_t key_depth;
  };

  // Open terms stand in a stack of our own, so that the depth of the text costs no stack of the
  // thread.
  Parsed term() {
    for (;;) {
      BATON_ASSIGN(std::optional<baton_term> value, begin());
      while (value) {
        if (open_.empty()) return *value;
        elements_.push_back(*value);
        BATON_ASSIGN(value, after_element());
      }
    }
  }

  // A term that is complete, or nothing where one was opened and its first element comes next.
  Result<std::optional<baton_term>> begin() {
    if (open_.size() > kTermDepthMax)
      return Error(Code::kFailed, place(at()) + "terms are nested more than " +
                                      std::to_string(kTermDepthMax) + " deep");
    skip_space();
    const char kind = peek();
    if (kind != '{' && kind != '[' && !looking_at("#{")) {
      BATON_ASSIGN(const baton_term value, scalar());
      return std::optional(value);
    }
    skip(kind == '#' ? 2 : 1);
    std::size_t key_depth = 0;
    if (!open_.empty()) {
      const Open& outer = open_.back();
      const bool is_key = outer.kind == '#' && (elements_.size() - outer.first) % 2 == 0;
      key_depth = outer.key_depth + (is_key ? 1 : 0);
    }
    if (kind == '#' && key_depth > kMapKeyDepthMax)
      return Error(Code::kFailed, place(at()) + "maps are nested in keys of maps more than " +
                                      std::to_string(kMapKeyDepthMax) + " deep");
    open_.push_back({kind, elements_.size(), at(), key_depth});
    skip_space();
    if (take(kind == '[' ? ']' : '}')) return close();
    return std::optional<baton_term>();
  }

  // Reads what may follow an element: nothing where another comes next, else the term that it
  // completes.
  Result<std::optional<baton_term>> after_element() {
    Open& top = open_.back();
    skip_space();
    switch (top.kind) {
      case '|':
        if (take(']')) return close();
        return expected("']'");
      case '[':
        if (take(']')) return close();
        if (take('|')) {
          top.kind = '|';
        } else if (!take(',')) {
          return expected("',' or ']'");
        }
        break;
      default:
        if (top.kind == '#' && (elements_.size() - top.first) % 2 == 1) {
          BATON_TRY(need("=>"));
          break;
        }
        if (take('}')) return close();
        if (!take(',')) return expected("',' or '}'");
    }
    return std::optional<baton_term>();
  }

  Result<std::optional<baton_term>> close() {
    const Open top = open_.back();
    open_.pop_back();
    const auto found = std::span<const baton_term>(elements_).subspan(top.first);
    baton_term made = BATON_NIL;
    switch (top.kind) {
      case '{': made = builder_.tuple(found); break;
      case '[': made = builder_.list(found); break;
      case '|': made = builder_.list(found.first(found.size() - 1), found.back()); break;
      default: {
        if (has_equal_keys(MapView(found)))
          return wrong("a key stands twice in this map", top.start);
        std::vector<Builder::Pair> pairs;
        for (std::size_t i = 0; i < found.size(); i += 2)
          pairs.emplace_back(found[i], found[i + 1]);
        made = builder_.map(pairs);
      }
    }
    elements_.resize(top.first);
    return std::optional(made);
  }

  Parsed scalar() {
    const char c = peek();
    if (is_digit(c) || ((c == '-' || c == '+') && is_digit(peek(1)))) return number();
    if (take("<<")) return binary();
    switch (c) {
      case '"': return string();
      case '\'': return quoted_atom();
      case '$': return character();
      case '<': return pid();
      case '#': return hash_form();
      default: return plain_atom();
    }
  }

  // ---- Numbers ----

  Parsed number() {
    const std::size_t start = at();
    const bool negative = peek() == '-';
    if (negative || peek() == '+') skip(1);
    BATON_ASSIGN(const std::string whole, digits(10));
    if (peek() == '.' && is_digit(peek(1))) return real(start, negative, whole);
    if (!take('#')) return integer(negative, whole, 10);
    unsigned base = 0;
    std::from_chars(whole.data(), whole.data() + whole.size(), base);
    if (base < 2 || base > 36)
      return wrong("the base of an integer is 2 to 36, not " + whole.substr(0, 20), start);
    BATON_ASSIGN(const std::string based, digits(base));
    return integer(negative, based, base);
  }

  Parsed integer(bool negative, std::string_view digits, unsigned base) {
    return builder_.big(negative, from_digits(digits, base));
  }

  Parsed real(std::size_t start, bool negative, const std::string& whole) {
    skip(1);
    std::string text = whole + ".";
    BATON_ASSIGN(const std::string fraction, fraction());
    text += fraction;
    if (peek() == 'e' || peek() == 'E') {
      skip(1);
      text += 'e';
      if (peek() == '-' || peek() == '+') {
        if (peek() == '-') text += '-';
        skip(1);
      }
      BATON_ASSIGN(const std::string exponent, digits(10));
      text += exponent;
    }
    double value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    // Out of range is too large or too small; the latter is zero, as in Erlang.
    const bool too_small =
        read.ec == std::errc::result_out_of_range && text.find("e-") != text.npos;
    if (read.ec != std::errc() && !too_small)
      return wrong("a float is at most 1.7976931348623157e308", start);
    if (too_small) value = 0;
    return builder_.real(negative ? -value : value);
  }

  // ---- Characters ----

  Parsed string() {
    BATON_ASSIGN(const std::vector<std::uint32_t> characters, strings());
    baton_term list = BATON_NIL;
    for (std::size_t i = characters.size(); i-- > 0;)
      list = builder_.cons(make_int(characters[i]), list);
    return list;
  }

  Parsed character() {
    skip(1);
    BATON_ASSIGN(std::uint32_t c, code_point());
    if (c == '\\') {
      BATON_ASSIGN(c, escape());
    }
    return make_int(c);
  }

  // ---- Atoms ----

  struct NewAtom {
    std::string text;
    std::size_t start;
  };

  Parsed known_or_new(std::string_view text, std::size_t start) {
    auto known = atoms_.look_up(text);
    if (!known.ok()) return Error(known.error().code(), place(start) + known.error().message());
    if (*known) return **known;
    new_atoms_.push_back({std::string(text), start});
    return atom(text);
  }

  Parsed quoted_atom() {
    const std::size_t start = at();
    BATON_ASSIGN(const std::vector<std::uint32_t> characters, quoted('\''));
    std::string text;
    for (std::uint32_t c : characters)
      if (!append_utf8(text, c)) return wrong("a character that is not of Unicode", start);
    return known_or_new(text, start);
  }

  Parsed plain_atom() {
    const std::size_t start = at();
    std::string_view beyond = rest();
    const auto first = next_code_point(beyond);
    if (first && ((*first >= 'A' && *first <= 'Z') || *first == '_'))
      return wrong("expected a term, found a variable; an atom like this needs quotes: 'Name'");
    const bool begins = first && ((*first >= 'a' && *first <= 'z') ||
                                  (*first >= 0xdf && *first <= 0xff && *first != 0xf7));
    if (!begins) return expected("a term");
    for (;;) {
      skip(rest().size() - beyond.size());
      const auto c = next_code_point(beyond);
      const bool goes_on =
          c && ((*c < 128 && digit_value(static_cast<char>(*c)) < 36) || *c == '_' || *c == '@' ||
                (*c >= 0xc0 && *c <= 0xff && *c != 0xd7 && *c != 0xf7));
      if (!goes_on) return known_or_new(since(start), start);
    }
  }

  // ---- Binaries ----

  Parsed binary() {
    std::string bytes;
    skip_space();
    if (!take(">>")) {
      do {
        skip_space();
        BATON_TRY(segment(bytes));
        skip_space();
      } while (take(','));
      if (!take(">>")) return expected("',' or '>>'");
    }
    return builder_.binary(bytes);
  }

  Result<void> segment(std::string& bytes) {
    const std::size_t start = at();
    if (peek() == '"') {
      BATON_ASSIGN(const std::vector<std::uint32_t> characters, strings());
      const bool utf8 = take("/utf8");
      for (std::uint32_t c : characters) {
        if (utf8 ? !append_utf8(bytes, c) : c > 255)
          return wrong(utf8 ? "a character that is not of Unicode"
                            : "a character beyond one byte; write <<\"...\"/utf8>>",
                       start);
        if (!utf8) bytes += static_cast<char>(c);
      }
    } else {
      BATON_ASSIGN(const baton_term value, peek() == '$' ? character() : byte());
      const auto as_byte = as_int(value);
      if (!as_byte || *as_byte < 0 || *as_byte > 255)
        return wrong("a byte of a binary is 0 to 255", start);
      bytes += static_cast<char>(*as_byte);
    }
    if (peek() == ':' || peek() == '/')
      return wrong("sizes and types of binary segments are not supported, except \"...\"/utf8");
    return {};
  }

  Parsed byte() {
    if (!is_digit(peek())) return expected("a byte or a string");
    return number();
  }

  // ---- Pids, references, ports, and what only the host writes ----

  Parsed pid() {
    BATON_TRY(need("<"));
    BATON_TRY(need("0."));
    BATON_ASSIGN(const std::uint64_t index, number_up_to(kPidIndexMax));
    BATON_TRY(need("."));
    BATON_ASSIGN(const std::uint64_t generation, number_up_to(0xffffffff));
    BATON_TRY(need(">"));
    return make_pid(static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(generation));
  }

  Parsed hash_form() {
    const std::size_t start = at();
    if (take("#Ref<0.")) {
      BATON_ASSIGN(const std::uint64_t counter, number_up_to(kRefCounterMax));
      BATON_TRY(need("."));
      BATON_ASSIGN(const std::uint64_t maker, number_up_to(kRefMakerMax));
      BATON_TRY(need(">"));
      return make_ref(counter, static_cast<std::uint32_t>(maker));
    }
    if (take("#Port<0.")) {
      BATON_ASSIGN(const std::uint64_t number, number_up_to((std::uint64_t{1} << 56) - 1));
      BATON_TRY(need(">"));
      return number << 8 | kPortWord;
    }
    if (take("#Float<")) {
      BATON_ASSIGN(const std::uint64_t word, hex_word());
      return builder_.real(std::bit_cast<double>(word));
    }
    if (take("#Atom<")) {
      BATON_ASSIGN(const std::uint64_t word, hex_word());
      if (!is_atom(word)) return wrong("this is no atom's word", start);
      return word;
    }
    if (take("#External<")) {
      BATON_ASSIGN(const std::string bytes, hex_bytes());
      const auto checked = check_opaque(bytes);
      if (!checked.ok()) return wrong(checked.error().message(), start);
      return builder_.external(bytes);
    }
    return expected("#{, #Ref<, #Port<, #Float<, #Atom< or #External<");
  }

  AtomTable& atoms_;
  const AtomShare share_;
  std::vector<NewAtom> new_atoms_;
  std::vector<Open> open_;
  std::vector<baton_term> elements_;
  Builder builder_;
};

}  // namespace

Result<Block> parse(std::string_view text, AtomTable& atoms, AtomShare share) {
  return Parser(text, atoms, share).run();
}

}  // namespace baton::term
