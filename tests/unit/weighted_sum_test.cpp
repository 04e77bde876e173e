// Claim: short decimals are read and summed exactly, and everything else is told apart.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "core/weighted_sum.hpp"

namespace {

using namespace entitle;

// The stored form with a short header: digits of base 10000, the first worth 10000^weight.
std::string stored(int places, int weight, const std::vector<std::int16_t> &digits,
                   bool is_negative = false) {
    std::uint16_t header = static_cast<std::uint16_t>(0x8000 | (is_negative ? 0x2000 : 0) |
                                                      (places << 7) | (weight & 0x7F));
    std::string bytes(reinterpret_cast<const char *>(&header), sizeof(header));
    for (const std::int16_t digit : digits) {
        bytes.append(reinterpret_cast<const char *>(&digit), sizeof(digit));
    }
    return bytes;
}

std::optional<ShortDecimal> read(const std::string &bytes) {
    return read_decimal(bytes.data(), bytes.size());
}

TEST(ReadDecimal, ReadsShortOnes) {
    EXPECT_EQ(read(stored(0, 0, {}))->millionths, 0);
    EXPECT_EQ(read(stored(0, 0, {42}))->millionths, 42000000);
    EXPECT_EQ(read(stored(2, 0, {2, 5000}))->millionths, 2500000);
    EXPECT_EQ(read(stored(2, 0, {2, 5000}))->places, 2);
    EXPECT_EQ(read(stored(6, -1, {1234, 5600}))->millionths, 123456);
    EXPECT_EQ(read(stored(6, -2, {100}))->millionths, 1);
    EXPECT_EQ(read(stored(0, 1, {9999, 9999}))->millionths, INT64_C(99999999000000));
    EXPECT_EQ(read(stored(0, 1, {1}))->millionths, INT64_C(10000000000));
}

TEST(ReadDecimal, LeavesTheRestToOthers) {
    EXPECT_FALSE(read(""));
    EXPECT_FALSE(read(stored(0, 0, {1}, true))) << "negative";
    EXPECT_FALSE(read(stored(7, -2, {1}))) << "seven places";
    EXPECT_FALSE(read(stored(6, -2, {101}))) << "more digits than places";
    EXPECT_FALSE(read(stored(0, 2, {1}))) << "10^8";
    EXPECT_FALSE(read(stored(6, -3, {1})));
    for (const std::uint16_t special : {0xC000, 0xD000, 0xF000}) {
        EXPECT_FALSE(read(std::string(reinterpret_cast<const char *>(&special), 2)))
            << "NaN, infinities";
    }
    EXPECT_FALSE(read(stored(0, 0, {10000})));
    EXPECT_FALSE(read(stored(0, 0, {-1})));
}

TEST(ReadDecimal, ReadsTheLongHeaderToo) {
    const std::uint16_t header[] = {2, 0, 7, 2500};
    std::string bytes(sizeof(header), '\0');
    std::memcpy(bytes.data(), header, sizeof(header));
    EXPECT_EQ(read(bytes)->millionths, 7250000);
    EXPECT_EQ(read(bytes)->places, 2);
    EXPECT_FALSE(read(bytes.substr(0, 3)));
}

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
