// Removes security_barrier from a filtered view in the planned copy of a query, when the asker sees
// all of its rows. A barrier keeps other conditions away from hidden rows; where none is hidden, it
// only keeps the planner from better plans.
#pragma once

#include "pg/boundary/postgres.hpp"

extern "C" {
#include "nodes/plannodes.h"
}

namespace entitle::pg {

// Lifts the barriers in a query about to be planned that hide no row from the asker.
// Returns: the permissions that show all rows, as String nodes. regime: C
List *lift_barriers(Query *query);

// Tells whether the plan is asked about all of these before it runs. If not, it must not be used.
bool relies_on(const PlannedStmt *plan, const List *permissions);

} // namespace entitle::pg
