#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/lending/definer.hpp"
#include "pg/boundary/compat.hpp"
#include "pg/lending/made.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/pg_auth_members.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_shdepend.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/catcache.h"
}

namespace entitle::pg {

namespace {

constexpr int kMaxBorrowers = 32;

// Raised by every change of a role's memberships, and of functions, types, operators and relations.
std::uint64_t generation = 1;

// What was found last, and for whom.
struct Found {
    std::uint64_t generation; // 0: nothing was found yet
    Oid lender;
    Oid temporary;
    int count;
    Oid borrowers[kMaxBorrowers];
    MemoryContext context;
    Made made;
};
Found found{};

void note_change(Datum, EntitleSyscache, uint32) { ++generation; }

// The roles that somebody may act as. Returns: none when the lender or a superuser is among them,
// who need not borrow.
List *find_roles(Oid borrower, Oid lender) {
    List *roles = list_make1_oid(borrower);
    for (const Oid role : each_oid(roles)) {
        if (role == lender || superuser_arg(role)) {
            return NIL;
        }
        CatCList *memberships = SearchSysCacheList1(AUTHMEMMEMROLE, ObjectIdGetDatum(role));
        for (int i = 0; i < memberships->n_members; ++i) {
            HeapTuple row = &memberships->members[i]->tuple;
            roles = list_append_unique_oid(
                roles, reinterpret_cast<Form_pg_auth_members>(GETSTRUCT(row))->roleid);
        }
        ReleaseSysCacheList(memberships);
    }
    return roles;
}

bool is_unsafe_function(Oid function, void *) {
    return function >= FirstUnpinnedObjectId || func_volatile(function) != PROVOLATILE_IMMUTABLE;
}

bool is_unsafe_node(Node *node, void *) {
    if (node == nullptr) {
        return false;
    }
    return check_functions_in_node(node, is_unsafe_function, nullptr) ||
           expression_tree_walker(node, ENTITLE_WALKER(is_unsafe_node), nullptr);
}

bool is_unsafe_expression(const char *text) {
    auto *node = static_cast<Node *>(stringToNode(text));
    return contain_mutable_functions(node) || is_unsafe_node(node, nullptr);
}

// Whether making a value of the domain does more than compare it.
bool is_unsafe_domain(Oid type) {
    HeapTuple row = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    if (!HeapTupleIsValid(row)) {
        return false;
    }
    bool is_null = true;
    bool is_unsafe = false;
    if (reinterpret_cast<Form_pg_type>(GETSTRUCT(row))->typtype == TYPTYPE_DOMAIN) {
        const Datum otherwise = SysCacheGetAttr(TYPEOID, row, Anum_pg_type_typdefaultbin, &is_null);
        is_unsafe = !is_null && is_unsafe_expression(TextDatumGetCString(otherwise));
        Relation constraints = table_open(ConstraintRelationId, AccessShareLock);
        ScanKeyData key;
        ScanKeyInit(&key, Anum_pg_constraint_contypid, BTEqualStrategyNumber, F_OIDEQ,
                    ObjectIdGetDatum(type));
        SysScanDesc scan =
            systable_beginscan(constraints, ConstraintTypidIndexId, true, nullptr, 1, &key);
        while (HeapTuple constraint = systable_getnext(scan)) {
            const Datum check = heap_getattr(constraint, Anum_pg_constraint_conbin,
                                             RelationGetDescr(constraints), &is_null);
            is_unsafe = is_unsafe || (!is_null && is_unsafe_expression(TextDatumGetCString(check)));
        }
        systable_endscan(scan);
        table_close(constraints, AccessShareLock);
    }
    ReleaseSysCache(row);
    return is_unsafe;
}

// Calls `visit` for all that a role owns in this database.
template <typename Visit> void visit_owned(Oid role, Visit visit) {
    Relation owners = table_open(SharedDependRelationId, AccessShareLock);
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], Anum_pg_shdepend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(AuthIdRelationId));
    ScanKeyInit(&keys[1], Anum_pg_shdepend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(role));
    SysScanDesc scan =
        systable_beginscan(owners, SharedDependReferenceIndexId, true, nullptr, 2, keys);
    while (HeapTuple row = systable_getnext(scan)) {
        const auto *form = reinterpret_cast<const FormData_pg_shdepend *>(GETSTRUCT(row));
        if (form->dbid == MyDatabaseId && form->deptype == SHARED_DEPENDENCY_OWNER) {
            visit(form->classid, form->objid);
        }
    }
    systable_endscan(scan);
    table_close(owners, AccessShareLock);
}

