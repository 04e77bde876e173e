// Finds row tests in the WHERE of a query that stand among the security conditions of one of its
// tables, too.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/boundary/compat.hpp"
#include "pg/planner/redundant_filter.hpp"
#include "pg/planner/row_filter.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
}

namespace entitle::pg {

namespace {

// Gathers the tables that are joined. In an outer join a WHERE also asks about rows that are no
// table's, which a table's own condition does not. Returns: false when there is one.
bool gather_joined(const Node *item, List **tables) {
    if (IsA(item, RangeTblRef)) {
        *tables = lappend_int(*tables, ENTITLE_NODE(RangeTblRef, item)->rtindex);
        return true;
    }
    if (IsA(item, FromExpr)) {
        for (const auto *part : each<Node>(ENTITLE_NODE(FromExpr, item)->fromlist)) {
            if (!gather_joined(part, tables)) {
                return false;
            }
        }
        return true;
    }
    const auto *join = ENTITLE_NODE(JoinExpr, item);
    return IsA(item, JoinExpr) && join->jointype == JOIN_INNER &&
           gather_joined(join->larg, tables) && gather_joined(join->rarg, tables);
}

bool is_repeated(const Query *query, const List *tables, const Node *condition) {
    if (!is_row_test(condition)) {
        return false;
    }
    for (const int table : each_int(tables)) {
        const RangeTblEntry *entry = rt_fetch(table, query->rtable);
        if (entry->rtekind == RTE_RELATION && list_member(entry->securityQuals, condition)) {
            return true;
        }
    }
    return false;
}

void drop_from(Query *query) {
    auto *where = reinterpret_cast<Expr *>(query->jointree->quals);
    List *tables = NIL;
    if (where == nullptr ||
        !gather_joined(reinterpret_cast<const Node *>(query->jointree), &tables)) {
        return;
    }
    List *kept = NIL;
    for (auto *condition : each<Node>(make_ands_implicit(where))) {
        if (!is_repeated(query, tables, condition)) {
            kept = lappend(kept, condition);
        }
    }
    query->jointree->quals =
        kept == NIL ? nullptr : reinterpret_cast<Node *>(make_ands_explicit(kept));
}

bool visit(Node *node, void *) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Query)) {
        auto *query = ENTITLE_NODE(Query, node);
        if (query->commandType == CMD_SELECT && query->jointree != nullptr) {
            drop_from(query);
        }
        return query_tree_walker(query, ENTITLE_WALKER(visit), nullptr, 0);
    }
    return expression_tree_walker(node, ENTITLE_WALKER(visit), nullptr);
}

} // namespace

void drop_repeated_tests(Query *query) { (void)visit(reinterpret_cast<Node *>(query), nullptr); }

} // namespace entitle::pg
