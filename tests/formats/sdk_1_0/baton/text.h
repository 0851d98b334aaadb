// Text: names and type texts built at compile time, and the hashes over them.
//
// Everything that a module says about itself (its note, its schema, its atoms) is computed by the
// compiler and frozen into constants. A writer is a function over a sink; it runs once to count,
// once to fill, or once to hash, so that nothing is ever allocated or built at run time.
//
// Threads: constants.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace baton::inline v1 {

/// A string literal as a template argument.
template <std::size_t N>
struct Text {
  char chars[N];
  consteval Text(const char (&text)[N]) {  // NOLINT: literals convert
    for (std::size_t i = 0; i < N; ++i) chars[i] = text[i];
  }
  constexpr std::string_view view() const { return {chars, N - 1}; }
};

/// A distinct type per name, to hang declarations on.
template <Text T>
struct Name {};

namespace text {

inline constexpr std::uint64_t kFnvStart = 14695981039346656037ull;
constexpr std::uint64_t fnv1a(std::string_view bytes, std::uint64_t hash = kFnvStart) {
  for (char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return hash;
}

struct Counter {
  std::size_t size = 0;
  constexpr void put(std::string_view bytes) { size += bytes.size(); }
};
struct Filler {
  char* at;
  constexpr void put(std::string_view bytes) {
    for (char c : bytes) *at++ = c;
  }
};
struct Hasher {
  std::uint64_t hash = kFnvStart;
  constexpr void put(std::string_view bytes) { hash = fnv1a(bytes, hash); }
};

template <std::size_t N>
struct Frozen {
  char chars[N + 1];
  constexpr std::string_view view() const { return {chars, N}; }
};

/// The constant text of a writer, a lambda without captures that takes a sink.
template <class Writer>
consteval auto freeze(Writer writer) {
  constexpr std::size_t size = [] {
    Counter counter;
    Writer{}(counter);
    return counter.size;
  }();
  Frozen<size> frozen{};
  Filler filler{frozen.chars};
  writer(filler);
  return frozen;
}

template <class Out>
constexpr void put_number(Out& out, std::int64_t number) {
  char digits[21] = {};
  std::size_t at = sizeof digits;
  std::uint64_t rest = number < 0 ? 0 - static_cast<std::uint64_t>(number) : number;
  do digits[--at] = static_cast<char>('0' + rest % 10);
  while (rest /= 10);
  if (number < 0) digits[--at] = '-';
  out.put({digits + at, sizeof digits - at});
}

/// Sixteen hexadecimal digits.
template <class Out>
constexpr void put_hash(Out& out, std::uint64_t hash) {
  for (int shift = 60; shift >= 0; shift -= 4)
    out.put({&"0123456789abcdef"[hash >> shift & 15], 1});
}

/// The type as the compiler spells it, namespaces and all.
template <class T>
consteval std::string_view spelled() {
  const std::string_view whole = __PRETTY_FUNCTION__;
  const std::size_t begin = whole.find("T = ") + 4;
  const std::size_t semicolon = whole.find(';', begin);
  const std::size_t end = semicolon != whole.npos ? semicolon : whole.rfind(']');
  return whole.substr(begin, end - begin);
}

/// Writes the type's own name, without namespaces, in snake_case: HttpRequest is http_request.
template <class T, class Out>
constexpr void put_snake_name(Out& out) {
  constexpr auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  std::string_view name = spelled<T>();
  name = name.substr(0, name.find('<'));
  if (const std::size_t colon = name.rfind(':'); colon != name.npos) name.remove_prefix(colon + 1);
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool starts_word =
        i > 0 && is_upper(name[i]) && name[i - 1] != '_' &&
        (!is_upper(name[i - 1]) || (i + 1 < name.size() && !is_upper(name[i + 1])));
    if (starts_word) out.put("_");
    const char lower = is_upper(name[i]) ? static_cast<char>(name[i] - 'A' + 'a') : name[i];
    out.put({&lower, 1});
  }
}

template <class T>
inline constexpr auto snake_name = freeze([](auto& out) { put_snake_name<T>(out); });

}  // namespace text
}  // namespace baton::inline v1
