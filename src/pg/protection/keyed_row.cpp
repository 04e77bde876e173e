// A row by its primary key, or as it would be written.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/protection/declaration.hpp"
#include "pg/protection/keyed_row.hpp"

extern "C" {
#include "access/nbtree.h"
#include "access/transam.h"
#include "parser/parse_coerce.h"
#include "utils/json.h"
#include "utils/jsonb.h"
}

#include <algorithm>

namespace entitle::pg {

namespace {

// Reads a key's text as a value of the column's base type.
Datum parse_key(const char *written, Oid type) {
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
    // Input functions take a text that they may change.
    return OidInputFunctionCall(input, pstrdup(written), parameter, -1);
}

// A key as it is looked for: as texts, or else as values.
struct WantedKey {
    int count;
    const RowKey *texts;
    const ColumnValue *values;
};

// The value as one of another type. The types of the two ends of a foreign key may differ. Where
// one becomes the other by itself, the key compares them so: char(n) without its padding, real with
// the digits that it has.
Datum as_type(const ColumnValue &value, Oid type) {
    if (value.type == type) {
        return value.value.value;
    }
    Oid cast = InvalidOid;
    const CoercionPathType path = find_coercion_pathway(type, value.type, COERCION_IMPLICIT, &cast);
    if (path == COERCION_PATH_RELABELTYPE) {
        return value.value.value;
    }
    if (path == COERCION_PATH_FUNC && cast < FirstNormalObjectId && get_func_nargs(cast) == 1) {
        return OidFunctionCall1(cast, value.value.value);
    }
    Oid output = InvalidOid;
    bool is_varlena = false;
    getTypeOutputInfo(value.type, &output, &is_varlena);
    return parse_key(OidOutputFunctionCall(output, value.value.value), type);
}

Oid key_type(Relation index, int number) {
    return getBaseType(
        get_atttype(index->rd_index->indrelid, index->rd_index->indkey.values[number]));
}

void fill_keys(Relation index, const WantedKey &key, ScanKeyData *scan_keys) {
    for (int i = 0; i < key.count; ++i) {
        const AttrNumber column = index->rd_index->indkey.values[i];
        const Oid type = key_type(index, i);
        const Oid compared = index->rd_opcintype[i];
        const Oid equals =
            get_opfamily_member(index->rd_opfamily[i], compared, compared, BTEqualStrategyNumber);
        if (!OidIsValid(equals)) {
            elog(ERROR, "index \"%s\" knows no equality", RelationGetRelationName(index));
        }
        ScanKeyEntryInitialize(&scan_keys[i], 0, column, BTEqualStrategyNumber, InvalidOid,
                               index->rd_indcollation[i], get_opcode(equals),
                               key.texts != nullptr ? parse_key(key.texts->texts[i], type)
                                                    : as_type(key.values[i], type));
    }
}

AttrNumber column_number(Relation table, const char *name) {
    const AttrNumber number = get_attnum(RelationGetRelid(table), name);
    if (number <= 0) {
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("table \"%s\" no longer has the declared column \"%s\"",
                               RelationGetRelationName(table), name),
                        errhint("SELECT * FROM entitle.verify_protection() tells what mends it.")));
    }
    return number;
}

bool read_keyed_row(Oid index_oid, const WantedKey &key, const char *const *names, int name_count,
                    ColumnValue *values) {
    Relation index = index_open(index_oid, AccessShareLock);
    Relation table = table_open(index->rd_index->indrelid, AccessShareLock);
    TupleDesc columns = RelationGetDescr(table);
    // An inheriting table may have another key of its own, by which nobody asks here.
    if (key.count != IndexRelationGetNumberOfKeyAttributes(index)) {
        table_close(table, AccessShareLock);
        index_close(index, AccessShareLock);
        return false;
    }
    ScanKeyData scan_keys[INDEX_MAX_KEYS];
    fill_keys(index, key, scan_keys);

    // Despite its name it reads any table: by the index, under the statement's own snapshot.
    SysScanDesc scan =
        systable_beginscan(table, index_oid, true, GetActiveSnapshot(), key.count, scan_keys);
    HeapTuple tuple = systable_getnext(scan);
    for (int i = 0; i < name_count; ++i) {
        values[i] = ColumnValue{NullableDatum{Datum(0), true}, InvalidOid};
        if (names[i] == nullptr) {
            continue;
        }
        // Asked whether or not there is a row: an error must not tell.
        const AttrNumber column = column_number(table, names[i]);
        if (!HeapTupleIsValid(tuple)) {
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

bool has_json_field(Datum object, const char *name) {
    JsonbValue value;
    return getKeyJsonValueFromContainer(&DatumGetJsonbP(object)->root, name,
                                        static_cast<int>(strlen(name)), &value) != nullptr;
}

const char *key_column(Relation index, int number) {
    return get_attname(index->rd_index->indrelid, index->rd_index->indkey.values[number], false);
}

[[noreturn]] void raise_incomplete_key(Relation index) {
    StringInfoData object;
    initStringInfo(&object);
    for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); ++i) {
        appendStringInfoString(&object, i == 0 ? "{" : ", ");
        escape_json(&object, key_column(index, i));
        appendStringInfoString(&object, ": ...");
    }
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("the key of table \"%s\" has %d columns",
                           qualified_name(index->rd_index->indrelid),
                           IndexRelationGetNumberOfKeyAttributes(index)),
                    errhint("Give it as a JSON object: '%s}'.", object.data)));
    pg_unreachable();
}

} // namespace

