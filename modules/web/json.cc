#include "json.h"

#include <charconv>

namespace web::inline BATON_BUILD {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

// Reads forward; the first complaint is kept, and every later step fails.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool object(std::vector<JsonMember>& members) {
    if (!expect('{', "an object")) return false;
    if (!take('}')) {
      do {
        if (members.size() == kJsonMembersMax) return fail("at most 64 members");
        if (!member(members)) return false;
      } while (take(','));
      if (!expect('}', "',' or '}'")) return false;
    }
    skip_blanks();
    return at_ == text_.size() || fail("nothing behind the object");
  }

  std::string complaint() const {
    return "byte " + std::to_string(at_ + 1) + ": expected " + expected_;
  }

 private:
  bool member(std::vector<JsonMember>& members) {
    JsonMember made;
    skip_blanks();
    const std::size_t name_at = at_;
    if (!string(made.name, "a name in quotes")) return false;
    for (const JsonMember& other : members) {
      if (other.name != made.name) continue;
      at_ = name_at;
      return fail("a name that was not there before");
    }
    if (!expect(':', "':'") || !value(made)) return false;
    members.push_back(std::move(made));
    return true;
  }

  bool value(JsonMember& made) {
    skip_blanks();
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    if (c == '"') {
      made.kind = JsonMember::Kind::kString;
      return string(made.text, "a string");
    }
    if (c == '-' || is_digit(c)) {
      made.kind = JsonMember::Kind::kNumber;
      return number(made.text);
    }
    for (const std::string_view word : {"true", "false", "null"}) {
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      made.kind = word == "null" ? JsonMember::Kind::kNull : JsonMember::Kind::kBool;
      made.text = word;
      return true;
    }
    return fail("a string, a number, true, false or null");
  }

  bool digits() {
    if (at_ == text_.size() || !is_digit(text_[at_])) return fail("a digit");
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return true;
  }

  bool number(std::string& out) {
    const std::size_t from = at_;
    if (text_[at_] == '-') ++at_;
    const bool is_zero = at_ < text_.size() && text_[at_] == '0';
    if (is_zero) {
      ++at_;
    } else if (!digits()) {
      return false;
    }
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      if (!digits()) return false;
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      if (!digits()) return false;
    }
    out = text_.substr(from, at_ - from);
    return true;
  }

  bool string(std::string& out, const char* what) {
    if (!expect('"', what)) return false;
    const std::size_t from = at_;
    for (;; ++at_) {
      if (at_ == text_.size()) return fail("'\"' at the end of the string");
      const char c = text_[at_];
      if (c == '"') break;
      if (static_cast<unsigned char>(c) < 0x20) return fail("no control character in a string");
      if (c != '\\') {
        out += c;
      } else if (!escape(out)) {
        return false;
      }
    }
    // What escapes make is UTF-8, so only the text itself can be at fault.
    if (!is_utf8(text_.substr(from, at_ - from))) {
      at_ = from;
      return fail("a string in UTF-8");
    }
    ++at_;
    return true;
  }

  // At the backslash; ends at the last character of the escape.
  bool escape(std::string& out) {
    ++at_;
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    static constexpr std::string_view kLetters = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const std::size_t letter = kLetters.find(c);
    if (c != '\0' && letter != std::string_view::npos) {
      out += kMeanings[letter];
      return true;
    }
    std::uint32_t code = 0;
    if (c != 'u' || !hexadecimal(code)) return fail("an escape such as \\n or \\u00e9");
    if (code >= 0xd800 && code < 0xdc00 && text_.substr(at_ + 1, 2) == "\\u") {
      std::uint32_t low = 0;
      at_ += 2;
      if (!hexadecimal(low) || low < 0xdc00 || low > 0xdfff)
        return fail("the second half of a pair");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    if (code >= 0xd800 && code < 0xe000) return fail("both halves of a pair");
    append_utf8(out, code);
    return true;
  }

  // The four digits behind the 'u' that at_ is at.
  bool hexadecimal(std::uint32_t& code) {
    const std::string_view four = text_.substr(at_ + 1, 4);
    const char* end = four.data() + four.size();
    const auto result = std::from_chars(four.data(), end, code, 16);
    if (four.size() != 4 || result.ptr != end) return false;
    at_ += 4;
    return true;
  }

  void skip_blanks() {
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
      ++at_;
    }
  }
  bool take(char c) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool expect(char c, const char* what) { return take(c) || fail(what); }
  bool fail(const char* what) {
    expected_ = what;
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  const char* expected_ = "";
};

}  // namespace

std::optional<JsonObject> JsonObject::parse(std::string_view text, std::string& error) {
  JsonObject object;
  Reader reader(text);
  if (reader.object(object.members_)) return object;
  error = reader.complaint();
  return std::nullopt;
}

const JsonMember* JsonObject::find(std::string_view name) const {
  for (const JsonMember& member : members_) {
    if (member.name == name) return &member;
  }
  return nullptr;
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
    if (size == 0 || i + size > text.size()) return false;
    std::uint32_t code = size == 1 ? lead : lead & (0xffu >> (size + 1));
    for (std::size_t k = 1; k < size; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      code = code << 6 | (next & 0x3f);
    }
    const bool is_overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
    if (is_overlong || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff) return false;
    i += size;
  }
  return true;
}

void append_json(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out.append("\\u00");
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_json(std::string& out, std::int64_t number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

}  // namespace web::inline BATON_BUILD
