// A foreign key without action asks when the statement ends, or the transaction, whether some row
// has the key: lines would go along with the row that got it meanwhile. And one with an action acts
// when the statement ends: a function that the statement calls would see them with that row.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/enforce/held_key.hpp"
#include "pg/enforce/open_key.hpp"
#include "pg/protection/parent_key.hpp"

extern "C" {
#include "catalog/pg_operator.h"
#include "executor/spi.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
}

namespace entitle::pg {

namespace {

struct HeldKey {
    Oid document;
    Oid line;
    ParentKey key;
};

Datum read_column(Relation table, HeapTuple row, const char *name, bool *is_null) {
    const AttrNumber number = get_attnum(RelationGetRelid(table), name);
    *is_null = true;
    return number > 0 ? heap_getattr(row, number, RelationGetDescr(table), is_null) : Datum(0);
}

// Whether a column is another one, or neither version tells.
bool is_other(Relation table, HeapTuple before, HeapTuple after, const char *name) {
    bool was_null = true;
    bool is_null = true;
    const Datum old_value = read_column(table, before, name, &was_null);
    const Datum new_value = read_column(table, after, name, &is_null);
    if (was_null || is_null) {
        return true;
    }
    const FormData_pg_attribute &type =
        *TupleDescAttr(RelationGetDescr(table), get_attnum(RelationGetRelid(table), name) - 1);
    return !datum_image_eq(old_value, new_value, type.attbyval, type.attlen);
}

const char *operator_name(Oid number) {
    HeapTuple row = SearchSysCache1(OPEROID, ObjectIdGetDatum(number));
    if (!HeapTupleIsValid(row)) {
        elog(ERROR, "no operator with OID %u", number);
    }
    const auto *form = reinterpret_cast<const FormData_pg_operator *>(GETSTRUCT(row));
    const char *name =
        psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)),
                 NameStr(form->oprname));
    ReleaseSysCache(row);
    return name;
}

// Whether lines refer to the row. Asked as foreign keys ask: in the name of the lines' owner, of
// all lines there are by now. The row is locked, so none comes any more.
bool has_lines(Relation table, const HeldKey &held, HeapTuple row) {
    Oid types[INDEX_MAX_KEYS];
    Datum values[INDEX_MAX_KEYS];
    StringInfoData query;
    initStringInfo(&query);
    appendStringInfo(&query, "SELECT FROM %s line WHERE ", qualified_name(held.line));
    for (int i = 0; i < held.key.count; ++i) {
        bool is_null = true;
        values[i] = read_column(table, row, held.key.referred[i], &is_null);
        if (is_null) {
            return false; // nothing refers to a NULL
        }
        types[i] = get_atttype(RelationGetRelid(table),
                               get_attnum(RelationGetRelid(table), held.key.referred[i]));
        appendStringInfo(&query, "%s$%d %s line.%s", i == 0 ? "" : " AND ", i + 1,
                         operator_name(held.key.operators[i]),
                         quote_identifier(held.key.columns[i]));
    }
    Relation line = table_open(held.line, AccessShareLock);
    const Oid owner = line->rd_rel->relowner;
    table_close(line, NoLock);

    // An error on the way restores the user, with the transaction.
    Oid caller = InvalidOid;
    int context = 0;
    GetUserIdAndSecContext(&caller, &context);
    SetUserIdAndSecContext(owner, context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
    SPI_connect();
    PushActiveSnapshot(GetLatestSnapshot());
    if (SPI_execute_with_args(query.data, held.key.count, types, values, nullptr, true, 1) !=
        SPI_OK_SELECT) {
        elog(ERROR, "lines of table \"%s\" cannot be read", RelationGetRelationName(table));
    }
    const bool is_found = SPI_processed > 0;
    PopActiveSnapshot();
    SPI_finish();
    SetUserIdAndSecContext(caller, context);
    return is_found;
}

// Whether a key must stay as it is. Lines follow a foreign key with an action when the statement
// ends; until then their document is the row that has the old key.
bool is_refused(Relation table, const HeldKey &held, HeapTuple before, HeapTuple after,
                bool is_about_to_write) {
    if (held.key.is_loose) {
        return true;
    }
    if (held.key.is_late) {
        return has_lines(table, held, before) ||
               (is_about_to_write && has_lines(table, held, after));
    }
    return is_about_to_write && (has_lines(table, held, after) ||
                                 (has_lines(table, held, before) && !note_open_key(held.document)));
}

} // namespace

List *find_held_keys(const Declaration &declared) {
    List *keys = NIL;
    for (const auto *line : each<Declaration>(find_lines(declared.relation))) {
        if (line->parent != declared.relation) {
            continue;
        }
        auto *held = static_cast<HeldKey *>(palloc(sizeof(HeldKey)));
        *held = HeldKey{declared.relation, line->relation, find_parent_key(*line)};
        keys = lappend(keys, held);
    }
    return keys;
}

void demand_kept_keys(Relation table, const List *held_keys, HeapTuple before, HeapTuple after,
                      bool is_about_to_write) {
    for (const auto *held : each<HeldKey>(held_keys)) {
        bool is_changed = false;
        for (int i = 0; i < held->key.count; ++i) {
            is_changed = is_changed || is_other(table, before, after, held->key.referred[i]);
        }
        if (is_changed && is_refused(table, *held, before, after, is_about_to_write)) {
            ereport(
                ERROR,
                (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                 errmsg("permission denied to change the key of this row of table \"%s\"",
                        RelationGetRelationName(table)),
                 errdetail("Lines that refer to it could come to belong to another row."),
                 held->key.is_loose || held->key.is_late
                     ? errhint("Leave the key as it is, or declare the foreign key ON UPDATE "
                               "CASCADE.")
                     : errhint("Change it in a statement that writes nothing else, and to a key "
                               "that no row had.")));
        }
    }
}

void demand_no_lines(Relation table, const List *held_keys, HeapTuple row) {
    for (const auto *held : each<HeldKey>(held_keys)) {
        if (held->key.is_left && has_lines(table, *held, row)) {
            ereport(ERROR,
                    (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                     errmsg("permission denied to leave the lines of a row of table \"%s\"",
                            RelationGetRelationName(table)),
                     errdetail("Lines that refer to it could come to belong to another row."),
                     errhint("Delete the lines first, or declare the foreign key ON DELETE "
                             "CASCADE.")));
        }
    }
}

} // namespace entitle::pg