RowKey parse_row_key(Oid index_oid, const char *written) {
    Relation index = index_open(index_oid, AccessShareLock);
    RowKey key{IndexRelationGetNumberOfKeyAttributes(index), {}};
    if (written != nullptr && key.count == 1) {
        key.texts[0] = written;
    } else if (written != nullptr) {
        if (written[strspn(written, " \t\r\n")] != '{') {
            raise_incomplete_key(index);
        }
        const Datum object = DirectFunctionCall1(jsonb_in, CStringGetDatum(pstrdup(written)));
        for (int i = 0; i < key.count; ++i) {
            const char *name = key_column(index, i);
            if (!has_json_field(object, name)) {
                raise_incomplete_key(index);
            }
            key.texts[i] = get_json_field(object, name);
        }
    }
    index_close(index, AccessShareLock);
    return key;
}

bool find_keyed_row(const List *indexes, const RowKey &key, const char *const *names,
                    int name_count, ColumnValue *values) {
    for (int i = 0; i < key.count; ++i) {
        if (key.texts[i] == nullptr) {
            return false;
        }
    }
    // An inheriting table may have a row of its own under the key of another: nothing tells which
    // is meant, and what the asker sees of the one must not tell of the other (S226).
    bool is_found = false;
    for (const Oid index : each_oid(indexes)) {
        const WantedKey wanted{key.count, &key, nullptr};
        ColumnValue read[INDEX_MAX_KEYS]{};
        if (!read_keyed_row(index, wanted, names, name_count, read)) {
            continue;
        }
        if (is_found) {
            return false;
        }
        is_found = true;
        std::copy(read, read + name_count, values);
    }
    return is_found;
}

bool find_row_by_values(const List *indexes, const ColumnValue *key, int key_count,
                        const char *const *names, int name_count, ColumnValue *values) {
    for (int i = 0; i < key_count; ++i) {
        if (key[i].value.isnull) {
            return false;
        }
    }
    for (const Oid index : each_oid(indexes)) {
        const WantedKey wanted{key_count, nullptr, key};
        if (read_keyed_row(index, wanted, names, name_count, values)) {
            return true;
        }
    }
    return false;
}

RowKey read_row_key(const List *indexes, const RowKey &key, const char *const *names, int count,
                    Oid referred) {
    RowKey found{count, {}};
    ColumnValue values[INDEX_MAX_KEYS]{};
    if (!find_keyed_row(indexes, key, names, count, values)) {
        return found;
    }
    Relation index = index_open(referred, AccessShareLock);
    for (int i = 0; i < count; ++i) {
        if (!values[i].value.isnull) {
            Oid output = InvalidOid;
            bool is_varlena = false;
            const Oid type = key_type(index, i);
            getTypeOutputInfo(type, &output, &is_varlena);
            found.texts[i] = OidOutputFunctionCall(output, as_type(values[i], type));
        }
    }
    index_close(index, AccessShareLock);
    return found;
}

void check_new_row(Oid relation, Oid table, Datum object) {
    Jsonb *row = DatumGetJsonbP(object);
    if (!JB_ROOT_IS_OBJECT(row)) {
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the new row is no JSON object"),
                 errhint("Give an object of columns, as to_jsonb makes it of a row.")));
    }
    JsonbValue part;
    JsonbIterator *parts = JsonbIteratorInit(&row->root);
    for (JsonbIteratorToken token = JsonbIteratorNext(&parts, &part, true); token != WJB_DONE;
         token = JsonbIteratorNext(&parts, &part, true)) {
        if (token != WJB_KEY) {
            continue;
        }
        const char *name = pnstrdup(part.val.string.val, part.val.string.len);
        if (get_attnum(table, name) <= 0 && get_attnum(relation, name) <= 0) {
            ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
                            errmsg("column \"%s\" of table \"%s\" does not exist", name,
                                   qualified_name(table)),
                            errhint("Give the new row the names of columns of the table.")));
        }
    }
}

void read_new_row(Oid table_oid, Datum object, const char *const *names, int count,
                  ColumnValue *values) {
    Relation table = table_open(table_oid, AccessShareLock);
    for (int i = 0; i < count; ++i) {
        values[i] = ColumnValue{NullableDatum{Datum(0), true}, InvalidOid};
        if (names[i] == nullptr) {
            continue;
        }
        const AttrNumber column = column_number(table, names[i]);
        values[i].type = getBaseType(TupleDescAttr(RelationGetDescr(table), column - 1)->atttypid);
        const char *written = get_json_field(object, names[i]);
        if (written != nullptr) {
            values[i].value = NullableDatum{parse_key(written, values[i].type), false};
        }
    }
    table_close(table, AccessShareLock);
}

RowKey key_of_new_row(Datum object, const char *const *names, int count) {
    RowKey key{count, {}};
    for (int i = 0; i < count; ++i) {
        key.texts[i] = get_json_field(object, names[i]);
    }
    return key;
}

} // namespace entitle::pg
