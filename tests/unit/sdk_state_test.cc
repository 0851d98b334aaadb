// Claims about the schema that BATON_STATE derives (baton/state.h).
#include "support/fake_host.h"

#include <baton/state.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sample {
namespace older {
struct State {
  std::int32_t value = 1;
  std::string names = "a b";
};
BATON_STATE(State, value, names)
}  // namespace older

namespace newer {
struct State {
  std::int64_t value = 5;
  std::vector<std::string> names;
  std::unordered_map<std::string, int> cache;
  std::deque<baton::TermValue> queue;

  static constexpr std::uint32_t revision = 3;
  static void code_change(State& made, const baton::Fields& old, baton::Version from) {
    if (from < "1.0.0") throw std::runtime_error("too old");
    made.names = {old.get<std::string>("names")};
  }
  static void code_revert(const State& live, baton::Fields& older, baton::Version) {
    if (live.names.size() > 1) throw std::runtime_error("names does not fit");
    older.put<std::string>("names", live.names.empty() ? "" : live.names[0]);
  }
  static baton::Loss loss(const State& live, baton::Version) {
    return {live.queue.size(), "queued terms"};
  }
  static void discard(State& live, baton::Version) noexcept { live.queue.clear(); }
};
BATON_STATE(State, value, names, cache, queue)
BATON_RENAMED(State, value, total)
BATON_DROPPED(State, hits, misses)
BATON_DISPOSABLE(State, cache)
}  // namespace newer

struct Same {
  std::int64_t value = 5;
};
BATON_STATE(Same, value)
struct Swapped {
  std::int64_t b = 0;
  std::int64_t a = 0;
};
BATON_STATE(Swapped, b, a)
struct Straight {
  std::int64_t a = 0;
  std::int64_t b = 0;
};
BATON_STATE(Straight, a, b)

struct Opaque {
  std::int64_t n = 0;  // no operator==
};
BATON_STATE(Opaque, n)
struct Holder {
  std::vector<Opaque> list;  // so its == is declared, and does not compile
};
BATON_STATE(Holder, list)
struct HoldsOpaque {
  Opaque opaque{7};
  Holder holder;
  std::vector<Opaque> list{{1}, {2}};
  std::map<int, std::vector<Opaque>> map{{1, {{1}}}};
  std::unordered_map<std::string, Opaque> table{{"a", {1}}, {"b", {2}}};
  std::optional<Opaque> perhaps;
  std::variant<std::monostate, Opaque, std::vector<Opaque>> either;
  std::pair<int, Opaque> pair{1, {1}};
  std::tuple<Opaque, std::optional<Opaque>> tuple;
  std::array<Opaque, 2> array{};
  std::unordered_set<std::string> names{"x", "y"};
};
BATON_STATE(HoldsOpaque, opaque, holder, list, map, table, perhaps, either, pair, tuple, array,
            names)

}  // namespace sample

