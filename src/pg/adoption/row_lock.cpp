// What a row says is written into the model by whoever writes the row, who has it locked. When
// something else lets a row in, or all are read, others may be writing it: they would not see what
// comes of it here, nor is what they write seen.
#include "pg/boundary/postgres.hpp"

#include "pg/adoption/row_lock.hpp"

extern "C" {
#include "access/tableam.h"
#include "catalog/pg_inherits.h"
#include "executor/spi.h"
#include "storage/lmgr.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
}

namespace entitle::pg {

namespace {

// Of all rows of an adoption, or of those with some keys.
constexpr char kRows[] =
    "SELECT pg_catalog.string_agg(r.place, ' ' ORDER BY r.place) FROM"
    " (SELECT 'u' || ctid::text, adoption_id, source_key FROM entitle.app_user UNION ALL"
    " SELECT 'c' || ctid::text, adoption_id, source_key FROM entitle.customer UNION ALL"
    " SELECT 'a' || ctid::text, adoption_id, source_key FROM entitle.external_access UNION ALL"
    " SELECT 'o' || ctid::text, adoption_id, source_key FROM entitle.organization UNION ALL"
    " SELECT 'b' || ctid::text, adoption_id, source_key FROM entitle.brand UNION ALL"
    " SELECT 'r' || ctid::text, adoption_id, source_key FROM entitle.role UNION ALL"
    " SELECT 'p' || ctid::text, adoption_id, source_key FROM entitle.role_permission UNION ALL"
    " SELECT 'm' || ctid::text, adoption_id, source_key FROM entitle.membership) r (place, "
    "adoption, key)"
    " WHERE r.adoption = $1 AND ($2 IS NULL OR r.key = ANY ($2))";
constexpr char kFindings[] =
    "SELECT pg_catalog.string_agg(ctid::text, ' ' ORDER BY ctid::text) FROM"
    " entitle.adoption_finding WHERE pg_catalog.starts_with(waits_for, $1::text || ' ') AND $2 IS "
    "NULL";
constexpr char kDeclarations[] =
    "SELECT pg_catalog.string_agg(ctid::text, ' ' ORDER BY ctid::text) FROM entitle.adoption"
    " WHERE source::pg_catalog.oid::bigint = $1 AND $2 IS NULL AND NOT is_forgotten";

// Where rows are, as a snapshot sees them.
const char *places_of(const char *query, std::int64_t number, NullableDatum keys,
                      Snapshot snapshot) {
    MemoryContext caller = CurrentMemoryContext;
    Oid types[] = {INT8OID, TEXTARRAYOID};
    Datum values[] = {Int64GetDatum(number), keys.value};
    const char nulls[] = {' ', keys.isnull ? 'n' : ' ', '\0'};
    PushCopiedSnapshot(snapshot);
    UpdateActiveSnapshotCommandId();
    SPI_connect();
    const int outcome = SPI_execute_with_args(query, 2, types, values, nulls, true, 1);
    if (outcome != SPI_OK_SELECT) {
        elog(ERROR, "rows of an adopted table cannot be read");
    }
    const char *places = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
    places = places == nullptr ? "" : MemoryContextStrdup(caller, places);
    SPI_finish();
    PopActiveSnapshot();
    return places;
}

void demand_same(const char *query, std::int64_t number, NullableDatum keys, const char *message) {
    if (!IsolationUsesXactSnapshot()) {
        return;
    }
    const char *seen = places_of(query, number, keys, GetTransactionSnapshot());
    if (strcmp(seen, places_of(query, number, keys, GetLatestSnapshot())) != 0) {
        ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE), errmsg("%s", message),
                        errhint("Try the transaction again.")));
    }
}

} // namespace

HeapTuple settled_row(Relation table, HeapTuple row, Snapshot snapshot) {
    if (TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(row->t_data))) {
        return row; // nobody else changes what this transaction wrote
    }
    LockRelationOid(RelationGetRelid(table), RowShareLock);
    TupleTableSlot *slot = table_slot_create(table, nullptr);
    TM_FailureData failure;
    const TM_Result outcome = table_tuple_lock(
        table, &row->t_self, snapshot, slot, GetCurrentCommandId(true), LockTupleNoKeyExclusive,
        LockWaitBlock, TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS | TUPLE_LOCK_FLAG_FIND_LAST_VERSION,
        &failure);
    HeapTuple settled = nullptr;
    if (outcome == TM_Ok) {
        settled = ExecCopySlotHeapTuple(slot);
    } else if (outcome != TM_Deleted) {
        settled = row; // this transaction changed it meanwhile, and its own trigger tells of that
    }
    ExecDropSingleTupleTableSlot(slot);
    return settled;
}

void await_writers(std::int64_t adoption) {
    Oid types[] = {INT8OID};
    Datum values[] = {Int64GetDatum(adoption)};
    SPI_connect();
    const int outcome = SPI_execute_with_args(
        "SELECT source::pg_catalog.oid FROM entitle.adoption WHERE adoption_id"
        " OPERATOR(pg_catalog.=) $1",
        1, types, values, nullptr, true, 1);
    bool is_null = true;
    const Oid table = outcome == SPI_OK_SELECT && SPI_processed == 1
                          ? DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0],
                                                           SPI_tuptable->tupdesc, 1, &is_null))
                          : InvalidOid;
    SPI_finish();
    if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(table))) {
        LockRelationOid(table, ShareRowExclusiveLock);
        list_free(find_all_inheritors(table, ShareRowExclusiveLock, nullptr));
    }
}

void demand_current_rows(std::int64_t adoption, NullableDatum keys) {
    demand_same(kRows, adoption, keys,
                "could not serialize access: rows that stand for those of an adopted table have "
                "changed");
}

void demand_current_findings(std::int64_t adoption) {
    demand_same(kFindings, adoption, NullableDatum{0, true},
                "could not serialize access: rows of adopted tables have come that wait for this "
                "one");
}

void demand_current_adoptions(Oid table) {
    demand_same(kDeclarations, table, NullableDatum{0, true},
                "could not serialize access: the table was adopted meanwhile, or otherwise");
}

} // namespace entitle::pg
