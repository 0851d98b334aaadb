// Module: makes a shared library of behaviours a module that a host can load.
//
//   namespace counter::inline BATON_BUILD { ... }         // all code of the module
//   BATON_ATOMS("increased", "decreased")                 // atoms you made up, so that they print
//   BATON_MODULE("counter", "1.0.0", counter::Counter)    // once, outside of every namespace
//
// BATON_MODULE emits the description that the entry function returns, and the same facts as an ELF
// note that tools read without running anything (baton/abi.h, "The note"). The names of messages,
// enumerators and fields are in it by themselves.
//
// BATON_BUILD is a tag over the module's sources, given by baton_add_module() in CMake. Types of a
// namespace of that name differ between any two builds of a module, so that no cast or catch of one
// version ever takes the other's object for its own.
//
// Threads: constants.
#pragma once

#include <baton/gen_server.h>

namespace baton::inline v1::module {

template <class B>
concept HasState = requires {
  typename B::State;
};

// A message is known by its atom; one that is no struct, by its type.
template <class M>
constexpr void contract_name(auto& out) {
  if constexpr (DescribedStruct<M>) {
    out.put(text::snake_name<M>.view());
  } else {
    Codec<M>::type_text(out, Layout::kWire);
  }
}
template <class T>
constexpr void wire_type(auto& out) {
  if constexpr (std::is_void_v<T>) {
    out.put("ok");
  } else {
    Codec<T>::type_text(out, Layout::kWire);
  }
}
template <class M>
constexpr void contract_line(auto& out, std::string_view kind) {
  static_assert(
      kTravels<M>,
      "baton: a message without a term form: describe it with BATON_MESSAGE or BATON_ENUM, "
      "or use one of the types listed in baton/codec.h");
  out.put(kind);
  out.put(" ");
  contract_name<M>(out);
  out.put(" ");
  wire_type<M>(out);
}

template <class B, class M>
constexpr void call_line(auto& out) {
  contract_line<M>(out, "call");
  out.put(" -> ");
  if constexpr (HasState<B>) {
    using Handler = gen_server::CallHandler<B, M>;
    using Reply = typename Handler::Reply;
    if constexpr (std::is_same_v<Reply, NoReply>) {
      wire_type<typename task::ReplyTo<M>::Type>(out);
    } else {
      if constexpr (Handler::declares_reply)
        static_assert(std::is_same_v<Reply, typename task::ReplyTo<M>::Type>,
                      "baton: handle_call returns something else than the message's `using Reply`");
      wire_type<Reply>(out);
    }
  } else {
    wire_type<typename task::ReplyTo<M>::Type>(out);
  }
  out.put("\n");
}

template <class B>
constexpr void behaviour_lines(auto& out) {
  out.put("behaviour ");
  out.put(text::snake_name<B>.view());
  out.put(HasState<B> ? " gen_server\n" : " process\n");
  if constexpr (HasState<B>) Schema<typename B::State>::note(out);
  [&]<class... M>(Messages<M...>) { (call_line<B, M>(out), ...); }(typename B::Calls());
  [&]<class... M>(Messages<M...>) {
    ((contract_line<M>(out, "cast"), out.put("\n")), ...);
  }(typename B::Casts());
  [&]<class... M>(Messages<M...>) {
    ((contract_line<M>(out, "info"), out.put("\n")), ...);
  }(typename B::Infos());
}

template <class B>
constexpr void behaviour_atoms(AtomSet& set) {
  set.add(text::snake_name<B>.view());
  if constexpr (HasState<B>) Schema<typename B::State>::atoms(set);
  const auto add = [&]<class... M>(Messages<M...>) {
    (Codec<M>::atoms(set), ...);
    (Codec<typename task::ReplyTo<M>::Type>::atoms(set), ...);
  };
  add(typename B::Calls());
  add(typename B::Casts());
  add(typename B::Infos());
  if constexpr (HasState<B>) {
    [&]<class... M>(Messages<M...>) {
      [[maybe_unused]] const auto add_reply = [&]<class Reply>(std::type_identity<Reply>) {
        if constexpr (!std::is_void_v<Reply> && !std::is_same_v<Reply, NoReply>)
          Codec<Reply>::atoms(set);
      };
      (add_reply(std::type_identity<typename gen_server::CallHandler<B, M>::Reply>()), ...);
    }(typename B::Calls());
  }
}

/// What BATON_MODULE was given, as a type.
template <Text Name_, Text Version_, Text Build_, class Extra, class... B>
struct Description {
  static constexpr const char* name = Name_.chars;
  static constexpr const char* version = Version_.chars;
  static constexpr const char* build = Build_.chars;

