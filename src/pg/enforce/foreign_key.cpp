#include "pg/boundary/postgres.hpp"

#include "pg/boundary/function.hpp"
#include "pg/boundary/table_owner.hpp"
#include "pg/enforce/domain_check.hpp"
#include "pg/enforce/foreign_key.hpp"
#include "pg/enforce/masked_read.hpp"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/indexing.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
}

namespace entitle::pg {

namespace {

object_access_hook_type next_access = nullptr;

Oid owner_of_type(Oid type) {
    HeapTuple row = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    if (!HeapTupleIsValid(row)) {
        return InvalidOid;
    }
    const Oid owner = reinterpret_cast<Form_pg_type>(GETSTRUCT(row))->typowner;
    ReleaseSysCache(row);
    return owner;
}

// Whether the type's owner may say how its values become those of another type, and would have that
// run with somebody else's rights: whoever owns a type makes casts of it, later ones too.
bool is_converted_by_other(Oid type, Oid referred_type, Oid owner) {
    const Oid base = getBaseType(type);
    if (base < FirstNormalObjectId || base == getBaseType(referred_type)) {
        return false;
    }
    const Oid maker = owner_of_type(base);
    return maker != owner && !superuser_arg(maker);
}

// regime: C
void check_column(const FormData_pg_constraint &key, AttrNumber column, AttrNumber referred) {
    if (is_masked_from(key.confrelid, referred, GetUserId())) {
        ereport(ERROR,
                (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                 errmsg("permission denied to refer to column \"%s\" of \"%s\"",
                        get_attname(key.confrelid, referred, false), get_rel_name(key.confrelid)),
                 errhint("The column is masked: a foreign key would tell its values, so the "
                         "table's owner makes it.")));
    }
    const Oid type = get_atttype(key.conrelid, column);
    const Oid referred_type = get_atttype(key.confrelid, referred);
    if (is_converted_by_other(type, referred_type, table_owner(key.confrelid))) {
        ereport(
            ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("permission denied to refer to a column of type %s in \"%s\" by one of type %s",
                    format_type_be(referred_type), get_rel_name(key.confrelid),
                    format_type_be(type)),
             errhint("The type's owner would have functions run with the rights of the table's "
                     "owner: give both columns the same type.")));
    }
}

void check_key(Oid constraint) {
    Relation constraints = table_open(ConstraintRelationId, AccessShareLock);
    ScanKeyData wanted;
    ScanKeyInit(&wanted, Anum_pg_constraint_oid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(constraint));
    // It was written by the command that runs.
    SysScanDesc scan =
        systable_beginscan(constraints, ConstraintOidIndexId, true, SnapshotSelf, 1, &wanted);
    HeapTuple row = systable_getnext(scan);
    if (HeapTupleIsValid(row)) {
        const auto *key = reinterpret_cast<const FormData_pg_constraint *>(GETSTRUCT(row));
        if (key->contype == CONSTRAINT_FOREIGN) {
            int count = 0;
            AttrNumber columns[INDEX_MAX_KEYS];
            AttrNumber referred[INDEX_MAX_KEYS];
            DeconstructFkConstraintRow(row, &count, columns, referred, nullptr, nullptr, nullptr,
                                       nullptr, nullptr);
            for (int i = 0; i < count; ++i) {
                check_column(*key, columns[i], referred[i]);
            }
        } else if (OidIsValid(key->contypid)) {
            check_domain_users(key->contypid);
        }
    }
    systable_endscan(scan);
    table_close(constraints, AccessShareLock);
}

void on_access(ObjectAccessType access, Oid of_class, Oid object, int part, void *argument) {
    if (next_access != nullptr) {
        next_access(access, of_class, object, part, argument);
    }
    // pg_upgrade takes over what there is; lint names it.
    if (access == OAT_POST_CREATE && of_class == ConstraintRelationId && !IsBinaryUpgrade) {
        check_key(object);
    }
}

} // namespace

void watch_foreign_keys() {
    next_access = object_access_hook;
    object_access_hook = on_access;
}

} // namespace entitle::pg

// Event trigger, before a command that may make a foreign key: so the library is loaded.
ENTITLE_FUNCTION(entitle_watch_foreign_keys) { return Datum(0); }
