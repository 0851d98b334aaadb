#include "module/scalar.h"

#include <baton/abi.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>

namespace baton::module {
namespace {

TEST(Scalar, WidensExactlyWhatKeepsEveryValue) {
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

template <class T>
std::uint8_t code_of() {
  if constexpr (std::is_floating_point_v<T>)
    return sizeof(T) == 4 ? BATON_SCALAR_F32 : BATON_SCALAR_F64;
  constexpr std::uint8_t kSigned[] = {BATON_SCALAR_I8, BATON_SCALAR_I16, BATON_SCALAR_I32,
                                      BATON_SCALAR_I64};
  constexpr std::uint8_t kUnsigned[] = {BATON_SCALAR_U8, BATON_SCALAR_U16, BATON_SCALAR_U32,
                                        BATON_SCALAR_U64};
  const int place = std::countr_zero(sizeof(T));
  return std::is_signed_v<T> ? kSigned[place] : kUnsigned[place];
}

// Converts as a take-over would: to an enumeration with fewer enumerators only its own. Nothing:
// refused.
template <class From, class To>
std::optional<To> converted(const std::string&, From value, const std::string& to_type) {
  To out{};
  if (!convert(code_of<From>(), &value, code_of<To>(), &out, enumerator_values(to_type))) {
    EXPECT_EQ(out, To{}) << "a refused conversion writes nothing";
    return std::nullopt;
  }
  return out;
}

TEST(Scalar, ConvertsWideningAlwaysAndNarrowingIfTheValueFits) {
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

}  // namespace
}  // namespace baton::module
