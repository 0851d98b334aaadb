// Take-overs in a simulation: the schedulers have no threads. The test's one thread takes them a
// step further, one at a time, in an order drawn from a seed: between take-overs, and inside them
// wherever they wait. So the orders that two cores hardly ever produce come up in seconds, and what
// fails fails again with the same seed.
//
// What is looked for is work that nobody does any more: mail that was put aside and never given
// back, a call that no scheduler will ever answer. In a simulation that can be seen: nobody has
// anything to do, and the call is still open. And chains of calls that a take-over cuts in two, of
// which the old versions do one part and the new ones the other.
#include "runtime/asker.h"
#include "runtime/primitives.h"
#include "support/takeover_fixture.h"

#include <functional>
#include <random>
#include <set>

namespace baton::takeover {
namespace {

constexpr int kRounds = 300;
constexpr std::size_t kOpenCallsMax = 12;
constexpr std::uint32_t kSchedulers = 3;

class TakeoverSimulationTest : public test::TakeoverFixture,
                               public testing::WithParamInterface<std::uint64_t> {
 protected:
  TakeoverSimulationTest()
      : TakeoverFixture({.schedulers = kSchedulers,
                         .pause = [this] { work(); },
                         .scheduling_point = [this] { work(draw(3) == 0 ? draw(20) : 0); }}),
        random_(GetParam()) {}

  /// A number below `end`.
  std::uint64_t draw(std::uint64_t end) { return random_() % end; }

  /// It is to be answered with one of these.
  void call(baton_term to, const std::string& request, std::set<std::string> expected) {
    auto question = host_.runtime().begin_call(to, host_.parse(request), std::chrono::hours(1));
    ASSERT_TRUE(question.ok()) << question.error().message();
    calls_.push_back({request, std::move(expected), std::move(question).value()});
  }

  /// One step of one scheduler; now and then a client calls. For a while one scheduler may be left
  /// out.
  void work() {
    if (is_calling_ && calls_.size() < kOpenCallsMax && draw(4) == 0) ask_();
    if (draw(32) == 0) lagging_ = static_cast<std::uint32_t>(draw(kSchedulers + 1));
    const auto chosen = static_cast<std::uint32_t>(draw(kSchedulers));
    if (chosen == lagging_ && draw(16) != 0) return;
    host_.runtime().scheduler(chosen).step();
    take_answers();
  }
  void work(std::uint64_t steps) {
    for (std::uint64_t i = 0; i < steps; ++i) work();
  }
  /// No new calls; until no scheduler finds anything to do.
  void come_to_rest() {
    is_calling_ = false;
    for (int idle_rounds = 0; idle_rounds < 3;) {
      bool has_worked = false;
      for (std::uint32_t i = 0; i < kSchedulers; ++i)
        has_worked |= host_.runtime().scheduler(i).step();
      idle_rounds = has_worked ? 0 : idle_rounds + 1;
      take_answers();
    }
    for (const Call& call : calls_)
      ADD_FAILURE() << call.request << " is not answered, and no scheduler has anything to do";
    is_calling_ = true;
  }

  /// Nobody has marked work any more: chains begun before it are at their end.
  void at_flip() override { EXPECT_EQ(runtime::marked_work(host_.runtime()), 0u); }

  void go_up_and_back(std::initializer_list<const char*> modules, std::function<void()> ask) {
    ask_ = std::move(ask);
    is_calling_ = true;
    for (const char* module : modules) load(module, "1.1.0");
    for (int round = 0; round < kRounds && !HasFailure(); ++round) {
      SCOPED_TRACE("round " + std::to_string(round));
      work(draw(300));
      auto way_back = take_over(modules, {.threads = 1});
      ASSERT_TRUE(way_back.ok()) << way_back.error().message();
      if (draw(3) == 0) come_to_rest();
      work(draw(300));
      auto report = roll_back(**way_back, modules, {.threads = 1});
      ASSERT_TRUE(report.ok()) << report.error().message();
      if (draw(3) == 0) come_to_rest();
      way_back->reset();
      for (const char* module : modules) stage_again(module);
    }
    come_to_rest();
    EXPECT_GT(answered_, kRounds);
    EXPECT_EQ(host_.crashes(), 0u);
  }

 private:
  struct Call {
    std::string request;
    std::set<std::string> expected;
    std::shared_ptr<runtime::Question> question;
  };

  void take_answers() {
    std::erase_if(calls_, [&](Call& call) {
      if (!call.question->is_answered()) return false;
      const std::string answer = host_.text(call.question->wait());
      EXPECT_TRUE(call.expected.contains(answer)) << call.request << " is answered " << answer;
      ++answered_;
      return true;
    });
  }

  std::mt19937_64 random_;
  std::function<void()> ask_;
  bool is_calling_ = false;
  std::uint32_t lagging_ = kSchedulers;  // which scheduler is mostly left out; kSchedulers: none
  std::vector<Call> calls_;
  int answered_ = 0;
};

// Chains of processes of left and right in turn, with branches into each other's tails.
std::vector<std::vector<baton_term>> make_chains(test::LoadedHost& host, code::Version* left,
                                                 code::Version* right, std::size_t count,
                                                 std::size_t length) {
  std::vector<std::vector<baton_term>> chains(count);  // from the end to the head
  for (std::size_t at = 0; at < length; ++at) {
    for (std::size_t chain = 0; chain < count; ++chain) {
      const baton_term below = at == 0 ? 0 : chains[(chain + (at == 2)) % count][at - 1];
      const std::string next = at == 0 ? "[]"
                                       : "[<0." + std::to_string(runtime::pid_index(below)) + "." +
                                             std::to_string(runtime::pid_generation(below)) + ">]";
      chains[chain].push_back(at % 2 == 0 ? host.spawn(left, "left", next)
                                          : host.spawn(right, "right", next));
    }
  }
  return chains;
}

TEST_P(TakeoverSimulationTest, ModulesThatCallEachOtherMoveTogether) {
  const auto chains = make_chains(host_, load("left", "1.0.0"), load("right", "1.0.0"), 3, 6);
  go_up_and_back({"left", "right"}, [&] {
    if (draw(4) == 0) return call(chains[draw(3)][4], "{later,4}", {"5", "5000"});
    const std::uint64_t depth = draw(6);
    call(chains[draw(3)][depth + draw(6 - depth)], "{hop," + std::to_string(depth) + "}",
         {std::to_string(depth + 1), std::to_string(1000 * (depth + 1))});
  });
}

TEST_P(TakeoverSimulationTest, OneOfTwoModulesThatCallEachOtherMovesAlone) {
  const auto chains = make_chains(host_, load("left", "1.0.0"), load("right", "1.0.0"), 3, 6);
  go_up_and_back({"left"}, [&] {
    if (draw(4) == 0) return call(chains[draw(3)][4], "{later,4}", {"5", "3002"});
    call(chains[draw(3)][5], "{hop,5}", {"6", "3003"});
  });
}

TEST_P(TakeoverSimulationTest, CallbacksThatStartChildrenAndAwaitThemAreFinished) {
  code::Version* version = load("parent", "1.0.0");
  std::vector<baton_term> parents;
  for (int i = 0; i < 4; ++i) parents.push_back(host_.spawn(version, "parent", "[]"));
  std::uint64_t next = 0;
  go_up_and_back({"parent"}, [&] {
    const std::string number = std::to_string(++next);
    call(parents[draw(parents.size())], "{ask," + number + "}", {number});
  });
}

INSTANTIATE_TEST_SUITE_P(Seeds, TakeoverSimulationTest, testing::Range<std::uint64_t>(1, 9));

}  // namespace
}  // namespace baton::takeover
