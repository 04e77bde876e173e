// In front of the B-tree's own estimate: what a path needs of the row tests' conditions, and what
// these cost.
#include "pg/boundary/postgres.hpp"

#include "pg/boundary/compat.hpp"
#include "pg/boundary/node.hpp"
#include "pg/planner/index_cost.hpp"
#include "pg/planner/selectivity.hpp"

extern "C" {
#include "access/amapi.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "utils/index_selfuncs.h"
#include "utils/selfuncs.h"
}

#include <algorithm>
#include <cmath>

namespace entitle::pg {

namespace {

// What PostgreSQL assumes of an array it cannot see (estimate_array_length).
constexpr double kAssumedKeys = 10.0;

// A bitmap scan gathers what it finds before it reads a row, and tests each row even where the
// array says all that the test says. PostgreSQL charges next to nothing for the one and cannot know
// the other, while it takes something off for pages read in their order (of a tenth of the table's
// pages nearly a third), which few scattered rows do not repay: in memory such scans took up to
// twice as long as the plain ones, and were no quicker where they cost a third as much. Up to this
// factor the plain one is taken.
constexpr double kBitmapSurplus = 1.4;

// What the B-tree's estimate charges for touching a page on the way down (selfuncs.c).
constexpr double kPageVisits = 50.0;

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

// Fills in the fraction of every condition that a row test gave. Returns: by how much the number of
// its keys exceeds what PostgreSQL assumes.
double fill_fractions(PlannerInfo *root, const IndexPath *path) {
    double surplus = 0.0;
    for (const auto *clause : each<IndexClause>(path->indexclauses)) {
        RestrictInfo *condition = condition_of_test(clause);
        if (condition == nullptr) {
            continue;
        }
        auto *column =
            static_cast<Node *>(linitial(ENTITLE_NODE(ScalarArrayOpExpr, condition->clause)->args));
        ConditionEstimate estimate{};
        if (estimate_condition(root, reinterpret_cast<Node *>(clause->rinfo->clause), column,
                               static_cast<int>(path->path.parent->relid), estimate)) {
            condition->norm_selec = estimate.fraction;
            surplus += std::max(estimate.keys, 1.0) - kAssumedKeys;
        }
    }
    return surplus;
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

void estimate_cost(PlannerInfo *root, IndexPath *path, double loop_count, Cost *startup,
                   Cost *total, Selectivity *selectivity, double *correlation, double *pages) {
    drop_needless(path);
    // Workers of a parallel index scan share out the elements of an array by number, and each asks
    // for the array itself: after a change of rights theirs would not be the leader's. The serial
    // path is costed before PostgreSQL asks whether the index can have a parallel one; a major that
    // asks first fails PlanParallelTest.
    path->indexinfo->amcanparallel = !has_condition_of_test(path);
    const double surplus = fill_fractions(root, path);
    btcostestimate(root, path, loop_count, startup, total, selectivity, correlation, pages);
    if (surplus == 0.0) {
        return;
    }
    // Each key descends the tree once more (or once less) than was charged.
    const IndexOptInfo *index = path->indexinfo;
    const double descent = (std::ceil(std::log2(std::max(index->tuples, 2.0))) +
                            (index->tree_height + 1) * kPageVisits) *
                           cpu_operator_cost;
    *total = std::max(*startup, *total + surplus * descent);
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
    for (auto *scan : each<Path>(scans)) {
        add_path(relation, scan);
    }
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
