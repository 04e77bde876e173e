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
#include "utils/syscache.h"
}

namespace entitle::pg {

HeapTuple settled_row(Relation table, HeapTuple row, Snapshot snapshot) {
    if (TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(row->t_data))) {
        return row; // nobody else changes what this transaction wrote
    }
    LockRelationOid(RelationGetRelid(table), RowShareLock);
    TupleTableSlot *slot = table_slot_create(table, nullptr);
    TM_FailureData failure;
    const TM_Result outcome = table_tuple_lock(
        table, &row->t_self, snapshot, slot, GetCurrentCommandId(true), LockTupleShare,
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

} // namespace entitle::pg