void note_temporary(Oid catalog, Oid object, void *context) {
    auto *made = static_cast<Made *>(context);
    made->has_code = made->has_code || catalog == ProcedureRelationId ||
                     catalog == OperatorRelationId ||
                     (catalog == RelationRelationId && get_rel_relkind(object) == RELKIND_SEQUENCE);
    HeapTuple row =
        catalog == TypeRelationId ? SearchSysCache1(TYPEOID, ObjectIdGetDatum(object)) : nullptr;
    if (HeapTupleIsValid(row)) {
        if (!is_lender_kind(reinterpret_cast<Form_pg_type>(GETSTRUCT(row))->typowner)) {
            made->unsafe_type = object;
        }
        ReleaseSysCache(row);
    }
}

void find_owned(Made &made) {
    for (const Oid role : each_oid(made.roles)) {
        visit_owned(role, [&](Oid catalog, Oid object) {
            made.has_relations = made.has_relations || catalog == RelationRelationId;
            made.has_code =
                made.has_code || catalog == ProcedureRelationId || catalog == OperatorRelationId;
            if (catalog == TypeRelationId && is_unsafe_domain(object)) {
                made.unsafe_type = object;
            }
        });
    }
    if (!OidIsValid(made.temporary)) {
        return;
    }
    visit_dependencies(NamespaceRelationId, made.temporary, true, note_temporary, &made);
}

} // namespace

bool is_lender_kind(Oid role) {
    return role == lender() || superuser_arg(role) || is_member_of_role(role, lender());
}

const Made *find_made() {
    if (!OidIsValid(lender()) || IsParallelWorker()) {
        return nullptr;
    }
    Oid borrowers[kMaxBorrowers];
    const int count = find_borrowers(borrowers, kMaxBorrowers);
    if (count > kMaxBorrowers) {
        ereport(ERROR, (errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
                        errmsg("functions of more than %d roles call each other", kMaxBorrowers)));
    }
    Oid temporary = InvalidOid;
    Oid toast = InvalidOid;
    GetTempNamespaceState(&temporary, &toast);
    if (found.generation != generation || found.lender != lender() ||
        found.temporary != temporary || found.count != count ||
        memcmp(found.borrowers, borrowers, count * sizeof(Oid)) != 0) {
        if (found.context == nullptr) {
            found.context =
                AllocSetContextCreate(TopMemoryContext, "entitle: borrowers", ALLOCSET_SMALL_SIZES);
        }
        found.generation = 0;
        const std::uint64_t began = generation;
        MemoryContext before = MemoryContextSwitchTo(found.context);
        MemoryContextReset(found.context);
        Made made{NIL, temporary, false, false, InvalidOid};
        for (int i = 0; i < count; ++i) {
            made.roles = list_concat_unique_oid(made.roles, find_roles(borrowers[i], lender()));
        }
        if (made.roles != NIL) {
            find_owned(made);
        }
        MemoryContextSwitchTo(before);
        found.made = made;
        found.lender = lender();
        found.temporary = temporary;
        found.count = count;
        memcpy(found.borrowers, borrowers, count * sizeof(Oid));
        found.generation = began;
    }
    return found.made.roles == NIL ? nullptr : &found.made;
}

bool is_borrowers(const Made &made, Oid schema, Oid owner) {
    if (OidIsValid(made.temporary) && schema == made.temporary) {
        return !is_lender_kind(owner);
    }
    return list_member_oid(made.roles, owner);
}

void visit_dependencies(Oid catalog, Oid object, bool is_referenced,
                        void (*visit)(Oid catalog, Oid object, void *context), void *context) {
    Relation dependencies = table_open(DependRelationId, AccessShareLock);
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], is_referenced ? Anum_pg_depend_refclassid : Anum_pg_depend_classid,
                BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(catalog));
    ScanKeyInit(&keys[1], is_referenced ? Anum_pg_depend_refobjid : Anum_pg_depend_objid,
                BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(object));
    SysScanDesc scan = systable_beginscan(
        dependencies, is_referenced ? DependReferenceIndexId : DependDependerIndexId, true, nullptr,
        2, keys);
    while (HeapTuple row = systable_getnext(scan)) {
        const auto *form = reinterpret_cast<const FormData_pg_depend *>(GETSTRUCT(row));
        if (is_referenced) {
            visit(form->classid, form->objid, context);
        } else {
            visit(form->refclassid, form->refobjid, context);
        }
    }
    systable_endscan(scan);
    table_close(dependencies, AccessShareLock);
}

bool runs_as_borrower(const Made *made) { return list_member_oid(made->roles, GetUserId()); }

void watch_made() {
    constexpr EntitleSyscache caches[] = {PROCOID, TYPEOID,        OPEROID,
                                          RELOID,  AUTHMEMMEMROLE, AUTHOID};
    for (const EntitleSyscache cache : caches) {
        CacheRegisterSyscacheCallback(cache, note_change, static_cast<Datum>(0));
    }
}

} // namespace entitle::pg
