#include "takeover/mail_mover.h"

#include "term/atom_table.h"
#include "term/copy.h"
#include "term/text.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace baton::takeover {
namespace {

using module::Direction;

module::BehaviourNote desk(const std::string& lines) {
  auto note = module::ModuleNote::parse(
      "baton-note 1\nmodule m\nversion 1.0.0\nabi 1.1\nbuild b\nbehaviour desk process\n" + lines,
      "m.so");
  if (!note.ok()) {
    ADD_FAILURE() << note.error().message();
    return {};
  }
  return note->behaviours.at(0);
}

// Mail between an older and a newer contract.
class MailMoverTest : public testing::Test {
 protected:
  MailMoverTest() {
    for (const char* name : {"say", "leave", "tock", "meet"})  // that no message sent here has
      EXPECT_TRUE(atoms_.intern(name).ok());
  }
  void between(const std::string& older, const std::string& newer) {
    up_.emplace(module::compare_mail(desk(older), desk(newer), Direction::kUp));
    down_.emplace(module::compare_mail(desk(newer), desk(older), Direction::kDown));
  }
  /// What becomes of a message: its text if it is moved, "stays", or "stuck: ...".
  std::string up(const std::string& text, std::uint8_t kind = BATON_CAST) {
    return become(*up_, kind, text);
  }
  std::string down(const std::string& text, std::uint8_t kind = BATON_CAST) {
    return become(*down_, kind, text);
  }
  bool is_idle() const { return up_->is_idle() && down_->is_idle(); }

 private:
  std::string become(const MailMover& mover, std::uint8_t kind, const std::string& text) {
    auto block = term::parse(text, atoms_);
    if (!block.ok()) return block.error().message();
    ShallowTerm made;
    const auto verdict = mover.judge(kind, block->root(), made);
    switch (verdict.fate) {
      case MailMover::Fate::kStays: return "stays";
      case MailMover::Fate::kStuck: return "stuck: " + *verdict.form + ": " + verdict.why;
      case MailMover::Fate::kByHook: {
        std::string shown = "by hook:";
        const term::TupleView members = term::as_tuple(made.root()).value();
        for (const baton_term member : members)
          shown += " " + (member == BATON_NO_TERM  // it is left to the hook
                              ? "-"
                              : term::print(term::Block::copy_of(member)->root(), atoms_));
        return shown;
      }
      case MailMover::Fate::kMoves: break;
    }
    return term::print(term::Block::copy_of(made.root())->root(), atoms_);
  }

