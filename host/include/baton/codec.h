// Codec: how a C++ type travels as a term, and whether it may stay in a State.
//
//   C++ type                            term                      type text
//   bool                                true | false              bool
//   integers                            integer                   i8 i16 i32 i64 u8 ...
//   float, double                       float                     f32 f64
//   BigInteger                          integer                   integer
//   std::string, std::string_view       binary                    string
//   Atom                                atom                      atom
//   enum described by BATON_ENUM        its enumerator, an atom   enum(i32:red=0,...)
//   Pid, Ref, Port                      pid, reference, port      pid ref port
//   Term, TermValue                     itself                    term
//   std::optional<T>                    T | undefined             optional<T>
//   std::monostate                      undefined                 undefined
//   std::pair, std::tuple               tuple                     pair<T,U> tuple<T,U>
//   std::variant<T, U>                  T | U                     variant<T,U>
//   std::array, vector, deque           list                      array<T,3> vector<T> ...
//   std::set, unordered_set             list                      set<T> ...
//   std::map, unordered_map             map                       map<K,V> ...
//   struct described by BATON_MESSAGE   {name, Members...}        {a:T;b:U;} on the wire,
//                                                                 {a:T@0;b:U@8;16} in a state
//   the same without members            the atom name             {} on the wire, {1} in a state
//
// The type text is part of the ABI: hashes over it decide whether a state's field may be moved. Its
// grammar is frozen; new types may be added, none may ever be spelled another way. It holds no
// spaces. In a state a struct is followed by the offsets of its members and its size. A struct
// reads from a map of its members as well, where those that are missing keep their defaults: that
// is how configuration is written.
//
// Threads: pure functions.
// Fails:   reading throws BadTerm, which names message and member: "increment.by: expected an
//          integer, ...".
#pragma once

#include <baton/block.h>
#include <baton/describe.h>
#include <baton/key.h>

#include <array>
#include <deque>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>

