#include "term/atom.h"
#include "term/binary.h"
#include "term/builder.h"
#include "term/compare.h"
#include "term/copy.h"
#include "term/layout.h"
#include "term_generator.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace baton::term {
namespace {

// Whether all that the root reaches lies within the block's words.
bool is_contiguous(const Block& block) {
  const baton_message& message = *block.message();
  std::vector<baton_term> waiting{message.root};
  while (!waiting.empty()) {
    const baton_term t = waiting.back();
    waiting.pop_back();
    if (is_immediate(t)) continue;
    const baton_term* word = words_at(t);
    if (word < message.word || word >= message.word + message.words) return false;
    if (is_cell(t)) {
      waiting.insert(waiting.end(), {word[0], word[1]});
    } else if (as_tuple(t) || as_map(t)) {
      waiting.insert(waiting.end(), word + 1, word + 1 + payload_words(*word));
    }
  }
  return true;
}

TEST(Builder, MakesOneBlockThatNeedsNothingElse) {
  Block block;
  {
    Builder b;
    const Block other = *b.finish(b.tuple({b.binary("elsewhere"), make_int(7)}));
    Builder second;
    block = *second.finish(
        second.tuple({atoms::kOk, other.root(), second.list({make_int(1), second.real(2.5)}),
                      second.binary("")}));
  }

  EXPECT_TRUE(is_contiguous(block));
  const TupleView tuple = *as_tuple(block.root());
  EXPECT_EQ(tuple[0], atoms::kOk);
  EXPECT_EQ(as_binary((*as_tuple(tuple[1]))[0]), "elsewhere");
  EXPECT_EQ(as_float(head(tail(tuple[2]))), 2.5);
  EXPECT_EQ(as_binary(tuple[3]), "");
}

TEST(Builder, AnImmediateNeedsNoWords) {
  const Block block = *Builder().finish(atoms::kOk);
  EXPECT_EQ(block.root(), atoms::kOk);
  EXPECT_EQ(block.message()->words, 0u);
  EXPECT_EQ(block.message()->flags, 0);
}

TEST(Builder, IntegersAreIntsWhereTheyFitAndLimbsBeyond) {
  Builder b;
  EXPECT_EQ(as_int(b.integer(BATON_INT_MAX)), BATON_INT_MAX);
  EXPECT_EQ(as_int(b.integer(BATON_INT_MIN)), BATON_INT_MIN);
  const BigView above = *as_big(b.integer(BATON_INT_MAX + 1));
  EXPECT_FALSE(above.negative);
  EXPECT_EQ(above.limbs[0], std::uint64_t{1} << 60);
  const BigView lowest = *as_big(b.integer(INT64_MIN));
  EXPECT_TRUE(lowest.negative);
  EXPECT_EQ(lowest.limbs[0], std::uint64_t{1} << 63);
  const std::uint64_t padded[] = {5, 0, 0};
  EXPECT_EQ(b.big(true, padded), make_int(-5));
  EXPECT_EQ(b.big(true, {}), make_int(0));
}

TEST(Builder, OfEqualKeysOfAMapTheLastCounts) {
  Builder b;
  const baton_term map = b.map({{b.binary("k"), make_int(1)},
                                {make_int(1), make_int(2)},
                                {b.binary("k"), make_int(3)},
                                {b.real(1.0), make_int(4)}});
  EXPECT_EQ(as_map(map)->size(), 3u);
  EXPECT_TRUE(equal(map, b.map({{make_int(1), make_int(2)},
                                {b.real(1.0), make_int(4)},
                                {b.binary("k"), make_int(3)}})));
}

TEST(Builder, ACopyOutlivesItsSource) {
  Builder b;
  baton_term copy = BATON_NO_TERM;
  {
    Builder source;
    copy = *b.copy(source.list({source.binary("kept"), source.real(0.5)}));
  }
  EXPECT_EQ(as_binary(head(copy)), "kept");
}

TEST(Block, SharedBinariesLiveAsLongAsTheLastBlock) {
  baton_binary* bytes = new_binary(1000);
  bytes->bytes[999] = 'x';
  Block first, second;
  {
    Builder b;
    first = *b.finish(b.tuple({b.shared(bytes), b.shared(bytes)}));
  }
  EXPECT_EQ(bytes->references, 3u);
  EXPECT_TRUE(first.message()->flags & BATON_MESSAGE_HAS_SHARED);

  second = *Block::copy_of((*as_tuple(first.root()))[0]);
  first = Block();
  EXPECT_EQ(bytes->references, 2u);
  EXPECT_EQ(as_binary(second.root())->data(), reinterpret_cast<char*>(bytes->bytes));
  EXPECT_EQ(second.message()->words, 4u);

  release(bytes);
  EXPECT_EQ(as_binary(second.root())->back(), 'x');
}

TEST(BlockDeathTest, ReleasingABinaryTooOftenAborts) {
  baton_binary binary{};
  EXPECT_DEATH(release(&binary), "released too often");
  EXPECT_DEATH(retain(&binary), "retained after its end");
}

TEST(Copy, LeavesTheWordsInFrontToTheCaller) {
  Builder b;
  const baton_term reason = b.tuple({atoms::kShutdown, b.binary("maintenance")});
  const Extent extent = *extent_of(reason);
  Block block = *Block::allocate(1 + extent.total());
  block.message()->word[0] = make_ref(5, 1);

  copy_into(block.message(), 1, reason);

  EXPECT_EQ(extent.words, 3u + 3u);
  EXPECT_EQ(block.message()->word[0], make_ref(5, 1));
  EXPECT_TRUE(equal(block.root(), reason));
}

TEST(Copy, AnyTermEqualsItsCopyAndFillsItsExtent) {
  AtomTable atoms;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    Builder b;
    const baton_term t = TermGenerator(seed, b, atoms).term();
    const Block block = *b.finish(t);
    ASSERT_TRUE(equal(t, block.root())) << "seed " << seed;
    ASSERT_TRUE(is_contiguous(block)) << "seed " << seed;
    ASSERT_EQ(block.message()->words, extent_of(t)->total()) << "seed " << seed;
  }
}

TEST(Copy, DepthIsNoLimit) {
  Builder b;
  baton_term t = BATON_NIL;
  for (int i = 0; i < 300000; ++i) t = b.tuple({t});
  const Block block = *b.finish(t);
  EXPECT_EQ(block.message()->words, 600000u);
  EXPECT_TRUE(equal(t, block.root()));
}

TEST(Copy, ATermBeyondTheLimitOfWordsIsRefused) {
  Builder b;
  const baton_term t = b.list({make_int(1), make_int(2)});
  EXPECT_TRUE(extent_of(t, 4).ok());
  EXPECT_EQ(extent_of(t, 3).error().message(), "the term has more than 3 words");

  // Small in memory, since its parts are shared, but not once copied.
  baton_term wide = BATON_NIL;
  for (int i = 0; i < 60; ++i) wide = b.tuple({wide, wide});
  EXPECT_EQ(extent_of(wide, 1000000).error().code(), Code::kFailed);
  EXPECT_EQ(Block::allocate(kTermWordsMax + 1).error().code(), Code::kFailed);
}

TEST(CopyDeathTest, AMessageTooSmallAborts) {
  Builder b;
  Block block = *Block::allocate(2);
  EXPECT_DEATH(copy_into(block.message(), 0, b.tuple({BATON_NIL, BATON_NIL})), "too small");
}

}  // namespace
}  // namespace baton::term
