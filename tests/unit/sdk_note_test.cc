// Claims about the two sides of a module's description: what the SDK writes, the host reads
// (module/note.h).
#define BATON_BUILD b_of_the_test
#include "module/evolution.h"
#include "module/note.h"
#include "module/schema.h"

#include <baton/baton.h>

#include <gtest/gtest.h>

namespace shop::inline BATON_BUILD {

using namespace baton::literals;

enum class Status : std::uint8_t { open, closed = 9 };
BATON_ENUM(Status, open, closed)
struct Item {
  std::string name;
  std::int64_t count = 1;
};
BATON_MESSAGE(Item, name, count)
struct State {
  std::map<std::string, std::vector<Item>> orders;
  Status status = Status::open;
  double total = 0;
  static constexpr std::uint32_t revision = 4;
  static void code_change(State&, const baton::Fields&, baton::Version) {}
  static baton::Loss loss(const State&, baton::Version) { return {}; }
};
BATON_STATE(State, orders, status, total)
BATON_RENAMED(State, total, sum)
BATON_DROPPED(State, cache)
BATON_DISPOSABLE(State, status)
struct Find {
  std::string name;
  using Reply = std::optional<Item>;
};
BATON_MESSAGE(Find, name)
enum class Mood { calm, loud };
BATON_ENUM(Mood, calm, loud)
struct Say {
  std::string text = "a\"b";
  std::int32_t count = -3;
  std::uint64_t large = ~std::uint64_t{0};
  double share = 0.1;
  float half = -0.5f;
  bool is_on = true;
  Mood mood = Mood::loud;
  std::optional<std::int8_t> none;
  std::vector<Item> items{{"x", 2}};
  std::pair<bool, baton::Atom> both;
  baton::Pid nobody;
};
BATON_MESSAGE(Say, text, count, large, share, half, is_on, mood, none, items, both, nobody)
BATON_RENAMED(Say, text, line)
BATON_DROPPED(Say, colour)
BATON_RENAMED_MESSAGE(Say, tell)
struct Table {
  std::map<std::string, std::int64_t> rows;
  std::int64_t limit = 5;
};
BATON_MESSAGE(Table, rows, limit)
struct Shop : baton::GenServer<Shop, State> {
  using Calls = baton::Messages<Find, std::int64_t, baton::Term>;
  using Casts = baton::Messages<Item>;
  using Infos = baton::Messages<baton::Atom>;
  std::optional<Item> handle_call(const Find&) { return {}; }
  std::int64_t handle_call(const std::int64_t& n) { return n; }
  baton::NoReply handle_call(const baton::Term&) { return {}; }
  void handle_cast(const Item&) {}
  void handle_info(const baton::Atom&) {}
};
struct Clerk : baton::Process<Clerk> {
  using Infos = baton::Messages<Find, Say, Table>;
  static baton::Task<> loop(baton::Self) { co_return; }
};

}  // namespace shop::inline BATON_BUILD

BATON_ATOMS("extra", "a-b")
BATON_MODULE("shop", "1.2.3", shop::Shop, shop::Clerk)

