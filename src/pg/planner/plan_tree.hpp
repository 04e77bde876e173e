// What a finished plan does with the answers of its asker: for hooks that look at whole plans.
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/plannodes.h"
}

namespace entitle::pg {

// Whether the plan has an index scan over accessible_customers() whose rows no filter checks again,
// and which can still be running when the first row is returned: it is not below Sort, Hash, or
// plain or hashed aggregation.
bool has_open_scan(const PlannedStmt *plan);

// Whether each row that is still to come is looked at by the row tests when it is given out:
// nothing was read ahead, and nothing was worked out beforehand that the asker's rights could
// decide. Only what is known to do so counts.
bool tests_each_row(const PlannedStmt *plan);

// Returns: the plan, or a copy that leaves out no partitions at run time by functions that may ask
// for rights. For plans with workers: each process prunes by itself, and one that hears of a change
// of rights between its leader's start and its own would count the partitions differently.
PlannedStmt *without_asking_pruning(PlannedStmt *plan);

} // namespace entitle::pg
