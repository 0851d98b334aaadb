// State: describes the struct that a gen_server keeps, so that another version can take it over.
//
//   struct State {
//     std::int64_t value = 0;
//     std::map<std::string, std::int64_t> totals;
//     // Optional, all of these:
//     static constexpr std::uint32_t revision = 2;
//     static void code_change(State& made, const baton::Fields& old, baton::Version from);
//     static void code_revert(const State& live, baton::Fields& older, baton::Version to);
//     static baton::Loss loss(const State& live, baton::Version to);
//     static void discard(State& live, baton::Version to) noexcept;
//   };
//   BATON_STATE(State, value, totals)
//   BATON_RENAMED(State, totals, sums)        // it was called sums before
//   BATON_DROPPED(State, hits, misses)        // older fields, given up on purpose
//   BATON_DISPOSABLE(State, totals)           // losing it on the way down is no loss
//
// A field of equal name and type is moved in constant time, a widened number converts, a new field
// keeps its default: none of that needs code. code_change is for the rest, and code_revert, in the
// newer version as well, is its way back; both may throw, and then nothing has happened. Bump
// `revision` when a field means something else although its type is the same.
//
// A type may be part of a state if it is in the table of baton/codec.h and owns its memory; a
// struct that is a key there has the order and the hash of its members (BATON_KEY, baton/key.h).
// What may not is refused by the compiler in a sentence that begins "baton: State::field".
//
// Threads: constants; the functions of the schema run on any thread, without a context.
#pragma once

#include <baton/codec.h>

#include <algorithm>
#include <charconv>
#include <variant>

