// NOT_MENDED_F: the TEST_F of a defect that is known and not mended yet: it has to fail.
//
// The suite is the defect's row in the list of known defects, the name says what should hold. ctest
// knows it as Defect.ROW.Name and runs it by expected_failure.py: that fails when the test passes,
// until the mark is TEST_F, in the commit that mends the defect.
#pragma once

#include <gtest/gtest.h>

#define NOT_MENDED_F(row, claim) TEST_F(row, claim)
