#include "module/schema.h"

#include "module/note.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

namespace baton::module {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Kind {
  std::uint8_t scalar;
  std::uint32_t size;
};
Kind kind_of(const std::string& text) {
  const std::string base =
      text.starts_with("enum(") ? text.substr(5, text.find_first_of(":)") - 5) : text;
  const std::pair<const char*, Kind> rows[] = {
      {"i8", {BATON_SCALAR_I8, 1}},    {"i16", {BATON_SCALAR_I16, 2}},
      {"i32", {BATON_SCALAR_I32, 4}},  {"i64", {BATON_SCALAR_I64, 8}},
      {"u8", {BATON_SCALAR_U8, 1}},    {"u16", {BATON_SCALAR_U16, 2}},
      {"u32", {BATON_SCALAR_U32, 4}},  {"u64", {BATON_SCALAR_U64, 8}},
      {"f32", {BATON_SCALAR_F32, 4}},  {"f64", {BATON_SCALAR_F64, 8}},
      {"bool", {BATON_SCALAR_BOOL, 1}}};
  for (const auto& [name, kind] : rows)
    if (base == name) return kind;
  return {BATON_SCALAR_NONE, 32};
}

FieldDescription field(const std::string& name, const std::string& type,
                       const std::string& renamed_from = "", std::uint8_t flags = 0) {
  const Kind kind = kind_of(type);
  return {name,        std::hash<std::string>()(type), type, 0, kind.size, kind.scalar, flags,
          renamed_from};
}

SchemaDescription schema(std::vector<FieldDescription> fields) {
  SchemaDescription s;
  s.name = "state";
  s.align = 8;
  std::string text;
  for (FieldDescription& f : fields) {
    f.offset = s.size;
    s.size += 32;
    text += f.name + f.type_text;
  }
  s.fingerprint = std::hash<std::string>()(text);
  s.fields = std::move(fields);
  return s;
}

std::vector<std::string> texts(const Migration& migration) {
  std::vector<std::string> all;
  for (const FieldAction& a : migration.actions) all.push_back(a.text);
  return all;
}

TEST(Schema, AnEqualFingerprintIsAdopted) {
  const auto s = schema({field("a", "i64")});
  const Migration m = compare(s, s, Direction::kUp);
  EXPECT_EQ(m.outcome, Outcome::kAdopt);
  EXPECT_TRUE(m.actions.empty());
}

TEST(Schema, EachFieldIsCopiedMovedConvertedOrFreshByItsName) {
  const auto older =
      schema({field("count", "i32"), field("names", "vector<string>"), field("on", "bool")});
  const auto newer = schema({field("names", "vector<string>"), field("count", "i64"),
                             field("on", "bool"), field("limit", "u32")});

  const Migration m = compare(older, newer, Direction::kUp);

  EXPECT_EQ(m.outcome, Outcome::kMigrate);
  EXPECT_EQ(m.hook, Hook::kNone);
  EXPECT_THAT(texts(m), ElementsAre("names: vector<string> moved", "count: i32 -> i64 converted",
                                    "on: bool copied", "limit: u32 with its default"));
  EXPECT_EQ(m.actions[0].from, 1u);
  EXPECT_EQ(m.actions[0].to, 0u);
  EXPECT_EQ(m.actions[3].from, kNoField);
  EXPECT_FALSE(m.actions[1].is_checked);
}

TEST(Schema, TheWayDownChecksNarrowingsAndNamesWhatWouldBeLost) {
  const auto older = schema({field("count", "i32"), field("gone", "string")});
  auto newer = schema({field("count", "i64"), field("expiry", "map<string,i64>"),
                       field("hits", "u64", "", BATON_FIELD_DISPOSABLE)});
  newer.dropped = {"gone"};

  const Migration m = compare(newer, older, Direction::kDown);

  EXPECT_EQ(m.outcome, Outcome::kMigrate);
  EXPECT_THAT(
      texts(m),
      ElementsAre("count: i64 -> i32 converted if the value fits", "gone: string with its default",
                  "expiry: map<string,i64> lost unless it is at its default", "hits: u64 dropped"));
  EXPECT_TRUE(m.actions[0].is_checked);
  EXPECT_TRUE(m.actions[2].is_lossy);
  EXPECT_FALSE(m.actions[3].is_lossy);
}

TEST(Schema, ARenamedFieldIsFoundBothWays) {
  const auto older = schema({field("total", "i64"), field("other", "i64")});
  const auto newer = schema({field("other", "i64"), field("sum", "i64", "total")});

  const Migration up = compare(older, newer, Direction::kUp);
  const Migration down = compare(newer, older, Direction::kDown);

  EXPECT_THAT(texts(up), ElementsAre("other: i64 copied", "sum (was total): i64 copied"));
  EXPECT_THAT(texts(down), ElementsAre("total (was sum): i64 copied", "other: i64 copied"));
  EXPECT_EQ(up.outcome, Outcome::kMigrate);
  EXPECT_EQ(down.outcome, Outcome::kMigrate);
}

TEST(Schema, AFieldThatDisappearsUndeclaredIsRefused) {
  const auto older = schema({field("a", "i64"), field("b", "string")});
  auto newer = schema({field("a", "i64")});

  const Migration undeclared = compare(older, newer, Direction::kUp);
  newer.dropped = {"b"};
  const Migration declared = compare(older, newer, Direction::kUp);

  EXPECT_EQ(undeclared.outcome, Outcome::kImpossible);
  EXPECT_THAT(undeclared.reasons,
              ElementsAre(HasSubstr("field b is gone; cure: declare it dropped")));
  EXPECT_EQ(declared.outcome, Outcome::kMigrate);
}

TEST(Schema, AChangedTypeNeedsTheNewerVersionsHookEachWay) {
  const auto older = schema({field("data", "map<string,string>")});
  auto newer = schema({field("data", "map<string,variant<string,list>>")});
  EXPECT_EQ(compare(older, newer, Direction::kUp).outcome, Outcome::kImpossible);

  newer.has_change = true;
  const Migration up = compare(older, newer, Direction::kUp);
  const Migration down = compare(newer, older, Direction::kDown);

  EXPECT_EQ(up.outcome, Outcome::kMigrate);
  EXPECT_EQ(up.hook, Hook::kChange);
  EXPECT_EQ(up.actions[0].step, FieldStep::kHook);
  EXPECT_EQ(down.outcome, Outcome::kImpossible);
  EXPECT_THAT(down.reasons, ElementsAre(HasSubstr("code_revert")));
  newer.has_revert = true;
  EXPECT_EQ(compare(newer, older, Direction::kDown).hook, Hook::kRevert);
}

TEST(Schema, AHookOfTheOlderVersionIsNeverUsed) {
  auto older = schema({field("data", "string")});
  const auto newer = schema({field("data", "i64")});
  older.has_change = older.has_revert = true;
  EXPECT_EQ(compare(older, newer, Direction::kUp).outcome, Outcome::kImpossible);
  EXPECT_EQ(compare(newer, older, Direction::kDown).outcome, Outcome::kImpossible);
}

TEST(Schema, WidensExactlyWhatKeepsEveryValue) {
  const char* scalars[] = {"bool", "i8",  "i16", "i32", "i64", "u8",
                           "u16",  "u32", "u64", "f32", "f64"};
  const std::string wide[] = {"i8 i16",  "i8 i32",  "i8 i64",  "i16 i32", "i16 i64",
                              "i32 i64", "u8 u16",  "u8 u32",  "u8 u64",  "u16 u32",
                              "u16 u64", "u32 u64", "u8 i16",  "u8 i32",  "u8 i64",
                              "u16 i32", "u16 i64", "u32 i64", "f32 f64"};
  for (std::string from : scalars)
    for (std::string to : scalars)
      EXPECT_EQ(is_widening(from, to),
                std::find(std::begin(wide), std::end(wide), from + " " + to) != std::end(wide))
          << from << " " << to;
  EXPECT_TRUE(is_widening("enum(i32:red=0)", "enum(i32:red=0,green=1)"));
  EXPECT_TRUE(is_widening("enum(u8:red=0)", "enum(i32:green=-1,red=0)"));
  EXPECT_TRUE(is_widening("enum(u8)", "enum(u8:red=0)"));
  EXPECT_FALSE(is_widening("enum(i32:red=0,green=1)", "enum(i32:red=0)"));
  EXPECT_FALSE(is_widening("enum(i32:red=0)", "enum(i32:red=1)"));
  EXPECT_FALSE(is_widening("enum(i32:red=0)", "enum(u8:red=0,green=1)"));
  EXPECT_FALSE(is_widening("enum(i32:red=0)", "i64"));
  EXPECT_FALSE(is_widening("i32", "enum(i64:red=0)"));
  EXPECT_FALSE(is_widening("enum(i32:red=)", "enum(i32:red=0)"));
  EXPECT_FALSE(is_widening("vector<i32>", "vector<i64>"));
}

// Converts as a take-over would: from this value and type, checked when the types narrow. Nothing:
// refused.
template <class From, class To>
std::optional<To> converted(const std::string& from_type, From value, const std::string& to_type) {
  const auto from = schema({field("x", from_type)}), to = schema({field("x", to_type)});
  const Migration m =
      compare(from, to, is_widening(from_type, to_type) ? Direction::kUp : Direction::kDown);
  EXPECT_EQ(m.actions.at(0).step, FieldStep::kConvert);
  To out{};
  if (!convert(m.actions[0], from.fields[0], &value, to.fields[0], &out)) {
    EXPECT_EQ(out, To{}) << "a refused conversion writes nothing";
    return std::nullopt;
  }
  return out;
}

TEST(Schema, ConvertsWideningAlwaysAndNarrowingIfTheValueFits) {
  EXPECT_EQ((converted<std::int8_t, std::int64_t>("i8", -7, "i64")), -7);
  EXPECT_EQ((converted<std::uint32_t, std::int64_t>("u32", 0xffffffffu, "i64")), 0xffffffffll);
  EXPECT_EQ((converted<std::int64_t, std::int8_t>("i64", -128, "i8")), -128);
  EXPECT_EQ((converted<std::int64_t, std::int8_t>("i64", -129, "i8")), std::nullopt);
  EXPECT_EQ((converted<std::int64_t, std::uint8_t>("i64", 255, "u8")), 255);
  EXPECT_EQ((converted<std::int64_t, std::uint8_t>("i64", -1, "u8")), std::nullopt);
  EXPECT_EQ((converted<std::uint64_t, std::uint32_t>("u64", 1ull << 32, "u32")), std::nullopt);
  EXPECT_EQ((converted<float, double>("f32", 0.1f, "f64")), double{0.1f});
  EXPECT_EQ((converted<double, float>("f64", 0.5, "f32")), 0.5f);
  EXPECT_EQ((converted<double, float>("f64", 0.1, "f32")), std::nullopt);
  EXPECT_EQ((converted<double, float>("f64", 1e300, "f32")), std::nullopt);
  EXPECT_EQ((converted<double, float>("f64", -std::numeric_limits<double>::infinity(), "f32")),
            -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(*converted<double, float>("f64", std::nan(""), "f32")));
  EXPECT_EQ((converted<std::int32_t, std::int32_t>("enum(i32:a=0,b=1)", 0, "enum(i32:a=0)")), 0);
  EXPECT_EQ((converted<std::int32_t, std::int32_t>("enum(i32:a=2,b=1)", 1, "enum(i32:a=2)")),
            std::nullopt);
}

TEST(Schema, ABehaviourThatCannotKeepItsStateIsRestarted) {
  ModuleNote from, to;
  from.version = "1", to.version = "2";
  from.behaviours = {{"gone", BATON_GEN_SERVER, "", schema({field("a", "i64")}), {}},
                     {"loop", BATON_PROCESS, "", std::nullopt, {}},
                     {"kept", BATON_GEN_SERVER, "", schema({field("a", "i64")}), {}}};
  to.behaviours = {{"loop", BATON_PROCESS, "", std::nullopt, {}},
                   {"kept", BATON_GEN_SERVER, "", schema({field("a", "i64")}), {}},
                   {"new", BATON_PROCESS, "", std::nullopt, {}}};

  const auto all = compare(from, to, Direction::kUp);

  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].migration.outcome, Outcome::kRestart);
  EXPECT_THAT(all[0].migration.reasons, ElementsAre("version 2 has no behaviour gone"));
  EXPECT_EQ(all[1].migration.outcome, Outcome::kRestart);
  EXPECT_EQ(all[2].migration.outcome, Outcome::kAdopt);
}

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