namespace baton::inline v1 {

/// A term that is not what the reader expects. The callback's wrapper makes it the exit reason.
class BadTerm : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Why a type may not be part of a state; state.h holds the sentences.
enum class Refusal {
  kNone,
  kPointer,
  kSmartPointer,
  kReference,
  kView,
  kFunction,
  kArray,
  kConstant,
  kEnum,
  kOrder,
  kKey,
  kVirtual,
  kForgotten,
  kMove,
  kUnknown,
};

enum class Layout { kWire, kState };

/// The atoms that a module names, gathered for its note.
struct AtomSet {
  static constexpr std::size_t kAtomsMax = 2048;
  std::string_view text[kAtomsMax] = {};
  std::size_t size = 0;
  constexpr void add(std::string_view atom) {
    for (std::size_t i = 0; i < size; ++i)
      if (text[i] == atom) return;
    text[size++] = atom;
  }
};

namespace codec {

inline const char* kind_name(Term term) {
  if (term.is_atom()) return "an atom";
  if (term.is_integer()) return "an integer";
  if (term.is_float()) return "a float";
  if (term.is_binary()) return "a binary";
  if (term.is_tuple()) return "a tuple";
  if (term.is_list()) return "a list";
  if (term.is_map()) return "a map";
  if (term.is_pid()) return "a pid";
  if (term.is_ref()) return "a reference";
  if (term.is_port()) return "a port";
  return "a remote term";
}

[[noreturn, gnu::cold, gnu::noinline]] inline void refuse(std::string_view expected, Term got) {
  throw BadTerm("expected " + std::string(expected) + ", got " + kind_name(got));
}

// What all codecs have: nothing to measure, nothing to name.
struct Immediate {
  static constexpr Refusal refusal = Refusal::kNone;
  static constexpr bool borrows = false;
  static constexpr void atoms(AtomSet&) {}
  template <class T>
  static constexpr void measure(Measure&, const T&) {}
};

template <class T>
consteval Refusal refusal_of_unknown() {
  using std::is_same_v;
  if (std::is_reference_v<T>) return Refusal::kReference;
  if (std::is_const_v<T>) return Refusal::kConstant;
  if (std::is_function_v<std::remove_pointer_t<T>> || std::is_member_function_pointer_v<T>)
    return Refusal::kFunction;
  if (std::is_pointer_v<T> || std::is_member_pointer_v<T>) return Refusal::kPointer;
  if (std::is_array_v<T>) return Refusal::kArray;
  if (std::is_enum_v<T>) return Refusal::kEnum;
  // By name: this header includes none of <any>, <functional>, <memory>, <span> for their sake.
  const std::string_view name = text::spelled<T>();
  for (std::string_view p : {"std::shared_ptr<", "std::unique_ptr<", "std::weak_ptr<", "std::any"})
    if (name.starts_with(p)) return Refusal::kSmartPointer;
  for (std::string_view p : {"std::function<", "std::move_only_function<", "std::_Bind"})
    if (name.starts_with(p)) return Refusal::kFunction;
  for (std::string_view p : {"std::span<", "std::basic_string_view<", "std::reference_wrapper<"})
    if (name.starts_with(p)) return Refusal::kView;
  for (std::string_view p : {"std::map<", "std::set<", "std::unordered_map<", "std::unordered_set<",
                             "std::vector<", "std::deque<", "std::__cxx11::basic_string<"})
    if (name.starts_with(p)) return Refusal::kOrder;
  if constexpr (std::is_polymorphic_v<T>) return Refusal::kVirtual;
  return Refusal::kUnknown;
}

}  // namespace codec

/// The primary knows no way: it is where refused types end. Specialise it for a type of your own to
/// let it travel; only types from the table above may be kept in a state.
template <class T>
struct Codec {
  static constexpr Refusal refusal = codec::refusal_of_unknown<T>();
  static constexpr bool borrows = false;
  static constexpr bool is_unknown = true;
};

template <class T>
inline constexpr bool kTravels = !requires {
  Codec<T>::is_unknown;
};

/// The same, and that nothing T is made of is known to be refused: asked of a message's members.
template <class T>
inline constexpr bool kHasTermForm = [] {
  if constexpr (!kTravels<T>) {
    return false;
  } else {
    constexpr Refusal refusal = Codec<T>::refusal;
    return refusal != Refusal::kPointer && refusal != Refusal::kSmartPointer &&
           refusal != Refusal::kReference && refusal != Refusal::kFunction &&
           refusal != Refusal::kArray && refusal != Refusal::kEnum && refusal != Refusal::kOrder;
  }
}();

template <class T>
inline constexpr Refusal kRefusal = [] {
  if constexpr (std::is_const_v<T>) {
    return Refusal::kConstant;
  } else if constexpr (Codec<T>::refusal != Refusal::kNone) {
    return Codec<T>::refusal;
  } else {
    return std::is_nothrow_move_assignable_v<T> ? Refusal::kNone : Refusal::kMove;
  }
}();

namespace codec {

template <class... T>
consteval Refusal first_refusal() {
  Refusal first = Refusal::kNone;
  ((first = first == Refusal::kNone ? kRefusal<T> : first), ...);
  return first;
}

template <class... T>
struct Composed {
  static constexpr Refusal refusal = first_refusal<T...>();
  static constexpr bool borrows = (Codec<T>::borrows || ...);
  static constexpr void atoms(AtomSet& set) { (Codec<T>::atoms(set), ...); }
};

template <class Out, class... T>
constexpr void put_types(Out& out, Layout layout, std::string_view name) {
  out.put(name);
  std::string_view separator = "<";
  ((out.put(std::exchange(separator, ",")), Codec<T>::type_text(out, layout)), ...);
  out.put(">");
}

inline std::size_t list_size(Term list) {
  if (!list.is_list()) refuse("a list", list);
  std::size_t size = 0;
  auto at = list.list().begin();
  for (; at != std::default_sentinel; ++at) ++size;
  if (!at.rest().is_nil()) throw BadTerm("expected a proper list");
  return size;
}

template <class Range>
void measure_list(Measure& measure, const Range& range) {
  using T = typename Range::value_type;
  measure.words += 2 * range.size();
  for (const auto& element : range) Codec<T>::measure(measure, static_cast<const T&>(element));
}

template <class Range>
baton_term write_list(Cursor& cursor, const Range& range) {
  using T = typename Range::value_type;
  baton_term list = BATON_NIL;
  baton_term* tail = &list;
  for (const auto& element : range) {
    baton_term* const cell = cursor.cell();
    *tail = tagged_cell(cell);
    cell[0] = Codec<T>::write(cursor, static_cast<const T&>(element));
    tail = cell + 1;
  }
  *tail = BATON_NIL;
  return list;
}

// Lists that grow by push_back, and sets.
template <class C, class T>
struct Sequence : Composed<T> {
  static bool matches(Term term) { return term.is_list(); }
  static void measure(Measure& measure, const C& c) { measure_list(measure, c); }
  static baton_term write(Cursor& cursor, const C& c) { return write_list(cursor, c); }
  static C read(Term term) {
    const std::size_t size = list_size(term);
    C c;
    if constexpr (requires { c.reserve(size); }) c.reserve(size);
    for (Term element : term.list()) c.insert(c.end(), Codec<T>::read(element));
    return c;
  }
};

// Of what has keys, by what its parts are refused for.
template <class K>
consteval Refusal refusal_of_keyed(Refusal of_parts) {
  if (of_parts == Refusal::kNone && key::has_own_order<K>()) return Refusal::kKey;
  return of_parts;
}

template <class C, class T>
struct Set : Sequence<C, T> {
  static constexpr Refusal refusal = refusal_of_keyed<T>(Composed<T>::refusal);
};

template <class C, class K, class V>
struct Mapping : Composed<K, V> {
  static constexpr Refusal refusal = refusal_of_keyed<K>(Composed<K, V>::refusal);
  static bool matches(Term term) { return term.is_map(); }
  static void measure(Measure& measure, const C& c) {
    measure.words += 1 + 2 * c.size();
    for (const auto& [key, value] : c) {
      Codec<K>::measure(measure, key);
      Codec<V>::measure(measure, value);
    }
  }
  static baton_term write(Cursor& cursor, const C& c) {
    baton_term* const box = cursor.box(BATON_KIND_MAP, c.size(), 2 * c.size());
    baton_term* at = box + 1;
    for (const auto& [key, value] : c) {
      *at++ = Codec<K>::write(cursor, key);
      *at++ = Codec<V>::write(cursor, value);
    }
    return reinterpret_cast<baton_term>(box);
  }
  static C read(Term term) {
    if (!term.is_map()) refuse("a map", term);
    C c;
    for (auto [key, value] : term.map()) c.emplace(Codec<K>::read(key), Codec<V>::read(value));
    return c;
  }
};

template <class T>
struct Product;  // pair and tuple
template <template <class...> class P, class... T>
struct Product<P<T...>> : Composed<T...> {
  using Value = P<T...>;
  template <class Out>
  static constexpr void type_text(Out& out, Layout layout) {
    // In a state the two are not the same: std::tuple lays its elements out backwards.
    constexpr bool is_pair = requires(Value value) { value.first; };
    put_types<Out, T...>(out, layout, is_pair ? "pair" : "tuple");
  }
  static bool matches(Term term) { return term.is_tuple(sizeof...(T)); }
  static void measure(Measure& measure, const Value& value) {
    measure.words += 1 + sizeof...(T);
    std::apply([&](const T&... each) { (Codec<T>::measure(measure, each), ...); }, value);
  }
  static baton_term write(Cursor& cursor, const Value& value) {
    baton_term* const box = cursor.box(BATON_KIND_TUPLE, sizeof...(T), sizeof...(T));
    baton_term* at = box;
    std::apply([&](const T&... each) { ((*++at = Codec<T>::write(cursor, each)), ...); }, value);
    return reinterpret_cast<baton_term>(box);
  }
  static Value read(Term term) {
    if (!matches(term)) {
      const char digit = '0' + sizeof...(T) % 10;
      refuse(sizeof...(T) < 10 ? std::string("a tuple of size ") + digit : "a longer tuple", term);
    }
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return Value{Codec<T>::read(term[I])...};
    }
    (std::index_sequence_for<T...>());
  }
};

// A word that is its own term.
template <class T, bool (Term::*Is)() const, T (Term::*Get)() const>
struct Word : Immediate {
  static bool matches(Term term) { return (term.*Is)(); }
  static baton_term write(Cursor&, T value) {
    return value.word != BATON_NO_TERM ? value.word : Atom().word;
  }
  static T read_as(Term term, const char* expected) {
    if (!matches(term)) refuse(expected, term);
    return (term.*Get)();
  }
};

}  // namespace codec

