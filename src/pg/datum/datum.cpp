// Values in and out.
#include "pg/boundary/postgres.hpp"

#include "pg/datum/business_day.hpp"
#include "pg/datum/datum.hpp"

#include <algorithm>
#include <new>

namespace entitle::pg {

void *allocate(std::size_t size) {
    void *memory = AllocHugeSizeIsValid(size)
                       ? palloc_extended(size, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM)
                       : nullptr;
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}

std::optional<Day> moment_day(Timestamp moment, Oid type) {
    if (type != TIMESTAMPOID && type != TIMESTAMPTZOID) {
        return std::nullopt;
    }
    if (TIMESTAMP_IS_NOBEGIN(moment)) {
        return kFirstDay;
    }
    if (TIMESTAMP_IS_NOEND(moment)) {
        return kLastDay;
    }
    if (type == TIMESTAMPTZOID) {
        return business_date(moment);
    }
    // Floor division: a moment before 2000 belongs to the day it lies in.
    const std::int64_t days = moment / USECS_PER_DAY - (moment % USECS_PER_DAY < 0 ? 1 : 0);
    return static_cast<Day>(days);
}

Datum day_start(Day day, Oid type) noexcept {
    // A timestamp has no room for the first days of a date, nor for the last.
    constexpr Day kFirstTimestampDay = -2451545;
    constexpr Day kLastTimestampDay = 106741034;
    if (type == DATEOID) {
        return DateADTGetDatum(day);
    }
    if (day <= kFirstTimestampDay + 1) {
        return TimestampGetDatum(DT_NOBEGIN);
    }
    if (day >= kLastTimestampDay) {
        return TimestampGetDatum(DT_NOEND);
    }
    // Every time zone is less than a day away from UTC.
    const Day start = type == TIMESTAMPTZOID ? day - 1 : day;
    return TimestampGetDatum(static_cast<Timestamp>(start) * USECS_PER_DAY);
}

std::optional<std::string_view> text_argument(FunctionCallInfo fcinfo, int number) {
    if (number >= PG_NARGS() || PG_ARGISNULL(number)) {
        return std::nullopt;
    }
    text *value = PG_GETARG_TEXT_PP(number);
    return std::string_view(VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value)));
}

std::optional<std::int64_t> bigint_argument(FunctionCallInfo fcinfo, int number) noexcept {
    if (number >= PG_NARGS() || PG_ARGISNULL(number)) {
        return std::nullopt;
    }
    return PG_GETARG_INT64(number);
}

Oid argument_type(FunctionCallInfo fcinfo, int number) {
    Oid *types = nullptr;
    int count = 0;
    (void)get_func_signature(fcinfo->flinfo->fn_oid, &types, &count);
    const Oid declared = number < count ? types[number] : InvalidOid;
    if (declared != ANYOID) {
        return declared;
    }
    const Oid actual = get_fn_expr_argtype(fcinfo->flinfo, number);
    return OidIsValid(actual) ? getBaseType(actual) : InvalidOid;
}

const char *copy_text(std::string_view value) {
    auto *copy = static_cast<char *>(allocate(value.size() + 1));
    value.copy(copy, value.size());
    copy[value.size()] = '\0';
    return copy;
}

PlainIds copy_out(const std::vector<std::int64_t> &values) {
    PlainIds ids;
    if (!values.empty()) {
        ids.values = static_cast<std::int64_t *>(allocate(values.size() * sizeof(std::int64_t)));
        ids.count = values.size();
        std::copy(values.begin(), values.end(), ids.values);
    }
    return ids;
}

PlainTexts copy_out(const std::vector<std::string> &values) {
    PlainTexts texts;
    if (!values.empty()) {
        texts.values = static_cast<Datum *>(allocate(values.size() * sizeof(Datum)));
        for (const std::string &value : values) {
            auto *copy = static_cast<text *>(allocate(VARHDRSZ + value.size()));
            SET_VARSIZE(copy, VARHDRSZ + value.size());
            value.copy(VARDATA(copy), value.size());
            texts.values[texts.count++] = PointerGetDatum(copy);
        }
    }
    return texts;
}

Datum text_array(const PlainTexts &texts) {
    return PointerGetDatum(construct_array(texts.values, static_cast<int>(texts.count), TEXTOID, -1,
                                           false, TYPALIGN_INT));
}

Datum bigint_array(const PlainIds &ids) {
    const auto *values = ids.values;
    const std::size_t count = ids.count;
    // A bigint array without NULLs is its header and the plain numbers.
    const Size size = ARR_OVERHEAD_NONULLS(1) + count * sizeof(std::int64_t);
    if (count == 0) {
        return PointerGetDatum(construct_empty_array(INT8OID));
    }
    if (!AllocSizeIsValid(size)) {
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("too many customers for one array")));
    }
    auto *array = static_cast<ArrayType *>(palloc(size));
    SET_VARSIZE(array, size);
    array->ndim = 1;
    array->dataoffset = 0;
    array->elemtype = INT8OID;
    ARR_DIMS(array)[0] = static_cast<int>(count);
    ARR_LBOUND(array)[0] = 1;
    memcpy(ARR_DATA_PTR(array), values, count * sizeof(std::int64_t));
    return PointerGetDatum(array);
}

} // namespace entitle::pg
