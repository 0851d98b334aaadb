#include "baton/output.h"

#include <gtest/gtest.h>

namespace baton::cli {
namespace {

namespace json = boost::json;

// baton status showed a probation as "9.29151965E2 of 3E4 ms".
TEST(Output, ADurationIsShownInPeoplesUnits) {
  EXPECT_EQ(duration_cell(929.151965), "929ms");
  EXPECT_EQ(duration_cell(30000.0), "30s");
  EXPECT_EQ(duration_cell(90500.7), "1m30s");
  EXPECT_EQ(duration_cell(600000), "10m");
  EXPECT_EQ(duration_cell(0.4), "0ms");
}

TEST(Output, ANumberIsShownWithoutAnExponent) {
  EXPECT_EQ(cell(json::value(929.151965)), "929.152");
  EXPECT_EQ(cell(json::value(3e4)), "30000");
  EXPECT_EQ(cell(json::value(0.5)), "0.5");
  EXPECT_EQ(cell(json::value(100)), "100");
}

}  // namespace
}  // namespace baton::cli
