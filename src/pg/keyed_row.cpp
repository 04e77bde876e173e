// A row by its primary key.
#include "pg/postgres.hpp"

#include "pg/function.hpp"
#include "pg/keyed_row.hpp"

extern "C" {
#include "access/nbtree.h"
}

namespace entitle::pg {

namespace {

// Reads a key's text as a value of the column's base type.
Datum parse_key(Datum written, Oid type) {
    const char kind = get_typtype(type);
    if ((kind != TYPTYPE_BASE && kind != TYPTYPE_ENUM) || OidIsValid(get_element_type(type))) {
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("a primary key of type %s is not supported", format_type_be(type)),
                        errhint("Rows are found by keys of plain types: numbers, texts, dates, "
                                "uuids, enums.")));
    }
    Oid input = InvalidOid;
    Oid parameter = InvalidOid;
    getTypeInputInfo(type, &input, &parameter);
    return OidInputFunctionCall(input, TextDatumGetCString(written), parameter, -1);
}

void fill_keys(Relation index, TupleDesc columns, const Datum *key, int key_count,
               ScanKeyData *scan_keys) {
    for (int i = 0; i < key_count; ++i) {
        const AttrNumber column = index->rd_index->indkey.values[i];
        const Oid type = getBaseType(TupleDescAttr(columns, column - 1)->atttypid);
        const Oid compared = index->rd_opcintype[i];
        const Oid equals =
            get_opfamily_member(index->rd_opfamily[i], compared, compared, BTEqualStrategyNumber);
        if (!OidIsValid(equals)) {
            elog(ERROR, "index \"%s\" knows no equality", RelationGetRelationName(index));
        }
        ScanKeyEntryInitialize(&scan_keys[i], 0, column, BTEqualStrategyNumber, InvalidOid,
                               index->rd_indcollation[i], get_opcode(equals),
                               parse_key(key[i], type));
    }
}

// `key` holds `key_count` texts in the index's order.
bool read_keyed_row(Oid index_oid, const Datum *key, int key_count, const char *const *names,
                    int name_count, ColumnValue *values) {
    Relation index = index_open(index_oid, AccessShareLock);
    Relation table = table_open(index->rd_index->indrelid, AccessShareLock);
    TupleDesc columns = RelationGetDescr(table);
    if (key_count != IndexRelationGetNumberOfKeyAttributes(index) || key_count > INDEX_MAX_KEYS) {
        elog(ERROR, "index \"%s\" does not have %d keys", RelationGetRelationName(index),
             key_count);
    }
    ScanKeyData scan_keys[INDEX_MAX_KEYS];
    fill_keys(index, columns, key, key_count, scan_keys);

    // Despite its name it reads any table: by the index, under the statement's own snapshot.
    SysScanDesc scan =
        systable_beginscan(table, index_oid, true, GetActiveSnapshot(), key_count, scan_keys);
    HeapTuple tuple = systable_getnext(scan);
    for (int i = 0; i < name_count; ++i) {
        values[i] = ColumnValue{NullableDatum{Datum(0), true}, InvalidOid};
        if (!HeapTupleIsValid(tuple) || names[i] == nullptr) {
            continue;
        }
        const AttrNumber column = get_attnum(RelationGetRelid(table), names[i]);
        if (column <= 0) {
            continue;
        }
        const Form_pg_attribute attribute = TupleDescAttr(columns, column - 1);
        bool is_null = false;
        const Datum value = heap_getattr(tuple, column, columns, &is_null);
        values[i].type = getBaseType(attribute->atttypid);
        values[i].value.isnull = is_null;
        if (!is_null) {
            values[i].value.value = datumCopy(value, attribute->attbyval, attribute->attlen);
        }
    }
    const bool is_found = HeapTupleIsValid(tuple);
    systable_endscan(scan);
    table_close(table, AccessShareLock);
    index_close(index, AccessShareLock);
    return is_found;
}

} // namespace

bool find_keyed_row(FunctionCallInfo fcinfo, const char *const *names, int name_count,
                    ColumnValue *values) {
    Datum *indexes = nullptr;
    Datum *key = nullptr;
    bool *key_nulls = nullptr;
    int index_count = 0;
    int key_count = 0;
    deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), REGCLASSOID, sizeof(Oid), true, TYPALIGN_INT,
                      &indexes, nullptr, &index_count);
    deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), TEXTOID, -1, false, TYPALIGN_INT, &key, &key_nulls,
                      &key_count);
    for (int i = 0; i < key_count; ++i) {
        if (key_nulls[i]) {
            return false;
        }
    }
    bool is_found = false;
    for (int i = 0; i < index_count && !is_found; ++i) {
        is_found =
            read_keyed_row(DatumGetObjectId(indexes[i]), key, key_count, names, name_count, values);
    }
    return is_found;
}

} // namespace entitle::pg

using namespace entitle::pg;

// read_row_key(columns, indexes, key) -> text[]: these columns of the row with that key, which are
// the key of another row; NULL where there is no such row.
ENTITLE_FUNCTION(entitle_read_row_key) {
    Datum *columns = nullptr;
    int count = 0;
    deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR,
                      &columns, nullptr, &count);
    const char *names[INDEX_MAX_KEYS];
    ColumnValue values[INDEX_MAX_KEYS]{};
    if (count > INDEX_MAX_KEYS) {
        elog(ERROR, "a key of %d columns", count);
    }
    for (int i = 0; i < count; ++i) {
        names[i] = NameStr(*DatumGetName(columns[i]));
    }
    if (!find_keyed_row(fcinfo, names, count, values)) {
        PG_RETURN_NULL();
    }
    Datum texts[INDEX_MAX_KEYS];
    bool nulls[INDEX_MAX_KEYS];
    for (int i = 0; i < count; ++i) {
        nulls[i] = values[i].value.isnull;
        if (!nulls[i]) {
            Oid output = InvalidOid;
            bool is_varlena = false;
            getTypeOutputInfo(values[i].type, &output, &is_varlena);
            texts[i] = CStringGetTextDatum(OidOutputFunctionCall(output, values[i].value.value));
        }
    }
    int lower = 1;
    PG_RETURN_ARRAYTYPE_P(
        construct_md_array(texts, nulls, 1, &count, &lower, TEXTOID, -1, false, TYPALIGN_INT));
}
