#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/function.hpp"
#include "pg/boundary/node.hpp"
#include "pg/protection/parent_key.hpp"

extern "C" {
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "nodes/parsenodes.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
}

namespace entitle::pg {

namespace {

bool refers_by(const ForeignKeyCacheInfo *key, AttrNumber column) {
    for (int i = 0; i < key->nkeys; ++i) {
        if (key->conkey[i] == column) {
            return true;
        }
    }
    return false;
}

[[noreturn]] void raise_lost_key(Relation child) {
    ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("table \"%s\" no longer has its foreign key to its parent",
                           RelationGetRelationName(child)),
                    errhint("SELECT * FROM entitle.verify_protection() tells what mends it.")));
    pg_unreachable();
}

// Tells whether the key may be the one that a line was declared with: the one that was named, and
// one that has the customer column.
bool may_be_meant(const ForeignKeyCacheInfo *key, const Declaration &declared,
                  AttrNumber customer) {
    const char *name = declared.parent_key == nullptr ? nullptr : get_constraint_name(key->conoid);
    return key->confrelid == declared.parent &&
           (declared.customer_column == nullptr || refers_by(key, customer)) &&
           (declared.parent_key == nullptr ||
            (name != nullptr && strcmp(name, declared.parent_key) == 0));
}

// The foreign keys to the parent that may be meant: a List of ForeignKeyCacheInfo *, for as long as
// the child stays open.
List *keys_to_parent(Relation child, const Declaration &declared) {
    AttrNumber customer = InvalidAttrNumber;
    if (declared.customer_column != nullptr) {
        customer = get_attnum(RelationGetRelid(child), declared.customer_column);
    }
    List *keys = NIL;
    for (auto *key : each<ForeignKeyCacheInfo>(RelationGetFKeyList(child))) {
        if (may_be_meant(key, declared, customer)) {
            keys = lappend(keys, key);
        }
    }
    return keys;
}

// The only one. entitle_internal.find_parent_key saw to that when the line was protected.
const ForeignKeyCacheInfo *choose_key(Relation child, const Declaration &declared) {
    const List *keys = keys_to_parent(child, declared);
    if (list_length(keys) != 1) {
        raise_lost_key(child);
    }
    return linitial_node(ForeignKeyCacheInfo, keys);
}

// The unique index that a foreign key refers to, and whether the key may dangle: what has no action
// of its own is checked when the statement ends, or the transaction.
Oid referred_index(Relation child, Oid constraint, ParentKey &found) {
    HeapTuple tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
    if (!HeapTupleIsValid(tuple)) {
        elog(ERROR, "no constraint with OID %u", constraint);
    }
    const auto *form = reinterpret_cast<const FormData_pg_constraint *>(GETSTRUCT(tuple));
    if (entitle_is_temporal(form)) {
        raise_lost_key(child);
    }
    const Oid index = form->conindid;
    found.is_loose = form->condeferrable && form->confupdtype != FKCONSTR_ACTION_CASCADE;
    found.is_late = form->confupdtype == FKCONSTR_ACTION_NOACTION ||
                    form->confupdtype == FKCONSTR_ACTION_SETDEFAULT;
    found.is_left = form->confdeltype == FKCONSTR_ACTION_NOACTION;
    ReleaseSysCache(tuple);
    return index;
}

} // namespace

ParentKey find_parent_key(const Declaration &child) {
    ParentKey found{};
    Relation line = table_open(child.relation, AccessShareLock);
    const ForeignKeyCacheInfo *key = choose_key(line, child);
    const Oid index_oid = referred_index(line, key->conoid, found);
    Relation index = index_open(index_oid, AccessShareLock);
    found.count = IndexRelationGetNumberOfKeyAttributes(index);
    for (int i = 0; i < found.count; ++i) {
        for (int k = 0; k < key->nkeys; ++k) {
            if (key->confkey[k] == index->rd_index->indkey.values[i]) {
                found.columns[i] = get_attname(child.relation, key->conkey[k], false);
                found.referred[i] = get_attname(child.parent, key->confkey[k], false);
                found.operators[i] = key->conpfeqop[k];
            }
        }
    }
    const bool has_parts = index->rd_rel->relkind == RELKIND_PARTITIONED_INDEX;
    index_close(index, AccessShareLock);
    table_close(line, AccessShareLock);

    for (const Oid member :
         each_oid(has_parts ? find_all_inheritors(index_oid, AccessShareLock, nullptr)
                            : list_make1_oid(index_oid))) {
        if (get_rel_relkind(member) == RELKIND_INDEX) {
            found.indexes = lappend_oid(found.indexes, member);
        }
    }
    return found;
}

} // namespace entitle::pg

using namespace entitle;
using namespace entitle::pg;

// keys_to_parent(relation, parent, parent_key, customer_column) -> oid[]: the foreign keys that a
// declaration may mean. No more is told than pg_constraint tells everybody, and the lock on a table
// of somebody else's goes at once.
ENTITLE_FUNCTION(entitle_keys_to_parent) {
    Declaration declared;
    declared.relation = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);
    declared.parent = PG_ARGISNULL(1) ? InvalidOid : PG_GETARG_OID(1);
    declared.parent_key = PG_ARGISNULL(2) ? nullptr : NameStr(*PG_GETARG_NAME(2));
    declared.customer_column = PG_ARGISNULL(3) ? nullptr : NameStr(*PG_GETARG_NAME(3));
    ArrayBuildState *keys = initArrayResult(OIDOID, CurrentMemoryContext, false);
    Relation child = OidIsValid(declared.relation) && OidIsValid(declared.parent)
                         ? try_relation_open(declared.relation, AccessShareLock)
                         : nullptr;
    if (child != nullptr) {
        for (const auto *key : each<ForeignKeyCacheInfo>(keys_to_parent(child, declared))) {
            keys = accumArrayResult(keys, ObjectIdGetDatum(key->conoid), false, OIDOID,
                                    CurrentMemoryContext);
        }
        relation_close(child, AccessShareLock);
    }
    return makeArrayResult(keys, CurrentMemoryContext);
}
