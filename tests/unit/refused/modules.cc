// expects: baton: a module.s version is three numbers
// expects: baton: a module.s name is lower-case letters
// expects: baton: put the module.s code into .namespace name::inline BATON_BUILD
// expects: baton: BATON_BUILD is not defined: build the module with baton_add_module\(\) of CMake
// expects: baton: BATON_ATOMS takes texts of 1 to 255 bytes without spaces
// expects: baton: handle_call returns something else than the message.s .using Reply.
// expects: baton: a message without a term form: describe it with BATON_MESSAGE
// expects: baton: write static void message_change\(Message& made, const baton::OtherForm& old,
// expects: baton: write static void message_revert\(const Message& sent, baton::OtherForm& older,
#include <baton/baton.h>

namespace sample::inline b_1 {

struct State {};
BATON_STATE(State)
struct Ask {
  using Reply = std::string;
};
BATON_MESSAGE(Ask)
struct Plain {};

struct Server : baton::GenServer<Server, State> {};
struct Liar : baton::GenServer<Liar, State> {
  using Calls = baton::Messages<Ask>;
  int handle_call(const Ask&) { return 1; }
};
struct Vague : baton::GenServer<Vague, State> {
  using Casts = baton::Messages<Plain>;
  void handle_cast(const Plain&) {}
};
struct Odd {
  static void message_change(Odd& made);
  static void message_revert(const Odd&, const baton::OtherForm&, int);
};
BATON_MESSAGE(Odd)
struct Hooked : baton::GenServer<Hooked, State> {
  using Infos = baton::Messages<Odd>;
  void handle_info(const Odd&) {}
};

}  // namespace sample::inline b_1

BATON_ATOMS("ok", "not plain")

using baton::entry::Description;
const baton_module* modules[] = {
    &Description<"sample", "1.0", "b_1", void, sample::Server>::table,
    &Description<"Sample", "1.0.0", "b_1", void, sample::Server>::table,
    &Description<"sample", "1.0.0", "b_2", void, sample::Server>::table,
};
constexpr auto note =
    baton::entry::make_note<Description<"liar", "1.0.0", "b_1", void, sample::Liar>>();
constexpr auto vague =
    baton::entry::make_note<Description<"vague", "1.0.0", "b_1", void, sample::Vague>>();
constexpr auto hooked =
    baton::entry::make_note<Description<"hooked", "1.0.0", "b_1", void, sample::Hooked>>();
BATON_MODULE("sample", "1.0.0", sample::Server)
