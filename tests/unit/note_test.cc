#include "module/note.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::module {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kHead = "baton-note 1\nmodule m\nversion 1.0.0\nabi 1.0\nbuild b\n";
constexpr const char* kSchema =
    "behaviour b gen_server\nschema s 00000000000000ff 16 8 2 gcc cxx11\nfield a 0000000000000001 "
    "0 8 5 0 i64\n";

std::string refusal(const std::string& text) {
  auto note = ModuleNote::parse(text, "m.so");
  return note.ok() ? "accepted" : note.error().message();
}
std::string refusal_after_head(const std::string& rest) { return refusal(kHead + rest); }

TEST(ModuleNote, HoldsEverythingItsLinesSay) {
  const std::string text =
      std::string(kHead) +
      "stateful_globals\natoms ok undefined\natoms more\n"
      "behaviour worker process\ninfo tick {}\n"
      "behaviour counter gen_server\n"
      "schema state 00000000000000ff 24 8 2 libstdc++ cxx11\n"
      "field value 000000000000000a 0 8 5 1 i64\nfield name 000000000000000b 8 16 0 0 vector<i64>\n"
      "renamed value count\ndropped cache\nhooks revert change\n"
      "call add {by:i64;} -> i64\ncast add {}\n" +
      std::string("\0\0", 2);

  auto note = ModuleNote::parse(text, "m.so");

  ASSERT_TRUE(note.ok()) << note.error().message();
  EXPECT_TRUE(note->stateful_globals);
  EXPECT_EQ(note->abi.major, 1);
  EXPECT_THAT(note->atoms, ElementsAre("ok", "undefined", "more"));
  EXPECT_EQ(note->behaviours[0].kind, static_cast<std::uint32_t>(BATON_PROCESS));
  EXPECT_FALSE(note->behaviours[0].schema.has_value());
  const BehaviourNote* counter = note->behaviour("counter");
  ASSERT_NE(counter, nullptr);
  EXPECT_EQ(counter->library, "libstdc++ cxx11");
  const SchemaDescription& schema = *counter->schema;
  EXPECT_EQ(schema.fingerprint, 255u);
  EXPECT_EQ(schema.revision, 2u);
  EXPECT_EQ(schema.fields[0].renamed_from, "count");
  EXPECT_TRUE(schema.fields[0].is_disposable());
  EXPECT_EQ(schema.fields[1].type_text, "vector<i64>");
  EXPECT_THAT(schema.dropped, ElementsAre("cache"));
  EXPECT_TRUE(schema.has_change && schema.has_revert && !schema.has_loss);
  EXPECT_EQ(counter->messages[0].type_text, "{by:i64;}");
  EXPECT_EQ(counter->messages[0].reply, "i64");
  EXPECT_EQ(counter->messages[1].kind, MessageKind::kCast);
}

TEST(ModuleNote, SaysWhatOlderFormsOfAMessageWere) {
  auto note = ModuleNote::parse(
      std::string(kHead) +
          "behaviour b process\ncast say {text:string;lang:string;}\nmessage_was tell\n"
          "member_was text line\nmember_default lang <<101,110>>\nmember_dropped colour\n"
          "message_hooks change revert\n"
          "cast say {text:string;}\nmessage_hooks revert\ninfo say {text:string;}\n",
      "m.so");

  ASSERT_TRUE(note.ok()) << note.error().message();
  const auto& messages = note->behaviours.at(0).messages;
  ASSERT_EQ(messages.size(), 3u);  // two forms of one name and kind, of different lengths
  EXPECT_EQ(messages[0].renamed_from, "tell");
  ASSERT_NE(messages[0].member("text"), nullptr);
  EXPECT_EQ(messages[0].member("text")->renamed_from, "line");
  EXPECT_EQ(messages[0].member("lang")->default_text, "<<101,110>>");
  EXPECT_THAT(messages[0].dropped, ElementsAre("colour"));
  EXPECT_TRUE(messages[0].has_change && messages[0].has_revert);
  EXPECT_TRUE(!messages[1].has_change && messages[1].has_revert);
  EXPECT_TRUE(!messages[2].has_change && !messages[2].has_revert);
  EXPECT_EQ(messages[1].member("text"), nullptr);
}

