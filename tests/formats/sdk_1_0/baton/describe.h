// Describe: says which members a struct and which enumerators an enum has, so that the rest can be
// derived.
//
//   struct Increment { std::int64_t by = 1; };
//   BATON_MESSAGE(Increment, by)     // travels as {increment, By}; a struct without members as an
//                                    // atom
//   enum class Colour { red, green };
//   BATON_ENUM(Colour, red, green)   // travels as the atom red or green
//
// They stand in the namespace of the type, after it. BATON_STATE (baton/state.h) does the same for
// a state and checks more. A struct described by Boost.Describe is taken as it is.
//
// Threads: constants.
#pragma once

#include <baton/abi.h>
#include <baton/text.h>

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#if __has_include(<boost/describe.hpp>)
#include <boost/describe.hpp>
#include <boost/mp11/algorithm.hpp>
#define BATON_HAS_BOOST_DESCRIBE 1
#endif

namespace baton::inline v1 {

template <class Pointer>
struct PointedMember;
template <class Owner_, class Field>
struct PointedMember<Field Owner_::*> {
  using Owner = Owner_;
  using Type = Field;
};

/// One member of a described struct.
template <auto Pointer, Text Label, std::uint32_t Offset>
struct Member {
  using Type = typename PointedMember<decltype(Pointer)>::Type;
  using Key = Name<Label>;
  static constexpr auto pointer = Pointer;
  static constexpr const char* c_name = Label.chars;
  static constexpr std::string_view name = Label.view();
  static consteval std::uint32_t offset() { return Offset; }
};

template <class... M>
struct Members {
  static constexpr std::size_t size = sizeof...(M);
};

template <auto Value, Text Label>
struct Enumerator {
  static constexpr auto value = Value;
  static constexpr std::string_view name = Label.view();
};

template <class... E>
struct Enumerators {};

namespace describe {

#ifdef BATON_HAS_BOOST_DESCRIBE
namespace bd = boost::describe;

// Boost.Describe knows no offsets. In a constant expression, the address of a member equals that of
// one byte of the same union; which one, is the offset.
template <class T>
union Overlay {
  char bytes[sizeof(T)];
  T value;
  constexpr Overlay() : bytes{} {}
  constexpr ~Overlay() {}
};
template <class T>
inline constexpr Overlay<T> overlay{};

template <class T, class D>
struct BoostMember {
  using Type = typename PointedMember<std::remove_cv_t<decltype(D::pointer)>>::Type;
  using Key = void;
  static constexpr auto pointer = D::pointer;
  static constexpr const char* c_name = D::name;
  static constexpr std::string_view name = D::name;
  static consteval std::uint32_t offset() {
    const void* const at = std::addressof(overlay<T>.value.*D::pointer);
    for (std::uint32_t i = 0; i < sizeof(T); ++i)
      if (at == static_cast<const void*>(&overlay<T>.bytes[i])) return i;
    throw "a member lies inside its struct";
  }
};
template <class D>
struct BoostEnumerator {
  static constexpr auto value = D::value;
  static constexpr std::string_view name = D::name;
};

template <class T, template <class...> class L, class... D>
auto members_of(L<D...>) -> Members<BoostMember<T, D>...>;
template <template <class...> class L, class... D>
auto enumerators_of(L<D...>) -> Enumerators<BoostEnumerator<D>...>;
#endif

template <class T>
constexpr auto find_members() {
  if constexpr (requires { baton_members(static_cast<T*>(nullptr)); }) {
    return std::type_identity<decltype(baton_members(static_cast<T*>(nullptr)))>();
#ifdef BATON_HAS_BOOST_DESCRIBE
  } else if constexpr (std::is_class_v<T> && bd::has_describe_members<T>::value) {
    return std::type_identity<decltype(members_of<T>(
        bd::describe_members<T, bd::mod_public | bd::mod_inherited>()))>();
#endif
  }
}

template <class T>
constexpr auto find_enumerators() {
  if constexpr (requires { baton_enumerators(static_cast<T*>(nullptr)); }) {
    return std::type_identity<decltype(baton_enumerators(static_cast<T*>(nullptr)))>();
#ifdef BATON_HAS_BOOST_DESCRIBE
  } else if constexpr (std::is_enum_v<T> && bd::has_describe_enumerators<T>::value) {
    return std::type_identity<decltype(enumerators_of(bd::describe_enumerators<T>()))>();
#endif
  }
}

template <class S, class... M>
consteval bool names_every_member(Members<M...>) {
  // Its members in their order make it, and it has no further one that an empty brace would make.
  constexpr bool are_members = requires { S{std::declval<typename M::Type>()...}; };
  constexpr bool are_too_few = requires { S{std::declval<typename M::Type>()..., {}}; };
  return are_members && (!are_too_few || (sizeof...(M) == 0 && std::is_empty_v<S>));
}

}  // namespace describe

template <class T>
concept DescribedStruct =
    std::is_class_v<T> && !std::is_void_v<decltype(describe::find_members<T>())>;
template <class T>
concept DescribedEnum =
    std::is_enum_v<T> && !std::is_void_v<decltype(describe::find_enumerators<T>())>;

template <DescribedStruct T>
using MembersOf = typename decltype(describe::find_members<T>())::type;
template <DescribedEnum T>
using EnumeratorsOf = typename decltype(describe::find_enumerators<T>())::type;

/// False if the description of a struct forgets one of its members or changes their order.
template <DescribedStruct T>
inline constexpr bool kNamesEveryMember = describe::names_every_member<T>(MembersOf<T>{});

}  // namespace baton::inline v1