template <>
struct Codec<bool> : codec::Immediate {
  template <class Out>
  static constexpr void type_text(Out& out, Layout) {
    out.put("bool");
  }
  static bool matches(Term term) {
    return term.is_atom(Atom(std::string_view("true"))) ||
           term.is_atom(Atom(std::string_view("false")));
  }
  static baton_term write(Cursor&, bool value) {
    return value ? "true"_atom.word : "false"_atom.word;
  }
  static bool read(Term term) {
    if (!matches(term)) codec::refuse("true or false", term);
    return term.is_atom("true"_atom);
  }
};

template <class T>
requires(std::is_integral_v<T> && sizeof(T) <= 8) struct Codec<T> : codec::Immediate {
  template <class Out>
  static constexpr void type_text(Out& out, Layout) {
    out.put(std::is_signed_v<T> ? "i" : "u");
    text::put_number(out, 8 * sizeof(T));
  }
  static constexpr bool is_small(T value) {
    if constexpr (sizeof(T) < 8) return true;
    if constexpr (std::is_signed_v<T>) return value >= BATON_INT_MIN && value <= BATON_INT_MAX;
    return static_cast<std::uint64_t>(value) <= static_cast<std::uint64_t>(BATON_INT_MAX);
  }
  static bool matches(Term term) { return term.is_integer(); }
  static void measure(Measure& measure, T value) { measure.words += is_small(value) ? 0 : 2; }
  static baton_term write(Cursor& cursor, T value) {
    const std::uint64_t bits = static_cast<std::uint64_t>(value);
    if (is_small(value)) return bits << 3 | BATON_TAG_INT;
    const bool negative = std::is_signed_v<T> && value < T{0};
    baton_term* const box = cursor.box(negative ? BATON_KIND_NEGATIVE : BATON_KIND_POSITIVE, 1, 1);
    box[1] = negative ? 0 - bits : bits;
    return reinterpret_cast<baton_term>(box);
  }
  static T read(Term term) {
    if (!term.is_integer()) codec::refuse("an integer", term);
    if constexpr (std::is_signed_v<T>) {
      if (const auto value = term.to_int64(); value && static_cast<T>(*value) == *value)
        return static_cast<T>(*value);
    } else {
      if (const auto value = term.to_uint64(); value && static_cast<T>(*value) == *value)
        return static_cast<T>(*value);
    }
    throw BadTerm("expected an integer from " + std::to_string(std::numeric_limits<T>::min()) +
                  " to " + std::to_string(std::numeric_limits<T>::max()));
  }
};

