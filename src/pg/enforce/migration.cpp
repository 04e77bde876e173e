// The end of a migration: tables whose owner lifted FORCE ROW LEVEL SECURITY get it back as the
// transaction commits. regime: C throughout.
//
// ALTER TABLE would refuse a table with deferred triggers pending, and a trigger of our own could
// come too early; before the commit is written no user's code runs any more.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/boundary/extension_schema.hpp"
#include "pg/write/change_log.hpp"
#include "pg/boundary/function.hpp"
#include "pg/boundary/once.hpp"
#include "pg/enforce/migration.hpp"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
}

using namespace entitle::pg;

namespace {

// The tables that this transaction lifted; in TopTransactionContext.
List *lifted = nullptr;

// Tells whether a table is protected, or a part of one that is.
bool is_protected(Oid relation) {
    const Oid schema = extension_schema();
    const Oid members = OidIsValid(schema) ? get_relname_relid("protection_member", schema) : 0;
    if (!OidIsValid(members)) {
        return true; // the extension went in this transaction: what it closed stays closed
    }
    Relation table = table_open(members, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, get_attnum(members, "relation"), BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(relation));
    SysScanDesc scan = systable_beginscan(table, InvalidOid, false, nullptr, 1, &key);
    const bool found = HeapTupleIsValid(systable_getnext(scan));
    systable_endscan(scan);
    table_close(table, AccessShareLock);
    return found;
}

void force_row_security(Oid relation) {
    // Held already, unless a savepoint that was rolled back let it go: without it, another's ALTER
    // TABLE could be in the middle of the same row.
    LockRelationOid(relation, AccessExclusiveLock);
    Relation classes = table_open(RelationRelationId, RowExclusiveLock);
    HeapTuple tuple = SearchSysCacheCopy1(RELOID, ObjectIdGetDatum(relation));
    if (HeapTupleIsValid(tuple)) {
        auto *row = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
        if (!row->relforcerowsecurity) {
            row->relforcerowsecurity = true;
            CatalogTupleUpdate(classes, &tuple->t_self, tuple);
            CommandCounterIncrement();
        }
    }
    table_close(classes, RowExclusiveLock);
}

void on_transaction(XactEvent event, void *) {
    switch (event) {
    case XACT_EVENT_PRE_COMMIT:
    case XACT_EVENT_PRE_PREPARE: {
        List *tables = lifted;
        lifted = nullptr;
        for (const Oid table : each_oid(tables)) {
            if (is_protected(table)) {
                force_row_security(table);
            }
        }
        break;
    }
    case XACT_EVENT_ABORT:
        lifted = nullptr;
        break;
    default:
        break;
    }
}

} // namespace

namespace entitle::pg {

void watch_migrations() {
    once([] { RegisterXactCallback(on_transaction, nullptr); });
}

} // namespace entitle::pg

// entitle_internal.note_migration: remembers a table for the end of the transaction, and writes the
// change log. Anyone may call it: forcing row security on one's own protected table takes nothing.
ENTITLE_FUNCTION(entitle_note_migration) {
    const Oid relation = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);
    if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relation)) ||
        !entitle_is_owner(relation, GetUserId()) || !is_protected(relation)) {
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("permission denied to migrate a protected table"),
                        errhint("It takes the owner of the table; entitle.protected_tables lists "
                                "the tables that are protected.")));
    }
    if (!IsTransactionBlock()) {
        ereport(WARNING, (errcode(ERRCODE_NO_ACTIVE_SQL_TRANSACTION),
                          errmsg("the migration of table \"%s\" ends with this statement",
                                 get_rel_name(relation)),
                          errhint("BEGIN first; the migration lasts until COMMIT or ROLLBACK.")));
    }
    MemoryContext previous = MemoryContextSwitchTo(TopTransactionContext);
    lifted = list_append_unique_oid(lifted, relation);
    MemoryContextSwitchTo(previous);
    log_event(relation, "migrate");
    PG_RETURN_VOID();
}

// entitle_internal.is_migrating: whether row security does not bind the table's owner until the
// transaction ends. What protects the table anew meanwhile leaves that to the commit.
ENTITLE_FUNCTION(entitle_is_migrating) {
    PG_RETURN_BOOL(!PG_ARGISNULL(0) && list_member_oid(lifted, PG_GETARG_OID(0)));
}
