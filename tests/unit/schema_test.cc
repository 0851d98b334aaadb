#include "module/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::module {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A table as a module of a later minor has it: its entries are longer than ours.
struct LongField {
  baton_field field;
  std::uint64_t later[3];
};

int construct(void*, baton_error*) { return 0; }
void destroy(void*) {}
void move(void*, void*) {}

TEST(Schema, IsDescribedFromAModulesTableByItsStride) {
  const LongField fields[] = {
      {{"a", "i64", 1, 0, 8, 8, BATON_SCALAR_I64, 0, nullptr, nullptr, nullptr}, {}},
      {{"b", "string", 2, 8, 32, 8, BATON_SCALAR_NONE, 1, "old_b", move, nullptr}, {}}};
  const char* const dropped[] = {"c", nullptr};
  baton_schema table{sizeof(baton_schema),
                     sizeof(LongField),
                     2,
                     40,
                     8,
                     3,
                     "state",
                     77,
                     &fields[0].field,
                     dropped,
                     construct,
                     destroy,
                     nullptr,
                     nullptr,
                     nullptr,
                     nullptr,
                     nullptr};

  auto described = describe(&table);

  ASSERT_TRUE(described.ok()) << described.error().message();
  EXPECT_EQ(described->fields[1].name, "b");
  EXPECT_EQ(described->fields[1].renamed_from, "old_b");
  EXPECT_THAT(described->dropped, ElementsAre("c"));
  EXPECT_EQ(described->revision, 3u);
  EXPECT_FALSE(described->has_change);

  EXPECT_THAT(describe(nullptr).error().message(), HasSubstr("missing"));
  baton_schema broken = table;
  broken.struct_size = 16;
  EXPECT_THAT(describe(&broken).error().message(), HasSubstr("struct_size 16"));
  broken = table, broken.field_stride = 12;
  EXPECT_THAT(describe(&broken).error().message(), HasSubstr("field_stride 12"));
  broken = table, broken.field_count = kFieldsMax + 1;
  EXPECT_THAT(describe(&broken).error().message(), HasSubstr("field_count"));
  broken = table, broken.destroy = nullptr;
  EXPECT_THAT(describe(&broken).error().message(), HasSubstr("destroy is null"));
  broken = table, broken.size = 24;
  EXPECT_THAT(describe(&broken).error().message(), HasSubstr("leave the state's 24 bytes"));
}

}  // namespace
}  // namespace baton::module
