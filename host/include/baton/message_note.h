// MessageNote: what a module's note says of a message beyond its type: the defaults of its members
// and what they, and the message, were called before. With it a host turns mail of another version
// into this one's when its receiver crosses, without running anything of the module but the hooks
// that the message may have (baton/message_hook.h).
//
//   struct Say { std::string text; std::string language = "en"; };
//   BATON_MESSAGE(Say, text, language)
//   BATON_RENAMED(Say, text, line)             // this member was called line before
//   BATON_DROPPED(Say, colour)                 // an older member, given up on purpose
//   BATON_RENAMED_MESSAGE(Say, tell)           // the message itself was {tell, ...}
//
// Members go by name, numbers may become wider, what an older form lacks has its default. Mail that
// waits crosses so up and down, and what comes later in the other version's form too. What cannot
// become a form of the other version, such as one of another type without a hook, or two forms that
// look alike and mean something else, needs a message of another name; the older one may stand
// beside it in the contract for a while (see baton/gen_server.h). An upgrade that breaks a contract
// is refused, unless the release says `mail: drop` or `mail: deliver`.
//
// A default is known if the message with all its defaults is a constant (std::map and std::deque
// are none), and the member is made of what a term's text can hold: numbers, texts, enums,
// optionals and lists, tuples and structs of them.
//
// Threads: constants.
#pragma once

#include <baton/message_hook.h>

namespace baton::inline v1::note {

// A function of its own: in the requirement itself, g++ 12 does not look for what S's constructor
// needs.
template <class S>
constexpr bool is_made() {
  [[maybe_unused]] S value{};
  return true;
}
template <class S>
concept ConstantDefaults = requires {
  typename std::bool_constant<is_made<S>()>;
};

template <class Out, class T>
constexpr bool put_term(Out& out, const T& value);

template <class Out>
constexpr void put_unsigned(Out& out, std::uint64_t value) {
  if (value > 9) put_unsigned(out, value / 10);
  out.put({&"0123456789"[value % 10], 1});
}

// All digits that the number has, so that reading gives it back. False: it has too many.
template <class Out>
constexpr bool put_real(Out& out, double value) {
  constexpr double kWholeMax = 9007199254740992.0;  // above it, doubles are no longer dense
  if (!(value > -kWholeMax && value < kWholeMax)) return false;
  if (value < 0) out.put("-");
  double rest = value < 0 ? -value : value;
  const auto whole = static_cast<std::uint64_t>(rest);
  rest -= static_cast<double>(whole);
  put_unsigned(out, whole);
  out.put(".");
  // A remainder times 10 is exact as an integer over a power of two, not as a double.
  constexpr int kShift = 60;
  constexpr std::uint64_t kOne = std::uint64_t{1} << kShift;
  const double scaled = rest * static_cast<double>(kOne);
  auto fraction = static_cast<std::uint64_t>(scaled);
  if (static_cast<double>(fraction) != scaled) return false;
  do {
    fraction *= 10;
    out.put({&"0123456789"[fraction / kOne], 1});
    fraction %= kOne;
  } while (fraction != 0);
  return true;
}

template <class Out>
constexpr void put_binary(Out& out, std::string_view bytes) {
  out.put("<<");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) out.put(",");
    put_unsigned(out, static_cast<unsigned char>(bytes[i]));
  }
  out.put(">>");
}

template <class Out>
constexpr void put_atom(Out& out, std::string_view text) {
  out.put("'");
  out.put(text);
  out.put("'");
}

template <class Out, class Range>
constexpr bool put_list(Out& out, const Range& range) {
  out.put("[");
  bool is_first = true;
  for (const auto& element : range) {
    if (!std::exchange(is_first, false)) out.put(",");
    if (!put_term(out, static_cast<const typename Range::value_type&>(element))) return false;
  }
  out.put("]");
  return true;
}

template <class Out, class... T>
constexpr bool put_tuple(Out& out, std::string_view name, const T&... elements) {
  out.put("{");
  std::string_view separator;
  if (!name.empty()) {
    put_atom(out, name);
    separator = ",";
  }
  const bool is_whole =
      ((out.put(std::exchange(separator, ",")), put_term(out, elements)) && ... && true);
  out.put("}");
  return is_whole;
}

template <class Out, DescribedEnum T, class... E>
constexpr bool put_enumerator(Out& out, T value, Enumerators<E...>) {
  return ((E::value == value && (put_atom(out, E::name), true)) || ...);
}

