#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/planner/document_join.hpp"
#include "pg/planner/fenced_line.hpp"

extern "C" {
#include "access/table.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteManip.h"
#include "utils/rel.h"
}

namespace entitle::pg {

namespace {

struct Row {
    int number;
    Index levels_up;
};

// Whether the table's row as a whole is asked for, or what the system knows of it: a query does not
// give that out.
bool names_row(Node *node, void *argument) {
    const auto *row = static_cast<const Row *>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Var)) {
        const auto *column = ENTITLE_NODE(Var, node);
        return column->varno == row->number && column->varlevelsup == row->levels_up &&
               column->varattno <= 0;
    }
    if (IsA(node, Query)) {
        Row inner{row->number, row->levels_up + 1};
        return query_tree_walker(ENTITLE_NODE(Query, node), ENTITLE_WALKER(names_row), &inner, 0);
    }
    return expression_tree_walker(node, ENTITLE_WALKER(names_row), argument);
}

bool can_fence(Query *query, int number) {
    const RangeTblEntry *entry = rt_fetch(number, query->rtable);
    if (entry->rtekind != RTE_RELATION || entry->tablesample != nullptr) {
        return false;
    }
    bool is_line = false;
    for (const auto *condition : each<Node>(entry->securityQuals)) {
        is_line = is_line || documents_of(condition) != nullptr;
    }
    Row row{number, 0};
    return is_line && !query_tree_walker(query, ENTITLE_WALKER(names_row), &row, 0);
}

List *all_columns(const RangeTblEntry *entry) {
    List *columns = NIL;
    Relation relation = table_open(entry->relid, NoLock);
    TupleDesc described = RelationGetDescr(relation);
    for (int i = 0; i < described->natts; ++i) {
        const FormData_pg_attribute *attribute = TupleDescAttr(described, i);
        const auto number = static_cast<AttrNumber>(i + 1);
        Expr *column = attribute->attisdropped
                           ? reinterpret_cast<Expr *>(makeNullConst(INT4OID, -1, InvalidOid))
                           : reinterpret_cast<Expr *>(makeVar(1, number, attribute->atttypid,
                                                              attribute->atttypmod,
                                                              attribute->attcollation, 0));
        columns = lappend(
            columns, makeTargetEntry(column, number, pstrdup(NameStr(attribute->attname)), false));
    }
    table_close(relation, NoLock);
    return columns;
}

void fence(Query *query, int number) {
    RangeTblEntry *entry = rt_fetch(number, query->rtable);
    Query *inner = makeNode(Query);
    inner->commandType = CMD_SELECT;
    inner->canSetTag = true;
    inner->hasRowSecurity = true;
    inner->hasSubLinks = true;
    List *tests = entry->securityQuals;
    ChangeVarNodes(reinterpret_cast<Node *>(tests), number, 1, 0);
    entitle_keep_privileges(inner, query, entry);
    RangeTblRef *only = makeNode(RangeTblRef);
    only->rtindex = 1;
    inner->jointree =
        makeFromExpr(list_make1(only), reinterpret_cast<Node *>(make_ands_explicit(tests)));
    inner->targetList = all_columns(entry);

    RangeTblEntry *fenced = makeNode(RangeTblEntry);
    fenced->rtekind = RTE_SUBQUERY;
    fenced->subquery = inner;
    fenced->security_barrier = true;
    fenced->alias = entry->alias;
    fenced->eref = entry->eref;
    fenced->lateral = false;
    fenced->inFromCl = entry->inFromCl;
    lfirst(list_nth_cell(query->rtable, number - 1)) = fenced;
}

bool fence_all(Node *node, void *count) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Query)) {
        auto *query = ENTITLE_NODE(Query, node);
        for (int number = 1; number <= list_length(query->rtable); ++number) {
            if (query->commandType == CMD_SELECT && query->rowMarks == NIL &&
                can_fence(query, number)) {
                fence(query, number);
                ++*static_cast<int *>(count);
            }
        }
        return query_tree_walker(query, ENTITLE_WALKER(fence_all), count, 0);
    }
    return expression_tree_walker(node, ENTITLE_WALKER(fence_all), count);
}

} // namespace

bool fence_lines(Query *query) {
    int count = 0;
    (void)fence_all(reinterpret_cast<Node *>(query), &count);
    return count > 0;
}

} // namespace entitle::pg