namespace baton {
namespace {

using New = sample::newer::State;
using Old = sample::older::State;
using support::FakeHost;

constexpr const baton_schema& kNew = Schema<New>::value;
constexpr const baton_schema& kOld = Schema<Old>::value;

TEST(State, AFieldHasNameTypeOffsetAndScalar) {
  ASSERT_EQ(kNew.field_count, 4u);
  const baton_field& value = kNew.fields[0];

  EXPECT_STREQ(value.name, "value");
  EXPECT_STREQ(value.type_name, "i64");
  EXPECT_EQ(value.offset, 0u);
  EXPECT_EQ(value.size, 8u);
  EXPECT_EQ(value.align, 8u);
  EXPECT_EQ(value.scalar, BATON_SCALAR_I64);
  EXPECT_EQ(kNew.fields[1].scalar, BATON_SCALAR_NONE);
  EXPECT_EQ(kNew.fields[1].offset, offsetof(New, names));
  EXPECT_EQ(kNew.size, sizeof(New));
}

TEST(State, DeclarationsReachTheTables) {
  EXPECT_STREQ(kNew.fields[0].renamed_from, "total");
  EXPECT_EQ(kNew.fields[1].renamed_from, nullptr);
  EXPECT_EQ(kNew.fields[2].flags, BATON_FIELD_DISPOSABLE);
  EXPECT_EQ(kNew.fields[3].flags, 0);
  EXPECT_STREQ(kNew.dropped[0], "hits");
  EXPECT_STREQ(kNew.dropped[1], "misses");
  EXPECT_EQ(kNew.dropped[2], nullptr);
  EXPECT_EQ(kNew.revision, 3u);
  EXPECT_EQ(kOld.dropped, nullptr);
  EXPECT_EQ(kOld.change, nullptr);
  EXPECT_EQ(kOld.loss, nullptr);
}

TEST(State, EveryScalarTypeHasItsCode) {
  EXPECT_EQ(state::scalar_of<bool>(), BATON_SCALAR_BOOL);
  EXPECT_EQ(state::scalar_of<char>(), BATON_SCALAR_I8);
  EXPECT_EQ(state::scalar_of<std::int16_t>(), BATON_SCALAR_I16);
  EXPECT_EQ(state::scalar_of<std::int32_t>(), BATON_SCALAR_I32);
  EXPECT_EQ(state::scalar_of<long long>(), BATON_SCALAR_I64);
  EXPECT_EQ(state::scalar_of<std::uint8_t>(), BATON_SCALAR_U8);
  EXPECT_EQ(state::scalar_of<std::uint16_t>(), BATON_SCALAR_U16);
  EXPECT_EQ(state::scalar_of<std::uint32_t>(), BATON_SCALAR_U32);
  EXPECT_EQ(state::scalar_of<std::uint64_t>(), BATON_SCALAR_U64);
  EXPECT_EQ(state::scalar_of<float>(), BATON_SCALAR_F32);
  EXPECT_EQ(state::scalar_of<double>(), BATON_SCALAR_F64);
}

TEST(State, TheFingerprintSeesNamesTypesOffsetsAndRevision) {
  EXPECT_NE(Schema<sample::Swapped>::fingerprint(), Schema<sample::Straight>::fingerprint());
  EXPECT_NE(kNew.fingerprint, kOld.fingerprint);
  EXPECT_EQ(Schema<sample::Same>::value.fingerprint, Schema<sample::Same>::fingerprint());
}

TEST(State, MoveAssignsOneFieldAndLeavesBothAlive) {
  std::vector<std::string> to{"old"}, from{"one", "two"};

  kNew.fields[1].move(&to, &from);

  EXPECT_EQ(to, (std::vector<std::string>{"one", "two"}));
  from.push_back("still usable");
}

TEST(State, AFieldIsDefaultWhenItEqualsThatOfAFreshState) {
  const New defaults;
  New live;

  EXPECT_TRUE(kNew.fields[0].is_default(&live, &defaults));
  live.value = 0;
  EXPECT_FALSE(kNew.fields[0].is_default(&live, &defaults));
}

TEST(State, WhatHasNoEqualityIsComparedByItsDescription) {
  using sample::HoldsOpaque;
  const baton_schema& schema = Schema<HoldsOpaque>::value;
  const auto changed = [&](auto change) {
    const HoldsOpaque defaults;
    HoldsOpaque live;
    change(live);
    std::vector<std::string> names;
    for (std::uint32_t i = 0; i < schema.field_count; ++i)
      if (!schema.fields[i].is_default(&live, &defaults)) names.push_back(schema.fields[i].name);
    return names;
  };
  using Names = std::vector<std::string>;

  EXPECT_EQ(changed([](HoldsOpaque&) {}), Names{});
  EXPECT_EQ(changed([](HoldsOpaque& s) { s.opaque.n = 8; }), Names{"opaque"});
  EXPECT_EQ(changed([](HoldsOpaque& s) { s.holder.list.push_back({0}); }), Names{"holder"});
  EXPECT_EQ(changed([](HoldsOpaque& s) { s.list[1].n = 0; }), Names{"list"});
  EXPECT_EQ(changed([](HoldsOpaque& s) { s.list.pop_back(); }), Names{"list"});
  EXPECT_EQ(changed([](HoldsOpaque& s) { s.map[1][0].n = 0; }), Names{"map"});
  EXPECT_EQ(changed([](HoldsOpaque& s) { s.map = {{2, {{1}}}}; }), Names{"map"});
  EXPECT_EQ(changed([](HoldsOpaque& s) { s.table["b"].n = 0; }), Names{"table"});
  EXPECT_EQ(changed([](HoldsOpaque& s) { s.table = {{"a", {1}}, {"c", {2}}}; }), Names{"table"});
  EXPECT_EQ(changed([](HoldsOpaque& s) { s.table.erase("a"); }), Names{"table"});
  EXPECT_EQ(changed([](HoldsOpaque& s) { s.perhaps.emplace(); }), Names{"perhaps"});
  EXPECT_EQ(changed([](HoldsOpaque& s) { s.either = sample::Opaque{}; }), Names{"either"});
  EXPECT_EQ(changed([](HoldsOpaque& s) { s.pair.second.n = 0; }), Names{"pair"});
  EXPECT_EQ(changed([](HoldsOpaque& s) { std::get<1>(s.tuple).emplace(); }), Names{"tuple"});
  EXPECT_EQ(changed([](HoldsOpaque& s) { s.array[1].n = 1; }), Names{"array"});
  EXPECT_EQ(changed([](HoldsOpaque& s) { s.names.erase("x"); }), Names{"names"});
  EXPECT_EQ(changed([](HoldsOpaque& s) {
              s.table.rehash(1000);  // in another order
              s.names.rehash(1000);
            }),
            Names{});
}

TEST(State, AVariantIsComparedByItsAlternative) {
  const auto is_same = [](const auto& a, const auto& b) { return state::is_same(a, b); };
  using Either = std::variant<std::int64_t, std::int64_t, std::vector<sample::Opaque>>;

  EXPECT_TRUE(is_same(Either(std::in_place_index<1>, 2), Either(std::in_place_index<1>, 2)));
  EXPECT_FALSE(is_same(Either(std::in_place_index<1>, 2), Either(std::in_place_index<0>, 2)));
  EXPECT_FALSE(is_same(Either(std::in_place_index<2>, 1), Either(std::in_place_index<2>, 2)));
}

TEST(State, CodeChangeReadsTheOlderFieldsByName) {
  Old old{7, "x y"};
  New made;
  const baton_view view{&kOld, &old};

  ASSERT_EQ(kNew.change(&made, &view, "1.2.0", nullptr), 0);

  EXPECT_EQ(made.names, (std::vector<std::string>{"x y"}));
  EXPECT_EQ(old.names, "x y") << "the older state is not touched";
}

TEST(State, WhatCodeChangeThrowsIsTheErrorsText) {
  Old old;
  New made;
  const baton_view view{&kOld, &old};
  char text[8];
  baton_error error{sizeof text, 0, text};

  EXPECT_NE(kNew.change(&made, &view, "0.9.0", &error), 0);
  EXPECT_EQ(std::string_view(text, error.length), "too old");
}

TEST(State, CodeRevertWritesTheOlderFields) {
  New live;
  live.names = {"kept"};
  Old older;
  const baton_view view{&kOld, &older};

  ASSERT_EQ(kNew.revert(&live, &view, "1.0.0", nullptr), 0);

  EXPECT_EQ(older.names, "kept");
}

TEST(State, AFieldOfAnotherTypeOrNameIsAnErrorThatSaysSo) {
  Old old;
  const baton_view view{&kOld, &old};
  const Fields fields(&view);

  EXPECT_EQ(fields.get<std::int32_t>("value"), 1);
  EXPECT_FALSE(fields.has("total"));
  EXPECT_THROW(
      {
        try {
          fields.get<std::int64_t>("value");
        } catch (const BadTerm& bad) {
          EXPECT_STREQ(bad.what(), "the other version's field value is a i32, not a i64");
          throw;
        }
      },
      BadTerm);
  EXPECT_THROW(fields.get<int>("nothing"), BadTerm);
}

TEST(State, LossCountsAndNamesAndDiscardGivesUp) {
  New live;
  live.queue.resize(3);
  char text[64];
  baton_error error{sizeof text, 0, text};

  EXPECT_EQ(kNew.loss(&live, "1.0.0", &error), 3u);
  EXPECT_STREQ(text, "queued terms");
  kNew.discard(&live, "1.0.0");
  EXPECT_TRUE(live.queue.empty());
}

TEST(State, AStateAsATermIsAMapOfItsFields) {
  FakeHost host;
  for (const char* name : {"value", "names"}) host.know(name);
  const Old state{7, "x"};

  {
    const OwnedMessage message(host.context(), kOld.to_term(host.context(), &state));
    EXPECT_EQ(host.text(Term(message.get()->root)), "#{value => 7,names => <<\"x\">>}");
  }
  EXPECT_TRUE(host.is_clean());

  host.has_memory = false;
  EXPECT_EQ(kOld.to_term(host.context(), &state), nullptr);
}

TEST(Version, IsOrderedByItsNumbers) {
  EXPECT_LT(Version("1.9.0"), Version("1.10.0"));
  EXPECT_EQ(Version("2.0.1"), Version(2, 0, 1));
  EXPECT_EQ(Version(""), Version());
}

}  // namespace
}  // namespace baton