namespace baton::inline v1 {

/// A module's version, x.y.z, in order.
struct Version {
  std::uint32_t major = 0, minor = 0, patch = 0;
  constexpr Version() = default;
  constexpr Version(std::uint32_t x, std::uint32_t y, std::uint32_t z)
      : major(x), minor(y), patch(z) {}
  /// From "1.2.3"; what is missing or no number is 0.
  constexpr Version(const char* text) {  // NOLINT: so that `from < "1.2.0"` reads well
    std::uint32_t* const parts[] = {&major, &minor, &patch};
    for (std::uint32_t* part : parts) {
      for (; *text >= '0' && *text <= '9'; ++text)
        *part = *part * 10 + static_cast<unsigned>(*text - '0');
      if (*text != '.') break;
      ++text;
    }
  }
  friend constexpr auto operator<=>(const Version&, const Version&) = default;
};

/// What going down would lose: how many things, and what they are ("keys with an expiry").
struct Loss {
  std::uint64_t count = 0;
  std::string what;
};

namespace state {

// What else decides whether two builds may touch one object.
#if defined(_LIBCPP_VERSION)
#define BATON_LIBRARY_NAME "libc++"
#elif defined(_GLIBCXX_USE_CXX11_ABI) && _GLIBCXX_USE_CXX11_ABI
#define BATON_LIBRARY_NAME "libstdc++-cxx11"
#else
#define BATON_LIBRARY_NAME "libstdc++"
#endif
#ifdef _GLIBCXX_DEBUG
#define BATON_LIBRARY_DEBUG "-debug"
#else
#define BATON_LIBRARY_DEBUG ""
#endif
#ifdef __SANITIZE_ADDRESS__
#define BATON_LIBRARY_SANITIZER "-asan"
#else
#define BATON_LIBRARY_SANITIZER ""
#endif
inline constexpr std::string_view kLibrary =
    BATON_LIBRARY_NAME BATON_LIBRARY_DEBUG BATON_LIBRARY_SANITIZER;
#undef BATON_LIBRARY_NAME
#undef BATON_LIBRARY_DEBUG
#undef BATON_LIBRARY_SANITIZER

template <class T>
inline constexpr auto type_text = text::freeze([](auto& out) {
  Codec<T>::type_text(out, Layout::kState);
});

template <class T>
consteval std::uint64_t type_hash() {
  text::Hasher hasher;
  hasher.put(kLibrary);
  hasher.put(";");
  Codec<T>::type_text(hasher, Layout::kState);
  return hasher.hash;
}

template <class T>
consteval std::uint8_t scalar_of() {
  if constexpr (std::is_enum_v<T>) {
    return scalar_of<std::underlying_type_t<T>>();
  } else if constexpr (std::is_same_v<T, bool>) {
    return BATON_SCALAR_BOOL;
  } else if constexpr (std::is_floating_point_v<T>) {
    return sizeof(T) == 4 ? BATON_SCALAR_F32 : BATON_SCALAR_F64;
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<std::uint8_t>((std::is_signed_v<T> ? BATON_SCALAR_I8 : BATON_SCALAR_U8) +
                                     std::bit_width(sizeof(T)) - 1);
  } else {
    return BATON_SCALAR_NONE;
  }
}

inline void say(baton_error* error, std::string_view text) noexcept {
  if (error == nullptr || error->capacity == 0) return;
  const std::size_t size = std::min<std::size_t>(text.size(), error->capacity - 1);
  std::memcpy(error->text, text.data(), size);
  error->text[size] = '\0';
  error->length = static_cast<std::uint32_t>(size);
}

// A described struct is compared member by member, since it need not have an == of its own; so is
// what holds one, as a container's == compiles or not as its elements' does.
template <class T>
bool is_same(const T& a, const T& b) {
  if constexpr (std::is_base_of_v<codec::Immediate, Codec<T>>) {
    return a == b;
  } else if constexpr (DescribedStruct<T>) {
    return [&]<class... M>(Members<M...>) {
      return (is_same(a.*M::pointer, b.*M::pointer) && ...);
    }(MembersOf<T>{});
  } else if constexpr (requires { a.bucket(*a.begin()); }) {
    return a == b;  // an unordered_set: its elements have to have ==
  } else if constexpr (requires { a.bucket(a.begin()->first); }) {
    return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const auto& entry) {
             const auto other = b.find(entry.first);
             return other != b.end() && is_same(entry.second, other->second);
           });
  } else if constexpr (requires { a.begin(); }) {
    using Element = typename T::value_type;
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const Element& x, const Element& y) { return is_same(x, y); });
  } else if constexpr (requires { a.has_value(); }) {
    return a.has_value() == b.has_value() && (!a.has_value() || is_same(*a, *b));
  } else if constexpr (requires { a.valueless_by_exception(); }) {
    if (a.index() != b.index()) return false;
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return ((a.index() == I && is_same(std::get<I>(a), std::get<I>(b))) || ...);
    }
    (std::make_index_sequence<std::variant_size_v<T>>());
  } else {
    return std::apply(
        [&](const auto&... x) {
          return std::apply([&](const auto&... y) { return (is_same(x, y) && ...); }, b);
        },
        a);
  }
}

/// Runs it; an exception becomes the error's text, since none may leave the library.
template <class F>
int guarded(baton_error* error, F&& run) noexcept {
  try {
    run();
    return 0;
  } catch (const std::exception& exception) {
    say(error, exception.what());
  } catch (...) {
    say(error, "an exception that is no std::exception");
  }
  return -1;
}

}  // namespace state

/// The fields of a state of another version, by the names they have there.
class Fields {
 public:
  explicit Fields(const baton_view* view) : view_(view) {}

  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// Throws BadTerm if that version has no such field, or one of another type.
  template <class T>
  const T& get(std::string_view name) const {
    return *static_cast<const T*>(at(name, state::type_hash<T>(), state::type_text<T>.view()));
  }
  template <class T>
  void put(std::string_view name, T value) {
    *static_cast<T*>(at(name, state::type_hash<T>(), state::type_text<T>.view())) =
        std::move(value);
  }