template <class Out, DescribedStruct S, class... M>
constexpr bool put_struct(Out& out, const S& value, Members<M...>) {
  constexpr std::string_view name = text::snake_name<S>.view();
  if constexpr (sizeof...(M) == 0) {
    put_atom(out, name);
    return true;
  } else {
    return put_tuple(out, name, value.*M::pointer...);
  }
}

// A term's text. False: this value has none that a constant could hold.
template <class Out, class T>
constexpr bool put_term(Out& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    out.put(value ? "true" : "false");
    return true;
  } else if constexpr (std::is_integral_v<T>) {
    if (std::is_signed_v<T>) {
      text::put_number(out, static_cast<std::int64_t>(value));
    } else {
      put_unsigned(out, static_cast<std::uint64_t>(value));
    }
    return true;
  } else if constexpr (std::is_floating_point_v<T>) {
    return put_real(out, value);
  } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>) {
    put_binary(out, value);
    return true;
  } else if constexpr (std::is_same_v<T, Atom>) {
    out.put("undefined");
    return value == Atom();  // the text of another one is not known here
  } else if constexpr (std::is_same_v<T, std::monostate>) {
    out.put("undefined");
    return true;
  } else if constexpr (DescribedEnum<T>) {
    return put_enumerator(out, value, EnumeratorsOf<T>{});
  } else if constexpr (DescribedStruct<T>) {
    return put_struct(out, value, MembersOf<T>{});
  } else if constexpr (requires {
                         value.has_value();
                         *value;
                       }) {
    if (value.has_value()) return put_term(out, *value);
    out.put("undefined");
    return true;
  } else if constexpr (
      requires {
        value.begin();
        value.end();
        typename T::value_type;
      } &&
      !requires { typename T::mapped_type; }) {
    return put_list(out, value);
  } else if constexpr (requires { std::tuple_size<T>::value; }) {
    return std::apply([&](const auto&... each) { return put_tuple(out, {}, each...); }, value);
  } else {
    return false;
  }
}

template <class S, class M>
constexpr bool has_default() {
  if constexpr (ConstantDefaults<S>) {
    text::Counter counter;
    S value{};  // g++ 12 lets no constant std::string be made
    return put_term(counter, value.*M::pointer);
  } else {
    return false;
  }
}

template <class S, class M>
constexpr void member_lines(auto& out) {
  if constexpr (requires { baton_renamed_from(static_cast<S*>(nullptr), typename M::Key{}); }) {
    out.put("member_was ");
    out.put(M::name);
    out.put(" ");
    out.put(baton_renamed_from(static_cast<S*>(nullptr), typename M::Key{}));
    out.put("\n");
  }
  if constexpr (has_default<S, M>()) {
    out.put("member_default ");
    out.put(M::name);
    out.put(" ");
    S value{};  // g++ 12 lets no constant std::string be made
    put_term(out, value.*M::pointer);
    out.put("\n");
  }
}

/// The lines that follow a message's own.
template <class S>
constexpr void message_lines(auto& out) {
  if constexpr (DescribedStruct<S>) {
    if constexpr (requires { baton_message_renamed_from(static_cast<S*>(nullptr)); }) {
      out.put("message_was ");
      out.put(baton_message_renamed_from(static_cast<S*>(nullptr)));
      out.put("\n");
    }
    message_hook::check<S>();
    if (message_hook::kHasChange<S> || message_hook::kHasRevert<S>) {
      out.put("message_hooks");
      if (message_hook::kHasChange<S>) out.put(" change");
      if (message_hook::kHasRevert<S>) out.put(" revert");
      out.put("\n");
    }
    [&]<class... M>(Members<M...>) { (member_lines<S, M>(out), ...); }(MembersOf<S>{});
    if constexpr (requires { baton_dropped(static_cast<S*>(nullptr)); }) {
      for (const char* const* name = baton_dropped(static_cast<S*>(nullptr)); *name != nullptr;
           ++name) {
        out.put("member_dropped ");
        out.put(*name);
        out.put("\n");
      }
    }
  }
}

}  // namespace baton::inline v1::note

/// This message had another name in older versions. In Type's namespace, after BATON_MESSAGE.
#define BATON_RENAMED_MESSAGE(TYPE, BEFORE) \
  constexpr const char* baton_message_renamed_from(TYPE*) { return #BEFORE; }