TEST(ModuleNote, RefusesWhatContradictsTheMessageItFollows) {
  const std::string say = "behaviour b process\ncast say {text:string;n:i8;}\n";
  EXPECT_THAT(refusal_after_head("behaviour b process\nmessage_was tell\n"),
              HasSubstr("line 7: it must follow a call, cast or info line"));
  EXPECT_THAT(refusal_after_head(say + "message_was a\nmessage_was b\n"),
              HasSubstr("the message say is renamed twice"));
  EXPECT_THAT(refusal_after_head(say + "member_default x 1\n"),
              HasSubstr("the message say has no member x"));
  EXPECT_THAT(refusal_after_head("behaviour b process\ncast i64 i64\nmember_default x 1\n"),
              HasSubstr("the message i64 has no member x"));
  EXPECT_THAT(refusal_after_head(say + "member_default n 300\n"),
              HasSubstr("the default of the member n is no i8"));
  EXPECT_THAT(refusal_after_head(say + "member_default n {\n"),
              HasSubstr("the default of the member n: "));
  EXPECT_THAT(refusal_after_head(say + "member_default n 1\nmember_default n 1\n"),
              HasSubstr("has two defaults"));
  EXPECT_THAT(refusal_after_head(say + "member_was n a\nmember_was n b\n"),
              HasSubstr("the member n is renamed twice"));
  EXPECT_THAT(refusal_after_head(say + "member_was n text\n"),
              HasSubstr("a member has the older name text now"));
  EXPECT_THAT(refusal_after_head(say + "member_was n a\nmember_dropped a\n"),
              HasSubstr("the older name a stands twice"));
  EXPECT_THAT(refusal_after_head("behaviour b process\nmessage_hooks change\n"),
              HasSubstr("line 7: it must follow a call, cast or info line"));
  EXPECT_THAT(refusal_after_head(say + "message_hooks change\nmessage_hooks revert\n"),
              HasSubstr("\"message_hooks\" stands twice"));
  for (const char* hooks : {"", " loss", " change change", " revert change x"})
    EXPECT_THAT(refusal_after_head(say + "message_hooks" + hooks + "\n"),
                HasSubstr("expected each of change and revert at most once"));
  EXPECT_THAT(refusal_after_head(say + "cast say {m:i8;text:string;}\n"),
              HasSubstr("the message say stands twice with as many members; give one of the two "
                        "another name"));
}

TEST(ModuleNote, RefusesWhatItDoesNotUnderstandNamingTheLine) {
  EXPECT_THAT(refusal(""), HasSubstr("line 1: expected \"baton-note 1\""));
  EXPECT_THAT(refusal("baton-note 2\n"), HasSubstr("line 1"));
  EXPECT_THAT(refusal("baton-note 1\nmodule m\nversion 1\nabi 1.0\n"),
              HasSubstr("\"build\" is missing"));
  EXPECT_THAT(refusal_after_head("module m\n"), HasSubstr("line 6: \"module\" stands twice"));
  EXPECT_THAT(refusal_after_head("\n"), HasSubstr("line 6: unknown word \"\""));
  EXPECT_THAT(refusal_after_head("Atoms x\n"), HasSubstr("unknown word \"Atoms\""));
  EXPECT_THAT(refusal_after_head("field a 0000000000000001 0 8 5 0 i64\n"),
              HasSubstr("must follow a schema line"));
  EXPECT_THAT(refusal_after_head("call a b -> c\n"), HasSubstr("belongs to a behaviour"));
  EXPECT_THAT(refusal_after_head("behaviour b gen_statem\n"), HasSubstr("gen_server or process"));
  EXPECT_THAT(refusal_after_head("behaviour b gen_server\n"), HasSubstr("has no schema line"));
  EXPECT_THAT(refusal_after_head("behaviour b process\nschema s 00000000000000ff 8 8 0 x\n"),
              HasSubstr("a process has no state"));
  EXPECT_THAT(refusal_after_head("behaviour b process\nbehaviour b process\n"),
              HasSubstr("stands twice"));
  EXPECT_THAT(refusal_after_head("behaviour b gen_server\nschema s ff 8 8 0 x\n"),
              HasSubstr("line 7: expected schema NAME"));
  EXPECT_THAT(refusal_after_head("behaviour b process\natoms x\n"),
              HasSubstr("before the behaviours"));
  EXPECT_THAT(refusal("baton-note 1\nmodule m\nversion 1\nabi 1\nbuild b\n"),
              HasSubstr("MAJOR.MINOR"));
  EXPECT_THAT(refusal("baton-note 1\nmodule m\nversion 1\nabi 1.70000\nbuild b\n"),
              HasSubstr("MAJOR.MINOR"));
  EXPECT_THAT(refusal(std::string(kHead) + '\0' + "atoms x\n"), HasSubstr("zero byte"));
}

