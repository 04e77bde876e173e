// A row's xmin is the transaction that wrote it; writing in place leaves it as it was.
#include "pg/boundary/postgres.hpp"

#include "pg/model/table_age.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/indexing.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
}

namespace entitle::pg {

namespace {

// The last transaction of that number, those left out that have not begun. Whoever bore the number
// may have come before it, but not after it.
std::uint64_t latest_of(TransactionId number) {
    if (!TransactionIdIsNormal(number)) {
        return 0;
    }
    const std::uint64_t next = U64FromFullTransactionId(ReadNextFullTransactionId());
    const std::uint64_t of_epoch = (next & ~UINT64CONST(0xFFFFFFFF)) | number;
    return of_epoch <= next ? of_epoch : of_epoch - UINT64CONST(0x100000000);
}

bool has_newer_row(Oid catalogue, Oid index, AttrNumber column, Oid table, std::uint64_t oldest) {
    Relation relation = table_open(catalogue, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(table));
    SysScanDesc scan = systable_beginscan(relation, index, true, nullptr, 1, &key);
    bool is_newer = false;
    for (HeapTuple row = systable_getnext(scan); !is_newer && HeapTupleIsValid(row);
         row = systable_getnext(scan)) {
        // Freezing leaves the number where it was.
        is_newer = latest_of(HeapTupleHeaderGetRawXmin(row->t_data)) >= oldest;
    }
    systable_endscan(scan);
    table_close(relation, AccessShareLock);
    return is_newer;
}

} // namespace

std::uint64_t oldest_running() {
    // A fresh one: any table that has no syscache makes PostgreSQL take it.
    return latest_of(GetCatalogSnapshot(InvalidOid)->xmin);
}

bool is_changed_since(Oid table, std::uint64_t oldest) {
    return has_newer_row(RelationRelationId, ClassOidIndexId, Anum_pg_class_oid, table, oldest) ||
           has_newer_row(AttributeRelationId, AttributeRelidNumIndexId, Anum_pg_attribute_attrelid,
                         table, oldest) ||
           has_newer_row(TriggerRelationId, TriggerRelidNameIndexId, Anum_pg_trigger_tgrelid, table,
                         oldest);
}

} // namespace entitle::pg
