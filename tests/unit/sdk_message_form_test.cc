// What a gen_server does with messages whose name it knows and whose form it may not.
#include "support/fake_host.h"

#include <baton/baton.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace desk::inline BATON_BUILD {

namespace older {
struct Say {
  std::string text;
  using Reply = std::string;
};
BATON_MESSAGE(Say, text)
}  // namespace older

struct Say {
  std::string text;
  std::string lang = "en";
  using Reply = std::string;
};
BATON_MESSAGE(Say, text, lang)

struct Quiet {};
BATON_MESSAGE(Quiet)

struct Notes {
  std::vector<std::string> all;
};
BATON_STATE(Notes, all)

/// Takes both forms of say.
struct Both : baton::GenServer<Both, Notes> {
  using Calls = baton::Messages<older::Say, Say>;
  using Casts = baton::Messages<Say, older::Say>;
  std::string handle_call(const older::Say& say) { return say.text; }
  std::string handle_call(const Say& say) { return say.text + " in " + say.lang; }
  void handle_cast(const Say& say) { state().all.push_back(say.text + " in " + say.lang); }
  void handle_cast(const older::Say& say) { state().all.push_back(say.text); }
};

/// Takes one.
struct One : baton::GenServer<One, Notes> {
  using Calls = baton::Messages<Say>;
  using Casts = baton::Messages<Say>;
  using Infos = baton::Messages<Say>;
  std::string handle_call(const Say& say) { return say.text + " in " + say.lang; }
  void handle_cast(const Say& say) { state().all.push_back(say.text); }
  void handle_info(const Say& say) { state().all.push_back(say.text); }
};

}  // namespace desk::inline BATON_BUILD

namespace baton {
namespace {

using namespace literals;
using support::FakeHost;
using support::FakeProcess;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class MessageFormTest : public testing::Test {
 protected:
  MessageFormTest() {
    for (const char* atom : {"say", "quiet", "error"}) host.know(atom);
  }
  std::string said() {
    std::string all;
    for (const auto& o : host.out)
      all += (all.empty() ? "" : "; ") + o.how + " " + host.text(o.root);
    host.out.clear();
    return all;
  }

  FakeHost host;
};

// {say, <<"hi">>}, and so on.
auto say(const std::string& text) { return std::tuple("say"_atom, text); }
auto say(const std::string& text, const std::string& lang) {
  return std::tuple("say"_atom, text, lang);
}

TEST_F(MessageFormTest, OfTwoFormsOfOneNameEachHasItsHandler) {
  static constexpr baton_behaviour kBoth = desk::Both::behaviour();
  FakeProcess server(host, kBoth);

  EXPECT_EQ(server.call(say("hi")), BATON_OK);
  EXPECT_EQ(said(), "reply <<\"hi\">>");
  EXPECT_EQ(server.call(say("hi", "de")), BATON_OK);
  EXPECT_EQ(said(), "reply <<\"hi in de\">>");
  EXPECT_EQ(server.deliver(BATON_CAST, say("hi")), BATON_OK);
  EXPECT_EQ(server.deliver(BATON_CAST, say("hi", "de")), BATON_OK);
  EXPECT_THAT(server.state<desk::Notes>().all, ElementsAre("hi", "hi in de"));
  EXPECT_EQ(host.forms_asked, 0);
}

class OneFormTest : public MessageFormTest {
 protected:
  static constexpr baton_behaviour kOne = desk::One::behaviour();
  FakeProcess server{host, kOne};
};

TEST_F(OneFormTest, AFormOfAnotherVersionIsAskedOfTheHost) {
  const auto other_version = [&] {
    host.other_form = TermValue(Term(make_message(host.context(), say("hi", "fr"), 1).get()->root));
  };
  other_version();
  EXPECT_EQ(server.call(say("hi")), BATON_OK);
  EXPECT_EQ(said(), "reply <<\"hi in fr\">>");
  other_version();
  EXPECT_EQ(server.deliver(BATON_CAST, desk::Quiet{}), BATON_OK) << "it had another name";
  other_version();
  EXPECT_EQ(server.deliver(BATON_MESSAGE, desk::Quiet{}), BATON_OK);
  other_version();
  EXPECT_EQ(server.deliver(BATON_TIMEOUT, say("hi")), BATON_OK);
  EXPECT_THAT(server.state<desk::Notes>().all, ElementsAre("hi", "hi", "hi"));
  EXPECT_THAT(host.log, IsEmpty());
  EXPECT_TRUE(host.is_clean());
}

TEST_F(OneFormTest, AFormThatNobodyKnowsIsTheErrorOfWhoAsked) {
  EXPECT_EQ(server.call(say("hi"), FakeHost::pid(9), FakeHost::ref(3)), BATON_OK);

  ASSERT_EQ(host.out.size(), 1u);
  EXPECT_EQ(host.out[0].to, FakeHost::pid(9).word);
  EXPECT_EQ(host.out[0].ref, FakeHost::ref(3));
  EXPECT_THAT(said(),
              testing::AllOf(testing::StartsWith("refuse {error,"),
                             HasSubstr("expected {say, text, lang}, got a tuple of size 2")));
  EXPECT_EQ(host.context()->call_ref, 0u) << "nothing is owed any more";
}

TEST_F(OneFormTest, WhatIsOnlySentInAnUnknownFormIsLogged) {
  EXPECT_EQ(server.deliver(BATON_CAST, say("hi")), BATON_OK);
  EXPECT_EQ(server.deliver(BATON_MESSAGE, say("hi")), BATON_OK);
  EXPECT_EQ(server.deliver(BATON_CAST, std::tuple("say"_atom, 1, 2)), BATON_OK);

  EXPECT_THAT(host.log, ElementsAre(HasSubstr("does not take this form"),
                                    HasSubstr("does not take this form"),
                                    HasSubstr("say.text: expected a binary")));
  EXPECT_THAT(server.state<desk::Notes>().all, IsEmpty());
}

TEST_F(OneFormTest, AFormThatIsKnownAndCannotBeConvertedIsTheErrorOfItsSender) {
  host.why_no_form = "message_change: no such time";

  EXPECT_EQ(server.call(desk::Quiet{}), BATON_OK) << "also of a name that this version lacks";
  EXPECT_THAT(said(), HasSubstr("does not take this form: message_change: no such time"));
  EXPECT_EQ(server.call(say("hi")), BATON_OK);
  EXPECT_THAT(said(), HasSubstr("does not take this form: message_change: no such time"));
  EXPECT_EQ(server.deliver(BATON_CAST, desk::Quiet{}), BATON_OK);
  EXPECT_EQ(server.deliver(BATON_MESSAGE, desk::Quiet{}), BATON_OK);
  EXPECT_EQ(host.log.size(), 4u);
  EXPECT_THAT(host.log, testing::Each(HasSubstr("no such time")));
}

TEST_F(OneFormTest, ACallOfAnUnknownNameEndsTheProcess) {
  EXPECT_EQ(server.call(desk::Quiet{}), BATON_CRASH);
  EXPECT_EQ(server.deliver(BATON_CAST, desk::Quiet{}), BATON_CRASH);
}

}  // namespace
}  // namespace baton