 private:
  const baton_field* find(std::string_view name) const {
    const baton_schema& schema = *view_->schema;
    for (std::uint32_t i = 0; i < schema.field_count; ++i) {
      const char* const at = reinterpret_cast<const char*>(schema.fields) + i * schema.field_stride;
      const auto* const field = reinterpret_cast<const baton_field*>(at);
      if (name == field->name) return field;
    }
    return nullptr;
  }
  void* at(std::string_view name, std::uint64_t type, std::string_view type_text) const {
    const baton_field* const field = find(name);
    const std::string quoted = "the other version's field " + std::string(name);
    if (field == nullptr) throw BadTerm(quoted + " does not exist");
    if (field->type != type)
      throw BadTerm(quoted + " is a " + field->type_name + ", not a " + std::string(type_text));
    return static_cast<char*>(view_->base) + field->offset;
  }

  const baton_view* view_;
};

template <class S>
concept DescribedState = DescribedStruct<S> && requires {
  baton_is_state(static_cast<S*>(nullptr));
};

/// The constant tables of a state, for the host and for the note.
template <DescribedState S, class L = MembersOf<S>>
struct Schema;

template <DescribedState S, class... M>
struct Schema<S, Members<M...>> {
  static constexpr std::uint32_t revision() {
    if constexpr (requires { S::revision; }) return S::revision;
    return 0;
  }
  static constexpr bool has_change = requires(S & made, const Fields& old, Version v) {
    S::code_change(made, old, v);
  };
  static constexpr bool has_revert = requires(const S& live, Fields& older, Version v) {
    S::code_revert(live, older, v);
  };
  static constexpr bool has_loss = requires(const S& live, Version v) { S::loss(live, v); };
  static constexpr bool has_discard = requires(S & live, Version v) { S::discard(live, v); };

  static_assert(alignof(S) <= 16, "baton: a state's alignment is 16 at most");
  static_assert(std::is_nothrow_destructible_v<S>, "baton: a state's destructor must not throw");
  static_assert(
      !requires { &S::code_change; } || has_change,
      "baton: write static void code_change(State& made, const baton::Fields& old, "
      "baton::Version from)");
  static_assert(
      !requires { &S::code_revert; } || has_revert,
      "baton: write static void code_revert(const State& live, baton::Fields& older, "
      "baton::Version to)");
  static_assert(
      !requires { &S::loss; } || has_loss,
      "baton: write static baton::Loss loss(const State& live, baton::Version to)");
  static_assert(
      !requires { &S::discard; } || has_discard,
      "baton: write static void discard(State& live, baton::Version to) noexcept");

  static constexpr std::uint64_t fingerprint() {
    text::Hasher hasher;
    hasher.put(state::kLibrary);
    hasher.put(";");
    Codec<S>::type_text(hasher, Layout::kState);
    text::put_number(hasher, revision());
    return hasher.hash;
  }

  template <class F>
  static constexpr const char* renamed_from() {
    if constexpr (requires { baton_renamed_from(static_cast<S*>(nullptr), typename F::Key{}); }) {
      return baton_renamed_from(static_cast<S*>(nullptr), typename F::Key{});
    } else {
      return nullptr;
    }
  }
  template <class F>
  static constexpr std::uint8_t flags() {
    if constexpr (requires { baton_disposable(static_cast<S*>(nullptr), typename F::Key{}); })
      return BATON_FIELD_DISPOSABLE;
    return 0;
  }

  template <class F>
  static constexpr baton_field field() {
    using T = typename F::Type;
    return {
        .name = F::c_name,
        .type_name = state::type_text<T>.chars,
        .type = state::type_hash<T>(),
        .offset = F::offset(),
        .size = sizeof(T),
        .align = alignof(T),
        .scalar = state::scalar_of<T>(),
        .flags = flags<F>(),
        .renamed_from = renamed_from<F>(),
        .move =
            [](void* to, void* from) noexcept {
              *static_cast<T*>(to) = std::move(*static_cast<T*>(from));
            },
        .is_default = [](const void* live, const void* defaults) noexcept -> int {
          try {
            return state::is_same(static_cast<const S*>(live)->*F::pointer,
                                  static_cast<const S*>(defaults)->*F::pointer);
          } catch (...) {
            return 0;
          }
        },
    };
  }
  // One more than there are: an array cannot be empty.
  static constexpr baton_field fields[sizeof...(M) + 1] = {field<M>()...};

