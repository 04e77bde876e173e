// In front of the B-tree's own estimate: what a path needs of the row tests' conditions, and what
// these cost.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/planner/index_cost.hpp"
#include "pg/planner/selectivity.hpp"

extern "C" {
#include "access/amapi.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "utils/array.h"
#include "utils/index_selfuncs.h"
#include "utils/selfuncs.h"
}

#include <algorithm>
#include <cmath>

namespace entitle::pg {

namespace {

// Beyond this an array's length makes no difference to its cost.
constexpr double kMostKeys = 10000000.0;

// A bitmap scan gathers what it finds before it reads a row, and tests each row even where the
// array says all that the test says. PostgreSQL charges next to nothing for the one and cannot know
// the other, while it takes something off for pages read in their order (of a tenth of the table's
// pages nearly a third), which few scattered rows do not repay: in memory such scans took up to
// twice as long as the plain ones, and were no quicker where they cost a third as much. Up to this
// factor the plain one is taken.
constexpr double kBitmapSurplus = 2.0;

// An array behind other conditions is given up where that costs less by this factor.
constexpr double kLaterSurplus = 2.0;

// Reading in an order until enough of the asker's rows have come is quick only if they lie spread
// evenly, as PostgreSQL assumes. An index with the asker's customers finds them wherever they lie,
// and is taken up to this factor: in memory it was three times as quick where it cost a tenth more.
constexpr double kSpreadSurplus = 1.5;

// The condition that a row test gave. Returns: null for any other.
RestrictInfo *condition_of_test(const IndexClause *clause) {
    if (list_length(clause->indexquals) != 1) {
        return nullptr;
    }
    auto *condition = static_cast<RestrictInfo *>(linitial(clause->indexquals));
    return IsA(condition->clause, ScalarArrayOpExpr) && IsA(clause->rinfo->clause, FuncExpr)
               ? condition
               : nullptr;
}

bool has_condition_of_test(const IndexPath *path) {
    for (const auto *item : each<IndexClause>(path->indexclauses)) {
        if (condition_of_test(item) != nullptr) {
            return true;
        }
    }
    return false;
}

// Whether the clause leaves the column one value; with `or_few`, some values known beforehand.
bool is_equality(const IndexOptInfo *index, const IndexClause *clause, bool or_few) {
    if (list_length(clause->indexquals) != 1 || condition_of_test(clause) != nullptr) {
        return false;
    }
    const auto *condition = static_cast<RestrictInfo *>(linitial(clause->indexquals));
    const Node *test = reinterpret_cast<const Node *>(condition->clause);
    const Oid operation = IsA(test, OpExpr) ? ENTITLE_NODE(OpExpr, test)->opno
                          : or_few && IsA(test, ScalarArrayOpExpr)
                              ? ENTITLE_NODE(ScalarArrayOpExpr, test)->opno
                              : InvalidOid;
    return OidIsValid(operation) &&
           get_op_opfamily_strategy(operation, index->opfamily[clause->indexcol]) ==
               BTEqualStrategyNumber;
}

bool has_equality(const IndexPath *path, int column, bool or_few) {
    for (const auto *clause : each<IndexClause>(path->indexclauses)) {
        if (clause->indexcol == column && is_equality(path->indexinfo, clause, or_few)) {
            return true;
        }
    }
    return false;
}

// Whether an array on the column leaves the order that the path promises: every column before it
// has one value. PostgreSQL itself keeps arrays away from ordered paths, but not those that a
// support function made.
bool keeps_order(const IndexPath *path, int column) {
    for (int before = 0; before < column && path->path.pathkeys != NIL; ++before) {
        if (!has_equality(path, before, false)) {
            return false;
        }
    }
    return true;
}

// Takes out the conditions of row tests that would spoil the path's order, and those beside an
// equality on the same column: there they find nothing more, but would gather all the asker's
// customers at each execution. The tests themselves stay as filters.
void drop_needless(IndexPath *path) {
    List *kept = NIL;
    for (auto *clause : each<IndexClause>(path->indexclauses)) {
        if (condition_of_test(clause) == nullptr ||
            (!has_equality(path, clause->indexcol, true) && keeps_order(path, clause->indexcol))) {
            kept = lappend(kept, clause);
        }
    }
    path->indexclauses = kept;
}

// Stands for an array of so many elements, which has none: it may be counted, not read. Proofs
// about partial indexes and extended statistics read the elements of a constant, so it is no
// constant but a relabelling of one, which estimates of an array's length look through and those do
// not.
Node *array_of_length(double keys) {
    const int count = static_cast<int>(std::clamp(keys, 1.0, kMostKeys));
    auto *array = static_cast<ArrayType *>(palloc0(ARR_OVERHEAD_NONULLS(1)));
    SET_VARSIZE(array, ARR_OVERHEAD_NONULLS(1));
    array->ndim = 1;
    array->elemtype = INT8OID;
    ARR_DIMS(array)[0] = count;
    ARR_LBOUND(array)[0] = 1;
    CaseTestExpr *element = makeNode(CaseTestExpr);
    element->typeId = INT8OID;
    element->typeMod = -1;
    ArrayCoerceExpr *relabelled = makeNode(ArrayCoerceExpr);
    relabelled->arg = reinterpret_cast<Expr *>(
        makeConst(INT8ARRAYOID, -1, InvalidOid, -1, PointerGetDatum(array), false, false));
    relabelled->elemexpr = reinterpret_cast<Expr *>(makeRelabelType(
        reinterpret_cast<Expr *>(element), INT8OID, -1, InvalidOid, COERCE_IMPLICIT_CAST));
    relabelled->resulttype = INT8ARRAYOID;
    relabelled->resulttypmod = -1;
    relabelled->coerceformat = COERCE_IMPLICIT_CAST;
    relabelled->location = -1;
    return reinterpret_cast<Node *>(relabelled);
}

// Fills in the fraction of every condition that a row test gave, and for the time of the estimate
// the number of its keys, which PostgreSQL cannot see in a call. Returns: what stood in its place,
// to be put back.
List *fill_in(PlannerInfo *root, const IndexPath *path) {
    List *calls = NIL;
    for (const auto *clause : each<IndexClause>(path->indexclauses)) {
        RestrictInfo *condition = condition_of_test(clause);
        if (condition == nullptr) {
            continue;
        }
        List *arguments = ENTITLE_NODE(ScalarArrayOpExpr, condition->clause)->args;
        auto *column = static_cast<Node *>(linitial(arguments));
        const auto estimate =
            estimate_condition(root, reinterpret_cast<Node *>(clause->rinfo->clause), column,
                               static_cast<int>(path->path.parent->relid));
        if (estimate) {
            condition->norm_selec = estimate->fraction;
            calls = lappend(calls, list_make2(arguments, lsecond(arguments)));
            lsecond(arguments) = array_of_length(estimate->keys);
        }
    }
    return calls;
}

void put_back(const List *calls) {
    for (const auto *call : each<List>(calls)) {
        lsecond(static_cast<List *>(linitial(call))) = lsecond(call);
    }
}

// Finds the scan by one index that could go without the bitmap, if a row test gave it its array.
// Returns: null when there is none.
IndexPath *find_scan(const Path *path) {
    if (!IsA(path, BitmapHeapPath) ||
        !IsA(ENTITLE_NODE(BitmapHeapPath, path)->bitmapqual, IndexPath)) {
        return nullptr;
    }
    auto *scan = ENTITLE_NODE(IndexPath, ENTITLE_NODE(BitmapHeapPath, path)->bitmapqual);
    return has_condition_of_test(scan) ? scan : nullptr;
}

// What the B-tree's estimate gives.
struct Estimate {
    Cost startup, total;
    Selectivity selectivity;
    double correlation, pages;
};

Estimate estimate_with(PlannerInfo *root, IndexPath *path, List *clauses, double loop_count) {
    Estimate result{};
    path->indexclauses = clauses;
    const List *calls = fill_in(root, path);
    btcostestimate(root, path, loop_count, &result.startup, &result.total, &result.selectivity,
                   &result.correlation, &result.pages);
    put_back(calls);
    return result;
}

// What row tests gave for columns behind the index's first.
List *without_later_tests(const IndexPath *path) {
    List *kept = NIL;
    for (auto *clause : each<IndexClause>(path->indexclauses)) {
        if (clause->indexcol == 0 || condition_of_test(clause) == nullptr) {
            kept = lappend(kept, clause);
        }
    }
    return kept;
}

// What it costs to read and test the rows that an index gives without a condition.
Cost cost_of_tests(const IndexPath *path, double fraction) {
    const double rows = fraction * path->indexinfo->tuples;
    const Cost page = path->path.pathtype == T_IndexOnlyScan ? 0.0 : random_page_cost;
    return rows * (cpu_tuple_cost + page) + rows * cpu_operator_cost;
}

// An array behind other conditions costs a descent for each of its elements; where those leave few
// rows, to test these is cheaper. PostgreSQL makes both paths for arrays of a query's text, but not
// for those that a support function made.
void estimate_cost(PlannerInfo *root, IndexPath *path, double loop_count, Cost *startup,
                   Cost *total, Selectivity *selectivity, double *correlation, double *pages) {
    drop_needless(path);
    List *const all = path->indexclauses;
    List *const fewer = without_later_tests(path);
    Estimate best = estimate_with(root, path, all, loop_count);
    if (fewer != NIL && list_length(fewer) < list_length(all)) {
        const Estimate other = estimate_with(root, path, fewer, loop_count);
        const Cost tests = cost_of_tests(path, other.selectivity - best.selectivity);
        if ((other.total + tests) * kLaterSurplus < best.total) {
            best = other;
        } else {
            path->indexclauses = all;
        }
    }
    // Workers of a parallel index scan share out the elements of an array by number, and each asks
    // for the array itself: after a change of rights theirs would not be the leader's. The serial
    // path is costed before PostgreSQL asks whether the index can have a parallel one; a major that
    // asks first fails PlanParallelTest.
    path->indexinfo->amcanparallel = !has_condition_of_test(path);
    *startup = best.startup;
    *total = best.total;
    *selectivity = best.selectivity;
    *correlation = best.correlation;
    *pages = best.pages;
}

bool reads_own_rows(const Path *path) {
    return find_scan(path) != nullptr ||
           (IsA(path, IndexPath) && has_condition_of_test(ENTITLE_NODE(IndexPath, path)));
}

// Adds to the cost of reading in an order where the same rows can be found by the row test.
void charge_for_spread(RelOptInfo *relation) {
    bool has_own = false;
    for (const auto *path : each<Path>(relation->pathlist)) {
        has_own = has_own || (path->param_info == nullptr && reads_own_rows(path));
    }
    for (auto *path : each<Path>(has_own ? relation->pathlist : NIL)) {
        if (IsA(path, IndexPath) && path->pathkeys != NIL && !reads_own_rows(path)) {
            path->total_cost += (path->total_cost - path->startup_cost) * (kSpreadSurplus - 1.0);
        }
    }
}

} // namespace

void prefer_index_scans(RelOptInfo *relation) {
    List *scans = NIL;
    ListCell *cell = nullptr;
    foreach (cell, relation->pathlist) {
        const auto *path = static_cast<const Path *>(lfirst(cell));
        IndexPath *scan = find_scan(path);
        if (scan != nullptr && entitle_disabled(&scan->path) <= entitle_disabled(path) &&
            scan->path.total_cost <= path->total_cost * kBitmapSurplus) {
            relation->pathlist = foreach_delete_current(relation->pathlist, cell);
            scans = lappend(scans, scan);
        }
    }
    // Workers would share the same bitmap.
    foreach (cell, relation->partial_pathlist) {
        if (list_member_ptr(scans, find_scan(static_cast<const Path *>(lfirst(cell))))) {
            relation->partial_pathlist = foreach_delete_current(relation->partial_pathlist, cell);
        }
    }
    for (auto *scan : each<Path>(scans)) {
        add_path(relation, scan);
    }
    charge_for_spread(relation);
}

void adjust_index_costs(RelOptInfo *relation) {
    for (auto *index : each<IndexOptInfo>(relation->indexlist)) {
        // One address for one function, as ELF has it. Where a library sees a stub of its own
        // (Windows), nothing would be equal here, and the scans would keep PostgreSQL's costs.
        if (reinterpret_cast<amcostestimate_function>(index->amcostestimate) == btcostestimate) {
            index->amcostestimate =
                reinterpret_cast<decltype(index->amcostestimate)>(estimate_cost);
        }
    }
}

} // namespace entitle::pg
