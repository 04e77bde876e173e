// Which schemas are guarded by now (R67). A transaction that sees the state it began with would
// make a table in a schema that was guarded since, and leave it open.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/function.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/snapmgr.h"
}

using namespace entitle;
using namespace entitle::pg;

namespace {

// Returns: the schema that the row means; InvalidOid when it is gone. One that was dropped and made
// anew under its name is meant, too.
Oid schema_of(HeapTuple row, TupleDesc shape, AttrNumber name, AttrNumber number) {
    bool is_null = true;
    const Oid schema = DatumGetObjectId(heap_getattr(row, number, shape, &is_null));
    if (!is_null && SearchSysCacheExists1(NAMESPACEOID, ObjectIdGetDatum(schema))) {
        return schema;
    }
    const Datum called = heap_getattr(row, name, shape, &is_null);
    return is_null ? InvalidOid : get_namespace_oid(NameStr(*DatumGetName(called)), true);
}

} // namespace

// guarded_numbers() -> oid[]: the schemas that are guarded, by the latest committed state and this
// transaction's own changes. regime: C
ENTITLE_FUNCTION(entitle_guarded_numbers) {
    const Oid number = get_relname_relid("guarded_schema", get_namespace_oid("entitle", false));
    Relation table = table_open(number, AccessShareLock);
    const AttrNumber name_column = get_attnum(number, "name");
    const AttrNumber number_column = get_attnum(number, "number");
    ArrayBuildState *found = initArrayResult(OIDOID, CurrentMemoryContext, false);
    // Fresh, and allowed while a parallel plan runs: as open_reader.
    Snapshot snapshot = RegisterSnapshot(GetCatalogSnapshot(InvalidOid));
    SysScanDesc scan = systable_beginscan(table, InvalidOid, false, snapshot, 0, nullptr);
    while (HeapTuple row = systable_getnext(scan)) {
        const Oid schema = schema_of(row, RelationGetDescr(table), name_column, number_column);
        if (OidIsValid(schema)) {
            found = accumArrayResult(found, ObjectIdGetDatum(schema), false, OIDOID,
                                     CurrentMemoryContext);
        }
    }
    systable_endscan(scan);
    UnregisterSnapshot(snapshot);
    table_close(table, AccessShareLock);
    PG_RETURN_DATUM(makeArrayResult(found, CurrentMemoryContext));
}
