// Citus lists its tables in one of its own, where it is there.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/planner/distributed_table.hpp"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_namespace.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
}

namespace entitle::pg {

namespace {

// Citus lists there what it distributes; nobody but a superuser makes a table in this schema.
// Returns: InvalidOid in a database without Citus.
Oid find_distribution() { return get_relname_relid("pg_dist_partition", PG_CATALOG_NAMESPACE); }

bool is_listed(Oid distribution, Oid relation) {
    constexpr AttrNumber kLogicalRelation = 1;
    ScanKeyData key;
    ScanKeyInit(&key, kLogicalRelation, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
    Relation table = table_open(distribution, AccessShareLock);
    const Oid index =
        get_relname_relid("pg_dist_partition_logical_relid_index", PG_CATALOG_NAMESPACE);
    SysScanDesc scan = systable_beginscan(table, index, OidIsValid(index), nullptr, 1, &key);
    const bool is_found = HeapTupleIsValid(systable_getnext(scan));
    systable_endscan(scan);
    table_close(table, AccessShareLock);
    return is_found;
}

// distribution: Citus's table, by address.
bool is_distributed(Node *node, void *distribution) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        const auto *entry = ENTITLE_NODE(RangeTblEntry, node);
        return entry->rtekind == RTE_RELATION &&
               is_listed(*static_cast<Oid *>(distribution), entry->relid);
    }
    if (IsA(node, Query)) {
        return query_tree_walker(ENTITLE_NODE(Query, node), ENTITLE_WALKER(is_distributed),
                                 distribution, QTW_EXAMINE_RTES_BEFORE);
    }
    return expression_tree_walker(node, ENTITLE_WALKER(is_distributed), distribution);
}

} // namespace

void check_wrapped_tests(Query *query) {
    if (!OidIsValid(find_distribution())) {
        return;
    }
    int place = 0;
    for (const auto *entry : each<RangeTblEntry>(query->rtable)) {
        ++place;
        Relids places = pull_varnos(nullptr, reinterpret_cast<Node *>(entry->securityQuals));
        if (!bms_is_subset(places, bms_make_singleton(place))) {
            ereport(
                ERROR,
                (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                 errmsg("cannot join protected table \"%s\" of this server with distributed tables "
                        "here",
                        get_rel_name(entry->relid)),
                 errhint("Name it first in FROM, or make it a distributed or a reference table.")));
        }
    }
}

bool has_distributed_table(Query *query) {
    Oid distribution = find_distribution();
    return OidIsValid(distribution) &&
           is_distributed(reinterpret_cast<Node *>(query), &distribution);
}

} // namespace entitle::pg
