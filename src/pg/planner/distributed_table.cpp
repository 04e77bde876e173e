// Citus is asked by the one function that tells, where its library is loaded.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/planner/distributed_table.hpp"

extern "C" {
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
}

#include <dlfcn.h>

namespace entitle::pg {

namespace {

using IsDistributed = bool (*)(Oid relation);

// PostgreSQL loads libraries with their symbols for all to see. Citus is loaded at the server's
// start or not at all, so one look is enough. Returns: null without Citus.
IsDistributed find_test() noexcept {
    static const auto test = reinterpret_cast<IsDistributed>(dlsym(RTLD_DEFAULT, "IsCitusTable"));
    return test;
}

bool is_distributed(Node *node, void *) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        const auto *entry = ENTITLE_NODE(RangeTblEntry, node);
        return entry->rtekind == RTE_RELATION && find_test()(entry->relid);
    }
    if (IsA(node, Query)) {
        return query_tree_walker(ENTITLE_NODE(Query, node), ENTITLE_WALKER(is_distributed), nullptr,
                                 QTW_EXAMINE_RTES_BEFORE);
    }
    return expression_tree_walker(node, ENTITLE_WALKER(is_distributed), nullptr);
}

} // namespace

void check_wrapped_tests(Query *query) {
    if (find_test() == nullptr) {
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
    return find_test() != nullptr && is_distributed(reinterpret_cast<Node *>(query), nullptr);
}

} // namespace entitle::pg