  static constexpr bool has_dropped = requires { baton_dropped(static_cast<S*>(nullptr)); };
  static constexpr const char* const* dropped() {
    if constexpr (has_dropped) return baton_dropped(static_cast<S*>(nullptr));
    return nullptr;
  }

  static int construct(void* raw, baton_error* error) noexcept {
    return state::guarded(error, [&] { ::new (raw) S{}; });
  }
  static void destroy(void* live) noexcept { std::destroy_at(static_cast<S*>(live)); }
  static int change(void* made, const baton_view* old, const char* from,
                    baton_error* error) noexcept {
    return state::guarded(error,
                          [&] { S::code_change(*static_cast<S*>(made), Fields(old), from); });
  }
  static int revert(const void* live, const baton_view* older, const char* to,
                    baton_error* error) noexcept {
    return state::guarded(error, [&] {
      Fields fields(older);
      S::code_revert(*static_cast<const S*>(live), fields, to);
    });
  }
  static std::uint64_t loss(const void* live, const char* to, baton_error* error) noexcept {
    std::uint64_t count = 0;
    const int failed = state::guarded(error, [&] {
      const Loss loss = S::loss(*static_cast<const S*>(live), to);
      count = loss.count;
      state::say(error, loss.what);
    });
    // A loss that cannot be counted must not pass for none.
    return failed != 0 ? ~std::uint64_t{0} : count;
  }
  static void discard(void* live, const char* to) noexcept {
    static_assert(noexcept(S::discard(std::declval<S&>(), Version())),
                  "baton: State::discard runs inside a commit: declare it noexcept");
    S::discard(*static_cast<S*>(live), to);
  }

  /// A map of the fields, by their names.
  static baton_message* to_term(baton_context* context, const void* live) noexcept;

  static constexpr baton_schema make() {
    baton_schema schema{
        .struct_size = sizeof(baton_schema),
        .field_stride = sizeof(baton_field),
        .field_count = sizeof...(M),
        .size = sizeof(S),
        .align = alignof(S),
        .revision = revision(),
        .name = text::snake_name<S>.chars,
        .fingerprint = fingerprint(),
        .fields = fields,
        .dropped = dropped(),
        .construct = construct,
        .destroy = destroy,
        .change = nullptr,
        .revert = nullptr,
        .loss = nullptr,
        .discard = nullptr,
        .to_term = to_term,
    };
    if constexpr (has_change) schema.change = change;
    if constexpr (has_revert) schema.revert = revert;
    if constexpr (has_loss) schema.loss = loss;
    if constexpr (has_discard) schema.discard = discard;
    return schema;
  }
  static constexpr baton_schema value = make();

  static constexpr void atoms(AtomSet& set) {
    (set.add(M::name), ...), (Codec<typename M::Type>::atoms(set), ...);
  }

