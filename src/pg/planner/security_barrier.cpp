// Finds the views of one table whose whole condition is row tests that the asker passes by
// permission. Planning folds these tests, and with that records what the plan relies on.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/planner/assumption.hpp"
#include "pg/planner/security_barrier.hpp"
#include "pg/boundary/compat.hpp"
#include "pg/planner/row_filter.hpp"

extern "C" {
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
}

namespace entitle::pg {

namespace {

// Whether all that can hide rows is the view's condition; a join could too, or HAVING. Any view
// will do, whoever made it.
bool reads_one_table(const Query *view) {
    const bool is_plain = view->groupClause == NIL && view->groupingSets == NIL &&
                          view->havingQual == nullptr && view->distinctClause == NIL &&
                          view->setOperations == nullptr && view->limitCount == nullptr &&
                          view->limitOffset == nullptr && !view->hasAggs && !view->hasWindowFuncs &&
                          !view->hasTargetSRFs && !view->hasSubLinks;
    if (view->commandType != CMD_SELECT || view->rowMarks != NIL || !is_plain ||
        list_length(view->jointree->fromlist) != 1 ||
        !IsA(linitial(view->jointree->fromlist), RangeTblRef)) {
        return false;
    }
    const auto *reference = static_cast<const RangeTblRef *>(linitial(view->jointree->fromlist));
    return rt_fetch(reference->rtindex, view->rtable)->rtekind == RTE_RELATION;
}

// Whether the condition is row tests only, and all of them are passed by permission, whose names
// are added.
bool is_passed(const Node *condition, List **permissions) {
    if (condition != nullptr && IsA(condition, BoolExpr) &&
        ENTITLE_NODE(BoolExpr, condition)->boolop == AND_EXPR) {
        for (const auto *item : each<Node>(ENTITLE_NODE(BoolExpr, condition)->args)) {
            if (!is_passed(item, permissions)) {
                return false;
            }
        }
        return true;
    }
    bool is_branded = false;
    Call call{};
    if (condition == nullptr || !IsA(condition, FuncExpr)) {
        return false;
    }
    const auto *function = ENTITLE_NODE(FuncExpr, condition);
    if (!is_row_test(function->funcid, is_branded) || is_branded ||
        !read_call(function->args, is_branded, call) || !call.permission ||
        !ask(permission_question(call))) {
        return false;
    }
    *permissions = lappend(*permissions,
                           makeString(pnstrdup(call.permission->data(), call.permission->size())));
    return true;
}

bool lift(Node *node, void *permissions) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, RangeTblEntry)) {
        auto *entry = ENTITLE_NODE(RangeTblEntry, node);
        if (entry->rtekind == RTE_SUBQUERY && entry->security_barrier &&
            reads_one_table(entry->subquery)) {
            List *passed = NIL;
            if (is_passed(entry->subquery->jointree->quals, &passed)) {
                entry->security_barrier = false;
                *static_cast<List **>(permissions) =
                    list_concat(*static_cast<List **>(permissions), passed);
            }
        }
        return false; // the walker goes on into the subquery by itself
    }
    if (IsA(node, Query)) {
        // What writes through a view goes by its trigger, row by row.
        auto *query = ENTITLE_NODE(Query, node);
        return query->commandType == CMD_SELECT &&
               query_tree_walker(query, ENTITLE_WALKER(lift), permissions, QTW_EXAMINE_RTES_BEFORE);
    }
    return expression_tree_walker(node, ENTITLE_WALKER(lift), permissions);
}

} // namespace

List *lift_barriers(Query *query) {
    List *permissions = NIL;
    (void)lift(reinterpret_cast<Node *>(query), &permissions);
    return permissions;
}

bool relies_on(const PlannedStmt *plan, const List *permissions) {
    for (auto *permission : each<String>(permissions)) {
        if (!is_assumed(plan, Question{Fact::permission_held, strVal(permission)}, true)) {
            return false;
        }
    }
    return true;
}

} // namespace entitle::pg
