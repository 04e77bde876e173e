// The cost of index scans that a row test gave its condition. PostgreSQL would look at the
// condition's array, and to see it would load all of the asker's customers while planning; here it
// gets their number instead.
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace entitle::pg {

// Puts our estimate before that of each B-tree index; it does nothing to scans without a row test.
// regime: hook
void adjust_index_costs(RelOptInfo *relation);

// Where a row test gave the condition, takes plain index scans instead of bitmap scans whose
// estimated cost is not at least twice lower, and instead of scans in an order whose cost is not
// much lower. regime: hook
void prefer_index_scans(RelOptInfo *relation);

} // namespace entitle::pg
