// Plans have no walker of PostgreSQL's own.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/boundary/compat.hpp"
#include "pg/boundary/extension_schema.hpp"
#include "pg/planner/plan_tree.hpp"
#include "pg/planner/row_filter.hpp"
#include "pg/subject/current_subject.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "nodes/nodeFuncs.h"
#include "utils/lsyscache.h"
}

#include <algorithm>
#include <iterator>

namespace entitle::pg {

namespace {

// What a visit of a node comes to.
enum class Visited { go_on, leave_out_below, found };

template <typename Visit> bool visit_all(List *plans, const Visit &is_wanted);

// Visits a node and those below it. Returns: whether one of them was what is looked for.
template <typename Visit> bool visit(Plan *plan, const Visit &is_wanted) {
    const Visited visited = plan == nullptr ? Visited::leave_out_below : is_wanted(plan);
    if (visited != Visited::go_on) {
        return visited == Visited::found;
    }
    check_stack_depth();
    if (visit(plan->lefttree, is_wanted) || visit(plan->righttree, is_wanted)) {
        return true;
    }
    switch (nodeTag(plan)) {
    case T_Append:
        return visit_all(ENTITLE_NODE(Append, plan)->appendplans, is_wanted);
    case T_MergeAppend:
        return visit_all(ENTITLE_NODE(MergeAppend, plan)->mergeplans, is_wanted);
    case T_BitmapAnd:
        return visit_all(ENTITLE_NODE(BitmapAnd, plan)->bitmapplans, is_wanted);
    case T_BitmapOr:
        return visit_all(ENTITLE_NODE(BitmapOr, plan)->bitmapplans, is_wanted);
    case T_SubqueryScan:
        return visit(ENTITLE_NODE(SubqueryScan, plan)->subplan, is_wanted);
    case T_CustomScan:
        return visit_all(ENTITLE_NODE(CustomScan, plan)->custom_plans, is_wanted);
    default:
        return false;
    }
}

template <typename Visit> bool visit_all(List *plans, const Visit &is_wanted) {
    for (auto *item : each<Plan>(plans)) {
        if (visit(item, is_wanted)) {
            return true;
        }
    }
    return false;
}

// Visits the plan and those of its sublinks.
template <typename Visit> bool visit_plan(const PlannedStmt *plan, const Visit &is_wanted) {
    return visit(plan->planTree, is_wanted) || visit_all(plan->subplans, is_wanted);
}

// The level of a condition `column = ANY(customers(level))`. Returns: none for any other.
std::optional<int> level_of_array(const Node *clause) {
    if (!IsA(clause, ScalarArrayOpExpr)) {
        return std::nullopt;
    }
    const auto *array =
        static_cast<const Node *>(lsecond(ENTITLE_NODE(ScalarArrayOpExpr, clause)->args));
    if (!IsA(array, FuncExpr)) {
        return std::nullopt;
    }
    const auto *call = ENTITLE_NODE(FuncExpr, array);
    FmgrInfo info;
    fmgr_info(call->funcid, &info);
    const bool is_ours =
        info.fn_addr == entitle_accessible_customers || info.fn_addr == entitle_unlimited_customers;
    return is_ours && IsA(linitial(call->args), Const)
               ? std::optional<int>(
                     DatumGetInt32(static_cast<const Const *>(linitial(call->args))->constvalue))
               : std::nullopt;
}

// Whether a row test of that level is among the conditions.
bool tests_rows(const List *conditions, int level) {
    for (const auto *clause : each<Node>(conditions)) {
        const auto call = read_row_test(clause);
        if (call && call->level == level) {
            return true;
        }
    }
    return false;
}

bool is_untested_scan(const Plan *plan) {
    const List *conditions = IsA(plan, IndexScan) ? ENTITLE_NODE(IndexScan, plan)->indexqualorig
                             : IsA(plan, IndexOnlyScan)
                                 ? ENTITLE_NODE(IndexOnlyScan, plan)->recheckqual
                                 : NIL;
    for (const auto *item : each<Node>(conditions)) {
        const auto level = level_of_array(item);
        if (level && !tests_rows(plan->qual, *level)) {
            return true;
        }
    }
    return false;
}

// Whether a row test among the conditions asks for that permission.
bool tests_permission(const List *conditions, const Const *permission) {
    for (const auto *clause : each<Node>(conditions)) {
        if (is_row_test(clause) &&
            equal(linitial(ENTITLE_NODE(FuncExpr, clause)->args), permission)) {
            return true;
        }
    }
    return false;
}

// Whether a function that an index condition calls says no more than a row test beside it.
bool follows_from_test(const FuncExpr *call, const List *conditions) {
    static constexpr const char *kOfLevel[] = {
        "accessible_customers",         "unlimited_customers",           "accessible_customer",
        "accessible_customer_uuids",    "accessible_customer_codes",     "earliest_visible_date",
        "earliest_visible_timestamp",   "earliest_visible_timestamptz",  "earliest_partition_date",
        "earliest_partition_timestamp", "earliest_partition_timestamptz"};
    static constexpr const char *kOfPermission[] = {"permitted_brands", "permitted_brand",
                                                    "permitted_brand_keys", "permitted_brand_key"};
    const char *name = get_func_name(call->funcid);
    if (name == nullptr || call->args == NIL || !IsA(linitial(call->args), Const) ||
        get_func_namespace(call->funcid) != extension_schema()) {
        return false;
    }
    const auto *argument = static_cast<const Const *>(linitial(call->args));
    const auto is_name = [&](const char *known) {
        return strcmp(name, known) == 0;
    };
    return (std::any_of(std::begin(kOfLevel), std::end(kOfLevel), is_name) &&
            tests_rows(conditions, DatumGetInt32(argument->constvalue))) ||
           (std::any_of(std::begin(kOfPermission), std::end(kOfPermission), is_name) &&
            tests_permission(conditions, argument));
}

bool is_foreign_function(Oid function, void *) { return function >= FirstNormalObjectId; }

// What is worked out once may have asked: a function of others, or one of PostgreSQL's own that
// runs queries, as table_to_xml does. None of those is immutable.
bool is_unsteady_function(Oid function, void *) {
    return is_foreign_function(function, nullptr) ||
           func_volatile(function) != PROVOLATILE_IMMUTABLE;
}

bool calls_unsteady(Node *node, void *) {
    return node != nullptr &&
           (check_functions_in_node(node, is_unsteady_function, nullptr) ||
            expression_tree_walker(node, ENTITLE_WALKER(calls_unsteady), nullptr));
}

// Whether an index condition, which is worked out when the scan begins, calls a function that does
// more than follow from the row tests, which are the argument.
bool decides_more(Node *node, void *conditions) {
    if (node == nullptr) {
        return false;
    }
    if (IsA(node, FuncExpr) &&
        follows_from_test(ENTITLE_NODE(FuncExpr, node), static_cast<List *>(conditions))) {
        return false;
    }
    return check_functions_in_node(node, is_unsteady_function, nullptr) ||
           expression_tree_walker(node, ENTITLE_WALKER(decides_more), conditions);
}

// The same for all conditions of a scan, unless the plan relies on the customers it began with.
bool decides_beforehand(const PlannedStmt *statement, const List *index, List *conditions) {
    for (auto *clause : each<Node>(index)) {
        const auto level = level_of_array(clause);
        const bool is_watched =
            level && is_assumed(statement, Question{Fact::customers_as_begun, {}, *level}, true);
        if (!is_watched && decides_more(clause, conditions)) {
            return true;
        }
    }
    return false;
}

bool bitmap_decides_beforehand(const PlannedStmt *statement, const Plan *plan, List *conditions) {
    const List *parts = IsA(plan, BitmapAnd)  ? ENTITLE_NODE(BitmapAnd, plan)->bitmapplans
                        : IsA(plan, BitmapOr) ? ENTITLE_NODE(BitmapOr, plan)->bitmapplans
                                              : NIL;
    for (const auto *item : each<Plan>(parts)) {
        if (bitmap_decides_beforehand(statement, item, conditions)) {
            return true;
        }
    }
    return IsA(plan, BitmapIndexScan)
               ? decides_beforehand(statement, ENTITLE_NODE(BitmapIndexScan, plan)->indexqualorig,
                                    conditions)
               : parts == NIL;
}

bool tests_each(const PlannedStmt *statement, const Plan *plan) {
    if (plan == nullptr) {
        return true;
    }
    check_stack_depth();
    switch (nodeTag(plan)) {
    case T_SeqScan:
    case T_ValuesScan:
        return true;
    case T_IndexScan:
        return !decides_beforehand(statement, ENTITLE_NODE(IndexScan, plan)->indexqualorig,
                                   plan->qual);
    case T_IndexOnlyScan:
        return !decides_beforehand(statement, ENTITLE_NODE(IndexOnlyScan, plan)->recheckqual,
                                   plan->qual);
    case T_BitmapHeapScan:
        return !bitmap_decides_beforehand(statement, plan->lefttree, plan->qual);
    case T_Result:
        return !calls_unsteady(ENTITLE_NODE(Result, plan)->resconstantqual, nullptr) &&
               tests_each(statement, plan->lefttree);
    case T_Limit:
        return !calls_unsteady(ENTITLE_NODE(Limit, plan)->limitOffset, nullptr) &&
               !calls_unsteady(ENTITLE_NODE(Limit, plan)->limitCount, nullptr) &&
               tests_each(statement, plan->lefttree);
    case T_LockRows:
        return tests_each(statement, plan->lefttree);
    case T_SubqueryScan:
        return tests_each(statement, ENTITLE_NODE(SubqueryScan, plan)->subplan);
    case T_Append: {
        for (const auto *item : each<Plan>(ENTITLE_NODE(Append, plan)->appendplans)) {
            if (!tests_each(statement, item)) {
                return false;
            }
        }
        return true;
    }
    default:
        return false;
    }
}

// What reads all that is below before it gives out a row.
bool reads_all_first(const Plan *plan) {
    return IsA(plan, Sort) || IsA(plan, Hash) ||
           (IsA(plan, Agg) && (ENTITLE_NODE(Agg, plan)->aggstrategy == AGG_PLAIN ||
                               ENTITLE_NODE(Agg, plan)->aggstrategy == AGG_HASHED));
}

// Whether a function may ask for the asker's rights: those of the extension, and, in a session that
// has ever asked, those written in SQL or a procedural language, which may call them.
bool may_ask(Oid function, void *) {
    HeapTuple row = function < FirstNormalObjectId
                        ? nullptr
                        : SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(row)) {
        return false;
    }
    const auto *form = reinterpret_cast<const FormData_pg_proc *>(GETSTRUCT(row));
    const bool is_compiled = form->prolang == ClanguageId || form->prolang == INTERNALlanguageId;
    const bool is_own = is_extension_schema(form->pronamespace);
    ReleaseSysCache(row);
    return is_own || (!is_compiled && asker_epoch() != 0);
}

bool calls_asking(Node *node, void *) {
    return node != nullptr && (check_functions_in_node(node, may_ask, nullptr) ||
                               expression_tree_walker(node, ENTITLE_WALKER(calls_asking), nullptr));
}

bool prunes_by_asking(const PartitionPruneInfo *pruning) {
    for (auto *item : each<List>(pruning->prune_infos)) {
        for (const auto *info : each<PartitionedRelPruneInfo>(item)) {
            for (const List *steps : {info->initial_pruning_steps, info->exec_pruning_steps}) {
                for (const auto *one : each<Node>(steps)) {
                    if (IsA(one, PartitionPruneStepOp) &&
                        calls_asking(reinterpret_cast<Node *>(
                                         ENTITLE_NODE(PartitionPruneStepOp, one)->exprs),
                                     nullptr)) {
                        return true;
                    }
                }
            }
        }
    }
    return false;
}

bool prunes_by_asking(const PlannedStmt *statement, const Plan *plan) {
    const PartitionPruneInfo *pruning = entitle_pruning_of(statement, plan);
    return pruning != nullptr && prunes_by_asking(pruning);
}

Visited find_open(Plan *plan) {
    return reads_all_first(plan)    ? Visited::leave_out_below
           : is_untested_scan(plan) ? Visited::found
                                    : Visited::go_on;
}

} // namespace

bool has_open_scan(const PlannedStmt *plan) { return visit_plan(plan, find_open); }

bool tests_each_row(const PlannedStmt *plan) {
    return plan->subplans == NIL && tests_each(plan, plan->planTree);
}

PlannedStmt *without_asking_pruning(PlannedStmt *plan) {
    const auto find_asking = [&](const Plan *node) {
        return prunes_by_asking(plan, node) ? Visited::found : Visited::go_on;
    };
    if (!visit_plan(plan, find_asking)) {
        return plan;
    }
    auto *unpruned = static_cast<PlannedStmt *>(copyObjectImpl(plan));
    (void)visit_plan(unpruned, [&](Plan *node) {
        if (prunes_by_asking(unpruned, node)) {
            entitle_disable_runtime_pruning(unpruned, node);
        }
        return Visited::go_on;
    });
    return unpruned;
}

} // namespace entitle::pg
