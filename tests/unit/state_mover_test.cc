#include "takeover/state_mover.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace baton::takeover {
namespace {

// A state of one number, as a module's table describes it.
struct One {
  std::int32_t value = 0;
};

int construct(void* raw, baton_error*) {
  new (raw) One;
  return 0;
}
void destroy(void*) {}

class Table {
 public:
  Table(const char* type, std::uint8_t scalar, std::uint64_t fingerprint)
      : field_{"value", type, fingerprint, 0, 4, 4, scalar, 0, nullptr, nullptr, nullptr},
        schema_{sizeof(baton_schema),
                sizeof(baton_field),
                1,
                sizeof(One),
                alignof(One),
                0,
                "state",
                fingerprint,
                &field_,
                nullptr,
                construct,
                destroy,
                nullptr,
                nullptr,
                nullptr,
                nullptr,
                nullptr} {}
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  const baton_schema* get() const { return &schema_; }

 private:
  baton_field field_;
  baton_schema schema_;
};

StateMover mover(const Table& from, const Table& to, module::Direction direction) {
  const auto change =
      module::compare(*module::describe(from.get()), *module::describe(to.get()), direction);
  auto made = StateMover::of(change, "m:b", {from.get(), "1"}, {to.get(), "2"});
  EXPECT_TRUE(made.ok()) << made.error().message();
  return std::move(made).value();
}

TEST(StateMover, ReturnsAnEnumeratorOnlyToAVersionThatHasIt) {
  // A value of an enumerator that came with the newer version was put back into the parked object
  // of the older one, whose switch knows no such value.
  const Table older("enum(i32:red=0)", BATON_SCALAR_I32, 1);
  const Table newer("enum(i32:red=0,green=1)", BATON_SCALAR_I32, 2);
  const StateMover up = mover(older, newer, module::Direction::kUp);
  One parked, live{0};

  EXPECT_TRUE(up.check_restore(&parked, &live));
  live.value = 1;
  EXPECT_FALSE(up.check_restore(&parked, &live));
  EXPECT_EQ(parked.value, 0);
}

TEST(StateMover, SaysNoMoreThanTheErrorHasRoomFor) {
  // The length of what snprintf would have written was taken for what it wrote.
  const Table newer("enum(i32:red=0,green=1)", BATON_SCALAR_I32, 2);
  const Table older("enum(i32:red=0)", BATON_SCALAR_I32, 1);
  const StateMover down = mover(newer, older, module::Direction::kDown);
  One live{1}, raw;
  std::array<char, 8> text{};
  baton_error error{text.size(), 0, text.data()};

  EXPECT_FALSE(down.make(&live, &raw, &error));
  EXPECT_EQ(std::string(error.text, error.length), "field va");
}

TEST(StateMover, IsNotMadeOfAChangeThatNoStateSurvives) {
  const Table from("i32", BATON_SCALAR_I32, 1), to("bool", BATON_SCALAR_U32, 2);
  module::StateChange change;
  change.reasons = {"field a is gone", "field b is gone"};

  const auto made = StateMover::of(change, "kv:store", {from.get(), "1.0"}, {to.get(), "2.0"});

  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code(), Code::kRefused);
  EXPECT_EQ(
      made.error().message(),
      "kv:store: the state of 1.0 cannot become one of 2.0: field a is gone; field b is gone");
}

}  // namespace
}  // namespace baton::takeover
