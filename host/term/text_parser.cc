#include "term/builder.h"
#include "term/external.h"
#include "term/integer.h"
#include "term/layout.h"
#include "term/map_keys.h"
#include "term/text.h"
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

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Parser {
 public:
  Parser(std::string_view text, AtomTable& atoms) : text_(text), atoms_(atoms) {}

  Result<Block> run() {
    if (text_.size() > kTextBytesMax)
      return Error(Code::kFailed, "a text of " + std::to_string(text_.size()) + " bytes; at most " +
                                      std::to_string(kTextBytesMax) + " are allowed for a term");
    BATON_ASSIGN(const baton_term root, term());
    skip_space();
    if (take('.')) skip_space();
    if (at_ != text_.size()) return expected("the end of the text");
    return builder_.finish(root);
  }

 private:
  using Parsed = Result<baton_term>;

  // ---- Where we are ----

  bool at_end() const { return at_ == text_.size(); }
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool looking_at(std::string_view what) const { return text_.substr(at_, what.size()) == what; }
  bool take(std::string_view what) {
    if (!looking_at(what)) return false;
    at_ += what.size();
    return true;
  }
  bool take(char c) { return take(std::string_view(&c, 1)); }
  void skip_space() {
    while (!at_end()) {
      const auto c = static_cast<unsigned char>(peek());
      if (c == '%') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c <= ' ') {
        ++at_;
      } else {
        return;
      }
    }
  }

  std::string place(std::size_t at) const {
    const std::string_view before = text_.substr(0, at);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::string_view row = before.substr(before.rfind('\n') + 1);
    const auto column =
        1 + std::count_if(row.begin(), row.end(), [](char c) { return (c & 0xc0) != 0x80; });
    return std::to_string(line) + ":" + std::to_string(column) + ": ";
  }
  Error wrong(const std::string& what, std::size_t at) const {
    return Error(Code::kUsage, place(at) + what);
  }
  Error wrong(const std::string& what) const { return wrong(what, at_); }
  Error expected(const std::string& what) const {
    if (at_end()) return wrong("expected " + what + ", found the end of the text");
    std::string_view rest = text_.substr(at_);
    const std::string_view before = rest;
    if (!next_code_point(rest))
      return wrong("expected " + what + ", found a byte that is not UTF-8");
    return wrong("expected " + what + ", found '" +
                 std::string(before.substr(0, before.size() - rest.size())) + "'");
  }
  Result<void> need(std::string_view what) {
    if (!take(what)) return expected("'" + std::string(what) + "'");
    return {};
  }

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
      return Error(Code::kFailed, place(at_) + "terms are nested more than " +
                                      std::to_string(kTermDepthMax) + " deep");
    skip_space();
    const char kind = peek();
    if (kind != '{' && kind != '[' && !looking_at("#{")) {
      BATON_ASSIGN(const baton_term value, scalar());
      return std::optional(value);
    }
    at_ += kind == '#' ? 2 : 1;
    std::size_t key_depth = 0;
    if (!open_.empty()) {
      const Open& outer = open_.back();
      const bool is_key = outer.kind == '#' && (elements_.size() - outer.first) % 2 == 0;
      key_depth = outer.key_depth + (is_key ? 1 : 0);
    }
    if (kind == '#' && key_depth > kMapKeyDepthMax)
      return Error(Code::kFailed, place(at_) + "maps are nested in keys of maps more than " +
                                      std::to_string(kMapKeyDepthMax) + " deep");
    open_.push_back({kind, elements_.size(), at_, key_depth});
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
      case '{':
        made = builder_.tuple(found);
        break;
      case '[':
        made = builder_.list(found);
        break;
      case '|':
        made = builder_.list(found.first(found.size() - 1), found.back());
        break;
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
      case '"':
        return string();
      case '\'':
        return quoted_atom();
      case '$':
        return character();
      case '<':
        return pid();
      case '#':
        return hash_form();
      default:
        return plain_atom();
    }
  }

  // ---- Numbers ----

  // Digits of the base, with single underscores between them.
  Result<std::string> digits(unsigned base) {
    const std::size_t start = at_;
    std::string found;
    while (digit_value(peek()) < base ||
           (peek() == '_' && !found.empty() && digit_value(peek(1)) < base)) {
      if (peek() != '_') found += peek();
      ++at_;
    }
    if (found.empty()) return expected("a digit of base " + std::to_string(base));
    const std::size_t zeros = std::min(found.find_first_not_of('0'), found.size() - 1);
    found.erase(0, zeros);
    // Base 16 is how long integers are printed, and costs no more than their length.
    const std::size_t limit = base == 16 ? kIntegerLimbsMax * 16 : kIntegerDigitsMax;
    if (found.size() > limit)
      return Error(Code::kFailed, place(start) + "an integer of " + std::to_string(found.size()) +
                                      " digits; at most " + std::to_string(limit) +
                                      " are allowed in base " + std::to_string(base));
    return found;
  }

  Parsed number() {
    const std::size_t start = at_;
    const bool negative = peek() == '-';
    if (negative || peek() == '+') ++at_;
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
    ++at_;
    std::string text = whole + ".";
    BATON_ASSIGN(const std::string fraction, fraction_digits());
    text += fraction;
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      text += 'e';
      if (peek() == '-' || peek() == '+') {
        if (peek() == '-') text += '-';
        ++at_;
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

  Result<std::string> fraction_digits() {
    std::string found;
    while (is_digit(peek()) || (peek() == '_' && is_digit(peek(1)))) {
      if (peek() != '_') found += peek();
      ++at_;
    }
    if (found.size() > kIntegerDigitsMax) return wrong("too many digits in a float");
    return found;
  }

  // ---- Characters ----

  Result<std::uint32_t> code_point() {
    std::string_view rest = text_.substr(at_);
    const auto c = next_code_point(rest);
    if (!c) return at_end() ? expected("a character") : wrong("a byte that is not UTF-8");
    at_ = text_.size() - rest.size();
    return *c;
  }

  // What follows a backslash.
  Result<std::uint32_t> escape() {
    const std::size_t start = at_ - 1;
    if (peek() >= '0' && peek() <= '7') {
      std::uint32_t value = 0;
      for (int i = 0; i < 3 && peek() >= '0' && peek() <= '7'; ++i)
        value = value * 8 + static_cast<std::uint32_t>(text_[at_++] - '0');
      return value;
    }
    BATON_ASSIGN(const std::uint32_t c, code_point());
    switch (c) {
      case 'b':
        return std::uint32_t{'\b'};
      case 'd':
        return std::uint32_t{127};
      case 'e':
        return std::uint32_t{27};
      case 'f':
        return std::uint32_t{'\f'};
      case 'n':
        return std::uint32_t{'\n'};
      case 'r':
        return std::uint32_t{'\r'};
      case 's':
        return std::uint32_t{' '};
      case 't':
        return std::uint32_t{'\t'};
      case 'v':
        return std::uint32_t{'\v'};
      case '^': {
        BATON_ASSIGN(const std::uint32_t control, code_point());
        if (control < '@' || control > '~')
          return wrong("a control character is \\^@ to \\^~", start);
        return control & 31;
      }
      case 'x':
        break;
      default:
        return c;
    }
    const bool braces = take('{');
    std::uint32_t value = 0;
    std::size_t count = 0;
    for (; digit_value(peek()) < 16 && (braces ? count < 8 : count < 2); ++count)
      value = value * 16 + digit_value(text_[at_++]);
    if (count == 0 || (!braces && count < 2)) return expected("a hexadecimal digit");
    if (braces) BATON_TRY(need("}"));
    std::string as_text;
    if (!append_utf8(as_text, value))
      return wrong("the escape is not a character of Unicode", start);
    return value;
  }

  // The characters up to the closing quote.
  Result<std::vector<std::uint32_t>> quoted(char quote) {
    const std::size_t start = at_++;
    std::vector<std::uint32_t> found;
    while (!take(quote)) {
      if (at_end())
        return wrong(
            std::string("expected ") + quote + ", found the end of the text; it opened here",
            start);
      BATON_ASSIGN(std::uint32_t c, code_point());
      if (c == '\\') {
        BATON_ASSIGN(c, escape());
      }
      found.push_back(c);
    }
    return found;
  }

  // Strings that stand side by side are one.
  Result<std::vector<std::uint32_t>> strings() {
    std::vector<std::uint32_t> all;
    do {
      BATON_ASSIGN(const std::vector<std::uint32_t> one, quoted('"'));
      all.insert(all.end(), one.begin(), one.end());
      skip_space();
    } while (peek() == '"');
    return all;
  }

  Parsed string() {
    BATON_ASSIGN(const std::vector<std::uint32_t> characters, strings());
    baton_term list = BATON_NIL;
    for (std::size_t i = characters.size(); i-- > 0;)
      list = builder_.cons(make_int(characters[i]), list);
    return list;
  }

  Parsed character() {
    ++at_;
    BATON_ASSIGN(std::uint32_t c, code_point());
    if (c == '\\') {
      BATON_ASSIGN(c, escape());
    }
    return make_int(c);
  }

  // ---- Atoms ----

  Parsed interned(std::string_view text, std::size_t start) {
    auto made = atoms_.intern(text);
    if (made.ok()) return made;
    return Error(made.error().code(), place(start) + made.error().message());
  }

  Parsed quoted_atom() {
    const std::size_t start = at_;
    BATON_ASSIGN(const std::vector<std::uint32_t> characters, quoted('\''));
    std::string text;
    for (std::uint32_t c : characters)
      if (!append_utf8(text, c)) return wrong("a character that is not of Unicode", start);
    return interned(text, start);
  }

  Parsed plain_atom() {
    const std::size_t start = at_;
    std::string_view rest = text_.substr(at_);
    const auto first = next_code_point(rest);
    if (first && ((*first >= 'A' && *first <= 'Z') || *first == '_'))
      return wrong("expected a term, found a variable; an atom like this needs quotes: 'Name'");
    const bool begins = first && ((*first >= 'a' && *first <= 'z') ||
                                  (*first >= 0xdf && *first <= 0xff && *first != 0xf7));
    if (!begins) return expected("a term");
    for (;;) {
      at_ = text_.size() - rest.size();
      const auto c = next_code_point(rest);
      const bool goes_on =
          c && ((*c < 128 && digit_value(static_cast<char>(*c)) < 36) || *c == '_' || *c == '@' ||
                (*c >= 0xc0 && *c <= 0xff && *c != 0xd7 && *c != 0xf7));
      if (!goes_on) return interned(text_.substr(start, at_ - start), start);
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
    const std::size_t start = at_;
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

  Result<std::uint64_t> field(std::uint64_t max) {
    const std::size_t start = at_;
    while (is_digit(peek())) ++at_;
    if (at_ == start) return expected("a number");
    std::uint64_t value = 0;
    const auto read = std::from_chars(text_.data() + start, text_.data() + at_, value);
    if (read.ec != std::errc() || value > max)
      return wrong("expected a number up to " + std::to_string(max), start);
    return value;
  }

  Parsed pid() {
    BATON_TRY(need("<"));
    BATON_TRY(need("0."));
    BATON_ASSIGN(const std::uint64_t index, field(kPidIndexMax));
    BATON_TRY(need("."));
    BATON_ASSIGN(const std::uint64_t generation, field(0xffffffff));
    BATON_TRY(need(">"));
    return make_pid(static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(generation));
  }

  Parsed hash_form() {
    const std::size_t start = at_;
    if (take("#Ref<0.")) {
      BATON_ASSIGN(const std::uint64_t counter, field(kRefCounterMax));
      BATON_TRY(need("."));
      BATON_ASSIGN(const std::uint64_t scheduler, field(kRefSchedulerMax));
      BATON_TRY(need(">"));
      return make_ref(counter, static_cast<std::uint32_t>(scheduler));
    }
    if (take("#Port<0.")) {
      BATON_ASSIGN(const std::uint64_t number, field((std::uint64_t{1} << 56) - 1));
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

  Result<std::string> hex_bytes() {
    std::string bytes;
    while (!take('>')) {
      const unsigned high = digit_value(peek()), low = digit_value(peek(1));
      if (high > 15 || low > 15) return expected("two hexadecimal digits or '>'");
      bytes += static_cast<char>(high << 4 | low);
      at_ += 2;
    }
    return bytes;
  }

  Result<std::uint64_t> hex_word() {
    const std::size_t start = at_;
    BATON_ASSIGN(const std::string bytes, hex_bytes());
    if (bytes.size() != 8) return wrong("expected 16 hexadecimal digits", start);
    std::uint64_t word = 0;
    for (unsigned char byte : bytes) word = word << 8 | byte;
    return word;
  }

  const std::string_view text_;
  AtomTable& atoms_;
  std::size_t at_ = 0;
  std::vector<Open> open_;
  std::vector<baton_term> elements_;
  Builder builder_;
};

}  // namespace

Result<Block> parse(std::string_view text, AtomTable& atoms) { return Parser(text, atoms).run(); }

}  // namespace baton::term
