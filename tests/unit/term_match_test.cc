#include "term/atom.h"
#include "term/builder.h"
#include "term/match.h"

#include <gtest/gtest.h>

namespace baton::term {
namespace {

TEST(Match, ATupleIsRecognisedByItsArityAndTag) {
  Builder b;
  const baton_term t = b.tuple({atoms::kError, make_int(3)});
  EXPECT_EQ((*tagged_tuple(t, atoms::kError, 2))[1], make_int(3));
  EXPECT_FALSE(tagged_tuple(t, atoms::kOk, 2));
  EXPECT_FALSE(tagged_tuple(t, atoms::kError, 3));
  EXPECT_FALSE(tagged_tuple(b.tuple({}), atoms::kError, 0));
  EXPECT_FALSE(tuple_of(atoms::kError, 1));
}

TEST(Match, AMapGivesTheValueOfAnEqualKey) {
  Builder b;
  const baton_term map = b.map({{b.binary("port"), make_int(80)}, {make_int(1), make_int(2)}});
  EXPECT_EQ(map_value(map, b.binary("port")), make_int(80));
  EXPECT_EQ(map_value(map, make_int(1)), make_int(2));
  EXPECT_EQ(map_value(map, b.real(1.0)), std::nullopt);
  EXPECT_EQ(map_value(BATON_NIL, make_int(1)), std::nullopt);
}

TEST(Match, APropertyListGivesTheFirstPairOrTrueForTheBareKey) {
  Builder b;
  const baton_term list = b.list({atoms::kPermanent, b.tuple({atoms::kShutdown, make_int(5)}),
                                  b.tuple({atoms::kShutdown, make_int(6)}), make_int(9)});
  EXPECT_EQ(property(list, atoms::kShutdown), make_int(5));
  EXPECT_EQ(property(list, atoms::kPermanent), atoms::kTrue);
  EXPECT_EQ(property(list, atoms::kTimeout), std::nullopt);
  EXPECT_EQ(option(list, atoms::kShutdown), make_int(5));
  EXPECT_EQ(option(b.map({{atoms::kShutdown, make_int(7)}}), atoms::kShutdown), make_int(7));
  EXPECT_EQ(option(BATON_NIL, atoms::kShutdown), std::nullopt);
}

TEST(Match, OnlyTrueAndFalseAreBooleans) {
  EXPECT_EQ(as_boolean(boolean(true)), true);
  EXPECT_EQ(as_boolean(boolean(false)), false);
  EXPECT_EQ(as_boolean(atoms::kOk), std::nullopt);
}

}  // namespace
}  // namespace baton::term
