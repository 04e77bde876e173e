// Building jsonb objects.
#include "pg/boundary/postgres.hpp"

#include "pg/datum/jsonb.hpp"

extern "C" {
#include "utils/json.h"
#include "utils/numeric.h"
}

#include <algorithm>

namespace entitle::pg {

namespace {

// As jsonb sorts keys: shorter ones first, then by bytes.
bool is_before(const JsonbColumn &left, const JsonbColumn &right) {
    const int difference = left.key.val.string.len - right.key.val.string.len;
    return difference != 0 ? difference < 0
                           : memcmp(left.key.val.string.val, right.key.val.string.val,
                                    left.key.val.string.len) < 0;
}

void set_text(JsonbValue &value, const char *text, int length) {
    value.type = jbvString;
    value.val.string.val = const_cast<char *>(text);
    value.val.string.len = length;
}

void set_value(JsonbColumn &column, Datum datum, JsonbValue &value) {
    switch (column.type) {
    case BOOLOID:
        value.type = jbvBool;
        value.val.boolean = DatumGetBool(datum);
        return;
    case INT4OID:
        value.type = jbvNumeric;
        value.val.numeric = int64_to_numeric(DatumGetInt32(datum));
        return;
    case INT8OID:
        value.type = jbvNumeric;
        value.val.numeric = int64_to_numeric(DatumGetInt64(datum));
        return;
    case NUMERICOID: {
        const Numeric number = DatumGetNumeric(datum);
        if (!numeric_is_nan(number) && !numeric_is_inf(number)) {
            value.type = jbvNumeric;
            value.val.numeric = number;
            return;
        }
        break;
    }
    case TEXTOID: {
        const text *words = DatumGetTextPP(datum);
        set_text(value, VARDATA_ANY(words), VARSIZE_ANY_EXHDR(words));
        return;
    }
    case DATEOID:
    case TIMESTAMPTZOID: {
        auto *buffer = static_cast<char *>(palloc(MAXDATELEN + 1));
        JsonEncodeDateTime(buffer, datum, column.type, nullptr);
        set_text(value, buffer, static_cast<int>(strlen(buffer)));
        return;
    }
    default:
        break;
    }
    const char *words = OutputFunctionCall(&column.output, datum);
    set_text(value, words, static_cast<int>(strlen(words)));
}

} // namespace

JsonbShape *make_jsonb_shape(TupleDesc shape, const Bitmapset *places) {
    auto *made = static_cast<JsonbShape *>(palloc0(sizeof(JsonbShape)));
    made->columns = static_cast<JsonbColumn *>(palloc0(shape->natts * sizeof(JsonbColumn)));
    made->pairs = static_cast<JsonbPair *>(palloc0(shape->natts * sizeof(JsonbPair)));
    for (int i = 0; i < shape->natts; ++i) {
        FormData_pg_attribute &attribute = *TupleDescAttr(shape, i);
        if (attribute.attisdropped || (places != nullptr && !bms_is_member(i, places))) {
            continue;
        }
        JsonbColumn &column = made->columns[made->count++];
        column.place = i;
        column.type = attribute.atttypid;
        Oid output = InvalidOid;
        bool is_varlena = false;
        getTypeOutputInfo(attribute.atttypid, &output, &is_varlena);
        fmgr_info(output, &column.output);
        set_text(column.key, pstrdup(NameStr(attribute.attname)),
                 static_cast<int>(strlen(NameStr(attribute.attname))));
    }
    std::sort(made->columns, made->columns + made->count, is_before);
    return made;
}

Datum row_to_jsonb(JsonbShape &shape, const TupleTableSlot *row) {
    for (int i = 0; i < shape.count; ++i) {
        JsonbColumn &column = shape.columns[i];
        JsonbPair &pair = shape.pairs[i];
        pair.key = column.key;
        if (row->tts_isnull[column.place]) {
            pair.value.type = jbvNull;
        } else {
            set_value(column, row->tts_values[column.place], pair.value);
        }
    }
    JsonbValue object;
    object.type = jbvObject;
    object.val.object.nPairs = shape.count;
    object.val.object.pairs = shape.pairs;
    return JsonbPGetDatum(JsonbValueToJsonb(&object));
}

} // namespace entitle::pg
