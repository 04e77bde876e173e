// The estimate in front of the B-tree's own.
#include "pg/postgres.hpp"

#include "pg/cost.hpp"

extern "C" {
#include "access/amapi.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "utils/index_selfuncs.h"
#include "utils/selfuncs.h"
}

#include <algorithm>
#include <cmath>

namespace entitle::pg {

namespace {

// What PostgreSQL assumes of an array it cannot see (estimate_array_length).
constexpr double kAssumedKeys = 10.0;

// What the B-tree's estimate charges for touching a page on the way down (selfuncs.c).
constexpr double kPageVisits = 50.0;

// Fills in the fraction of every condition that a row test gave. Returns: by how much the number of
// its keys exceeds what PostgreSQL assumes.
double fill_fractions(PlannerInfo *root, const IndexPath *path) {
    double surplus = 0.0;
    ListCell *cell = nullptr;
    foreach (cell, path->indexclauses) {
        const auto *clause = static_cast<const IndexClause *>(lfirst(cell));
        if (!clause->lossy || list_length(clause->indexquals) != 1) {
            continue;
        }
        auto *condition = static_cast<RestrictInfo *>(linitial(clause->indexquals));
        if (!IsA(condition->clause, ScalarArrayOpExpr)) {
            continue;
        }
        auto *column = static_cast<Node *>(
            linitial(reinterpret_cast<ScalarArrayOpExpr *>(condition->clause)->args));
        ConditionEstimate estimate{};
        if (estimate_condition(root, reinterpret_cast<Node *>(clause->rinfo->clause), column,
                               static_cast<int>(path->path.parent->relid), estimate)) {
            condition->norm_selec = estimate.fraction;
            surplus += std::max(estimate.keys, 1.0) - kAssumedKeys;
        }
    }
    return surplus;
}

void estimate_cost(PlannerInfo *root, IndexPath *path, double loop_count, Cost *startup,
                   Cost *total, Selectivity *selectivity, double *correlation, double *pages) {
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

void adjust_index_costs(RelOptInfo *relation) {
    ListCell *cell = nullptr;
    foreach (cell, relation->indexlist) {
        auto *index = static_cast<IndexOptInfo *>(lfirst(cell));
        if (reinterpret_cast<amcostestimate_function>(index->amcostestimate) == btcostestimate) {
            index->amcostestimate =
                reinterpret_cast<decltype(index->amcostestimate)>(estimate_cost);
        }
    }
}

} // namespace entitle::pg
