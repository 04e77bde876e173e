// Which schemas are guarded, which tables protected, and which parts a table has by now (R67). A
// transaction that sees the state it began with would leave open what it makes in a schema, or of a
// table, that was closed since.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/function.hpp"
#include "pg/boundary/node.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_inherits.h"
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

// Calls `visit` for each row of a table of the extension's, by the latest committed state and this
// transaction's own changes.
template <typename Visit> void visit_latest(const char *name, Visit &&visit) {
    Relation table =
        table_open(get_relname_relid(name, get_namespace_oid("entitle", false)), AccessShareLock);
    // Fresh, and allowed while a parallel plan runs: as open_reader.
    Snapshot snapshot = RegisterSnapshot(GetCatalogSnapshot(InvalidOid));
    SysScanDesc scan = systable_beginscan(table, InvalidOid, false, snapshot, 0, nullptr);
    while (HeapTuple row = systable_getnext(scan)) {
        visit(row, table);
    }
    systable_endscan(scan);
    UnregisterSnapshot(snapshot);
    table_close(table, AccessShareLock);
}

} // namespace

// guarded_numbers() -> oid[]: the schemas that are guarded. regime: C
ENTITLE_FUNCTION(entitle_guarded_numbers) {
    ArrayBuildState *found = initArrayResult(OIDOID, CurrentMemoryContext, false);
    visit_latest("guarded_schema", [&](HeapTuple row, Relation table) {
        const Oid number = RelationGetRelid(table);
        const Oid schema = schema_of(row, RelationGetDescr(table), get_attnum(number, "name"),
                                     get_attnum(number, "number"));
        if (OidIsValid(schema)) {
            found = accumArrayResult(found, ObjectIdGetDatum(schema), false, OIDOID,
                                     CurrentMemoryContext);
        }
    });
    PG_RETURN_DATUM(makeArrayResult(found, CurrentMemoryContext));
}

// protected_numbers() -> oid[]: the tables that are protected. regime: C
ENTITLE_FUNCTION(entitle_protected_numbers) {
    ArrayBuildState *found = initArrayResult(OIDOID, CurrentMemoryContext, false);
    visit_latest("protection", [&](HeapTuple row, Relation table) {
        bool is_null = true;
        const Datum relation = heap_getattr(row, get_attnum(RelationGetRelid(table), "relation"),
                                            RelationGetDescr(table), &is_null);
        if (!is_null) {
            found = accumArrayResult(found, relation, false, OIDOID, CurrentMemoryContext);
        }
    });
    PG_RETURN_DATUM(makeArrayResult(found, CurrentMemoryContext));
}

// latest_family(relation) -> oid[]: a table with its parts. regime: C
ENTITLE_FUNCTION(entitle_latest_family) {
    ArrayBuildState *found = initArrayResult(OIDOID, CurrentMemoryContext, false);
    if (!PG_ARGISNULL(0) && SearchSysCacheExists1(RELOID, PG_GETARG_DATUM(0))) {
        for (const Oid member : each_oid(find_all_inheritors(PG_GETARG_OID(0), NoLock, nullptr))) {
            found = accumArrayResult(found, ObjectIdGetDatum(member), false, OIDOID,
                                     CurrentMemoryContext);
        }
    }
    PG_RETURN_DATUM(makeArrayResult(found, CurrentMemoryContext));
}