template <class T>
requires(std::is_same_v<T, float> || std::is_same_v<T, double>) struct Codec<T> : codec::Immediate {
  template <class Out>
  static constexpr void type_text(Out& out, Layout) {
    out.put(sizeof(T) == 4 ? "f32" : "f64");
  }
  static bool matches(Term term) { return term.is_float(); }
  static void measure(Measure& measure, T) { measure.words += 2; }
  static baton_term write(Cursor& cursor, T value) {
    baton_term* const box = cursor.box(BATON_KIND_FLOAT, 1, 1);
    box[1] = std::bit_cast<std::uint64_t>(static_cast<double>(value));
    return reinterpret_cast<baton_term>(box);
  }
  /// An integer will do: people leave out the ".0".
  static T read(Term term) {
    if (term.is_float()) return static_cast<T>(term.number());
    if (!term.is_small()) codec::refuse("a float", term);
    return static_cast<T>(term.small());
  }
};

template <>
struct Codec<BigInteger> : codec::Immediate {
  template <class Out>
  static constexpr void type_text(Out& out, Layout) {
    out.put("integer");
  }
  static std::size_t significant(const BigInteger& value) {
    std::size_t size = value.limbs.size();
    while (size > 0 && value.limbs[size - 1] == 0) --size;
    return size;
  }
  static bool is_small(const BigInteger& value, std::size_t size) {
    const std::uint64_t max = static_cast<std::uint64_t>(BATON_INT_MAX);
    return size == 0 || (size == 1 && value.limbs[0] <= max + (value.negative ? 1 : 0));
  }
  static bool matches(Term term) { return term.is_integer(); }
  static void measure(Measure& measure, const BigInteger& value) {
    const std::size_t size = significant(value);
    measure.words += is_small(value, size) ? 0 : 1 + size;
  }
  static baton_term write(Cursor& cursor, const BigInteger& value) {
    const std::size_t size = significant(value);
    if (is_small(value, size)) {
      const std::uint64_t bits = size == 0 ? 0 : value.limbs[0];
      return (value.negative ? 0 - bits : bits) << 3 | BATON_TAG_INT;
    }
    baton_term* const box =
        cursor.box(value.negative ? BATON_KIND_NEGATIVE : BATON_KIND_POSITIVE, size, size);
    std::memcpy(box + 1, value.limbs.data(), 8 * size);
    return reinterpret_cast<baton_term>(box);
  }
  static BigInteger read(Term term) {
    if (!term.is_integer()) codec::refuse("an integer", term);
    return term.to_big();
  }
};

