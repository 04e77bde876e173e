#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/planner/told_array.hpp"
#include "pg/planner/unsettled.hpp"

extern "C" {
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/fmgroids.h"
#include "utils/syscache.h"
}

#include <utility>

namespace entitle::pg {

namespace {

needs_fmgr_hook_type next_needs = nullptr;
ToldArrays now{false, false, false};

bool is_marked(const Node *element) {
    return IsA(element, FuncExpr) && ENTITLE_NODE(FuncExpr, element)->funcid == F_ARRAY_CAT;
}

// The same array: nothing is appended to it.
Node *marked(Node *element) {
    const Oid type = exprType(element);
    const Oid collation = exprCollation(element);
    Const *nothing = makeNullConst(type, -1, collation);
    return reinterpret_cast<Node *>(makeFuncExpr(F_ARRAY_CAT, type, list_make2(element, nothing),
                                                 collation, collation, COERCE_IMPLICIT_CAST));
}

bool is_query_function(Oid function, void *) {
    if (function < FirstNormalObjectId) {
        return false; // PostgreSQL's own have no such array
    }
    HeapTuple row = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(row)) {
        return false;
    }
    const bool is_query =
        reinterpret_cast<const FormData_pg_proc *>(GETSTRUCT(row))->prolang == SQLlanguageId;
    ReleaseSysCache(row);
    return is_query;
}

bool mark_arrays(Node *node, void *argument) {
    auto *found = static_cast<ToldArrays *>(argument);
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Query)) {
        return query_tree_walker(ENTITLE_NODE(Query, node), ENTITLE_WALKER(mark_arrays), argument,
                                 0);
    }
    if (IsA(node, ArrayExpr) && ENTITLE_NODE(ArrayExpr, node)->multidims) {
        ListCell *cell = nullptr;
        foreach (cell, ENTITLE_NODE(ArrayExpr, node)->elements) {
            auto *element = static_cast<Node *>(lfirst(cell));
            lfirst(cell) = is_marked(element) ? element : marked(element);
        }
    }
    refuse_unsettled(node);
    load_collations(node);
    found->is_watched =
        found->is_watched || check_functions_in_node(node, is_query_function, nullptr);
    return expression_tree_walker(node, ENTITLE_WALKER(mark_arrays), argument);
}

// Whether there is an array of arrays that depend on rows and are not marked, or what is unsettled.
bool has_told_array(Node *node, void *) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, Query)) {
        return query_tree_walker(ENTITLE_NODE(Query, node), ENTITLE_WALKER(has_told_array), nullptr,
                                 0);
    }
    if (IsA(node, ArrayExpr) && ENTITLE_NODE(ArrayExpr, node)->multidims) {
        for (const auto *element : each<Node>(ENTITLE_NODE(ArrayExpr, node)->elements)) {
            if (!is_marked(element) && !IsA(element, Const)) {
                return true;
            }
        }
    }
    load_collations(node);
    return is_unsettled(node) ||
           expression_tree_walker(node, ENTITLE_WALKER(has_told_array), nullptr);
}

// PostgreSQL puts no function's text in the place of its call whose calls are to be heard of.
bool on_lookup(Oid function) {
    return now.is_forbidden || (next_needs != nullptr && next_needs(function));
}

void on_transaction(XactEvent event, void *) {
    if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE) {
        now = ToldArrays{false, false, false};
    }
}

} // namespace

ToldArrays mark_told_arrays(Query *query) {
    ToldArrays found{false, false, false};
    (void)mark_arrays(reinterpret_cast<Node *>(query), &found);
    return found;
}

ToldArrays set_told_arrays(ToldArrays known) noexcept { return std::exchange(now, known); }

void look_for_told_arrays(const PlannerInfo *root) {
    for (; now.is_watched && !now.is_found && root != nullptr; root = root->parent_root) {
        now.is_found = has_told_array(reinterpret_cast<Node *>(root->parse), nullptr) ||
                       has_told_array(reinterpret_cast<Node *>(root->append_rel_list), nullptr);
    }
}

void watch_told_arrays() {
    next_needs = needs_fmgr_hook;
    needs_fmgr_hook = on_lookup;
    RegisterXactCallback(on_transaction, nullptr);
}

} // namespace entitle::pg
