// Rows and columns of triggers.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/boundary/trigger.hpp"
#include "pg/lending/definer.hpp"
#include "pg/lending/following.hpp"
#include "pg/model/row_trigger.hpp"

extern "C" {
#include "utils/numeric.h"
}

#include "core/name.hpp"

namespace entitle::pg {

namespace {

// The columns that triggers read and that are no text. A name has one type in all of the model.
constexpr struct {
    const char *name;
    Oid type;
} kTypes[] = {
    {"customer_id", INT8OID},      {"customer_uuid", UUIDOID}, {"user_id", INT8OID},
    {"organization_id", INT8OID},  {"brand_id", INT8OID},      {"role_id", INT8OID},
    {"metric_id", INT8OID},        {"membership_id", INT8OID}, {"client_score", NUMERICOID},
    {"scored_at", TIMESTAMPTZOID}, {"value", NUMERICOID},      {"multiplier", NUMERICOID},
    {"days_back", INT4OID},        {"valid_from", DATEOID},    {"valid_until", DATEOID},
    {"db_role", NAMEOID},          {"db_role_oid", OIDOID},    {"is_owner", BOOLOID},
    {"is_active", BOOLOID},        {"adoption_id", INT8OID},   {"role_organization_id", INT8OID},
};

Oid type_of(const char *name) noexcept {
    for (const auto &known : kTypes) {
        if (strcmp(known.name, name) == 0) {
            return known.type;
        }
    }
    return TEXTOID;
}

const AttrNumber *find_typed(FunctionCallInfo fcinfo, const FiredRow &row, const char *const *names,
                             int count, Oid (*expected)(const char *)) {
    if (fcinfo->flinfo->fn_extra == nullptr) {
        auto *numbers = static_cast<AttrNumber *>(
            MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, count * sizeof(AttrNumber)));
        for (int i = 0; i < count; ++i) {
            const Oid type = expected(names[i]);
            numbers[i] = get_attnum(RelationGetRelid(row.data->tg_relation), names[i]);
            if (numbers[i] <= 0 || TupleDescAttr(row.shape, numbers[i] - 1)->atttypid != type) {
                ereport(ERROR,
                        (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                         errmsg("table \"%s\" has no column \"%s\" of type %s",
                                RelationGetRelationName(row.data->tg_relation), names[i],
                                format_type_be(type)),
                         errhint("Triggers of entitle belong on its own tables, as installed.")));
            }
        }
        fcinfo->flinfo->fn_extra = numbers;
    }
    return static_cast<AttrNumber *>(fcinfo->flinfo->fn_extra);
}

} // namespace

FiredRow fired_row(FunctionCallInfo fcinfo) {
    constexpr char kRowTrigger[] = "a row trigger of entitle's own tables";
    const TriggerData *data = require_trigger(fcinfo, kRowTrigger);
    if (!TRIGGER_FIRED_FOR_ROW(data->tg_event)) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("this function is %s", kRowTrigger)));
    }
    FiredRow row{data, RelationGetDescr(data->tg_relation), nullptr, nullptr};
    if (TRIGGER_FIRED_BY_INSERT(data->tg_event)) {
        row.after = data->tg_trigtuple;
    } else if (TRIGGER_FIRED_BY_UPDATE(data->tg_event)) {
        row.before = data->tg_trigtuple;
        row.after = data->tg_newtuple;
    } else {
        row.before = data->tg_trigtuple;
    }
    return row;
}

Datum pass(const FiredRow &row) {
    return PointerGetDatum(row.after == nullptr ? row.before : row.after);
}

const AttrNumber *find_columns(FunctionCallInfo fcinfo, const FiredRow &row,
                               const char *const *names, int count) {
    return find_typed(fcinfo, row, names, count, type_of);
}

const AttrNumber *find_text_columns(FunctionCallInfo fcinfo, const FiredRow &row,
                                    const char *const *names, int count) {
    return find_typed(fcinfo, row, names, count, [](const char *) -> Oid { return TEXTOID; });
}

Datum column(const FiredRow &row, HeapTuple tuple, AttrNumber number, bool *is_null) {
    return heap_getattr(tuple, number, row.shape, is_null);
}

std::int64_t bigint_column(const FiredRow &row, HeapTuple tuple, AttrNumber number,
                           std::int64_t otherwise) {
    bool is_null = false;
    const Datum value = heap_getattr(tuple, number, row.shape, &is_null);
    return is_null ? otherwise : DatumGetInt64(value);
}

std::optional<std::int64_t> id_column(const FiredRow &row, HeapTuple tuple, AttrNumber number) {
    bool is_null = true;
    const Datum value =
        tuple == nullptr ? Datum(0) : heap_getattr(tuple, number, row.shape, &is_null);
    return is_null ? std::nullopt : std::optional<std::int64_t>(DatumGetInt64(value));
}

bool bool_column(const FiredRow &row, HeapTuple tuple, AttrNumber number) {
    bool is_null = false;
    const Datum value = heap_getattr(tuple, number, row.shape, &is_null);
    return !is_null && DatumGetBool(value);
}

const char *text_column(const FiredRow &row, HeapTuple tuple, AttrNumber number) {
    bool is_null = false;
    const Datum value = heap_getattr(tuple, number, row.shape, &is_null);
    return is_null ? nullptr : TextDatumGetCString(value);
}

bool is_changed(const FiredRow &row, AttrNumber number) {
    bool was_null = false;
    bool is_null = false;
    const Datum old_value = heap_getattr(row.before, number, row.shape, &was_null);
    const Datum new_value = heap_getattr(row.after, number, row.shape, &is_null);
    if (was_null || is_null) {
        return was_null != is_null;
    }
    const FormData_pg_attribute &shape = *TupleDescAttr(row.shape, number - 1);
    return !datum_image_eq(old_value, new_value, shape.attbyval, shape.attlen);
}

bool is_between(const FiredRow &row, AttrNumber number, std::int64_t low, const char *high) {
    bool is_null = false;
    const Datum value = column(row, row.after, number, &is_null);
    if (is_null) {
        return true;
    }
    const Datum least = NumericGetDatum(int64_to_numeric(low));
    const Datum most = DirectFunctionCall3(numeric_in, CStringGetDatum(high),
                                           ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
    return DatumGetBool(DirectFunctionCall2(numeric_ge, value, least)) &&
           DatumGetBool(DirectFunctionCall2(numeric_le, value, most));
}

void demand_not_blank(const FiredRow &row, AttrNumber number, const char *name) {
    const char *value = row.after == nullptr ? nullptr : text_column(row, row.after, number);
    compute([&] {
        if (value != nullptr) {
            throw_if_failed(check_not_blank(name, value));
        }
    });
}

void demand_short(const FiredRow &row, AttrNumber number, const char *name) {
    const char *value = row.after == nullptr ? nullptr : text_column(row, row.after, number);
    compute([&] {
        if (value != nullptr) {
            throw_if_failed(check_short(name, value));
        }
    });
}

bool is_exempt() { return is_following() || acts_as_superuser(); }

} // namespace entitle::pg
