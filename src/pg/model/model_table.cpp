// The model tables as C++ sees them: names, columns, types and indexes, checked before the first
// read.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/extension_schema.hpp"
#include "pg/model/invalidation.hpp"
#include "pg/model/model_spec.hpp"
#include "pg/model/model_table.hpp"
#include "pg/model/table_age.hpp"
#include "pg/model/version.hpp"
#include "pg/model/watched_table.hpp"

extern "C" {
#include "catalog/pg_statistic.h"
}

#include <algorithm>
#include <utility>

namespace entitle::pg {

namespace {

// What was found in this database; forgotten when anything about the tables changes.
struct Found {
    Oid relation;
    AttrNumber columns[kMaxColumns];
};
Found found[kTableCount];
Oid found_index[kIndexCount];
std::uint64_t found_generation = 0;
bool unwatched = false;
bool is_version_checked = false;

// All transactions before this one were over when the tables were looked for, and everything was
// loaded after that; 0 when nothing was. A transaction shows to others before it tells them, so
// what is loaded already does not become younger.
std::uint64_t found_since = 0;

constexpr const char kSignalTrigger[] = "zz_entitle_signal";

[[noreturn]] void raise_broken(const char *what, const char *name) {
    ereport(
        ERROR,
        (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
         errmsg("extension \"entitle\" is incomplete: %s \"%s\" is missing or changed", what, name),
         errhint("Restore the extension's own objects, or drop and create the extension.")));
    pg_unreachable();
}

// A row change must reach every backend: insert, update and delete, whatever the replication role,
// and whether by a statement or applied row by row. Tables that tell whom a row concerns need no
// trigger of the statement.
bool is_watched(Relation relation, Table table) {
    if (table == Table::client_metric || table == Table::pending_invitation) {
        return true; // read anew each time
    }
    if (relation->trigdesc == nullptr) {
        return false;
    }
    int of_rows = 0;
    int of_statements = 0;
    for (int i = 0; i < relation->trigdesc->numtriggers; ++i) {
        const Trigger &trigger = relation->trigdesc->triggers[i];
        if (strncmp(trigger.tgname, kSignalTrigger, strlen(kSignalTrigger)) == 0 &&
            trigger.tgenabled == TRIGGER_FIRES_ALWAYS) {
            (TRIGGER_FOR_ROW(trigger.tgtype) ? of_rows : of_statements) |= trigger.tgtype;
        }
    }
    // A new customer takes nothing away and has no grant yet, so its insert is not signalled.
    const int insert = table == Table::customer ? 0 : TRIGGER_TYPE_INSERT;
    const int needed = insert | TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE;
    const bool tells_users =
        table == Table::app_user || table == Table::membership || table == Table::external_access;
    return (of_rows & needed) == needed && (tells_users || (of_statements & needed) == needed);
}

void forget_found() {
    memset(found, 0, sizeof(found));
    memset(found_index, 0, sizeof(found_index));
    is_version_checked = false;
    unwatched = false;
    forget_tables();
    found_generation = table_generation();
    found_since = oldest_running();
}

// Finds the columns of a table that is open, and so cannot change. Raises when it is not as
// installed.
void find_columns(Relation relation, const TableSpec &spec, AttrNumber *columns) {
    if (relation->rd_rel->relkind != RELKIND_RELATION) {
        raise_broken("table", spec.name);
    }
    for (int i = 0; i < spec.column_count; ++i) {
        columns[i] = get_attnum(RelationGetRelid(relation), spec.columns[i].name);
        if (columns[i] <= 0 ||
            TupleDescAttr(RelationGetDescr(relation), columns[i] - 1)->atttypid !=
                spec.columns[i].type) {
            raise_broken("column", spec.columns[i].name);
        }
    }
}

// Reads by the index whatever ignore_system_indexes says, which anybody may set while connecting:
// some indexes hold certain rows only, as those of pools that may sign everybody in, and PostgreSQL
// would read the whole table instead (S538).
SysScanDesc begin_scan(Relation relation, Oid index, Snapshot snapshot, int count, ScanKey keys) {
    const bool are_ignored = std::exchange(IgnoreSystemIndexes, false);
    SysScanDesc scan =
        systable_beginscan(relation, index, OidIsValid(index), snapshot, count, keys);
    IgnoreSystemIndexes = are_ignored; // after an error it stays as it is here, which is harmless
    return scan;
}

// Opens a table and tells where its columns are.
Relation open_table(Table table, AttrNumber *columns) {
    const auto number = static_cast<int>(table);
    const TableSpec &spec = kTables[number];
    if (found_generation != table_generation() || found_since == 0) {
        forget_found();
    }
    if (OidIsValid(found[number].relation)) {
        Relation relation = table_open(found[number].relation, AccessShareLock);
        // Taking the lock lets pending changes in: the table may not be the one that was found.
        if (found_generation == table_generation()) {
            memcpy(columns, found[number].columns, sizeof(found[number].columns));
            return relation;
        }
        table_close(relation, AccessShareLock);
        forget_found();
    }

    if (!is_version_checked) {
        check_version();
        is_version_checked = found_generation == table_generation();
    }
    const Oid schema = extension_schema();
    const Oid oid = OidIsValid(schema) ? get_relname_relid(spec.name, schema) : InvalidOid;
    if (!OidIsValid(oid)) {
        raise_broken("table", spec.name);
    }
    // Watched before it is opened: a change from here on is noticed.
    const bool is_heard = watch_table(oid);
    Relation relation = table_open(oid, AccessShareLock);
    find_columns(relation, spec, columns);
    unwatched = unwatched || !is_heard || !is_watched(relation, table);
    if (found_generation == table_generation()) {
        found[number].relation = oid;
        memcpy(found[number].columns, columns, sizeof(found[number].columns));
    }
    return relation;
}

// Whether a watched table is not, or may not be, what it was when it was found.
bool has_changed(Oid oid) {
    int number = 0;
    while (number < kTableCount && found[number].relation != oid) {
        ++number;
    }
    if (number == kTableCount || is_changed_since(oid, found_since)) {
        return true;
    }
    // A trigger that is gone leaves no row.
    Relation relation = try_table_open(oid, AccessShareLock);
    if (relation == nullptr) {
        return true;
    }
    const bool is_heard = is_watched(relation, static_cast<Table>(number));
    table_close(relation, AccessShareLock);
    return !is_heard;
}

} // namespace

bool has_unwatched_tables() noexcept { return unwatched; }

void settle_tables() {
    while (present_doubt() != 0) {
        const std::uint64_t doubt = present_doubt();
        int place = 0;
        for (Oid table = next_doubtful(&place); OidIsValid(table); table = next_doubtful(&place)) {
            if (has_changed(table)) {
                invalidate_everything();
                return;
            }
        }
        if (doubt == present_doubt()) {
            settle_doubt(doubt);
            memset(found_index, 0, sizeof(found_index)); // REINDEX exchanges them
        }
    }
}

double estimate_grants(std::int64_t user) {
    AttrNumber columns[kMaxColumns];
    Relation relation = open_table(Table::external_access, columns);
    const Oid table = RelationGetRelid(relation);
    const AttrNumber column = columns[GrantColumn::user];
    const double rows = std::max(1.0, static_cast<double>(relation->rd_rel->reltuples));
    table_close(relation, AccessShareLock);

    double estimate = rows / 2;
    HeapTuple statistics = SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(table),
                                           Int16GetDatum(column), BoolGetDatum(false));
    if (HeapTupleIsValid(statistics)) {
        const auto *form = reinterpret_cast<Form_pg_statistic>(GETSTRUCT(statistics));
        const double users = form->stadistinct >= 0 ? form->stadistinct : -form->stadistinct * rows;
        estimate = rows / std::max(users, 1.0);
        AttStatsSlot common;
        if (get_attstatsslot(&common, statistics, STATISTIC_KIND_MCV, InvalidOid,
                             ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS)) {
            for (int i = 0; i < common.nvalues; ++i) {
                if (DatumGetInt64(common.values[i]) == user) {
                    estimate = common.numbers[i] * rows;
                }
            }
            free_attstatsslot(&common);
        }
        ReleaseSysCache(statistics);
    }
    return estimate;
}

