// The hooks by which a message of one version becomes one of another (baton/message_hook.h).
#include "support/fake_host.h"

#include <baton/baton.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hooked::inline BATON_BUILD {

struct Plain {
  std::int64_t n = 0;
};
BATON_MESSAGE(Plain, n)

/// Was {meet, Who, At}, with a text.
struct Meet {
  std::string who = "nobody";
  std::int64_t minutes = 0;
  std::vector<std::string> notes;
  using Reply = bool;

  static void message_change(Meet& made, const baton::OtherForm& old, baton::Version from) {
    if (from < "1.0.0") throw std::invalid_argument("too old");
    made.minutes = std::stoll(old.get<std::string>("at")) * 60;
    if (old.has("note")) made.notes.push_back(old.get<std::string>("note"));
  }
  static void message_revert(const Meet& meet, baton::OtherForm& older, baton::Version to) {
    if (to < "1.0.0") return;
    older.put("at", std::to_string(meet.minutes / 60));
    if (!meet.notes.empty()) older.put("note", meet.notes.front());
  }
};
BATON_MESSAGE(Meet, who, minutes, notes)
BATON_DROPPED(Meet, at)

/// Has one of the two.
struct Leave {
  std::int64_t n = 0;
  static void message_revert(const Leave&, baton::OtherForm&, baton::Version) {}
};
BATON_MESSAGE(Leave, n)

struct Nothing {};
BATON_STATE(Nothing)

struct Desk : baton::GenServer<Desk, Nothing> {
  using Calls = baton::Messages<Plain, Meet>;
  using Casts = baton::Messages<Leave>;
  using Infos = baton::Messages<Plain, Meet>;
  void handle_call(const Plain&) {}
  bool handle_call(const Meet&) { return true; }
  void handle_cast(const Leave&) {}
  void handle_info(const Plain&) {}
  void handle_info(const Meet&) {}
};
struct Loop : baton::Process<Loop> {
  using Infos = baton::Messages<Meet>;
  static baton::Task<> loop(baton::Self) { co_return; }
};
struct Bare : baton::Process<Bare> {
  static baton::Task<> loop(baton::Self) { co_return; }
};

}  // namespace hooked::inline BATON_BUILD

namespace baton {
namespace {

using namespace literals;
using support::FakeHost;
using testing::HasSubstr;

static constexpr baton_behaviour kDesk = hooked::Desk::behaviour();
static constexpr baton_behaviour kLoop = hooked::Loop::behaviour();
static constexpr baton_behaviour kBare = hooked::Bare::behaviour();

TEST(MessageHook, TheTableNamesThemByTheLinesOfTheContract) {
  ASSERT_EQ(kDesk.hook_count, 3u);
  EXPECT_EQ(kDesk.hook_stride, sizeof(baton_message_hooks));
  EXPECT_EQ(kDesk.hooks[0].message, 1u);
  EXPECT_TRUE(kDesk.hooks[0].change != nullptr && kDesk.hooks[0].revert != nullptr);
  EXPECT_EQ(kDesk.hooks[1].message, 2u);
  EXPECT_TRUE(kDesk.hooks[1].change == nullptr && kDesk.hooks[1].revert != nullptr);
  EXPECT_EQ(kDesk.hooks[2].message, 4u);
  ASSERT_EQ(kLoop.hook_count, 1u);
  EXPECT_EQ(kLoop.hooks[0].message, 0u);
  EXPECT_EQ(kBare.hook_count, 0u);
}

TEST(MessageHook, TheNoteNamesThem) {
  std::string text;
  struct Out {
    std::string& text;
    void put(std::string_view more) { text += more; }
  } out{text};
  entry::behaviour_lines<hooked::Desk>(out);
  EXPECT_THAT(text, HasSubstr("cast leave {n:i64;}\nmessage_hooks revert\n"));
  EXPECT_THAT(text, HasSubstr("-> bool\nmessage_hooks change revert\n"));
  EXPECT_THAT(text, HasSubstr("member_dropped at\n"));
}

class MessageHookTest : public testing::Test {
 protected:
  MessageHookTest() {
    for (const char* atom : {"meet", "gather"}) host.know(atom);
  }
  /// What the hook answers; its error if that is nothing.
  std::string answer(baton_message_hook hook, const baton_form& from, const baton_form& to) {
    host.context()->error.length = 0;
    baton_message* const made = hook(host.context(), &from, &to, &host.context()->error);
    if (made == nullptr) return "refused: " + host.error();
    const std::string text = host.text(Term(made->root));
    host.context()->host->free(host.context(), made);
    EXPECT_TRUE(host.is_clean());
    return text;
  }
  /// A term that lives as long as the test.
  template <class T>
  baton_term term(const T& value) {
    kept_.push_back(TermValue(Term(make_message(host.context(), value).get()->root)));
    return kept_.back().term().word();
  }
  template <std::size_t N>
  static baton_form form(const char* name, const char* version, const char* const (&names)[N],
                         const baton_term (&members)[N]) {
    return {sizeof(baton_form), N, name, version, names, members};
  }

