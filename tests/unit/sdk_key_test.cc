#include <baton/baton.h>

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace sample {

struct Place {
  std::int64_t row = 0;
  std::string name;
};
BATON_MESSAGE(Place, row, name)
BATON_KEY(Place)

struct Seat {
  Place place;
  bool is_taken = false;
};
BATON_MESSAGE(Seat, place, is_taken)
BATON_KEY(Seat)

struct Hall {
  std::map<Seat, std::int64_t> ordered;
  std::set<std::pair<Place, std::int64_t>> pairs;
  std::unordered_map<Seat, std::int64_t> hashed;
  std::unordered_set<Place> places;
};
BATON_STATE(Hall, ordered, pairs, hashed, places)

// A struct with another order may be a value.
struct Loose {
  std::int64_t n = 0;
};
BATON_MESSAGE(Loose, n)
struct Values {
  std::map<std::int64_t, Loose> by_number;
};
BATON_STATE(Values, by_number)

namespace {

TEST(Key, OrdersByItsMembersInTheirOrder) {
  EXPECT_LT((Place{1, "b"}), (Place{2, "a"}));
  EXPECT_LT((Place{1, "a"}), (Place{1, "b"}));
  EXPECT_FALSE((Place{1, "a"}) < (Place{1, "a"}));
  EXPECT_LT((Seat{{1, "a"}, false}), (Seat{{1, "a"}, true}));
  EXPECT_FALSE((Seat{{2, "a"}, false}) < (Seat{{1, "b"}, true}));
}

TEST(Key, EqualsAndHashesByAllItsMembers) {
  EXPECT_EQ((Seat{{1, "a"}, true}), (Seat{{1, "a"}, true}));
  EXPECT_FALSE((Seat{{1, "a"}, true}) == (Seat{{1, "a"}, false}));
  EXPECT_EQ(std::hash<Seat>{}({{1, "a"}, true}), std::hash<Seat>{}({{1, "a"}, true}));
  EXPECT_NE(std::hash<Seat>{}({{1, "a"}, true}), std::hash<Seat>{}({{1, "b"}, true}));
}

TEST(Key, IsFoundInWhatHoldsIt) {
  Hall hall;
  for (std::int64_t i = 0; i < 100; ++i) {
    hall.ordered[{{i, "a"}, true}] = i;
    hall.hashed[{{i, "a"}, true}] = i;
    hall.places.insert({i, "a"});
  }
  EXPECT_EQ((hall.ordered.at({{42, "a"}, true})), 42);
  EXPECT_EQ((hall.hashed.at({{42, "a"}, true})), 42);
  EXPECT_FALSE(hall.places.contains({42, "b"}));
}

}  // namespace
}  // namespace sample
