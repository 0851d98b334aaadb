// Claims about how C++ values travel as terms (baton/codec.h).
#include "support/fake_host.h"

#include <baton/codec.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sample {

enum class Colour : std::int16_t { red, green = 7 };
BATON_ENUM(Colour, red, green)

struct Item {
  std::string name;
  std::int64_t count = 1;
  friend bool operator==(const Item&, const Item&) = default;
};
BATON_MESSAGE(Item, name, count)

struct Order {
  std::vector<Item> items;
  std::optional<Colour> colour;
  std::map<std::string, double> prices;
  friend bool operator==(const Order&, const Order&) = default;
};
BATON_MESSAGE(Order, items, colour, prices)

struct Stop {
  friend bool operator==(Stop, Stop) = default;
};
BATON_MESSAGE(Stop)

struct Described {
  int first = 0;
  std::string second;
};
BOOST_DESCRIBE_STRUCT(Described, (), (first, second))

}  // namespace sample

namespace baton {
namespace {

using namespace literals;
using support::FakeHost;
using testing::HasSubstr;

class Codecs : public testing::Test {
 protected:
  template <class T>
  OwnedMessage written(const T& value) {
    return make_message(host.context(), value);
  }
  template <class T>
  std::string text_of(const T& value) {
    const OwnedMessage message = written(value);
    return host.text(Term(message.get()->root));
  }
  template <class T>
  T there_and_back(const T& value) {
    const OwnedMessage message = written(value);
    return Codec<T>::read(Term(message.get()->root));
  }
  template <class T, class U>
  std::string error_of(const U& value) {
    const OwnedMessage message = written(value);
    try {
      Codec<T>::read(Term(message.get()->root));
    } catch (const BadTerm& bad) {
      return bad.what();
    }
    return "no error";
  }

