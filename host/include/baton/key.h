// Key: a described struct as the key of a set or a map in a state.
//
//   struct Seat { std::int64_t row = 0; std::string name; };
//   BATON_MESSAGE(Seat, row, name)
//   BATON_KEY(Seat)              // defines ==, < and std::hash: by its members, in their order
//
// A take-over moves a set or a map whole: its next version finds the entries where the version
// before has put them. So both have to order and to hash alike, and what members a type has is all
// that is known of it there: an order or a hash of its own would be code of one version, and is
// refused (baton/state.h).
//
// Threads: pure.
#pragma once

#include <baton/describe.h>

#include <array>
#include <cstddef>
#include <functional>
#include <string_view>
#include <type_traits>

namespace baton::inline v1 {

template <class T>
concept DescribedKey = DescribedStruct<T> && requires {
  baton_key(static_cast<const T*>(nullptr));
};

namespace key {

template <class S>
constexpr bool equal(const S& a, const S& b) {
  return [&]<class... M>(Members<M...>) {
    return ((a.*M::pointer == b.*M::pointer) && ...);
  }(MembersOf<S>{});
}

// The first member that differs decides.
template <class S>
constexpr bool less(const S& a, const S& b) {
  return [&]<class... M>(Members<M...>) {
    bool is_less = false;
    static_cast<void>(
        ((is_less = a.*M::pointer < b.*M::pointer, is_less || b.*M::pointer < a.*M::pointer) ||
         ...));
    return is_less;
  }(MembersOf<S>{});
}

// Never to be changed: states are moved from modules with this to modules with a later SDK's.
template <class S>
std::size_t hash(const S& value) {
  return [&]<class... M>(Members<M...>) {
    const std::array<std::size_t, sizeof...(M)> each{
        std::hash<typename M::Type>{}(value.*M::pointer)...};
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(each.data()), sizeof each});
  }(MembersOf<S>{});
}

template <class T>
struct Parts;

/// Whether T, or a part of it, is a struct that brings its own order or hash.
template <class T>
consteval bool has_own_order() {
  if constexpr (DescribedStruct<T>) {
    return !DescribedKey<T> || []<class... M>(Members<M...>) {
      return (has_own_order<typename M::Type>() || ...);
    }(MembersOf<T>{});
  } else {
    return Parts<T>::have_own_order();
  }
}

template <class T>
struct Parts {
  static consteval bool have_own_order() { return false; }
};
template <template <class...> class C, class... T>
struct Parts<C<T...>> {
  static consteval bool have_own_order() { return (has_own_order<T>() || ...); }
};
template <class T, std::size_t N>
struct Parts<std::array<T, N>> {
  static consteval bool have_own_order() { return has_own_order<T>(); }
};

}  // namespace key

}  // namespace baton::inline v1

template <baton::DescribedKey K>
struct std::hash<K> {
  std::size_t operator()(const K& value) const { return baton::key::hash(value); }
};

/// In the namespace of the struct, after its description and before it is a key.
#define BATON_KEY(TYPE)                                                                         \
  constexpr std::true_type baton_key(const TYPE*);                                              \
  constexpr bool operator==(const TYPE& a, const TYPE& b) { return ::baton::key::equal(a, b); } \
  constexpr bool operator<(const TYPE& a, const TYPE& b) { return ::baton::key::less(a, b); }   \
  static_assert(::baton::DescribedKey<TYPE>,                                                    \
                "baton: BATON_KEY(" #TYPE ") stands behind the description of " #TYPE);
