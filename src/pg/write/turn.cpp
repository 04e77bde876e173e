// Lets transactions that must not meet take turns.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/function.hpp"

extern "C" {
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