  term::AtomTable atoms_;
  std::optional<MailMover> up_, down_;
};

TEST_F(MailMoverTest, FieldsGoByNameAndTheNewOnesHaveTheirDefaults) {
  between("cast say {line:string;n:i32;colour:i8;}\nmember_default colour 7\n",
          "cast say {n:i64;text:string;lang:string;loud:bool;}\nmember_was text line\n"
          "member_default lang <<101,110>>\nmember_default loud false\nmember_dropped colour\n");

  EXPECT_EQ(up("{say,<<\"hi\">>,-2,3}"), "{say,-2,<<\"hi\">>,<<\"en\">>,false}");
  EXPECT_EQ(down("{say,-2,<<\"hi\">>,<<\"de\">>,true}"), "{say,<<\"hi\">>,-2,7}");
}

TEST_F(MailMoverTest, ARenamedMessageGetsItsOtherName) {
  between("cast tell {text:string;}\ncast bye {}\n",
          "cast say {text:string;}\nmessage_was tell\ncast leave {}\nmessage_was bye\n");

  EXPECT_EQ(up("{tell,<<\"a\">>}"), "{say,<<\"a\">>}");
  EXPECT_EQ(up("bye"), "leave");
  EXPECT_EQ(down("{say,<<\"a\">>}"), "{tell,<<\"a\">>}");
  EXPECT_EQ(down("leave"), "bye");
}

TEST_F(MailMoverTest, AMessageWithoutMembersGetsSomeAndLosesThem) {
  between("cast tick {}\n",
          "cast tick {n:u8;tags:vector<string>;}\nmember_default n 255\n"
          "member_default tags [<<1>>]\n");

  EXPECT_EQ(up("tick"), "{tick,255,[<<1>>]}");
  EXPECT_EQ(down("{tick,0,[]}"), "tick");
}

TEST_F(MailMoverTest, ANumberIsTheSameTermInAWiderType) {
  between("cast a {n:i8;u:u64;f:f32;e:enum(i8:red=0);}\n",
          "cast a {n:i64;u:u64;f:f64;e:enum(i8:red=0,green=1);}\n");

  EXPECT_FALSE(is_idle());
  EXPECT_EQ(up("{a,-128,18446744073709551615,0.5,red}"), "stays");
  EXPECT_EQ(down("{a,-128,18446744073709551615,0.5,red}"), "stays");
}

TEST_F(MailMoverTest, OnTheWayDownAnIntegerOutOfRangeIsStuck) {
  struct {
    const char *narrow, *wide;
    std::vector<const char*> fits, stuck;
  } const rows[] = {
      {"i8", "i64", {"-128", "127", "0"}, {"-129", "128", "-9223372036854775808"}},
      {"i32", "i64", {"-2147483648", "2147483647"}, {"-2147483649", "2147483648"}},
      {"u8", "i16", {"0", "255"}, {"-1", "256", "32767"}},
      {"u32", "u64", {"0", "4294967295"}, {"4294967296", "18446744073709551615"}},
      {"u32", "i64", {"4294967295"}, {"-1", "9223372036854775807", "-9223372036854775808"}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(std::string(row.wide) + " -> " + row.narrow);
    between("cast a {n:" + std::string(row.narrow) + ";}\n",
            "cast a {n:" + std::string(row.wide) + ";}\n");
    for (const char* value : row.fits)
      EXPECT_EQ(down("{a," + std::string(value) + "}"), "stays") << value;
    for (const char* value : row.stuck)
      EXPECT_EQ(down("{a," + std::string(value) + "}"),
                "stuck: cast a: the value of member n does not fit " + std::string(row.narrow))
          << value;
  }
}

TEST_F(MailMoverTest, OnTheWayDownADoubleThatNoFloatHoldsIsStuck) {
  between("cast a {f:f32;}\n", "cast a {f:f64;}\n");

  // Infinite, no number (both by their bits), the largest, the smallest, and an integer in its
  // place, which a reader of floats takes.
  for (const char* value : {"0.5", "-0.0", "#Float<7FF0000000000000>", "#Float<FFF0000000000000>",
                            "#Float<7FF8000000000000>", "3.4028234663852886e38",
                            "-3.4028234663852886e38", "1.401298464324817e-45", "16777216", "-5"})
    EXPECT_EQ(down("{a," + std::string(value) + "}"), "stays") << value;
  for (const char* value : {"0.1", "1.0e300", "-1.0e300", "3.4028234663852890e38", "1.0e-300",
                            "4.9406564584124654e-324", "16777217"})
    EXPECT_EQ(down("{a," + std::string(value) + "}"),
              "stuck: cast a: the value of member f does not fit f32")
        << value;
}

TEST_F(MailMoverTest, OnTheWayDownAnEnumeratorThatTheOlderVersionLacksIsStuck) {
  between("cast a {e:enum(i8:red=0);}\n", "cast a {e:enum(i8:red=0,green=1);}\n");

  EXPECT_EQ(down("{a,red}"), "stays");
  EXPECT_EQ(down("{a,green}"),
            "stuck: cast a: the value of member e does not fit "
            "enum(i8:red=0)");
}

TEST_F(MailMoverTest, NarrowedAndReorderedAtOnceIsCheckedToo) {
  between("cast a {n:i8;s:string;}\n", "cast a {s:string;n:i64;more:i8;}\nmember_default more 1\n");

  EXPECT_EQ(up("{a,127,<<>>}"), "{a,<<>>,127,1}");
  EXPECT_EQ(down("{a,<<>>,127,1}"), "{a,127,<<>>}");
  EXPECT_EQ(down("{a,<<>>,128,1}"), "stuck: cast a: the value of member n does not fit i8");
}

TEST_F(MailMoverTest, AMessageThatIsNoLongerTakenIsStuck) {
  between("cast gone {n:i8;}\ncast kept {}\n", "cast kept {}\n");

  EXPECT_EQ(up("{gone,1}"),
            "stuck: cast gone: cast gone is no longer taken; cure: keep it in the "
            "contract for one more version");
  EXPECT_EQ(up("kept"), "stays");
}

TEST_F(MailMoverTest, WhatIsOfNoKnownFormStays) {
  between("cast say {text:string;}\n",
          "cast say {text:string;lang:string;}\nmember_default lang <<>>\n");

  for (const char* text : {"{say,1}", "{say,<<>>,<<>>}", "{say}", "say", "{tell,<<>>}", "[]", "5",
                           "{}", "{{say},<<>>}", "#{text => <<>>}"})
    EXPECT_EQ(up(text), "stays") << text;
  EXPECT_EQ(up("{say,<<>>}", BATON_CALL), "stays");
  EXPECT_EQ(up("{say,<<>>}", BATON_REPLY), "stays");
  EXPECT_EQ(up("{say,<<>>}", BATON_SPAWN), "stays");
}

TEST_F(MailMoverTest, ATimersMessageIsAnInfo) {
  between("info tick {}\n", "info tock {}\nmessage_was tick\n");

  EXPECT_EQ(up("tick", BATON_TIMEOUT), "tock");
  EXPECT_EQ(up("tick", BATON_MESSAGE), "tock");
  EXPECT_EQ(up("tick", BATON_CAST), "stays");
}

TEST_F(MailMoverTest, OfTwoFormsOfOneNameEachIsMovedAsItself) {
  between(
      "cast say {text:string;}\ncast say {text:string;lang:string;}\nmember_default lang "
      "<<\"en\">>\n",
      "cast say {text:string;lang:string;loud:bool;}\nmember_default lang <<>>\n"
      "member_default loud true\n");

  EXPECT_EQ(up("{say,<<\"a\">>}"), "{say,<<\"a\">>,<<>>,true}");
  EXPECT_EQ(up("{say,<<\"a\">>,<<\"b\">>}"), "{say,<<\"a\">>,<<\"b\">>,true}");
}

TEST_F(MailMoverTest, TheFirstFormThatFitsCounts) {
  between("info tick {}\ninfo term term\n", "info tick {}\n");

  EXPECT_EQ(up("tick", BATON_MESSAGE), "stays");
  EXPECT_EQ(up("{other,1}", BATON_MESSAGE).substr(0, 16), "stuck: info term");
}

TEST_F(MailMoverTest, AHookGetsWhatCanBeDerived) {
  between("cast meet {at:string;who:string;n:i8;}\n",
          "cast say {minutes:i64;n:i64;who:string;lang:string;}\nmessage_was meet\n"
          "member_default lang <<>>\nmember_dropped at\nmessage_hooks change revert\n");

  EXPECT_EQ(up("{meet,<<\"9:00\">>,<<\"ann\">>,5}"), "by hook: say - 5 <<\"ann\">> <<>>");
  EXPECT_EQ(down("{say,540,5,<<\"ann\">>,<<>>}"), "by hook: meet - <<\"ann\">> 5");
  EXPECT_EQ(down("{say,540,500,<<\"ann\">>,<<>>}"), "by hook: meet - <<\"ann\">> -")
      << "a value that does not fit is for the hook to say";
  EXPECT_FALSE(is_idle());
}

TEST_F(MailMoverTest, LargeAndNestedMembersAreKeptWhole) {
  between("cast a {m:map<string,vector<pair<i64,{x:i8;}>>>;b:string;}\n",
          "cast a {n:i8;b:string;m:map<string,vector<pair<i64,{x:i8;}>>>;}\nmember_default n 0\n");

  EXPECT_EQ(up("{a,#{<<\"k\">> => [{1,{x,2}},{3,{x,4}}]},<<\"b\">>}"),
            "{a,0,<<\"b\">>,#{<<\"k\">> => [{1,{x,2}},{3,{x,4}}]}}");
}

TEST_F(MailMoverTest, IsIdleWhereEveryFormIsTheSame) {
  between("cast a {n:i8;}\n", "cast a {n:i8;}\ncast b {}\n");
  // The way down has a form that the older version lacks.
  EXPECT_FALSE(is_idle());
  between("cast a {n:i8;}\n", "cast a {n:i8;}\n");
  EXPECT_TRUE(is_idle());
}

}  // namespace
}  // namespace baton::takeover
