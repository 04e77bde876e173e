// The cost of index scans that a row test gave its condition. PostgreSQL would look at the
// condition's array, and to see it would load all of the asker's customers while planning; here it
// gets their number instead.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace entitle::pg {

// Puts our estimate before that of each B-tree index; it does nothing to scans without a row test.
// regime: hook
void adjust_index_costs(RelOptInfo *relation);

// Puts plain index scans in the place of bitmap scans that cost hardly less, where a row test gave
// the condition. regime: hook
void prefer_index_scans(RelOptInfo *relation);

// Estimates for the planner: how many keys the condition's array holds, and which fraction of the
// table they cover. regime: C
struct ConditionEstimate {
    double keys;
    double fraction;
};

// Returns: false when the clause is no row test, or the column not one of its own.
bool estimate_condition(PlannerInfo *root, Node *clause, Node *column, int rel,
                        ConditionEstimate &result);

} // namespace entitle::pg