template <>
struct Codec<std::string_view> : codec::Immediate {
  static constexpr Refusal refusal = Refusal::kView;
  static constexpr bool borrows = true;
  template <class Out>
  static constexpr void type_text(Out& out, Layout) {
    out.put("string");
  }
  static bool matches(Term term) { return term.is_binary(); }
  static void measure(Measure& measure, std::string_view value) { measure.binary(value.size()); }
  static baton_term write(Cursor& cursor, std::string_view value) { return cursor.binary(value); }
  static std::string_view read(Term term) {
    if (!term.is_binary()) codec::refuse("a binary", term);
    return term.binary();
  }
};

template <>
struct Codec<std::string> : Codec<std::string_view> {
  static constexpr Refusal refusal = Refusal::kNone;
  static constexpr bool borrows = false;
  static std::string read(Term term) { return std::string(Codec<std::string_view>::read(term)); }
};

template <>
struct Codec<Atom> : codec::Immediate {
  template <class Out>
  static constexpr void type_text(Out& out, Layout) {
    out.put("atom");
  }
  static bool matches(Term term) { return term.is_atom(); }
  static baton_term write(Cursor&, Atom value) { return value.word; }
  static Atom read(Term term) {
    if (!term.is_atom()) codec::refuse("an atom", term);
    return term.atom();
  }
};

template <>
struct Codec<Pid> : codec::Word<Pid, &Term::is_pid, &Term::pid> {
  template <class Out>
  static constexpr void type_text(Out& out, Layout) {
    out.put("pid");
  }
  static Pid read(Term term) { return read_as(term, "a pid of this node"); }
};
template <>
struct Codec<Ref> : codec::Word<Ref, &Term::is_ref, &Term::ref> {
  template <class Out>
  static constexpr void type_text(Out& out, Layout) {
    out.put("ref");
  }
  static Ref read(Term term) { return read_as(term, "a reference of this node"); }
};
template <>
struct Codec<Port> : codec::Word<Port, &Term::is_port, &Term::port> {
  template <class Out>
  static constexpr void type_text(Out& out, Layout) {
    out.put("port");
  }
  static Port read(Term term) { return read_as(term, "a port of this node"); }
};

template <>
struct Codec<Term> : codec::Immediate {
  static constexpr Refusal refusal = Refusal::kView;
  static constexpr bool borrows = true;
  template <class Out>
  static constexpr void type_text(Out& out, Layout) {
    out.put("term");
  }
  static bool matches(Term) { return true; }
  static void measure(Measure& measure, Term term) { copying::measure(measure, term, true); }
  static baton_term write(Cursor& cursor, Term term) { return copying::write(cursor, term); }
  static Term read(Term term) { return term; }
};
template <>
struct Codec<TermValue> : Codec<Term> {
  static constexpr Refusal refusal = Refusal::kNone;
  static constexpr bool borrows = false;
  static TermValue read(Term term) { return TermValue(term); }
};