  FakeHost host;
};

TEST_F(Codecs, AnAtomIsTheOneOfTheAbi) {
  EXPECT_EQ("ok"_atom.word, baton_atom("ok", 2));
  EXPECT_EQ(Atom().word, baton_atom("undefined", 9));
}

TEST_F(Codecs, IntegersOfEveryWidthAndSignReturn) {
  for (std::int64_t n : {std::int64_t{0}, std::int64_t{-1}, BATON_INT_MAX, BATON_INT_MAX + 1,
                         BATON_INT_MIN, BATON_INT_MIN - 1, std::numeric_limits<std::int64_t>::max(),
                         std::numeric_limits<std::int64_t>::min()})
    EXPECT_EQ(there_and_back(n), n);
  EXPECT_EQ(there_and_back(~std::uint64_t{0}), ~std::uint64_t{0});
  EXPECT_EQ(there_and_back(std::int8_t{-128}), -128);
}

TEST_F(Codecs, ASmallIntegerNeedsNoWordBehindTheRoot) {
  EXPECT_EQ(written(BATON_INT_MAX).get()->words, 0u);
  EXPECT_EQ(written(BATON_INT_MAX + 1).get()->words, 2u);
}

TEST_F(Codecs, AnIntegerOutOfTheTypesRangeIsRefusedWithTheRange) {
  EXPECT_EQ(error_of<std::int8_t>(200), "expected an integer from -128 to 127");
  EXPECT_EQ(error_of<std::uint64_t>(-1), "expected an integer from 0 to 18446744073709551615");
  EXPECT_EQ(error_of<std::int64_t>(~std::uint64_t{0}),
            "expected an integer from -9223372036854775808 to 9223372036854775807");
}

TEST_F(Codecs, ABigIntegerTravelsInLimbsAndPrintsInDecimal) {
  const BigInteger big{true, {0, 1}};

  EXPECT_EQ(there_and_back(big), big);
  EXPECT_EQ(text_of(big), "-18446744073709551616");
  EXPECT_EQ(text_of(BigInteger{false, {42, 0, 0}}), "42");
  EXPECT_EQ(text_of(BigInteger{}), "0");
}

TEST_F(Codecs, ABigIntegerThatFitsAWordBecomesASmallOne) {
  EXPECT_EQ(written(BigInteger{true, {std::uint64_t{1} << 60}}).get()->root,
            written(BATON_INT_MIN).get()->root);
  EXPECT_EQ(written(BigInteger{false, {std::uint64_t{1} << 60}}).get()->words, 2u);
}

TEST_F(Codecs, ABooleanIsAnAtom) {
  EXPECT_EQ(written(true).get()->root, "true"_atom.word);
  EXPECT_FALSE(there_and_back(false));
  EXPECT_EQ(error_of<bool>("maybe"_atom), "expected true or false, got an atom");
}

TEST_F(Codecs, AFloatReadsFromAnIntegerToo) {
  EXPECT_EQ(there_and_back(2.5), 2.5);
  const OwnedMessage three = written(3);
  EXPECT_EQ(Codec<double>::read(Term(three.get()->root)), 3.0);
  EXPECT_EQ(error_of<double>("x"_atom), "expected a float, got an atom");
}

TEST_F(Codecs, AStringOfAnyLengthReturns) {
  for (std::size_t size : {0u, 1u, 7u, 8u, 9u, 4095u, 4096u, 100000u}) {
    const std::string text(size, 'x');
    EXPECT_EQ(there_and_back(text), text);
  }
}

TEST_F(Codecs, ALongStringIsSharedAndReleasedWithItsMessage) {
  {
    const OwnedMessage message = written(std::string(kSharedBinaryBytesMin, 'x'));
    EXPECT_TRUE(message.get()->flags & BATON_MESSAGE_HAS_SHARED);
    EXPECT_EQ(host.binaries(), 1);

    const OwnedMessage passed_on = written(Term(message.get()->root));
    EXPECT_EQ(host.binaries(), 1) << "passing it on copies no bytes";
    EXPECT_TRUE(Term(passed_on.get()->root) == Term(message.get()->root));
  }
  EXPECT_TRUE(host.is_clean());
}

TEST_F(Codecs, SeveralLongStringsOfAMessageAreAllReleased) {
  {
    const std::string text(5000, 'x');
    const std::vector<std::string> three(3, text);
    EXPECT_EQ(there_and_back(three), three);
  }
  EXPECT_TRUE(host.is_clean());
}

TEST_F(Codecs, AnEnumTravelsAsItsEnumerator) {
  EXPECT_EQ(written(sample::Colour::green).get()->root, "green"_atom.word);
  EXPECT_EQ(there_and_back(sample::Colour::red), sample::Colour::red);
  EXPECT_EQ(error_of<sample::Colour>("blue"_atom), "expected one of red, green, got an atom");
}

TEST_F(Codecs, AStructIsATupleTaggedWithItsNameAndAnEmptyOneAnAtom) {
  for (const char* name : {"item", "stop"}) host.know(name);

  EXPECT_EQ(text_of(sample::Item{"tea", 3}), "{item,<<\"tea\">>,3}");
  EXPECT_EQ(text_of(sample::Stop{}), "stop");
  EXPECT_EQ(there_and_back(sample::Stop{}), sample::Stop{});
}

TEST_F(Codecs, AStructDescribedByBoostTravelsLikeOneOfOurs) {
  host.know("described");

  EXPECT_EQ(text_of(sample::Described{1, "two"}), "{described,1,<<\"two\">>}");
  EXPECT_EQ(there_and_back(sample::Described{1, "two"}).second, "two");
}

TEST_F(Codecs, NestedContainersReturn) {
  const sample::Order order{{{"tea", 1}, {"milk", 2}}, sample::Colour::green, {{"tea", 1.5}}};

  EXPECT_EQ(there_and_back(order), order);
  EXPECT_EQ(there_and_back(sample::Order{}), sample::Order{});
}

TEST_F(Codecs, TheStandardContainersReturn) {
  using Everything =
      std::tuple<std::pair<int, bool>, std::deque<int>, std::set<std::string>,
                 std::unordered_set<int>, std::unordered_map<int, std::string>, std::array<int, 2>,
                 std::variant<std::string, int, sample::Item>, std::vector<bool>, std::monostate>;
  const Everything value{{1, true},  {1, 2}, {"a", "b"},           {5},
                         {{1, "x"}}, {3, 4}, sample::Item{"i", 1}, {true, false},
                         {}};

  EXPECT_EQ(there_and_back(value), value);
}

TEST_F(Codecs, AnErrorNamesMessageAndMember) {
  const std::tuple<Atom, std::string, std::string> bad_count{"item"_atom, "tea", "many"};

  EXPECT_EQ(error_of<sample::Item>(bad_count), "item.count: expected an integer, got a binary");
  EXPECT_EQ((error_of<sample::Item>(std::tuple{"item"_atom, 1})),
            "item: expected {item, name, count}, got a tuple of size 2");
  EXPECT_EQ(error_of<sample::Stop>(1), "stop: expected stop, got an integer");
  EXPECT_EQ((error_of<sample::Order>(
                std::tuple{"order"_atom, std::vector{bad_count}, Atom(), std::map<int, int>{}})),
            "order.items: item.count: expected an integer, got a binary");
}

TEST_F(Codecs, AnImproperListIsRefused) {
  baton_term cell[2] = {written(1).get()->root, "tail"_atom.word};

  EXPECT_THROW(Codec<std::vector<int>>::read(Term(tagged_cell(cell))), BadTerm);
}

TEST_F(Codecs, AnArrayTakesExactlyItsSize) {
  EXPECT_THAT((error_of<std::array<int, 3>>(std::vector{1, 2})), HasSubstr("a list of 3 elements"));
}

TEST_F(Codecs, AStructReadsFromAMapWhereMissingMembersKeepTheirDefaults) {
  const std::map<Atom, std::string> given{{"name"_atom, "tea"}};
  const OwnedMessage message = written(given);

  EXPECT_EQ(Codec<sample::Item>::read(Term(message.get()->root)), (sample::Item{"tea", 1}));
}

TEST_F(Codecs, ATermValueOutlivesTheMessageItCameIn) {
  TermValue kept;
  {
    const OwnedMessage message =
        written(std::tuple{"deep"_atom, std::vector<std::string>{"a", std::string(9000, 'b')}, 1.5,
                           std::map<int, BigInteger>{{1, {false, {1, 2}}}}});
    kept = TermValue(Term(message.get()->root));
    EXPECT_TRUE(kept.term() == Term(message.get()->root));
  }
  EXPECT_TRUE(host.is_clean());

  const TermValue copy = kept;
  TermValue moved = std::move(kept);
  EXPECT_EQ(copy, moved);
  EXPECT_EQ(kept, TermValue()) << "what was moved from is undefined";
  EXPECT_EQ(there_and_back(moved), moved);
}

TEST_F(Codecs, ATermOfAnyDepthIsCopiedWithoutRecursion) {
  std::vector<baton_term> words(2 * 1'000'000);
  baton_term deep = BATON_NIL;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    words[i] = deep;
    words[i + 1] = BATON_NIL;
    deep = tagged_cell(&words[i]);
  }

