#include "behaviour/child_spec.h"

#include "term/layout.h"
#include "term/text.h"

#include <gtest/gtest.h>

namespace baton::behaviour {
namespace {

class ChildSpecTest : public testing::Test {
 protected:
  std::string error_of(const std::string& args) {
    const Literal literal = Literal::parse(args, atoms_).value();
    auto spec = read_supervisor_spec(literal.root(), atoms_);
    if (!spec.ok()) return spec.error().message();
    const auto checked = check_childspecs(spec->flags, spec->children, atoms_);
    return checked.ok() ? "ok" : checked.error().message();
  }
  std::string error_of_flags(const std::string& flags) { return error_of("{" + flags + ",[]}"); }
  std::string error_of_child(const std::string& child) { return error_of("{#{},[" + child + "]}"); }

  term::AtomTable atoms_;
};

TEST_F(ChildSpecTest, WhatIsLeftOutHasOtpsDefaults) {
  const Literal map = Literal::parse("#{id => a, start => {m, b, [1]}}", atoms_).value();

  const auto spec = read_child_spec(map.root(), atoms_);

  ASSERT_TRUE(spec.ok()) << spec.error().message();
  EXPECT_EQ(spec->module, "m");
  EXPECT_EQ(spec->behaviour, "b");
  EXPECT_EQ(spec->restart, RestartType::kPermanent);
  EXPECT_EQ(spec->type, ChildType::kWorker);
  EXPECT_EQ(spec->shutdown.kind, Shutdown::Kind::kTimeout);
  EXPECT_EQ(spec->shutdown.timeout, std::chrono::seconds(5));
  EXPECT_FALSE(spec->significant);
}

TEST_F(ChildSpecTest, ASupervisorBelowASupervisorMayTakeForever) {
  const Literal map =
      Literal::parse("#{id => a, start => {baton, supervisor, {#{}, []}}}", atoms_).value();

  const auto spec = read_child_spec(map.root(), atoms_);

  ASSERT_TRUE(spec.ok()) << spec.error().message();
  EXPECT_EQ(spec->type, ChildType::kSupervisor);
  EXPECT_EQ(spec->shutdown.kind, Shutdown::Kind::kInfinity);
}

TEST_F(ChildSpecTest, WhatIsWrittenReadsBackEqual) {
  const Literal args =
      Literal::parse(
          "{#{strategy => rest_for_one, intensity => 7, period => 2.5, auto_shutdown => "
          "any_significant}, [#{id => {a,1}, start => {m, b, #{x => [1.5]}}, name => n, restart => "
          "temporary, shutdown => brutal_kill, significant => true}, #{id => s, start => {baton, "
          "supervisor, {#{}, [#{id => c, start => {m, b, []}}]}}}]}",
          atoms_)
          .value();
  const auto spec = read_supervisor_spec(args.root(), atoms_);
  ASSERT_TRUE(spec.ok()) << spec.error().message();

  const auto again = read_supervisor_spec(write(*spec, atoms_).root(), atoms_);

  ASSERT_TRUE(again.ok()) << again.error().message();
  EXPECT_EQ(*again, *spec);
  EXPECT_EQ(again->flags.period, std::chrono::milliseconds(2500));
}

TEST_F(ChildSpecTest, LimitsAreNamedWhereTheyArePassed) {
  EXPECT_EQ(error_of_flags("#{intensity => 1000000}"), "ok");
  EXPECT_EQ(error_of_flags("#{intensity => 1000001}"),
            "intensity: expected 0 to 1000000, got 1000001");
  EXPECT_EQ(error_of_flags("#{period => 31536000}"), "ok");
  EXPECT_EQ(error_of_flags("#{period => 31536001}"),
            "period: expected seconds above 0, at most those of a year, got 31536001");
  EXPECT_EQ(error_of_flags("#{period => 0}"),
            "period: expected seconds above 0, at most those of a year, got 0");
  EXPECT_EQ(error_of_child("#{id => a, start => {m, b, []}, shutdown => 31536000001}"),
            "child a: shutdown: expected brutal_kill, infinity or milliseconds, at most those of "
            "a year, got 31536000001");
}

TEST_F(ChildSpecTest, TooManySpecsAreRefused) {
  ChildSpec spec;
  spec.id = Literal(term::make_int(1));
  const std::vector<ChildSpec> specs(kChildSpecsMax + 1, spec);

  const auto checked = check_childspecs({}, specs, atoms_);

  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().message(), "expected at most 100000 child specs, got 100001");
}

TEST_F(ChildSpecTest, WhatDoesNotFitNamesChildAndKey) {
  EXPECT_EQ(error_of("[]"), "a supervisor's args: expected {Flags, [ChildSpec]}, got []");
  EXPECT_EQ(error_of_flags("#{strategy => all}"),
            "strategy: expected one_for_one | one_for_all | rest_for_one | simple_one_for_one, "
            "got all");
  EXPECT_EQ(error_of_child("#{start => {m, b, []}}"),
            "a child spec: expected the key id, got #{start => {m,b,[]}}");
  EXPECT_EQ(error_of_child("#{id => a}"),
            "child a: start: expected {Module, Behaviour, Args}, got nothing");
  EXPECT_EQ(error_of_child("#{id => a, start => {1, b, []}}"),
            "child a: module: expected a name, got 1");
  EXPECT_EQ(error_of_child("#{id => a, start => {m, b, []}, name => 5}"),
            "child a: name: expected an atom, got 5");
  EXPECT_EQ(error_of_child("#{id => a, start => {m, b, []}, significant => yes}"),
            "child a: significant: expected true or false, got yes");
  EXPECT_EQ(error_of_child("#{id => a, start => {baton, oracle, []}}"),
            "child a: the host has no behaviour oracle for children");
}

TEST_F(ChildSpecTest, AMistakeInANestedTreeIsFoundFromTheTop) {
  EXPECT_EQ(error_of_child("#{id => s, start => {baton, supervisor, {#{}, [#{id => x, start => "
                           "{m, b, []}, significant => true, restart => transient}]}}}"),
            "child s: child x: significant needs a supervisor with auto_shutdown any_significant "
            "or all_significant");
}

TEST_F(ChildSpecTest, SimpleOneForOneHasOneNamelessTemplateWithAListOfArgs) {
  const auto simple = [this](const std::string& children) {
    return error_of("{#{strategy => simple_one_for_one}, [" + children + "]}");
  };
  EXPECT_EQ(simple("#{id => a, start => {m, b, []}}"), "ok");
  EXPECT_EQ(simple(""), "simple_one_for_one: expected one child spec, the template of all, got 0");
  EXPECT_EQ(simple("#{id => a, start => {m, b, x}}"),
            "child a: the args of simple_one_for_one's template must be a list, to which those of "
            "start_child are added");
  EXPECT_EQ(simple("#{id => a, start => {m, b, []}, name => n}"),
            "child a: the children of simple_one_for_one cannot share a registered name");
}

}  // namespace
}  // namespace baton::behaviour
