// Exact sums of short decimals.
#include "core/weighted_sum.hpp"

#include <algorithm>

#include "core/pure.hpp"

namespace entitle {

namespace {

constexpr int kPlaces = kShortPlaces;

std::string to_text(unsigned __int128 number, int scale, int places) {
    std::string digits;
    for (int i = 0; i < scale || number > 0; ++i) {
        // Places that were never written are zeros.
        if (i >= scale - places) {
            digits += static_cast<char>('0' + static_cast<int>(number % 10));
        }
        number /= 10;
        if (i == scale - 1 && places > 0) {
            digits += '.';
        }
    }
    if (digits.empty() || digits.back() == '.') {
        digits += '0';
    }
    std::reverse(digits.begin(), digits.end());
    return digits;
}

} // namespace

void WeightedSum::add(const ShortDecimal &value, const ShortDecimal &weight) noexcept {
    products_ += static_cast<unsigned __int128>(value.millionths) *
                 static_cast<unsigned __int128>(weight.millionths);
    weights_ += static_cast<unsigned __int128>(weight.millionths);
    product_places_ = std::max(product_places_, value.places + weight.places);
    weight_places_ = std::max(weight_places_, weight.places);
    ++count_;
}

std::string WeightedSum::products() const {
    return to_text(products_, 2 * kPlaces, product_places_);
}

std::string WeightedSum::weights() const { return to_text(weights_, kPlaces, weight_places_); }

} // namespace entitle