  static consteval bool is_version() {
    int parts = 0, digits = 0;
    for (char c : Version_.view()) {
      if (c == '.' && digits > 0) {
        ++parts;
        digits = 0;
      } else if (c >= '0' && c <= '9') {
        ++digits;
      } else {
        return false;
      }
    }
    return parts == 2 && digits > 0;
  }
  static consteval bool is_name() {
    for (char c : Name_.view())
      if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
    return !Name_.view().empty() && Name_.view()[0] >= 'a';
  }
  template <class T>
  static consteval bool is_in_build() {
#ifdef __clang__
    return true;  // it leaves inline namespaces out of what it spells
#else
    return text::spelled<T>().find(Build_.view()) != std::string_view::npos;
#endif
  }
  static_assert(sizeof...(B) > 0,
                "baton: BATON_MODULE(\"name\", \"1.0.0\", behaviours...) needs a behaviour");
  static_assert(is_name(), "baton: a module's name is lower-case letters, digits and _");
  static_assert(is_version(), "baton: a module's version is three numbers: \"1.0.0\"");
  static_assert(
      Build_.view() != "BATON_BUILD",
      "baton: BATON_BUILD is not defined: build the module with baton_add_module() of CMake");
  static_assert((is_in_build<B>() && ...),
                "baton: put the module's code into `namespace name::inline BATON_BUILD { }`");

  static constexpr AtomSet atoms() {
    AtomSet set;
    if constexpr (requires { Extra::list; })
      for (std::string_view atom : Extra::list) set.add(atom);
    (behaviour_atoms<B>(set), ...);
    return set;
  }
  static constexpr void note(auto& out) {
    out.put("baton-note 1\nmodule ");
    out.put(Name_.view());
    out.put("\nversion ");
    out.put(Version_.view());
    out.put("\nabi ");
    text::put_number(out, BATON_ABI_MAJOR);
    out.put(".");
    text::put_number(out, BATON_ABI_MINOR);
    out.put("\nbuild ");
    out.put(Build_.view());
#ifdef BATON_STATEFUL_GLOBALS
    out.put("\nstateful_globals");
#endif
    out.put("\natoms");
    const AtomSet set = atoms();
    for (std::size_t i = 0; i < set.size; ++i) {
      out.put(" ");
      out.put(set.text[i]);
    }
    out.put("\n");
    (behaviour_lines<B>(out), ...);
  }

  static constexpr baton_behaviour behaviours[] = {B::behaviour()...};
  static constexpr baton_module table{
      .struct_size = sizeof(baton_module),
      .abi_major = BATON_ABI_MAJOR,
      .abi_minor = BATON_ABI_MINOR,
      .name = name,
      .version = version,
      .build = build,
      .behaviour_count = sizeof...(B),
      .behaviour_stride = sizeof(baton_behaviour),
      .behaviours = behaviours,
      .init = nullptr,
      .fini = nullptr,
  };
};

template <std::size_t N>
struct Note {
  std::uint32_t owner_size = 6;
  std::uint32_t size = N;
  std::uint32_t type = BATON_NOTE_TYPE;
  char owner[8] = "baton";
  char text[(N + 3) / 4 * 4] = {};
};

template <class D>
consteval auto make_note() {
  constexpr auto frozen = text::freeze([](auto& out) { D::note(out); });
  Note<frozen.view().size()> note;
  for (std::size_t i = 0; i < frozen.view().size(); ++i) note.text[i] = frozen.chars[i];
  return note;
}

consteval bool are_plain_atoms(std::initializer_list<std::string_view> atoms) {
  for (std::string_view atom : atoms) {
    if (atom.empty() || atom.size() > 255) return false;
    for (char c : atom)
      if (static_cast<unsigned char>(c) <= ' ') return false;
  }
  return true;
}

}  // namespace baton::inline v1::module

#define BATON_QUOTE(...) BATON_QUOTE_EXPANDED(__VA_ARGS__)
#define BATON_QUOTE_EXPANDED(...) #__VA_ARGS__

/// Texts of atoms that the module makes with _atom, so that the host can print them. Before
/// BATON_MODULE.
#define BATON_ATOMS(...)                                                            \
  namespace {                                                                       \
  struct baton_module_atoms {                                                       \
    static constexpr std::string_view list[] = {__VA_ARGS__};                       \
  };                                                                                \
  static_assert(::baton::module::are_plain_atoms({__VA_ARGS__}),                    \
                "baton: BATON_ATOMS takes texts of 1 to 255 bytes without spaces"); \
  }

// The note is a plain constant of namespace scope: gcc ignores the section of a template's member,
// and drops that of an inline variable.
#define BATON_MODULE(NAME, VERSION, ...)                                                        \
  namespace {                                                                                   \
  struct baton_module_atoms;                                                                    \
  using baton_module_description =                                                              \
      ::baton::module::Description<NAME, VERSION, BATON_QUOTE(BATON_BUILD), baton_module_atoms, \
                                   __VA_ARGS__>;                                                \
  [[gnu::section(".note.baton"), gnu::used]] alignas(4) constexpr auto baton_module_note =      \
      ::baton::module::make_note<baton_module_description>();                                   \
  }                                                                                             \
  const baton_module* baton::v1::this_module() noexcept {                                       \
    return &baton_module_description::table;                                                    \
  }                                                                                             \
  extern "C" [[gnu::visibility("default")]] const baton_module* baton_module_entry(void) {      \
    return &baton_module_description::table;                                                    \
  }
