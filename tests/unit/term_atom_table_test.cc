#include "term/atom.h"
#include "term/atom_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace baton::term {
namespace {

TEST(AtomTable, KnowsTheUsualAtomsFromTheStart) {
  AtomTable atoms;
  EXPECT_EQ(atoms.text(atoms::kNoProc), "noproc");
  EXPECT_EQ(atoms.text(atoms::kExit), "EXIT");
  EXPECT_EQ(atoms.text(atom("never seen")), std::nullopt);
  EXPECT_EQ(atoms.text(BATON_NIL), std::nullopt);
}

TEST(AtomTable, InterningTwiceGivesOneAtomAndOneText) {
  AtomTable atoms;
  const std::size_t before = atoms.size();
  const baton_term made = *atoms.intern("counter");
  const char* text = atoms.text(made)->data();

  EXPECT_EQ(*atoms.intern("counter"), made);
  EXPECT_EQ(made, atom("counter"));
  EXPECT_EQ(atoms.size(), before + 1);
  EXPECT_STREQ(text, "counter");
}

TEST(AtomTable, TextsStayWhereTheyAreWhenItGrows) {
  AtomTable atoms;
  const std::string_view first = *atoms.text(*atoms.intern("first"));
  for (int i = 0; i < 20000; ++i) ASSERT_TRUE(atoms.intern("atom" + std::to_string(i)).ok());
  EXPECT_EQ(atoms.text(atom("first"))->data(), first.data());
  for (int i = 0; i < 20000; ++i) {
    const std::string text = "atom" + std::to_string(i);
    ASSERT_EQ(atoms.text(atom(text)), text);
  }
}

TEST(AtomTable, AnAtomHasAtMost255BytesOfUtf8) {
  AtomTable atoms;
  EXPECT_TRUE(atoms.intern(std::string(255, 'x')).ok());
  EXPECT_TRUE(atoms.intern("").ok());
  const auto long_one = atoms.intern(std::string(256, 'x'));
  EXPECT_EQ(long_one.error().code(), Code::kUsage);
  EXPECT_EQ(
      long_one.error().message(),
      "an atom of 256 bytes is too long for an atom, which has at most 255 bytes; use a binary");
  EXPECT_EQ(atoms.intern("\xff").error().message(), "the text of an atom must be UTF-8");
}

TEST(AtomTable, AFullTableRefusesNewAtomsAndKeepsTheOld) {
  const std::size_t usual = AtomTable().size();
  AtomTable atoms(usual + 1);
  ASSERT_TRUE(atoms.intern("last").ok());
  const auto refused = atoms.intern("one more");
  EXPECT_EQ(refused.error().code(), Code::kFailed);
  EXPECT_NE(refused.error().message().find("no room for the atom 'one more'"), std::string::npos);
  EXPECT_TRUE(atoms.intern("last").ok());
}

TEST(AtomTable, RequestsHaveAShareOfTheirOwn) {
  // Requests with a million atoms filled the table: no module with a new one could be loaded.
  AtomTable atoms(AtomTable().size() + 10, 2);
  ASSERT_TRUE(atoms.intern("first", AtomShare::kRequests).ok());
  ASSERT_TRUE(atoms.intern("of the host").ok());
  ASSERT_TRUE(atoms.intern("second", AtomShare::kRequests).ok());

  const auto refused = atoms.intern("third", AtomShare::kRequests);

  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message().find("2 from requests"), std::string::npos);
  EXPECT_TRUE(atoms.intern("of the host", AtomShare::kRequests).ok()) << "known already";
  EXPECT_TRUE(atoms.intern("third").ok());
  EXPECT_EQ(**atoms.look_up("third"), atom("third"));
  EXPECT_FALSE(atoms.look_up("fourth")->has_value());
}

TEST(AtomTable, TwoTextsWithOneHashAreRefusedByName) {
  AtomTable atoms;
  const std::string a = "8yn0iYCKYHlIj4-BwPqk", b = "GReLUrM4wMqfg9yzV3KQ";
  ASSERT_EQ(atom(a), atom(b));
  ASSERT_TRUE(atoms.intern(a).ok());
  EXPECT_EQ(atoms.intern(b).error().message(),
            "the atoms '" + b + "' and '" + a + "' have the same hash; rename the first");
  EXPECT_EQ(atoms.text(atom(b)), a);
}

TEST(AtomTable, ReadersSeeWhatWasInternedWhileOthersIntern) {
  AtomTable atoms;
  constexpr int kAtoms = 5000;
  std::atomic<int> interned{0};
  std::atomic<int> wrong{0};

  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    for (int i = 0; i < kAtoms; ++i) {
      if (!atoms.intern("shared" + std::to_string(i)).ok()) ++wrong;
      interned.store(i + 1, std::memory_order_release);
    }
  });
  threads.emplace_back([&] {
    for (int i = 0; i < kAtoms; ++i)
      if (!atoms.intern("other" + std::to_string(i)).ok()) ++wrong;
  });
  for (int reader = 0; reader < 2; ++reader)
    threads.emplace_back([&] {
      for (int known = 0; known < kAtoms;) {
        known = interned.load(std::memory_order_acquire);
        for (int i = known > 20 ? known - 20 : 0; i < known; ++i) {
          const std::string text = "shared" + std::to_string(i);
          if (atoms.text(atom(text)) != text) ++wrong;
        }
      }
    });
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace baton::term
