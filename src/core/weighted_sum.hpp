// Sums values times weights exactly, with whole numbers where the decimals are short, as those of
// sliders are. What does not fit is left to the caller's own arithmetic.
#pragma once

#include <cstdint>
#include <string>

namespace entitle {

constexpr int kShortPlaces = 6;

// A decimal of at most six places and below 10^8, not negative.
struct ShortDecimal {
    std::int64_t millionths = 0;
    int places = 0; // as written: 2.50 has two
};

// Aligned as PostgreSQL's memory is, which is less than the compiler would like. __int128 is of g++
// and clang++ on 64-bit machines.
typedef unsigned __int128 WideSum __attribute__((aligned(8)));

class WeightedSum {
  public:
    void add(const ShortDecimal &value, const ShortDecimal &weight) noexcept;

    bool is_empty() const noexcept { return count_ == 0; }

    // The sums as decimals, with as many places as adding the products and the weights would give.
    std::string products() const;
    std::string weights() const;

  private:
    WideSum products_ = 0; // 10^-12
    WideSum weights_ = 0;  // 10^-6
    std::int64_t count_ = 0;
    int product_places_ = 0;
    int weight_places_ = 0;
};

} // namespace entitle