  EXPECT_TRUE(TermValue(Term(deep)).term() == Term(deep));
}

TEST_F(Codecs, MapsAreEqualInAnyOrder) {
  const OwnedMessage up = written(std::map<int, int>{{1, 1}, {2, 2}});
  const OwnedMessage other = written(std::map<int, int>{{1, 1}, {2, 3}});
  baton_term words[] = {written(std::map<int, int>{{1, 1}, {2, 2}}).get()->word[0],
                        written(2).get()->root, written(2).get()->root, written(1).get()->root,
                        written(1).get()->root};
  const Term down(reinterpret_cast<baton_term>(words));

  EXPECT_TRUE(Term(up.get()->root) == down);
  EXPECT_FALSE(Term(up.get()->root) == Term(other.get()->root));
}

TEST_F(Codecs, NoMemoryIsAnException) {
  host.has_memory = false;

  EXPECT_THROW(written(1), std::bad_alloc);
}

TEST_F(Codecs, TypeTextsAreAsTheHeaderSays) {
  const auto wire =
      text::freeze([](auto& out) { Codec<sample::Order>::type_text(out, Layout::kWire); });
  const auto in_state =
      text::freeze([](auto& out) { Codec<sample::Order>::type_text(out, Layout::kState); });

  EXPECT_EQ(wire.view(),
            "{items:vector<{name:string;count:i64;}>;colour:optional<enum(i16:red=0,green=7)>;"
            "prices:map<string,f64>;}");
  EXPECT_EQ(in_state.view(),
            "{items:vector<{name:string@0;count:i64@32;40}>@0;"
            "colour:optional<enum(i16:red=0,green=7)>@24;prices:map<string,f64>@32;80}");
}

TEST_F(Codecs, PairAndTupleAreDifferentTypesInAState) {
  EXPECT_NE((state::type_hash<std::pair<int, char>>()),
            (state::type_hash<std::tuple<int, char>>()));
}

TEST_F(Codecs, TermsPrintAsErlangWritesThem) {
  for (const char* atom : {"ok", "an atom", "undefined"}) host.know(atom);

  EXPECT_EQ(text_of(std::tuple{"ok"_atom, Atom("an atom"), 1.0, std::string("\x01")}),
            "{ok,'an atom',1.0,<<1>>}");
  EXPECT_EQ(text_of(std::map<int, std::vector<int>>{{1, {2, 3}}}), "#{1 => [2,3]}");
  EXPECT_EQ(text_of(Pid{std::uint64_t{5} << 32 | 9 << 3 | BATON_TAG_PID}), "<0.9.5>");
  EXPECT_EQ(text_of(std::optional<int>()), "undefined");
}

TEST_F(Codecs, ALongTermIsCutInItsText) {
  const std::string text = text_of(std::vector<int>(10000, 1));

  EXPECT_EQ(text.size(), kTermTextBytesMax + 3);
  EXPECT_THAT(text, testing::EndsWith("..."));
}

}  // namespace
}  // namespace baton