// BATON_EACH(MACRO, TYPE, a, b, ...) is MACRO(TYPE, a) MACRO(TYPE, b) ..., for up to 256 of them.
#define BATON_PARENTHESES ()
#define BATON_EXPAND(...) BATON_EXPAND3(BATON_EXPAND3(BATON_EXPAND3(BATON_EXPAND3(__VA_ARGS__))))
#define BATON_EXPAND3(...) BATON_EXPAND2(BATON_EXPAND2(BATON_EXPAND2(BATON_EXPAND2(__VA_ARGS__))))
#define BATON_EXPAND2(...) BATON_EXPAND1(BATON_EXPAND1(BATON_EXPAND1(BATON_EXPAND1(__VA_ARGS__))))
#define BATON_EXPAND1(...) BATON_EXPAND0(BATON_EXPAND0(BATON_EXPAND0(BATON_EXPAND0(__VA_ARGS__))))
#define BATON_EXPAND0(...) __VA_ARGS__
#define BATON_EACH(MACRO, TYPE, ...) \
  __VA_OPT__(BATON_EXPAND(BATON_EACH_STEP(MACRO, TYPE, __VA_ARGS__)))
#define BATON_EACH_STEP(MACRO, TYPE, FIRST, ...) \
  MACRO(TYPE, FIRST)                             \
  __VA_OPT__(BATON_EACH_AGAIN BATON_PARENTHESES(MACRO, TYPE, __VA_ARGS__))
#define BATON_EACH_AGAIN() BATON_EACH_STEP

#define BATON_MEMBER(TYPE, FIELD) \
  , ::baton::Member<&TYPE::FIELD, #FIELD, __builtin_offsetof(TYPE, FIELD)>
#define BATON_ENUMERATOR(TYPE, NAME) , ::baton::Enumerator<TYPE::NAME, #NAME>

#define BATON_FIRST_REMOVED(FIRST, ...) __VA_ARGS__
#define BATON_LIST_OF(...) BATON_FIRST_REMOVED(__VA_ARGS__)

// offsetof outside standard layout is conditionally supported; gcc and clang support it where there
// is no virtual base, and a described struct has no base at all.
#define BATON_DESCRIBE(TYPE, ...)                                                              \
  _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Winvalid-offsetof\"")      \
      [[maybe_unused]] auto                                                                    \
      baton_members(TYPE*)                                                                     \
          ->::baton::Members<BATON_LIST_OF(void BATON_EACH(BATON_MEMBER, TYPE, __VA_ARGS__))>; \
  _Pragma("GCC diagnostic pop")

/// Describes a struct that travels: BATON_MESSAGE(Type, members...), in Type's namespace.
#define BATON_MESSAGE(TYPE, ...)                                                        \
  BATON_DESCRIBE(TYPE __VA_OPT__(, ) __VA_ARGS__)                                       \
  static_assert(::baton::kNamesEveryMember<TYPE>,                                       \
                "baton: BATON_MESSAGE(" #TYPE ", ...) must name every member of " #TYPE \
                " in the order of their declaration, and " #TYPE " must be a plain aggregate");

/// Describes an enum: BATON_ENUM(Type, enumerators...), in Type's namespace.
#define BATON_ENUM(TYPE, ...)                    \
  [[maybe_unused]] auto baton_enumerators(TYPE*) \
      ->::baton::Enumerators<BATON_LIST_OF(void BATON_EACH(BATON_ENUMERATOR, TYPE, __VA_ARGS__))>;
