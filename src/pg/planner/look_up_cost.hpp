// The cost of look-ups by key from rows that a row test let through.
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace entitle::pg {

// Prices the relation's index scans that take their keys from tables with row tests as PostgreSQL
// prices them in a join with the table of access. regime: hook
void price_look_ups(PlannerInfo *root, RelOptInfo *relation);

} // namespace entitle::pg