TEST(ModuleNote, RefusesASchemaThatContradictsItself) {
  const std::string good = std::string(kHead) + kSchema;
  EXPECT_EQ(refusal(good), "accepted");
  EXPECT_THAT(refusal(good + "field a 0000000000000001 8 8 5 0 i64\n"),
              HasSubstr("field a: it stands twice"));
  EXPECT_THAT(refusal(good + "field b 0000000000000001 12 8 5 0 i64\n"),
              HasSubstr("leave the state's 16 bytes"));
  EXPECT_THAT(refusal(good + "field b 0000000000000001 8 8 12 0 i64\n"),
              HasSubstr("unknown scalar code 12"));
  EXPECT_THAT(refusal(good + "field b 0000000000000001 8 4 5 0 i64\n"),
              HasSubstr("not that of its scalar i64"));
  EXPECT_THAT(refusal(good + "field b 0000000000000001 8 8 5 2 i64\n"),
              HasSubstr("unknown flags 2"));
  EXPECT_THAT(refusal(good + "renamed b a\n"), HasSubstr("no field b above"));
  EXPECT_THAT(refusal(good + "dropped a\n"), HasSubstr("dropped a"));
  EXPECT_THAT(refusal(good + "renamed a x\ndropped x\n"), HasSubstr("dropped x"));
  EXPECT_THAT(refusal(good + "hooks change change\n"), HasSubstr("at most once"));
  EXPECT_THAT(refusal(good + "hooks change\nhooks revert\n"), HasSubstr("\"hooks\" stands twice"));
  EXPECT_THAT(
      refusal(std::string(kHead) + "behaviour b gen_server\nschema s 00000000000000ff 8 32 0 x\n"),
      HasSubstr("align 32"));
  EXPECT_THAT(
      refusal(std::string(kHead) + "behaviour b gen_server\nschema s 00000000000000ff 0 8 0 x\n"),
      HasSubstr("size 0"));
}

TEST(ModuleNote, HoldsEveryLimit) {
  EXPECT_THAT(refusal(std::string(kNoteBytesMax + 1, ' ')), HasSubstr("more than 4194304"));
  EXPECT_THAT(refusal_after_head("atoms " + std::string(kNoteLineBytesMax, 'a') + "\n"),
              HasSubstr("the line has more than"));
  EXPECT_THAT(refusal_after_head("atoms " + std::string(kNoteNameBytesMax + 1, 'a') + "\n"),
              HasSubstr("1 to 255 bytes"));
  std::string atoms, behaviours, fields, dropped, messages;
  for (std::size_t i = 0; i <= kNoteAtomsMax; ++i) atoms += "atoms a\n";
  for (std::size_t i = 0; i <= kBehavioursMax; ++i)
    behaviours += "behaviour b" + std::to_string(i) + " process\n";
  for (std::size_t i = 0; i <= kFieldsMax; ++i) {
    fields += "field f" + std::to_string(i) + " 0000000000000001 0 8 5 0 i64\n";
    dropped += "dropped d" + std::to_string(i) + "\n";
  }
  for (std::size_t i = 0; i <= kContractMessagesMax; ++i)
    messages += "cast m" + std::to_string(i) + " {}\n";
  EXPECT_THAT(refusal_after_head(atoms), HasSubstr("more than 65536 atoms"));
  EXPECT_THAT(refusal_after_head(behaviours), HasSubstr("more than 256 behaviours"));
  EXPECT_THAT(refusal_after_head(kSchema + fields), HasSubstr("more than 1024 fields"));
  EXPECT_THAT(refusal_after_head(kSchema + dropped), HasSubstr("more than 1024 dropped fields"));
  EXPECT_THAT(refusal_after_head("behaviour b process\n" + messages),
              HasSubstr("more than 1024 messages"));
}

}  // namespace
}  // namespace baton::module