template <>
struct Codec<std::monostate> : codec::Immediate {
  template <class Out>
  static constexpr void type_text(Out& out, Layout) {
    out.put("undefined");
  }
  static bool matches(Term term) { return term.is_atom("undefined"_atom); }
  static baton_term write(Cursor&, std::monostate) { return "undefined"_atom.word; }
  static std::monostate read(Term term) {
    if (!matches(term)) codec::refuse("undefined", term);
    return {};
  }
};

template <class T>
struct Codec<std::optional<T>> : codec::Composed<T> {
  template <class Out>
  static constexpr void type_text(Out& out, Layout layout) {
    codec::put_types<Out, T>(out, layout, "optional");
  }
  static bool matches(Term term) {
    return term.is_atom("undefined"_atom) || Codec<T>::matches(term);
  }
  static void measure(Measure& measure, const std::optional<T>& value) {
    if (value) Codec<T>::measure(measure, *value);
  }
  static baton_term write(Cursor& cursor, const std::optional<T>& value) {
    return value ? Codec<T>::write(cursor, *value) : "undefined"_atom.word;
  }
  static std::optional<T> read(Term term) {
    if (term.is_atom("undefined"_atom)) return std::nullopt;
    return Codec<T>::read(term);
  }
};

template <class A, class B>
struct Codec<std::pair<A, B>> : codec::Product<std::pair<A, B>> {};
template <class... T>
struct Codec<std::tuple<T...>> : codec::Product<std::tuple<T...>> {};

template <class... T>
struct Codec<std::variant<T...>> : codec::Composed<T...> {
  using Value = std::variant<T...>;
  template <class Out>
  static constexpr void type_text(Out& out, Layout layout) {
    codec::put_types<Out, T...>(out, layout, "variant");
  }
  static bool matches(Term term) { return (Codec<T>::matches(term) || ...); }
  static void measure(Measure& measure, const Value& value) {
    std::visit([&]<class A>(const A& a) { Codec<A>::measure(measure, a); }, value);
  }
  static baton_term write(Cursor& cursor, const Value& value) {
    return std::visit([&]<class A>(const A& a) { return Codec<A>::write(cursor, a); }, value);
  }
  /// The first alternative that fits.
  static Value read(Term term) {
    std::optional<Value> value;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (void)((Codec<T>::matches(term) &&
              (value.emplace(std::in_place_index<I>, Codec<T>::read(term)), true)) ||
             ...);
    }
    (std::index_sequence_for<T...>());
    if (!value) codec::refuse("one of the alternatives", term);
    return *std::move(value);
  }
};

template <class T, std::size_t N>
struct Codec<std::array<T, N>> : codec::Composed<T> {
  template <class Out>
  static constexpr void type_text(Out& out, Layout layout) {
    out.put("array<");
    Codec<T>::type_text(out, layout);
    out.put(",");
    text::put_number(out, N);
    out.put(">");
  }
  static bool matches(Term term) { return term.is_list(); }
  static void measure(Measure& measure, const std::array<T, N>& value) {
    codec::measure_list(measure, value);
  }
  static baton_term write(Cursor& cursor, const std::array<T, N>& value) {
    return codec::write_list(cursor, value);
  }
  static std::array<T, N> read(Term term) {
    if (codec::list_size(term) != N)
      codec::refuse("a list of " + std::to_string(N) + " elements", term);
    std::array<T, N> value{};
    auto at = value.begin();
    for (Term element : term.list()) *at++ = Codec<T>::read(element);
    return value;
  }
};

