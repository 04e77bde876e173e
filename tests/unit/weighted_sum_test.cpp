// Claim: short decimals are summed exactly.
#include <gtest/gtest.h>

#include "core/weighted_sum.hpp"

namespace {

using namespace entitle;

TEST(WeightedSum, KeepsEveryPlace) {
    WeightedSum sum;
    EXPECT_TRUE(sum.is_empty());
    EXPECT_EQ(sum.products(), "0");
    sum.add(ShortDecimal{50000000, 0}, ShortDecimal{2500000, 2}); // 50 x 2.50
    EXPECT_EQ(sum.products(), "125.00");
    EXPECT_EQ(sum.weights(), "2.50");
    sum.add(ShortDecimal{1, 6}, ShortDecimal{1, 6});
    EXPECT_EQ(sum.products(), "125.000000000001");
    EXPECT_EQ(sum.weights(), "2.500001");
    EXPECT_FALSE(sum.is_empty());
}

TEST(WeightedSum, HoldsManyLargeWeights) {
    WeightedSum sum;
    for (int i = 0; i < 1000; ++i) {
        sum.add(ShortDecimal{100000000, 0}, ShortDecimal{INT64_C(999999999999000000), 0});
    }
    EXPECT_EQ(sum.weights(), "999999999999000");
    EXPECT_EQ(sum.products(), "99999999999900000");
}

} // namespace