  /// The schema's lines of the note.
  template <class Out>
  static constexpr void note(Out& out) {
    out.put("schema ");
    out.put(text::snake_name<S>.view());
    out.put(" ");
    text::put_hash(out, fingerprint());
    for (std::int64_t number : {sizeof(S), alignof(S), std::size_t{revision()}}) {
      out.put(" ");
      text::put_number(out, number);
    }
    out.put(" ");
    out.put(state::kLibrary);
    out.put("\n");
    for (std::size_t i = 0; i < sizeof...(M); ++i) {
      const baton_field& field = fields[i];
      out.put("field ");
      out.put(field.name);
      out.put(" ");
      text::put_hash(out, field.type);
      for (std::int64_t number :
           {field.offset, field.size, std::uint32_t{field.scalar}, std::uint32_t{field.flags}}) {
        out.put(" ");
        text::put_number(out, number);
      }
      out.put(" ");
      out.put(field.type_name);
      out.put("\n");
    }
    for (std::size_t i = 0; i < sizeof...(M); ++i) {
      if (fields[i].renamed_from == nullptr) continue;
      out.put("renamed ");
      out.put(fields[i].name);
      out.put(" ");
      out.put(fields[i].renamed_from);
      out.put("\n");
    }
    if constexpr (has_dropped) {
      for (const char* const* name = dropped(); *name != nullptr; ++name) {
        out.put("dropped ");
        out.put(*name);
        out.put("\n");
      }
    }
    if (has_change || has_revert || has_loss) {
      out.put("hooks");
      if (has_change) out.put(" change");
      if (has_revert) out.put(" revert");
      if (has_loss) out.put(" loss");
      out.put("\n");
    }
  }
};

namespace state {

/// A state seen as a map of its fields; only ever written.
template <class S>
struct AsMap {
  const S& state;
};

}  // namespace state

template <class S>
struct Codec<state::AsMap<S>> : codec::Immediate {
  static void measure(Measure& measure, state::AsMap<S> map) {
    measure.words += 1 + 2 * MembersOf<S>::size;
    each(
        [&](auto m) { Codec<typename decltype(m)::Type>::measure(measure, map.state.*m.pointer); });
  }
  static baton_term write(Cursor& cursor, state::AsMap<S> map) {
    constexpr std::size_t size = MembersOf<S>::size;
    baton_term* const box = cursor.box(BATON_KIND_MAP, size, 2 * size);
    baton_term* at = box + 1;
    each([&](auto m) {
      *at++ = Atom(m.name).word;
      *at++ = Codec<typename decltype(m)::Type>::write(cursor, map.state.*m.pointer);
    });
    return reinterpret_cast<baton_term>(box);
  }

 private:
  template <class F>
  static void each(F f) {
    [&]<class... M>(Members<M...>) { (f(M{}), ...); }(MembersOf<S>{});
  }
};

template <DescribedState S, class... M>
baton_message* Schema<S, Members<M...>>::to_term(baton_context* context,
                                                 const void* live) noexcept {
  baton_message* block = nullptr;
  state::guarded(nullptr, [&] {
    block = make_message(context, state::AsMap<S>{*static_cast<const S*>(live)}).release();
  });
  return block;
}

}  // namespace baton::inline v1

