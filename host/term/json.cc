#include "term/json.h"

#include "term/atom.h"
#include "term/compare.h"
#include "term/layout.h"
#include "term/limits.h"
#include "term/text.h"
#include "term/utf8.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>
#include <vector>

namespace baton::term {

namespace {

class JsonWriter {
 public:
  explicit JsonWriter(const AtomTable& atoms) : atoms_(atoms) {}
  std::string run(baton_term t) && {
    write(t, kTermDepthMax);
    return std::move(out_);
  }

 private:
  void write(baton_term t, std::size_t depth) {
    if (t == atoms::kTrue || t == atoms::kFalse || t == atoms::kNull) {
      out_ += *atoms_.text(t);
    } else if (is_small(t)) {
      out_ += std::to_string(*as_int(t));
    } else if (const auto real = as_float(t)) {
      out_ += std::isfinite(*real) ? print_float(*real) : "null";
    } else if (as_big(t)) {
      write_big(t);
    } else if (const auto text = plain_text(t)) {
      append_json_string(out_, *text);
    } else if (is_nil(t)) {
      out_ += "[]";
    } else if (is_cell(t) || as_tuple(t) || as_map(t)) {
      if (depth == 0 || is_full()) {
        out_ += "\"...\"";
      } else if (const auto map = as_map(t)) {
        write_map(*map, depth - 1);
      } else {
        write_array(t, depth - 1);
      }
    } else {
      append_json_string(out_, print(t, atoms_));
    }
  }

  // Those too long to be shown in decimal are text.
  void write_big(baton_term t) {
    const std::string digits = print(t, atoms_);
    if (digits.find('#') == digits.npos) {
      out_ += digits;
    } else {
      append_json_string(out_, digits);
    }
  }

  std::optional<std::string_view> plain_text(baton_term t) const {
    if (is_atom(t)) return atoms_.text(t);
    const auto bytes = as_binary(t);
    return bytes && is_utf8(*bytes) ? bytes : std::nullopt;
  }

  void write_array(baton_term t, std::size_t depth) {
    char before = '[';
    const auto element = [&](baton_term one) {
      out_ += before;
      before = ',';
      write(one, depth);
    };
    if (const auto tuple = as_tuple(t)) {
      for (baton_term one : *tuple) {
        if (is_full()) break;
        element(one);
      }
    } else {
      for (; is_cell(t) && !is_full(); t = tail(t)) element(head(t));
      if (!is_nil(t) && !is_cell(t)) element(t);
    }
    if (is_full()) out_ += ",\"...\"";
    if (before == '[') out_ += '[';
    out_ += ']';
  }

  void write_map(MapView map, std::size_t depth) {
    std::vector<std::size_t> at(map.size());
    for (std::size_t i = 0; i < at.size(); ++i) at[i] = i;
    std::sort(at.begin(), at.end(), [&](std::size_t i, std::size_t j) {
      return key_order(map.key(i), map.key(j), atoms_) < 0;
    });
    std::set<std::string, std::less<>> taken;
    out_ += '{';
    for (std::size_t i : at) {
      if (is_full()) break;
      const auto plain = plain_text(map.key(i));
      std::string key = plain ? std::string(*plain) : print(map.key(i), atoms_);
      if (taken.contains(key)) key = print(map.key(i), atoms_);
      if (!taken.empty()) out_ += ',';
      append_json_string(out_, key);
      out_ += ':';
      write(map.value(i), depth);
      taken.insert(std::move(key));
    }
    out_ += '}';
  }

  bool is_full() const { return out_.size() > kTextBytesMax; }

  const AtomTable& atoms_;
  std::string out_;
};

}  // namespace

std::string to_json(baton_term t, const AtomTable& atoms) { return JsonWriter(atoms).run(t); }

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          char escaped[8];
          std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
          out += escaped;
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

}  // namespace baton::term
