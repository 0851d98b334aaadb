// Print: terms and values as text, the way Erlang writes them; for log lines and exit reasons.
//
// Threads: any; atoms are looked up in the host's table.
#pragma once

#include <baton/block.h>

#include <charconv>
#include <cmath>

namespace baton::inline v1 {

/// A term's text is cut here, with "..." for the rest.
inline constexpr std::size_t kTermTextBytesMax = 1024;

/// Puts the parts of a text one behind the other.
class Printer {
 public:
  explicit Printer(const baton_host* host) : host_(host) {}

  void put(std::string_view text) { text_ += text; }
  void put(const char* text) { text_ += text; }
  void put(const std::string& text) { text_ += text; }
  void put(bool value) { text_ += value ? "true" : "false"; }
  void put(char value) { text_ += value; }
  template <class T>
  requires(std::is_integral_v<T>) void put(T value) { text_ += std::to_string(value); }
  void put(double value) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    const std::string_view shortest(digits, static_cast<std::size_t>(end - digits));
    text_ += shortest;
    if (shortest.find_first_of(".en") == shortest.npos) text_ += ".0";
  }
  void put(Atom atom) { put(Term(atom.word)); }
  void put(Pid pid) { put(Term(pid.word)); }
  void put(Ref ref) { put(Term(ref.word)); }
  void put(Port port) { put(Term(port.word)); }
  void put(const TermValue& value) { put(value.term()); }
  void put(const BigInteger& value) { put_limbs(value.negative, value.limbs); }
  void put(Term term) {
    end_ = text_.size() + kTermTextBytesMax;
    put_term(term, 0);
    if (text_.size() > end_) text_.resize(end_), text_ += "...";
  }

  std::string take() { return std::move(text_); }

 private:
  static constexpr int kDepthMax = 64;  // the text of what lies deeper is "..."

  bool is_full() const { return text_.size() >= end_; }

  void put_term(Term term, int depth) {
    if (is_full()) return;
    if (depth > kDepthMax) return put("...");
    if (!term) return put("none");
    if (term.is_atom()) return put_atom(term.atom());
    if (term.is_small()) return put(term.small());
    const std::uint64_t id = term.word() >> 3;
    if (term.is_pid()) return put_all("<0.", id & ((1u << 29) - 1), ".", id >> 29, ">");
    if (term.is_ref()) return put_all("#Ref<", id & 511, ".", id >> 9, ">");
    if (term.is_port()) return put_all("#Port<", id >> 5 & ((1u << 24) - 1), ".", id >> 29, ">");
    if (term.is_list()) return put_list(term, depth);
    switch (term.kind()) {
      case BATON_KIND_FLOAT: return put(term.number());
      case BATON_KIND_POSITIVE:
      case BATON_KIND_NEGATIVE: return put(term.to_big());
      case BATON_KIND_BINARY:
      case BATON_KIND_SHARED: return put_binary(term.binary());
      case BATON_KIND_TUPLE:
        put("{");
        for (std::size_t i = 0; i < term.size() && !is_full(); ++i) {
          if (i > 0) put(",");
          put_term(term[i], depth + 1);
        }
        return put("}");
      case BATON_KIND_MAP: {
        const char* separator = "#{";
        for (auto [key, value] : term.map()) {
          if (is_full()) break;
          put(std::exchange(separator, ","));
          put_term(key, depth + 1);
          put(" => ");
          put_term(value, depth + 1);
        }
        return put(term.size() == 0 ? "#{}" : "}");
      }
      default:
        put("#External<");
        put(term.size());
        put(">");
    }
  }
  template <class... Parts>
  void put_all(const Parts&... parts) {
    (put(parts), ...);
  }
  void put_list(Term list, int depth) {
    put("[");
    auto at = list.list().begin();
    for (bool first = true; at != std::default_sentinel && !is_full(); ++at, first = false) {
      if (!first) put(",");
      put_term(*at, depth + 1);
    }
    if (!is_full() && !at.rest().is_nil()) {
      put("|");
      put_term(at.rest(), depth + 1);
    }
    put("]");
  }
  void put_atom(Atom atom) {
    std::size_t size = 0;
    const char* const known =
        host_ != nullptr ? host_->atom_text(host_, atom.word, &size) : nullptr;
    if (known == nullptr) return put_all("#Atom<", atom.word >> 3, ">");
    const std::string_view name(known, size);
    const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
    bool plain = !name.empty() && is_lower(name[0]);
    for (char c : name)
      plain &=
          is_lower(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '@';
    if (plain) return put(name);
    put("'");
    put(name);
    put("'");
  }
  void put_binary(std::string_view bytes) {
    bool printable = true;
    for (unsigned char c : bytes) printable &= c >= ' ' && c != '"' && c != '\\' && c != 127;
    const std::string_view shown = bytes.substr(0, kTermTextBytesMax);
    if (printable) return put_all("<<\"", shown, "\">>");
    const char* separator = "<<";
    for (unsigned char c : shown) {
      if (is_full()) break;
      put(std::exchange(separator, ","));
      put(static_cast<unsigned>(c));
    }
    put(">>");
  }
  // Divides by 10^18 again and again; fine for what is cut after a thousand digits anyway.
  void put_limbs(bool negative, std::vector<std::uint64_t> limbs) {
    constexpr std::uint64_t chunk = 1'000'000'000'000'000'000;
    std::vector<std::uint64_t> digits;
    while (!limbs.empty() && limbs.back() == 0) limbs.pop_back();
    while (!limbs.empty()) {
      __extension__ unsigned __int128 rest = 0;
      for (std::size_t i = limbs.size(); i-- > 0;) {
        rest = rest << 64 | limbs[i];
        limbs[i] = static_cast<std::uint64_t>(rest / chunk);
        rest %= chunk;
      }
      digits.push_back(static_cast<std::uint64_t>(rest));
      while (!limbs.empty() && limbs.back() == 0) limbs.pop_back();
    }
    if (digits.empty()) return put("0");
    if (negative) put("-");
    put(digits.back());
    for (std::size_t i = digits.size() - 1; i-- > 0;) {
      const std::string part = std::to_string(digits[i]);
      text_.append(18 - part.size(), '0').append(part);
    }
  }

  const baton_host* host_;
  std::string text_;
  std::size_t end_ = ~std::size_t{0};
};

/// The parts as one text.
template <class... Parts>
std::string to_text(const baton_host* host, const Parts&... parts) {
  Printer printer(host);
  (printer.put(parts), ...);
  return printer.take();
}

}  // namespace baton::inline v1