// Only the standard order, hash and allocator match: another one would be code of the version.
#define BATON_SEQUENCE(TEMPLATE, KIND)                                \
  template <class T>                                                  \
  struct Codec<std::TEMPLATE<T>> : codec::KIND<std::TEMPLATE<T>, T> { \
    template <class Out>                                              \
    static constexpr void type_text(Out& out, Layout layout) {        \
      codec::put_types<Out, T>(out, layout, #TEMPLATE);               \
    }                                                                 \
  };
BATON_SEQUENCE(vector, Sequence)
BATON_SEQUENCE(deque, Sequence)
BATON_SEQUENCE(set, Set)
BATON_SEQUENCE(unordered_set, Set)
#undef BATON_SEQUENCE

#define BATON_MAPPING(TEMPLATE)                                                   \
  template <class K, class V>                                                     \
  struct Codec<std::TEMPLATE<K, V>> : codec::Mapping<std::TEMPLATE<K, V>, K, V> { \
    template <class Out>                                                          \
    static constexpr void type_text(Out& out, Layout layout) {                    \
      codec::put_types<Out, K, V>(out, layout, #TEMPLATE);                        \
    }                                                                             \
  };
BATON_MAPPING(map)
BATON_MAPPING(unordered_map)
#undef BATON_MAPPING

template <DescribedEnum T>
struct Codec<T> : codec::Immediate {
  template <class Out>
  static constexpr void type_text(Out& out, Layout layout) {
    out.put("enum(");
    Codec<std::underlying_type_t<T>>::type_text(out, layout);
    each([&](auto e) {
      out.put(first(e) ? ":" : ",");
      out.put(e.name);
      out.put("=");
      text::put_number(out, static_cast<std::int64_t>(e.value));
    });
    out.put(")");
  }
  static constexpr void atoms(AtomSet& set) {
    each([&](auto e) { set.add(e.name); });
  }
  static bool matches(Term term) {
    bool found = false;
    each([&](auto e) { found |= term.is_atom(kAtom<decltype(e)>); });
    return found;
  }
  /// A value without a name travels as its number.
  static baton_term write(Cursor&, T value) {
    baton_term term = static_cast<baton_term>(value) << 3 | BATON_TAG_INT;
    each([&](auto e) {
      if (e.value == value) term = kAtom<decltype(e)>.word;
    });
    return term;
  }
  static T read(Term term) {
    std::optional<T> value;
    each([&](auto e) {
      if (term.is_atom(kAtom<decltype(e)>)) value = e.value;
    });
    if (value) return *value;
    std::string names;
    each([&](auto e) { (names += names.empty() ? "one of " : ", ") += e.name; });
    codec::refuse(names, term);
  }

 private:
  template <class E>
  static constexpr Atom kAtom{E::name};
  template <class... E>
  static constexpr bool is_first(Enumerators<E...>, std::string_view name) {
    const std::string_view names[] = {E::name...};
    return names[0] == name;
  }
  static constexpr bool first(auto e) { return is_first(EnumeratorsOf<T>{}, e.name); }
  template <class F>
  static constexpr void each(F f) {
    [&]<class... E>(Enumerators<E...>) { (f(E{}), ...); }(EnumeratorsOf<T>{});
  }
};

namespace codec {

template <class S, class... M>
consteval Refusal refusal_of_struct(Members<M...>) {
  if (std::is_polymorphic_v<S>) return Refusal::kVirtual;
  if (const Refusal refusal = first_refusal<typename M::Type...>(); refusal != Refusal::kNone)
    return refusal;
  return kNamesEveryMember<S> ? Refusal::kNone : Refusal::kForgotten;
}

}  // namespace codec

template <DescribedStruct S>
struct Codec<S> {
  static constexpr Refusal refusal = codec::refusal_of_struct<S>(MembersOf<S>{});
  static constexpr bool borrows = []<class... M>(Members<M...>) {
    return (Codec<typename M::Type>::borrows || ...);
  }(MembersOf<S>{});
  static constexpr std::size_t size = MembersOf<S>::size;
  static constexpr Atom tag{text::snake_name<S>.view()};

  template <class Out>
  static constexpr void type_text(Out& out, Layout layout) {
    out.put("{");
    each([&](auto m) {
      out.put(m.name);
      out.put(":");
      Codec<typename decltype(m)::Type>::type_text(out, layout);
      if (layout == Layout::kState) {
        out.put("@");
        text::put_number(out, m.offset());
      }
      out.put(";");
    });
    if (layout == Layout::kState) text::put_number(out, sizeof(S));
    out.put("}");
  }
  static constexpr void atoms(AtomSet& set) {
    set.add(text::snake_name<S>.view());
    each([&](auto m) { Codec<typename decltype(m)::Type>::atoms(set); });
  }
  static bool matches(Term term) {
    return term.is_atom(tag) || (term.is_tuple() && term.size() > 0 && term[0].is_atom(tag));
  }
  static void measure(Measure& measure, const S& value) {
    if constexpr (size > 0) measure.words += 2 + size;
    each([&](auto m) { Codec<typename decltype(m)::Type>::measure(measure, value.*m.pointer); });
  }
  static baton_term write(Cursor& cursor, const S& value) {
    if constexpr (size == 0) return tag.word;
    baton_term* const box = cursor.box(BATON_KIND_TUPLE, 1 + size, 1 + size);
    box[1] = tag.word;
    baton_term* at = box + 1;
    each([&](auto m) {
      *++at = Codec<typename decltype(m)::Type>::write(cursor, value.*m.pointer);
    });
    return reinterpret_cast<baton_term>(box);
  }
  /// From {name, Members...}, or from a map of members where the missing ones keep their defaults.
  static S read(Term term) {
    const bool is_map = term.is_map();
    if (!is_map && !fits(term)) wrong_shape(term);
    S value{};
    std::string_view member;
    try {
      std::size_t i = 0;
      each([&](auto m) {
        member = m.name;
        const Term from = is_map ? term.get(Atom(m.name)) : term[++i];
        if (from) value.*m.pointer = Codec<typename decltype(m)::Type>::read(from);
      });
    } catch (const BadTerm& bad) {
      throw BadTerm(std::string(text::snake_name<S>.view()) + "." + std::string(member) + ": " +
                    bad.what());
    }
    return value;
  }

 private:
  static bool fits(Term term) {
    if constexpr (size == 0) {
      if (term.is_atom(tag)) return true;
    }
    return term.is_tuple(1 + size) && term[0].is_atom(tag);
  }
  [[noreturn, gnu::cold, gnu::noinline]] static void wrong_shape(Term term) {
    std::string shape(text::snake_name<S>.view());
    if constexpr (size > 0) {
      shape = "{" + shape;
      each([&](auto m) { shape += ", " + std::string(m.name); });
      shape += "}";
    }
    throw BadTerm(std::string(text::snake_name<S>.view()) + ": expected " + shape + ", got " +
                  codec::kind_name(term) +
                  (term.is_tuple() ? " of size " + std::to_string(term.size()) : ""));
  }
  template <class F>
  static constexpr void each(F f) {
    [&]<class... M>(Members<M...>) { (f(M{}), ...); }(MembersOf<S>{});
  }
};

/// A message with this value as its root, which the caller owns. `reserved` words stay free at its
/// start.
template <class T>
OwnedMessage make_message(baton_context* context, const T& value, std::size_t reserved = 0) {
  static_assert(
      kTravels<T>,
      "baton: this type has no term form; describe it with BATON_MESSAGE or BATON_ENUM, or "
      "use one of the types listed in baton/codec.h");
  const baton_host* const host = context->host;
  Measure measure;
  measure.words = reserved;
  Codec<T>::measure(measure, value);
  if (measure.has_shared) ++measure.words;
  OwnedMessage message(context, host->alloc(context, static_cast<std::uint32_t>(measure.words)));
  baton_message* const block = message.get();
  if (block == nullptr) throw std::bad_alloc();
  // Also when writing throws: the host then releases what was shared so far with the block.
  struct Seal {
    baton_message* block;
    bool has_shared;
    Cursor cursor;
    ~Seal() {
      if (!has_shared) return;
      block->word[block->words - 1] = cursor.first_shared();
      block->flags |= BATON_MESSAGE_HAS_SHARED;
    }
  } seal{block, measure.has_shared, Cursor(block->word + reserved, host)};
  block->root = Codec<T>::write(seal.cursor, value);
  return message;
}

}  // namespace baton::inline v1