  FakeHost host;
  const baton_message_hook change_ = kDesk.hooks[0].change, revert_ = kDesk.hooks[0].revert;
  const char* const newer_[3] = {"who", "minutes", "notes"};
  const char* const older_[3] = {"at", "who", "note"};

 private:
  std::deque<TermValue> kept_;
};

TEST_F(MessageHookTest, ChangeSeesToWhatIsNotDerived) {
  const baton_term old[] = {term(std::string("9")), term(std::string("ann")),
                            term(std::string("soon"))};
  const baton_term made[] = {old[1], BATON_NO_TERM, BATON_NO_TERM};
  EXPECT_EQ(
      answer(change_, form("meet", "1.0.0", older_, old), form("meet", "2.0.0", newer_, made)),
      "{meet,<<\"ann\">>,540,[<<\"soon\">>]}");
}

TEST_F(MessageHookTest, WhatNobodySaysKeepsItsDefault) {
  const char* const names[] = {"at"};
  const baton_term old[] = {term(std::string("1"))};
  const baton_term made[] = {BATON_NO_TERM, BATON_NO_TERM, BATON_NO_TERM};
  EXPECT_EQ(answer(change_, form("meet", "1.0.0", names, old), form("meet", "2.0.0", newer_, made)),
            "{meet,<<\"nobody\">>,60,[]}");
}

TEST_F(MessageHookTest, RevertMakesTheOlderFormUnderItsName) {
  const std::string large(10'000, 'x');
  const baton_term sent[] = {term(std::string("ann")), term(std::int64_t{600}),
                             term(std::vector<std::string>{large})};
  const baton_term made[] = {BATON_NO_TERM, sent[0], BATON_NO_TERM};
  EXPECT_THAT(
      answer(revert_, form("meet", "2.0.0", newer_, sent), form("gather", "1.0.0", older_, made)),
      testing::StartsWith(R"({gather,<<"10">>,<<"ann">>,<<"xxx)"));
}

TEST_F(MessageHookTest, WhatAHookThrowsIsTheReason) {
  const baton_term old[] = {term(std::string("x")), term(std::string("ann")),
                            term(std::string("soon"))};
  const baton_term made[] = {old[1], BATON_NO_TERM, BATON_NO_TERM};
  const auto to = form("meet", "2.0.0", newer_, made);
  EXPECT_THAT(answer(change_, form("meet", "1.0.0", older_, old), to), HasSubstr("stoll"));
  EXPECT_EQ(answer(change_, form("meet", "0.9.0", older_, old), to), "refused: too old");
  const char* const others[] = {"when", "who", "note"};
  EXPECT_EQ(answer(change_, form("meet", "1.0.0", others, old), to),
            "refused: meet.at of version 1.0.0 does not exist");
  const baton_term number[] = {term(std::int64_t{5}), old[1], old[2]};
  EXPECT_THAT(answer(change_, form("meet", "1.0.0", older_, number), to),
              HasSubstr("expected a binary"));
}

TEST_F(MessageHookTest, AMemberOfTheOlderFormThatNobodyPutIsAnError) {
  const baton_term sent[] = {term(std::string("ann")), term(std::int64_t{600}),
                             term(std::vector<std::string>{})};
  const baton_term made[] = {BATON_NO_TERM, sent[0], BATON_NO_TERM};
  EXPECT_EQ(
      answer(revert_, form("meet", "2.0.0", newer_, sent), form("meet", "1.0.0", older_, made)),
      "refused: meet.note of version 1.0.0 is left without a value");
}

}  // namespace
}  // namespace baton
