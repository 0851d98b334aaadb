#include "term/atom.h"
#include "term/builder.h"
#include "term/layout.h"

#include <gtest/gtest.h>

#include <string>

namespace baton::term {
namespace {

TEST(Atom, IsTheSameWordAtCompileTimeAndInC) {
  constexpr baton_term kMade = atom("gen_server");
  EXPECT_EQ(kMade, baton_atom("gen_server", 10));
  EXPECT_EQ(atom("\xc3\xa9"), baton_atom("\xc3\xa9", 2));
  EXPECT_EQ(atoms::kDown, baton_atom("DOWN", 4));
  EXPECT_TRUE(is_atom(atom("")));
}

TEST(Layout, IntegersKeepTheirValueUpToBothLimits) {
  for (std::int64_t value : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{BATON_INT_MAX},
                             std::int64_t{BATON_INT_MIN}})
    EXPECT_EQ(as_int(make_int(value)), value);
  EXPECT_FALSE(fits_int(BATON_INT_MAX + 1));
  EXPECT_FALSE(fits_int(BATON_INT_MIN - 1));
}

TEST(LayoutDeathTest, AnIntegerBeyond61BitsIsNoInt) {
  EXPECT_DEATH(make_int(BATON_INT_MAX + 1), "61 bits");
}

TEST(Layout, PidsRefsAndPortsKeepTheirPartsUpToTheirLimits) {
  const auto pid = as_pid(make_pid(kPidIndexMax, 0xffffffff));
  EXPECT_EQ(pid->index, kPidIndexMax);
  EXPECT_EQ(pid->generation, 0xffffffff);
  const auto ref = as_ref(make_ref(kRefCounterMax, kRefMakerMax));
  EXPECT_EQ(ref->counter, kRefCounterMax);
  EXPECT_EQ(ref->maker, kRefMakerMax);
  const auto port = as_port(make_port(kPortIndexMax, 0xfffffffe));
  EXPECT_EQ(port->index, kPortIndexMax);
  EXPECT_EQ(port->generation, 0xfffffffe);
}

TEST(Layout, AskingForAnotherTypeAnswersNothing) {
  Builder b;
  const baton_term terms[] = {BATON_NO_TERM,
                              make_int(1),
                              atoms::kOk,
                              make_pid(1, 2),
                              make_ref(1, 2),
                              make_port(1, 2),
                              BATON_NIL,
                              b.list({BATON_NIL}),
                              b.tuple({make_int(1)}),
                              b.real(1.5),
                              b.binary("x"),
                              b.map({{BATON_NIL, BATON_NIL}}),
                              b.external("x"),
                              b.unsigned_integer(~std::uint64_t{0})};

  std::string found;
  for (baton_term t : terms) {
    const bool answers[] = {as_int(t).has_value(),
                            is_atom(t),
                            as_pid(t).has_value(),
                            as_ref(t).has_value(),
                            as_port(t).has_value(),
                            is_nil(t),
                            is_cell(t),
                            as_tuple(t).has_value(),
                            as_float(t).has_value(),
                            as_binary(t).has_value(),
                            as_map(t).has_value(),
                            as_external(t).has_value(),
                            as_big(t).has_value()};
    for (bool answer : answers) found += answer ? '1' : '.';
    found += '\n';
  }

  EXPECT_EQ(found,
            ".............\n"
            "1............\n"
            ".1...........\n"
            "..1..........\n"
            "...1.........\n"
            "....1........\n"
            ".....1.......\n"
            "......1......\n"
            ".......1.....\n"
            "........1....\n"
            ".........1...\n"
            "..........1..\n"
            "...........1.\n"
            "............1\n");
}

TEST(Layout, AListGivesItsElementsAndKnowsWhetherItIsProper) {
  Builder b;
  const baton_term list = b.list({make_int(1), make_int(2), make_int(3)});
  std::int64_t sum = 0;
  for (baton_term one : elements(list)) sum += *as_int(one);
  EXPECT_EQ(sum, 6);
  EXPECT_EQ(list_length(list), 3u);
  EXPECT_EQ(list_length(BATON_NIL), 0u);
  EXPECT_EQ(list_length(b.cons(make_int(1), make_int(2))), std::nullopt);
  EXPECT_EQ(list_length(atoms::kOk), std::nullopt);
}

}  // namespace
}  // namespace baton::term