namespace baton {
namespace {

module::ModuleNote parsed() {
  const std::string_view text(baton_module_note.text, baton_module_note.size);
  auto note = module::ModuleNote::parse(text, "shop.so");
  if (!note.ok()) {
    ADD_FAILURE() << note.error().message();
    return {};
  }
  return std::move(note).value();
}

TEST(SdkNote, TheHostReadsTheModule) {
  const module::ModuleNote note = parsed();

  EXPECT_EQ(note.module, "shop");
  EXPECT_EQ(note.version, "1.2.3");
  EXPECT_EQ(note.abi.major, BATON_ABI_MAJOR);
  EXPECT_EQ(note.build, "b_of_the_test");
  EXPECT_FALSE(note.stateful_globals);
  ASSERT_EQ(note.behaviours.size(), 2u);
  EXPECT_EQ(note.behaviours[1].name, "clerk");
  EXPECT_EQ(note.behaviours[1].kind, static_cast<unsigned>(BATON_PROCESS));
  for (const char* atom : {"extra", "a-b", "open", "closed", "find", "item", "orders"})
    EXPECT_NE(std::find(note.atoms.begin(), note.atoms.end(), atom), note.atoms.end()) << atom;
}

TEST(SdkNote, TheSchemaOfTheNoteIsThatOfTheTables) {
  const module::ModuleNote note = parsed();
  ASSERT_TRUE(note.behaviours.at(0).schema.has_value());
  const module::SchemaDescription& from_note = *note.behaviours[0].schema;
  const auto from_table = module::describe(baton_module_entry()->behaviours[0].state);
  ASSERT_TRUE(from_table.ok()) << from_table.error().message();

  EXPECT_EQ(note.behaviours[0].library, state::kLibrary);
  EXPECT_EQ(from_note.fingerprint, from_table->fingerprint);
  EXPECT_EQ(from_note.size, from_table->size);
  EXPECT_EQ(from_note.align, from_table->align);
  EXPECT_EQ(from_note.revision, 4u);
  EXPECT_EQ(from_note.dropped, from_table->dropped);
  EXPECT_EQ(from_note.has_change, from_table->has_change);
  EXPECT_EQ(from_note.has_revert, from_table->has_revert);
  EXPECT_EQ(from_note.has_loss, from_table->has_loss);
  ASSERT_EQ(from_note.fields.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    const module::FieldDescription& a = from_note.fields[i];
    const module::FieldDescription& b = from_table->fields[i];
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.type, b.type);
    EXPECT_EQ(a.type_text, b.type_text);
    EXPECT_EQ(a.offset, b.offset);
    EXPECT_EQ(a.size, b.size);
    EXPECT_EQ(a.scalar, b.scalar);
    EXPECT_EQ(a.flags, b.flags);
    EXPECT_EQ(a.renamed_from, b.renamed_from);
  }
  EXPECT_EQ(module::compare(from_note, *from_table, module::Direction::kUp).outcome,
            module::Outcome::kAdopt);
}

TEST(SdkNote, TheContractNamesMessagesFieldsAndReplies) {
  const module::ModuleNote note = parsed();
  const auto& messages = note.behaviours.at(0).messages;

  ASSERT_EQ(messages.size(), 5u);
  EXPECT_EQ(messages[0].name, "find");
  EXPECT_EQ(messages[0].type_text, "{name:string;}");
  EXPECT_EQ(messages[0].reply, "optional<{name:string;count:i64;}>");
  EXPECT_EQ(messages[1].name, "i64");
  EXPECT_EQ(messages[2].reply, "term");
  EXPECT_EQ(messages[3].kind, module::MessageKind::kCast);
  EXPECT_EQ(messages[4].name, "atom");
}

TEST(SdkNote, SaysWhatAnOlderFormOfAMessageLacksAndWasCalled) {
  const module::ModuleNote note = parsed();
  const auto& messages = note.behaviours.at(1).messages;
  ASSERT_EQ(messages.size(), 3u);
  const module::ContractMessage& say = messages[1];
  const auto default_of = [&](std::string_view member) -> std::string {
    const module::MemberNote* const found = say.member(member);
    return found != nullptr ? found->default_text : "";
  };

  EXPECT_EQ(say.renamed_from, "tell");
  EXPECT_EQ(say.dropped, std::vector<std::string>{"colour"});
  ASSERT_NE(say.member("text"), nullptr);
  EXPECT_EQ(say.member("text")->renamed_from, "line");
  EXPECT_EQ(default_of("text"), "<<97,34,98>>");
  EXPECT_EQ(default_of("count"), "-3");
  EXPECT_EQ(default_of("large"), "18446744073709551615");
  EXPECT_EQ(default_of("share"), "0.1000000000000000055511151231257827021181583404541015625");
  EXPECT_EQ(default_of("half"), "-0.5");
  EXPECT_EQ(default_of("is_on"), "true");
  EXPECT_EQ(default_of("mood"), "'loud'");
  EXPECT_EQ(default_of("none"), "undefined");
  EXPECT_EQ(default_of("items"), "[{'item',<<120>>,2}]");
  EXPECT_EQ(default_of("both"), "{false,undefined}");
  EXPECT_EQ(default_of("nobody"), "");
  // With a map among its members the message is no constant, so nothing is known of its defaults.
  EXPECT_TRUE(messages[2].members.empty());
}

}  // namespace
}  // namespace baton
