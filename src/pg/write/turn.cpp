// Lets transactions that must not meet take turns.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/function.hpp"

extern "C" {
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "storage/lmgr.h"
}

// take_turn(): waits until every other transaction that took its turn has ended. The lock is on a
// part of this function; functions have no parts, so no command locks one, and unlike an advisory
// lock it is not for everybody to take. regime: C
ENTITLE_FUNCTION(entitle_take_turn) {
    constexpr uint16 kPart = 1;
    LockDatabaseObject(ProcedureRelationId, fcinfo->flinfo->fn_oid, kPart, ExclusiveLock);
    PG_RETURN_VOID();
}

// await_makers(schema): waits until all have ended who made something there. PostgreSQL itself
// locks the schema for whoever makes or moves a table, until that transaction ends. regime: C
ENTITLE_FUNCTION(entitle_await_makers) {
    LockDatabaseObject(NamespaceRelationId, PG_GETARG_OID(0), 0, AccessExclusiveLock);
    PG_RETURN_VOID();
}