#define BATON_REFUSE(TYPE, FIELD, REASON, TEXT)                                       \
  static_assert(::baton::kRefusal<decltype(TYPE::FIELD)> != ::baton::Refusal::REASON, \
                "baton: " #TYPE "::" #FIELD " " TEXT);
#define BATON_CHECK_FIELD(TYPE, FIELD)                                                            \
  BATON_REFUSE(TYPE, FIELD, kPointer,                                                             \
               "holds a raw pointer, which dangles when its version is unloaded: hold the value " \
               "itself, or a baton::Pid")                                                         \
  BATON_REFUSE(TYPE, FIELD, kSmartPointer,                                                        \
               "holds a smart pointer or std::any, which keeps code of its version (a deleter): " \
               "hold the value itself, a std::optional, a std::variant or a baton::TermValue")    \
  BATON_REFUSE(TYPE, FIELD, kReference, "holds a reference: hold the value itself")               \
  BATON_REFUSE(TYPE, FIELD, kView,                                                                \
               "holds a view of memory that may be gone: hold a std::string, a std::vector or a " \
               "baton::TermValue")                                                                \
  BATON_REFUSE(TYPE, FIELD, kFunction,                                                            \
               "holds a function, whose code is unloaded with its version: hold an enum and "     \
               "switch on it")                                                                    \
  BATON_REFUSE(TYPE, FIELD, kArray, "holds a C array: hold a std::array")                         \
  BATON_REFUSE(TYPE, FIELD, kConstant, "is const and cannot be moved: drop the const")            \
  BATON_REFUSE(TYPE, FIELD, kEnum, "holds an enum without a description: add BATON_ENUM for it")  \
  BATON_REFUSE(TYPE, FIELD, kOrder,                                                               \
               "holds a container with an order, hash, allocator or character of its own, which " \
               "is code of its version: use the standard one, and order by the key's fields")     \
  BATON_REFUSE(TYPE, FIELD, kKey,                                                                 \
               "holds a set or map of structs, whose order and hash may be others in the next "   \
               "version: give the struct those of its members with BATON_KEY")                    \
  BATON_REFUSE(TYPE, FIELD, kVirtual,                                                             \
               "holds a type with virtual functions, whose table is unloaded with its version: "  \
               "hold a std::variant of plain structs")                                            \
  BATON_REFUSE(TYPE, FIELD, kForgotten,                                                           \
               "holds a struct whose description forgets a member or changes their order: name "  \
               "every member")                                                                    \
  BATON_REFUSE(TYPE, FIELD, kMove,                                                                \
               "may throw when it is move-assigned, in the middle of a commit: make its move "    \
               "assignment noexcept")                                                             \
  BATON_REFUSE(TYPE, FIELD, kUnknown,                                                             \
               "holds a type that no other version can take over: describe it with BATON_STATE, " \
               "or use one of the types listed in baton/codec.h (of a std::chrono type, hold "    \
               "its count())")

/// Describes a state, or a struct inside one: BATON_STATE(State, fields...), in State's namespace.
#define BATON_STATE(TYPE, ...)                                                                   \
  BATON_EACH(BATON_CHECK_FIELD, TYPE, __VA_ARGS__)                                               \
  BATON_DESCRIBE(TYPE __VA_OPT__(, ) __VA_ARGS__)                                                \
  [[maybe_unused]] void baton_is_state(TYPE*);                                                   \
  static_assert(std::is_aggregate_v<TYPE>,                                                       \
                "baton: " #TYPE                                                                  \
                " must be a plain aggregate: no constructors, no private members, no base");     \
  static_assert(::baton::kNamesEveryMember<TYPE>,                                                \
                "baton: BATON_STATE(" #TYPE                                                      \
                ", ...) does not name every member in the order of their declaration; one that " \
                "it forgets would be lost in a take-over");

/// This field had another name in older versions.
#define BATON_RENAMED(TYPE, FIELD, BEFORE)                                 \
  constexpr const char* baton_renamed_from(TYPE*, ::baton::Name<#FIELD>) { \
    static_assert(&TYPE::FIELD != nullptr, "such a field must exist");     \
    return #BEFORE;                                                        \
  }

/// Older fields that this version gives up on purpose.
#define BATON_DROPPED(TYPE, ...)                                                 \
  inline constexpr const char* baton_dropped_##TYPE[] = {                        \
      BATON_LIST_OF(void BATON_EACH(BATON_QUOTED, TYPE, __VA_ARGS__)), nullptr}; \
  constexpr const char* const* baton_dropped(TYPE*) { return baton_dropped_##TYPE; }
#define BATON_QUOTED(TYPE, FIELD) , #FIELD

/// Fields whose loss on the way down is no loss: caches, counters.
#define BATON_DISPOSABLE(TYPE, ...) BATON_EACH(BATON_DISPOSABLE_FIELD, TYPE, __VA_ARGS__)
#define BATON_DISPOSABLE_FIELD(TYPE, FIELD)                          \
  static_assert(&TYPE::FIELD != nullptr, "such a field must exist"); \
  [[maybe_unused]] void baton_disposable(TYPE*, ::baton::Name<#FIELD>);
