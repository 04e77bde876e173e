// Between Datums and core's values. Nothing here fails on a strange value: what cannot be a brand,
// a customer or a date is none, and none is denied.
#pragma once

#include "pg/boundary/postgres.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/access.hpp"
#include "pg/boundary/copy_out.hpp"

namespace entitle::pg {

// The kinds of key a customer or brand column may hold; its type says which (interface.md). A
// number stands for customer_id or brand_id, whatever its type; a text, a padded text (char(n)) and
// an enum's label for customer_code or brand_code, byte for byte (R4).
enum class KeyType { none, integer, numeric, uuid, text, padded, label };

// Requires: no domain, but what it is over. regime: C
KeyType key_type_of(Oid type);

// A key out of its Datum: a number (integer), the bytes of a uuid, or a code (text), good as long
// as the Datum and the current memory context; none is no key of anything.
struct PlainKey {
    KeyType type = KeyType::none;
    std::int64_t number = 0;
    std::string_view bytes{};
};

// Reads a key of any of the types; NULL is none. Requires: no domain. regime: C
PlainKey read_key(NullableDatum value, Oid type);

// The other way round: a value of the type that stands for the key, NULL where there is none, such
// as a code that is no label of the enum. Requires: no domain. regime: C
NullableDatum make_key(const PlainKey &key, Oid type);

// Reads smallint, integer or bigint. Returns: none for NULL and other types.
inline std::optional<std::int64_t> integer_value(NullableDatum value, Oid type) noexcept {
    if (value.isnull) {
        return std::nullopt;
    }
    switch (type) {
    case INT2OID:
        return DatumGetInt16(value.value);
    case INT4OID:
        return DatumGetInt32(value.value);
    case INT8OID:
        return DatumGetInt64(value.value);
    default:
        return std::nullopt;
    }
}

// Reads timestamp (its own date) or timestamptz (its date in the business time zone); infinities
// saturate.
std::optional<Day> moment_day(Timestamp moment, Oid type);

// The same for every date type. Asked for every row, hence inline.
inline std::optional<Day> day_value(NullableDatum value, Oid type) {
    if (value.isnull) {
        return std::nullopt;
    }
    return type == DATEOID ? DatumGetDateADT(value.value) // its infinities are core's
                           : moment_day(DatumGetTimestamp(value.value), type);
}

// Returns: the start of a day as a value of a date type, saturated; for timestamptz no later than
// that in any time zone.
Datum day_start(Day day, Oid type) noexcept;

// Returns: an argument's text without copying when it is not compressed; empty view for NULL.
// regime: C
std::optional<std::string_view> text_argument(FunctionCallInfo fcinfo, int number);
std::optional<std::int64_t> bigint_argument(FunctionCallInfo fcinfo, int number) noexcept;
inline NullableDatum argument(FunctionCallInfo fcinfo, int number) noexcept {
    return fcinfo->args[number];
}

// The declared type of an argument; the actual one where it is declared "any". regime: C
Oid argument_type(FunctionCallInfo fcinfo, int number);

// Build texts and arrays. regime: C
inline Datum text_datum(std::string_view value) {
    return PointerGetDatum(cstring_to_text_with_len(value.data(), static_cast<int>(value.size())));
}
Datum bigint_array(const PlainIds &ids);
Datum text_array(const PlainTexts &texts);

} // namespace entitle::pg
