// PostgreSQL offers no whole number of a numeric, so its stored bytes are read.
#include "pg/boundary/postgres.hpp"

#include "pg/datum/decimal.hpp"

#include <cstring>

namespace entitle::pg {

namespace {

constexpr int kDigitBase = 10000;

// The stored form: a header of two bytes, or four, then digits of base 10000. It is what
// pg_upgrade carries from one version to the next, so it does not change.
constexpr unsigned kKindMask = 0xC000;
constexpr unsigned kShort = 0x8000;
constexpr unsigned kSpecial = 0xC000;
constexpr unsigned kNegative = 0x4000;
constexpr unsigned kShortNegative = 0x2000;
constexpr unsigned kShortPlacesMask = 0x1F80;
constexpr int kShortPlacesShift = 7;
constexpr unsigned kShortWeightSign = 0x0040;
constexpr unsigned kShortWeightMask = 0x003F;
constexpr unsigned kLongPlacesMask = 0x3FFF;

std::optional<ShortDecimal> read_decimal(const char *bytes, std::size_t size) noexcept {
    std::uint16_t header = 0;
    if (size < sizeof(header)) {
        return std::nullopt;
    }
    std::memcpy(&header, bytes, sizeof(header));
    std::size_t at = sizeof(header);
    ShortDecimal decimal;
    int weight = 0;
    bool is_negative = false;
    if ((header & kKindMask) == kSpecial) {
        return std::nullopt;
    }
    if ((header & kKindMask) == kShort) {
        is_negative = (header & kShortNegative) != 0;
        decimal.places = static_cast<int>((header & kShortPlacesMask) >> kShortPlacesShift);
        weight = static_cast<int>(header & kShortWeightMask);
        weight -= (header & kShortWeightSign) != 0 ? static_cast<int>(kShortWeightSign) : 0;
    } else {
        std::int16_t long_weight = 0;
        if (size < at + sizeof(long_weight)) {
            return std::nullopt;
        }
        std::memcpy(&long_weight, bytes + at, sizeof(long_weight));
        at += sizeof(long_weight);
        is_negative = (header & kKindMask) == kNegative;
        decimal.places = static_cast<int>(header & kLongPlacesMask);
        weight = long_weight;
    }
    // Two digits before the point, and two behind it, of which the last must leave six places. A
    // sum has room for more products of such numbers than there can be rows.
    if (is_negative || decimal.places > kShortPlaces || weight > 1) {
        return std::nullopt;
    }
    for (; at + sizeof(std::int16_t) <= size; at += sizeof(std::int16_t), --weight) {
        std::int16_t digit = 0;
        std::memcpy(&digit, bytes + at, sizeof(digit));
        if (digit < 0 || digit >= kDigitBase) {
            return std::nullopt;
        }
        if (weight < -2 || (weight == -2 && digit % 100 != 0)) {
            return std::nullopt;
        }
        switch (weight) {
        case 1:
            decimal.millionths += digit * INT64_C(10000000000);
            break;
        case 0:
            decimal.millionths += digit * INT64_C(1000000);
            break;
        case -1:
            decimal.millionths += digit * INT64_C(100);
            break;
        default:
            decimal.millionths += digit / 100;
            break;
        }
    }
    return decimal;
}

} // namespace

std::optional<ShortDecimal> short_decimal(Datum number) {
    auto *stored = PG_DETOAST_DATUM_PACKED(number);
    return read_decimal(VARDATA_ANY(stored), VARSIZE_ANY_EXHDR(stored));
}

} // namespace entitle::pg