Reader open_reader() {
    // Any table that has no syscache makes PostgreSQL take a fresh catalog snapshot; unlike
    // GetLatestSnapshot it is allowed while a parallel plan runs.
    return Reader{RegisterSnapshot(GetCatalogSnapshot(InvalidOid))};
}

void close_reader(Reader &reader) { UnregisterSnapshot(reader.snapshot); }

Rows open_rows(const Reader &reader, Table table, TableIndex index, int keys, Datum first,
               Datum second) {
    Rows rows;
    rows.relation = open_table(table, rows.columns);
    rows.tuple = nullptr;

    const auto number = static_cast<int>(index);
    const IndexSpec &spec = kIndexes[number];
    Assert(index == TableIndex::none || (spec.table == table && keys <= spec.key_count));
    ScanKeyData scan_keys[2];
    const Datum values[2] = {first, second};
    for (int i = 0; i < keys; ++i) {
        const AttrNumber column = rows.columns[spec.columns[i]];
        ScanKeyEntryInitialize(
            &scan_keys[i], 0, column, BTEqualStrategyNumber, InvalidOid,
            TupleDescAttr(RelationGetDescr(rows.relation), column - 1)->attcollation,
            spec.equals[i], values[i]);
    }
    if (index != TableIndex::none && !OidIsValid(found_index[number])) {
        const Oid oid = get_relname_relid(spec.name, RelationGetNamespace(rows.relation));
        if (!OidIsValid(oid)) {
            raise_broken("index", spec.name);
        }
        found_index[number] = oid;
    }
    rows.scan =
        begin_scan(rows.relation, index == TableIndex::none ? InvalidOid : found_index[number],
                   reader.snapshot, keys, scan_keys);
    return rows;
}

bool next_row(Rows &rows) {
    CHECK_FOR_INTERRUPTS();
    rows.tuple = systable_getnext(rows.scan);
    return HeapTupleIsValid(rows.tuple);
}

void close_rows(Rows &rows) {
    systable_endscan(rows.scan);
    table_close(rows.relation, AccessShareLock);
}

Datum get_value(const Rows &rows, int column, bool *is_null) {
    return heap_getattr(rows.tuple, rows.columns[column], RelationGetDescr(rows.relation), is_null);
}

std::int64_t get_bigint(const Rows &rows, int column, bool *is_null) {
    const Datum value = get_value(rows, column, is_null);
    return *is_null ? 0 : DatumGetInt64(value);
}

const char *get_text(const Rows &rows, int column) {
    bool is_null = false;
    const Datum value = get_value(rows, column, &is_null);
    return is_null ? nullptr : TextDatumGetCString(value);
}

const pg_uuid_t *get_uuid(const Rows &rows, int column) {
    bool is_null = false;
    const Datum stored = get_value(rows, column, &is_null);
    return is_null ? nullptr : DatumGetUUIDP(datumCopy(stored, false, UUID_LEN));
}

bool get_bool(const Rows &rows, int column) {
    bool is_null = false;
    const Datum value = get_value(rows, column, &is_null);
    return !is_null && DatumGetBool(value);
}

} // namespace entitle::pg
