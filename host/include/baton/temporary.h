// Temporary: which values may be made inside an expression with co_await.
//
// g++ before 13 destroys the members of an aggregate twice, and the captures of a lambda, where it
// is made in a statement that awaits (its bugs 99576 and 100611; clang does not). So what awaits
// refuses such a temporary under these compilers, and says what to write instead:
//
//   co_await call(to, Ask{text})                        refused
//   co_await call<Ask>(to, text)                        the call makes the message
//   Ask ask{text};  co_await call(to, ask)              it has a name
//
// A temporary with nothing to destroy, such as Increment{5}, is harmless and allowed. Only what is
// passed to the awaiting function can be seen here: one made elsewhere in the statement, as in
// co_return Answer{text, co_await call(to, ask)}, needs a name all the same.
#pragma once

#include <type_traits>

namespace baton::inline v1::temporary {

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
inline constexpr bool kAreDestroyedTwice = true;
#else
inline constexpr bool kAreDestroyedTwice = false;
#endif

template <class T>
concept Destroyed = std::is_class_v<T> && !std::is_trivially_destructible_v<T>;

// An aggregate may also stand among the arguments that, say, a std::optional is made of.
template <class T>
struct HoldsAggregate : std::bool_constant<Destroyed<T> && std::is_aggregate_v<T>> {};
template <template <class...> class Template, class... T>
struct HoldsAggregate<Template<T...>>
    : std::bool_constant<(Destroyed<Template<T...>> && std::is_aggregate_v<Template<T...>>) ||
                         (HoldsAggregate<T>::value || ...)> {};

/// T as a forwarding reference deduces it: a value category and a type. Messages and their fields.
template <class T>
inline constexpr bool kIsSafe = !kAreDestroyedTwice || std::is_lvalue_reference_v<T> ||
                                !HoldsAggregate<std::remove_cvref_t<T>>::value;

/// Functions: a closure cannot be told from other classes.
template <class F>
inline constexpr bool kIsSafeFunction =
    !kAreDestroyedTwice || std::is_lvalue_reference_v<F> || !Destroyed<std::remove_cvref_t<F>>;

}  // namespace baton::inline v1::temporary
