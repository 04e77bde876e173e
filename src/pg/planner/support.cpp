// The support function behind the row tests. Staff who see every row lose the test; outsiders get
// index conditions that call STABLE functions, so that no plan ever holds anybody's list of
// customers. Whatever a plan leaves out or narrows because of the asker is recorded as an
// assumption (assumption.hpp).
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/node.hpp"
#include "pg/subject/current_subject.hpp"
#include "pg/planner/assumption.hpp"
#include "pg/planner/conflict_guard.hpp"
#include "pg/planner/index_condition.hpp"
#include "pg/planner/index_cost.hpp"
#include "pg/planner/selectivity.hpp"
#include "pg/boundary/function.hpp"
#include "pg/planner/planner.hpp"
#include "pg/planner/row_filter.hpp"
#include "pg/datum/datum.hpp"

extern "C" {
#include "catalog/pg_am.h"
#include "catalog/pg_proc.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/plancat.h"
#include "parser/parse_func.h"
#include "parser/parsetree.h"
#include "partitioning/partdesc.h"
#include "utils/partcache.h"
}

#include "core/access.hpp"

using namespace entitle;
using namespace entitle::pg;

namespace {

// Marks a call that simplification has already taken apart, so that the members of a partitioned
// table, whose tests are simplified once more, do not get everything twice. It stands in the
// position of the permission's literal, which goes with the call wherever it is copied; positions
// in query texts are never so small.
constexpr int kTakenApart = -7772;

bool is_taken_apart(const List *arguments) {
    const auto *permission = static_cast<const Node *>(linitial(arguments));
    return IsA(permission, Const) && ENTITLE_NODE(Const, permission)->location == kTakenApart;
}

bool may_show_by_permission(const Call &call) {
    return call.permission && ask(permission_question(call));
}

// Whether any row may show by external access.
bool may_show_by_access(const Call &call) {
    return call.level && ask(Question{Fact::has_grants, {}});
}

// Makes the plan rely on no row showing by permission. Requires: !may_show_by_permission(call).
bool assume_no_permission(PlannerInfo *root, const Call &call) {
    return !call.permission || assume(root, permission_question(call), false);
}

// The same for external access. Requires: !may_show_by_access(call).
bool assume_no_access(PlannerInfo *root, const Call &call) {
    return !call.level || assume(root, Question{Fact::has_grants, {}}, false);
}

// Whether the asker's customers are all below the level, as those of somebody who sees no prices.
// Nobody's plan is left as it is: who signs in next can use it, too.
bool reaches_none(const Call &call) {
    return call.level && may_show_by_access(call) &&
           !ask(Question{Fact::reaches_more, {}, *call.level, 0});
}

// Makes the plan rely on that. Requires: reaches_none(call), or no level.
bool assume_no_reach(PlannerInfo *root, const Call &call) {
    return !call.level || assume(root, Question{Fact::reaches_more, {}, *call.level, 0}, false);
}

// Finds the partitioned table that a column belongs to. Returns: null for any other column.
const RangeTblEntry *find_partitioned(const PlannerInfo *root, const Node *column) {
    if (column == nullptr || !IsA(column, Var)) {
        return nullptr;
    }
    const auto *var = ENTITLE_NODE(Var, column);
    // PostgreSQL simplifies the condition of an EXISTS with the outer query at hand: the number may
    // belong to another query's tables. Then the answer is about the wrong table, which costs a
    // needless condition, but it must not be looked up past the end.
    const bool is_known =
        var->varlevelsup == 0 && var->varno >= 1 && var->varno <= list_length(root->parse->rtable);
    const RangeTblEntry *entry = is_known ? rt_fetch(var->varno, root->parse->rtable) : nullptr;
    return entry != nullptr && entry->rtekind == RTE_RELATION &&
                   entry->relkind == RELKIND_PARTITIONED_TABLE
               ? entry
               : nullptr;
}

// Whether the table, or a part of it, is partitioned by the column. Parts are locked as the plan
// will lock them.
bool is_divided_by(Oid table, const char *column) {
    check_stack_depth();
    Relation relation = table_open(table, AccessShareLock);
    const PartitionKeyData *key = RelationGetPartitionKey(relation);
    bool found = false;
    for (int i = 0; i < key->partnatts && !found; ++i) {
        found = key->partattrs[i] > 0 &&
                strcmp(column, get_attname(table, key->partattrs[i], false)) == 0;
    }
    const PartitionDescData *parts = RelationGetPartitionDesc(relation, true);
    for (int i = 0; i < parts->nparts && !found; ++i) {
        found = !parts->is_leaf[i] && is_divided_by(parts->oids[i], column);
    }
    table_close(relation, NoLock);
    return found;
}

// Whether partitions can be left out by the column.
bool is_partition_key(const PlannerInfo *root, const Node *column) {
    const RangeTblEntry *entry = find_partitioned(root, column);
    const char *name = entry == nullptr
                           ? nullptr
                           : get_attname(entry->relid, ENTITLE_NODE(Var, column)->varattno, true);
    return name != nullptr && is_divided_by(entry->relid, name);
}

// Partitions are left out only by a list whose length the plan knows: column = ANY(ARRAY[f(x, 1),
// ...]). More elements than this cost more per row than partitions save.
constexpr std::size_t kMaxListed = 16;

// Finds the shortest list (a power of two) that holds all, so that a few more do not need a new
// plan.
std::size_t find_length(PlannerInfo *root, Question question) {
    for (question.number = 1; question.number <= kMaxListed; question.number *= 2) {
        if (!ask(question)) {
            return assume(root, question, false) ? question.number : 0;
        }
    }
    return 0;
}

// Conditions that follow from the test for a table partitioned by customer or brand.
Expr *make_pruning(PlannerInfo *root, const Call &call, bool by_permission) {
    if (!by_permission && call.level && is_partition_key(root, call.customer) &&
        key_type_of(getBaseType(exprType(call.customer))) == KeyType::integer &&
        assume_no_permission(root, call)) {
        const std::size_t length = find_length(root, Question{Fact::reaches_more, {}, *call.level});
        return customer_is_listed(call.customer, *call.level, length);
    }
    if (by_permission && is_partition_key(root, call.brand) && !may_show_by_access(call) &&
        assume_no_access(root, call)) {
        const std::size_t length =
            find_length(root, Question{Fact::permits_more, *call.permission});
        return brand_is_listed(call.brand, *call.permission, length);
    }
    return nullptr;
}

// What leaves out partitions must be asked by one process only: a worker that starts after a change
// would leave out others than its leader. The functions are marked so, but a query without any such
// call was found safe before simplification put one in, and would not be looked at again.
void keep_to_leader(PlannerInfo *root) {
    if (root->glob->maxParallelHazard == PROPARALLEL_SAFE) {
        root->glob->maxParallelHazard = PROPARALLEL_RESTRICTED;
    }
}

// Whether an execution of the query asks the plan's assumptions. Without a query there is no plan
// to carry them. PL/pgSQL takes its expressions out of the plan of a query that reads nothing, and
// evaluates them for itself; such a query has but the row of no columns that the planner puts where
// FROM is missing. A query inside another one was never such an expression.
bool has_execution(const PlannerInfo *root) {
    if (root == nullptr || root->parse == nullptr) {
        return false;
    }
    if (root->parent_root != nullptr) {
        return true;
    }
    for (const auto *item : each<RangeTblEntry>(root->parse->rtable)) {
        if (item->rtekind != RTE_RESULT) {
            return true;
        }
    }
    return false;
}

// Folds the test away where the answer is the same for every row, or puts beside it what follows
// from it and the planner knows how to use: the reach of the windows, and lists that leave out
// partitions.
Node *simplify(const SupportRequestSimplify *request, bool is_branded) {
    PlannerInfo *root = request->root;
    FuncExpr *function = request->fcall;
    const auto read = read_call(function->args, is_branded);
    if (!has_execution(root) || is_taken_apart(function->args) || !read) {
        return nullptr;
    }
    const Call &call = *read;
    const bool by_permission = may_show_by_permission(call);
    if (by_permission && call.brand == nullptr) {
        return assume(root, permission_question(call), true) ? makeBoolConst(true, false) : nullptr;
    }
    if (!by_permission && (!call.level || reaches_none(call))) {
        return assume_no_permission(root, call) && assume_no_reach(root, call)
                   ? makeBoolConst(false, false)
                   : nullptr;
    }
    List *conditions = NIL;
    const Question unlimited{Fact::has_unlimited_window, {}};
    if (!by_permission && call.date != nullptr && !ask(unlimited)) {
        Expr *reach =
            date_is_reached(call.date, *call.level, find_partitioned(root, call.date) != nullptr);
        if (reach != nullptr && assume_no_permission(root, call) &&
            assume(root, unlimited, false)) {
            conditions = lappend(conditions, reach);
        }
    }
    Expr *pruning = make_pruning(root, call, by_permission);
    if (pruning != nullptr) {
        conditions = lappend(conditions, pruning);
    }
    if (conditions == NIL) {
        return nullptr;
    }
    if (pruning != nullptr || find_partitioned(root, call.date) != nullptr) {
        keep_to_leader(root);
    }
    auto *test = static_cast<FuncExpr *>(copyObjectImpl(function));
    static_cast<Const *>(linitial(test->args))->location = kTakenApart;
    return reinterpret_cast<Node *>(make_andclause(lcons(test, conditions)));
}

// The same test by its name without shared_.
FuncExpr *own_rows_test(const FuncExpr *shared, bool is_branded) {
    Oid *types = nullptr;
    int count = 0;
    get_func_signature(shared->funcid, &types, &count);
    const char *name = is_branded ? "brand_row_allowed" : "row_allowed";
    List *const names = list_make2(makeString(pstrdup("entitle")), makeString(pstrdup(name)));
    auto *test = static_cast<FuncExpr *>(copyObjectImpl(shared));
    test->funcid = LookupFuncName(names, count, types, false);
    return test;
}

// Takes a test that shows shared rows apart, so that each half is planned as it would be alone: the
// row has no customer, or it passes the test of the others. Nobody's is left as it is: who signs in
// next can use that plan, too.
Node *simplify_shared(const SupportRequestSimplify *request, bool is_branded) {
    PlannerInfo *root = request->root;
    const Question somebody{Fact::is_somebody, {}};
    const auto call = read_call(request->fcall->args, is_branded);
    if (!has_execution(root) || !call || !ask(somebody)) {
        return nullptr;
    }
    SupportRequestSimplify others = *request;
    others.fcall = own_rows_test(request->fcall, is_branded);
    Node *test = simplify(&others, is_branded);
    if (test != nullptr && IsA(test, Const) &&
        DatumGetBool(ENTITLE_NODE(Const, test)->constvalue)) {
        return test;
    }
    if (!assume(root, somebody, true)) {
        return nullptr;
    }
    NullTest *unowned = makeNode(NullTest);
    unowned->arg = static_cast<Expr *>(copyObjectImpl(call->customer));
    unowned->nulltesttype = IS_NULL;
    unowned->argisrow = false;
    unowned->location = -1;
    if (test != nullptr && IsA(test, Const)) {
        return reinterpret_cast<Node *>(unowned);
    }
    return reinterpret_cast<Node *>(make_orclause(
        list_make2(unowned, test == nullptr ? reinterpret_cast<Node *>(others.fcall) : test)));
}

double estimate(PlannerInfo *root, const Call &call, int rel, bool has_reach) {
    double by_permission = 0.0;
    if (may_show_by_permission(call)) {
        if (call.brand == nullptr) {
            return 1.0;
        }
        by_permission =
            estimate_brands(root, call.brand, rel, current_asker(), *call.permission).fraction;
    }
    double by_access = 0.0;
    if (call.level) {
        const Asker &asker = current_asker();
        by_access = estimate_customer_fraction(root, call.customer, rel, asker, *call.level);
        if (call.date != nullptr && !has_reach) {
            by_access *= estimate_window_fraction(root, call.date, rel, asker, *call.level);
        }
    }
    return by_permission + by_access - by_permission * by_access;
}

bool estimate_selectivity(SupportRequestSelectivity *request, bool is_branded) {
    const auto call = read_call(request->args, is_branded);
    if (request->is_join || !call) {
        return false;
    }
    // The date comparison beside a test that was taken apart is estimated on its own.
    const bool has_reach =
        is_taken_apart(request->args) && !ask(Question{Fact::has_unlimited_window, {}});
    request->selectivity = estimate(request->root, *call, request->varRelid, has_reach);
    return true;
}

// Whether an index condition on the customer says all that the test says: there is no date to look
// at, or no window that looks at it. Then the plan relies on that.
bool rely_on_customer_alone(PlannerInfo *root, const Call &call) {
    const Question limited{Fact::has_limited_window, {}, *call.level};
    const Question begun{Fact::customers_as_begun, {}, *call.level};
    return key_type_of(getBaseType(exprType(call.customer))) == KeyType::integer &&
           level_place(*call.level) &&
           (call.date == nullptr || (!ask(limited) && assume(root, limited, false))) &&
           assume(root, begun, true);
}

// The condition on the customer column. Where it says all, it calls a function that lists nobody
// whose dates would have to be looked at, should rights change on the way; else the test stays as a
// recheck.
Expr *customer_condition(SupportRequestIndexCondition *request, const Call &call) {
    const bool is_all = rely_on_customer_alone(request->root, call);
    request->lossy = !is_all;
    return is_all && call.date != nullptr
               ? customer_is_unlimited(call.customer, *call.level, request->opfamily)
               : customer_is_reached(call.customer, *call.level, request->opfamily,
                                     request->indexcollation);
}

// The index condition that a row test implies for the asker.
List *index_condition(SupportRequestIndexCondition *request, bool is_branded) {
    if (!IsA(request->node, FuncExpr) || is_shared_test(request->funcid) ||
        !request->index->amsearcharray || request->index->relam != BTREE_AM_OID) {
        return NIL;
    }
    List *arguments = ENTITLE_NODE(FuncExpr, request->node)->args;
    const auto read = read_call(arguments, is_branded);
    if (!read) {
        return NIL;
    }
    const Call &call = *read;
    const auto *column = static_cast<Node *>(list_nth(arguments, request->indexarg));
    Expr *condition = nullptr;
    if (column == call.customer && call.level && !may_show_by_permission(call)) {
        if (!assume_no_permission(request->root, call)) {
            return NIL;
        }
        condition = customer_condition(request, call);
    } else if (column == call.brand && call.permission && !may_show_by_access(call)) {
        // Valid only for those to whom no row shows by external access.
        condition = brand_is_permitted(call.brand, *call.permission, request->opfamily,
                                       request->indexcollation);
        if (condition == nullptr || !assume_no_access(request->root, call)) {
            return NIL;
        }
        request->lossy = true;
    }
    return condition == nullptr ? NIL : list_make1(condition);
}

Datum support(FunctionCallInfo fcinfo, bool is_branded) {
    auto *request = reinterpret_cast<Node *>(PG_GETARG_POINTER(0));
    if (IsA(request, SupportRequestSimplify)) {
        guard_conflict(ENTITLE_NODE(SupportRequestSimplify, request)->root);
        note_row_test(ENTITLE_NODE(SupportRequestSimplify, request)->fcall->funcid);
        const auto *simplified = ENTITLE_NODE(SupportRequestSimplify, request);
        return PointerGetDatum(is_shared_test(simplified->fcall->funcid)
                                   ? simplify_shared(simplified, is_branded)
                                   : simplify(simplified, is_branded));
    }
    if (IsA(request, SupportRequestSelectivity)) {
        auto *selectivity = ENTITLE_NODE(SupportRequestSelectivity, request);
        return PointerGetDatum(estimate_selectivity(selectivity, is_branded) ? request : nullptr);
    }
    if (IsA(request, SupportRequestIndexCondition)) {
        return PointerGetDatum(
            index_condition(ENTITLE_NODE(SupportRequestIndexCondition, request), is_branded));
    }
    return Datum(0);
}

} // namespace

// Planner support of row_allowed. regime: C
ENTITLE_FUNCTION(entitle_row_allowed_support) { return support(fcinfo, false); }

// Planner support of brand_row_allowed. regime: C
ENTITLE_FUNCTION(entitle_brand_row_allowed_support) { return support(fcinfo, true); }
