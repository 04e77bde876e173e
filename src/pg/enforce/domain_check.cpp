#include "pg/boundary/postgres.hpp"

#include "pg/boundary/function.hpp"
#include "pg/boundary/node.hpp"
#include "pg/boundary/table_owner.hpp"
#include "pg/enforce/domain_check.hpp"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "nodes/makefuncs.h"
#include "parser/parse_type.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace entitle::pg {

namespace {

// Whether a policy of the extension's stands on the table: it is protected, or closed.
bool is_held(Oid relation) {
    Relation policies = table_open(PolicyRelationId, AccessShareLock);
    ScanKeyData wanted;
    ScanKeyInit(&wanted, Anum_pg_policy_polrelid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(relation));
    SysScanDesc scan =
        systable_beginscan(policies, PolicyPolrelidPolnameIndexId, true, nullptr, 1, &wanted);
    bool found = false;
    for (HeapTuple row = systable_getnext(scan); !found && HeapTupleIsValid(row);
         row = systable_getnext(scan)) {
        const auto *policy = reinterpret_cast<const FormData_pg_policy *>(GETSTRUCT(row));
        found = strncmp(NameStr(policy->polname), "entitle_", strlen("entitle_")) == 0;
    }
    systable_endscan(scan);
    table_close(policies, AccessShareLock);
    return found;
}

void check_table(Oid relation, Oid domain) {
    const Oid owner = table_owner(relation);
    if (OidIsValid(owner) && !has_privs_of_role(GetUserId(), owner) && is_held(relation)) {
        ereport(
            ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("permission denied to have rows of \"%s\" checked by domain %s",
                    get_rel_name(relation), format_type_be(domain)),
             errhint("The table is protected: checks see its values, so its owner adds them.")));
    }
}

} // namespace

void check_domain_users(Oid domain) {
    check_stack_depth();
    Relation dependencies = table_open(DependRelationId, AccessShareLock);
    ScanKeyData wanted[2];
    ScanKeyInit(&wanted[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(TypeRelationId));
    ScanKeyInit(&wanted[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(domain));
    SysScanDesc scan =
        systable_beginscan(dependencies, DependReferenceIndexId, true, nullptr, 2, wanted);
    for (HeapTuple row = systable_getnext(scan); HeapTupleIsValid(row);
         row = systable_getnext(scan)) {
        const auto *user = reinterpret_cast<const FormData_pg_depend *>(GETSTRUCT(row));
        if (user->classid == RelationRelationId && user->objsubid > 0) {
            check_table(user->objid, domain);
        } else if (user->classid == TypeRelationId && get_typtype(user->objid) == TYPTYPE_DOMAIN) {
            check_domain_users(user->objid); // a domain over it
        }
    }
    systable_endscan(scan);
    table_close(dependencies, AccessShareLock);
}

} // namespace entitle::pg

// Event trigger, before ALTER DOMAIN. Validating a constraint, and SET NOT NULL on some releases,
// reads the rows before anything is recorded; what records a constraint is looked at again then.
ENTITLE_FUNCTION(entitle_refuse_domain_check) {
    using namespace entitle::pg;
    if (CALLED_AS_EVENT_TRIGGER(fcinfo)) {
        Node *command = reinterpret_cast<EventTriggerData *>(fcinfo->context)->parsetree;
        if (IsA(command, AlterDomainStmt)) {
            const auto *alter = ENTITLE_NODE(AlterDomainStmt, command);
            const char what = static_cast<char>(alter->subtype);
            const Oid domain =
                what == 'C' || what == 'V' || what == 'O'
                    ? LookupTypeNameOid(nullptr, makeTypeNameFromNameList(alter->typeName), true)
                    : InvalidOid;
            if (OidIsValid(domain)) {
                check_domain_users(domain);
            }
        }
    }
    return Datum(0);
}
