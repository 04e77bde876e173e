// Keys of customers and brands, of whatever type, taken out of Datums and put into them.
#include "pg/boundary/postgres.hpp"

#include "pg/datum/datum.hpp"

extern "C" {
#include "catalog/pg_enum.h"
#include "parser/parse_coerce.h"
#include "utils/numeric.h"
}

#include <charconv>

namespace entitle::pg {

namespace {

std::string_view bytes_of(const text *value) {
    return {VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))};
}

// Returns: none for a number that no bigint is equal to.
std::optional<std::int64_t> whole_number(Datum number) {
    const char *digits = numeric_normalize(DatumGetNumeric(number)); // 12.00 is 12
    const char *end = digits + strlen(digits);
    std::int64_t whole = 0;
    const std::from_chars_result read = std::from_chars(digits, end, whole);
    return read.ec == std::errc() && read.ptr == end ? std::optional<std::int64_t>(whole)
                                                     : std::nullopt;
}

// Returns: a null pointer for a label that is not there any more.
const char *label_name(Oid label) {
    HeapTuple tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(label));
    if (!HeapTupleIsValid(tuple)) {
        return nullptr;
    }
    const char *name =
        pstrdup(NameStr(reinterpret_cast<Form_pg_enum>(GETSTRUCT(tuple))->enumlabel));
    ReleaseSysCache(tuple);
    return name;
}

NullableDatum find_label(std::string_view code, Oid type) {
    if (code.size() >= NAMEDATALEN) {
        return NullableDatum{Datum(0), true};
    }
    const char *name = pnstrdup(code.data(), code.size());
    const Oid label = GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid, ObjectIdGetDatum(type),
                                      CStringGetDatum(name));
    return NullableDatum{ObjectIdGetDatum(label), !OidIsValid(label)};
}

Datum integer_datum(std::int64_t number, Oid type) {
    return type == INT8OID   ? Int64GetDatum(number)
           : type == INT4OID ? Int32GetDatum(static_cast<std::int32_t>(number))
                             : Int16GetDatum(static_cast<std::int16_t>(number));
}

bool fits(std::int64_t number, Oid type) noexcept {
    return type == INT8OID || (type == INT4OID ? number >= PG_INT32_MIN && number <= PG_INT32_MAX
                                               : number >= PG_INT16_MIN && number <= PG_INT16_MAX);
}

} // namespace

KeyType key_type_of(Oid type) {
    switch (type) {
    case INT2OID:
    case INT4OID:
    case INT8OID:
        return KeyType::integer;
    case UUIDOID:
        return KeyType::uuid;
    case TEXTOID:
    case VARCHAROID:
        return KeyType::text;
    case BPCHAROID:
        return KeyType::padded;
    case NUMERICOID:
        return KeyType::numeric;
    default:
        // citext and its like are stored as text is.
        return !OidIsValid(type)                   ? KeyType::none
               : get_typtype(type) == TYPTYPE_ENUM ? KeyType::label
               : IsBinaryCoercible(type, TEXTOID)  ? KeyType::text
                                                   : KeyType::none;
    }
}

PlainKey read_key(NullableDatum value, Oid type) {
    if (value.isnull) {
        return PlainKey{};
    }
    switch (key_type_of(type)) {
    case KeyType::integer:
        return PlainKey{KeyType::integer, *integer_value(value, type), {}};
    case KeyType::numeric: {
        const auto number = whole_number(value.value);
        return number ? PlainKey{KeyType::integer, *number, {}} : PlainKey{};
    }
    case KeyType::uuid:
        return PlainKey{
            KeyType::uuid,
            0,
            {reinterpret_cast<const char *>(DatumGetUUIDP(value.value)->data), UUID_LEN}};
    case KeyType::text:
        return PlainKey{KeyType::text, 0, bytes_of(DatumGetTextPP(value.value))};
    case KeyType::padded: {
        const std::string_view padded = bytes_of(DatumGetTextPP(value.value));
        const int length =
            bpchartruelen(const_cast<char *>(padded.data()), static_cast<int>(padded.size()));
        return PlainKey{KeyType::text, 0, padded.substr(0, static_cast<std::size_t>(length))};
    }
    case KeyType::label: {
        const char *label = label_name(DatumGetObjectId(value.value));
        return label == nullptr ? PlainKey{} : PlainKey{KeyType::text, 0, label};
    }
    case KeyType::none:
        break;
    }
    return PlainKey{};
}

NullableDatum make_key(const PlainKey &key, Oid type) {
    constexpr NullableDatum kNone{Datum(0), true};
    switch (key_type_of(type)) {
    case KeyType::integer:
        return key.type == KeyType::integer && fits(key.number, type)
                   ? NullableDatum{integer_datum(key.number, type), false}
                   : kNone;
    case KeyType::numeric:
        return key.type == KeyType::integer
                   ? NullableDatum{NumericGetDatum(int64_to_numeric(key.number)), false}
                   : kNone;
    case KeyType::uuid: {
        if (key.type != KeyType::uuid || key.bytes.size() != UUID_LEN) {
            return kNone;
        }
        auto *uuid = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
        key.bytes.copy(reinterpret_cast<char *>(uuid->data), UUID_LEN);
        return NullableDatum{UUIDPGetDatum(uuid), false};
    }
    case KeyType::text:
    case KeyType::padded:
        return key.type == KeyType::text ? NullableDatum{text_datum(key.bytes), false} : kNone;
    case KeyType::label:
        return key.type == KeyType::text ? find_label(key.bytes, type) : kNone;
    case KeyType::none:
        break;
    }
    return kNone;
}

} // namespace entitle::pg
